"""A headless Chromium for tests: the machine's own, or one that comes from the npm registry by its lock file.

Needs no root. What comes from the registry is kept in ``.tools/browser`` of the checkout, with the libraries that a
bare machine lacks.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

_HERE = Path(__file__).resolve().parent
_KEPT = _HERE.parent / ".tools" / "browser"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# as root Chromium starts without its sandbox only; the rest keeps it from asking anything but our pages
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
_UNPACK = """
const zlib = require("zlib"), fs = require("fs"), [from, to] = process.argv.slice(1);
fs.writeFileSync(to, zlib.brotliDecompressSync(fs.readFileSync(from)));
"""


class NoBrowserError(Exception):
    """There is no browser and none can be had; the message says what to do."""


@contextmanager
def headless_browser() -> Iterator[Browser]:
    """A browser that closes in the end. Raises ``NoBrowserError``."""
    program, libraries = find_browser()
    environment = dict(os.environ) | ({"LD_LIBRARY_PATH": str(libraries)} if libraries else {})
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=list(_FLAGS), env={**environment}, timeout=120_000
        )
        try:
            yield browser
        finally:
            browser.close()


def find_browser() -> tuple[Path, Path | None]:
    """The program, and the folder of libraries that it needs besides the machine's. Raises ``NoBrowserError``."""
    if asked := os.environ.get("SAFERKC_BROWSER"):
        return Path(asked), None
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found), None
    return _from_registry()


def _from_registry() -> tuple[Path, Path]:
    _KEPT.mkdir(parents=True, exist_ok=True)
    program, libraries = _KEPT / "chromium", _KEPT / "lib"
    with (_KEPT / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # tests run in two processes
        if program.exists():
            return program, libraries
        for name in ("package.json", "package-lock.json"):
            shutil.copy(_HERE / "browser" / name, _KEPT)
        tools = Path(sys.executable).parent
        fetched = subprocess.run(
            [tools / "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=_KEPT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if fetched.returncode != 0:
            raise NoBrowserError(
                "there is no Chromium on this machine, and none came from the npm registry: install one"
                f" (apt-get install chromium) or name it in SAFERKC_BROWSER. npm said: {fetched.stderr.strip()[-400:]}"
            )
        packed = _KEPT / "node_modules" / "@sparticuz" / "chromium" / "bin"
        for name in ("al2023.tar", "chromium"):
            subprocess.run([tools / "node", "-e", _UNPACK, packed / f"{name}.br", _KEPT / f"{name}.new"], check=True)
        with tarfile.open(_KEPT / "al2023.tar.new") as archive:
            archive.extractall(_KEPT, filter="data")
        (_KEPT / "chromium.new").chmod(0o755)
        # last of all: where it lies, all is there
        (_KEPT / "chromium.new").rename(program)
        (_KEPT / "al2023.tar.new").unlink()
        shutil.rmtree(_KEPT / "node_modules")
    return program, libraries
