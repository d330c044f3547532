"""dbt under Airflow: the manifest from which the DAG is drawn, and the group of tasks that shows a build."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saferkc.monitoring import keep_task_run, tell_of_build
from saferkc.orchestration.environment import airflow_environment
from saferkc.settings import Settings

if TYPE_CHECKING:
    from airflow.sdk import DAG, TaskGroup
    from cosmos import DbtTaskGroup
    from cosmos.dbt.graph import DbtNode

    from saferkc.orchestration.model_tasks import ModelTask

_PROFILE, _TARGET, _GROUP = "saferkc", "warehouse", "dbt"
# what Cosmos calls the task that runs dbt
_PRODUCER = "dbt_producer_watcher"
_PROJECT_FILES = (".sql", ".yml", ".yaml", ".csv", ".md", ".py")


class DbtProjectError(Exception):
    """dbt can't read the project; the message says where to look."""


def manifest_file(settings: Settings) -> Path:
    """Return the manifest of the project as dbt last read it for this home."""
    return settings.home / "dbt" / "target" / "manifest.json"


def models_file(settings: Settings) -> Path:
    """Return where what Airflow draws of the manifest is kept: the models, and what they depend on."""
    return manifest_file(settings).with_name("models.json")


def run_results_file(settings: Settings, build_id: int) -> Path:
    """Return where a build's results are kept: of every model and test, how it went."""
    return settings.home / "dbt" / "builds" / f"{build_id}.json"


def refresh_manifest(settings: Settings) -> bool:
    """Let dbt read the project where it changed since the last time. Returns whether it did.

    Raises ``DbtProjectError``.
    """
    stamp = manifest_file(settings).with_suffix(".stamp")
    fingerprint = project_fingerprint(settings)
    if models_file(settings).exists() and stamp.exists() and stamp.read_text() == fingerprint:
        return False
    stamp.parent.mkdir(parents=True, exist_ok=True)
    _parse(settings, stamp.parent, log=settings.home / "dbt" / "parse.log", environment=airflow_environment(settings))
    models_file(settings).write_text(json.dumps(_models(json.loads(manifest_file(settings).read_text()))))
    # where Cosmos keeps it from one build to the next, so that not even the first build reads the project once more
    kept = settings.home / "dbt" / "cosmos" / f"warehouse__{_GROUP}" / "target"
    kept.mkdir(parents=True, exist_ok=True)
    shutil.copy(stamp.with_name("partial_parse.msgpack"), kept)
    stamp.write_text(fingerprint)
    return True


def _models(manifest: dict[str, Any]) -> dict[str, Any]:
    """The part of a manifest from which tasks are made: every task reads it again, and the whole takes 0.2 s."""
    kept = ("unique_id", "package_name", "resource_type", "original_file_path", "fqn", "tags", "config", "depends_on")
    models = {
        name: {key: node[key] for key in kept}
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
    }
    return {"metadata": {"project_name": manifest["metadata"]["project_name"]}, "nodes": models}


def parse_apart(settings: Settings) -> Path:
    """Let dbt read the project beside what nights use, and return its manifest; the home need not have been started.

    Raises ``DbtProjectError``.
    """
    folder = settings.home / "dbt" / "parsed"
    folder.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ) | {"DBT_LOG_PATH": str(folder)}
    _parse(settings, folder, log=folder / "parse.log", environment=environment)
    return folder / "manifest.json"


def _parse(settings: Settings, target: Path, *, log: Path, environment: dict[str, str]) -> None:
    # named as Cosmos names them: what was read under other names, dbt reads again
    names = ["--profile", _PROFILE, "--target", _TARGET]
    with log.open("w") as handle:
        result = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-m", "dbt.cli.main", "--no-use-colors", "parse", *names],
            env=environment | {"DBT_TARGET_PATH": str(target)},
            cwd=settings.dbt_project_dir,
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if result.returncode != 0:
        raise DbtProjectError(f"dbt can't read the project: see {log}")


def project_fingerprint(settings: Settings) -> str:
    """Return a hash of all files of the dbt project."""
    digest = hashlib.sha256()
    skipped = {"target", "logs", "dbt_packages"}
    for folder, folders, files in os.walk(settings.dbt_project_dir):
        folders[:] = sorted(name for name in folders if name not in skipped)
        for name in sorted(files):
            if name.endswith(_PROJECT_FILES):
                path = Path(folder, name)
                digest.update(str(path).encode() + path.read_bytes())
    return digest.hexdigest()


def dbt_task_group(settings: Settings, *, build: str) -> DbtTaskGroup:
    """Return the group that runs ``dbt build`` once and shows a task a model.

    ``build`` is the task whose result says which build this is. Tests and seeds run inside the one dbt process,
    without tasks of their own; a failed test keeps dbt from building on its model and is judged by the audit.
    """
    from cosmos import DbtTaskGroup, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig  # noqa: PLC0415
    from cosmos.constants import (  # noqa: PLC0415
        DbtResourceType,
        ExecutionMode,
        InvocationMode,
        LoadMode,
        TestBehavior,
    )

    begun = f"ti.xcom_pull(task_ids='{build}')"
    group = DbtTaskGroup(
        group_id=_GROUP,
        project_config=ProjectConfig(
            dbt_project_path=settings.dbt_project_dir,
            manifest_path=models_file(settings),
            project_name="saferkc",
            install_dbt_deps=False,
        ),
        profile_config=ProfileConfig(
            profile_name=_PROFILE,
            target_name=_TARGET,
            profiles_yml_filepath=settings.dbt_project_dir / "profiles.yml",
        ),
        execution_config=ExecutionConfig(
            execution_mode=ExecutionMode.WATCHER,
            invocation_mode=InvocationMode.DBT_RUNNER,
            # Cosmos leaves tests out where it shows no test tasks; they belong to the build all the same. Unit tests
            # are about the models and not about a night's data: they run when a model changes, in CI.
            setup_operator_args={
                "dbt_cmd_flags": ["--resource-type", "test"],
                "callback": keep_run_results,
                "callback_args": {"begin_task": build},
            },
        ),
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            test_behavior=TestBehavior.NONE,
            emit_datasets=False,
            node_converters={DbtResourceType.SEED: _without_task, DbtResourceType.MODEL: _model_task},
        ),
        operator_args={
            "full_refresh": f"{{{{ {begun}['full_refresh'] }}}}",
            "should_store_compiled_sql": False,
            # dbt is not begun a second time within a run: the next night builds anew instead
            "retries": 0,
        },
    )
    for task in group.iter_tasks():
        if task.task_id == f"{_GROUP}.{_PRODUCER}":
            _tell_of_models_only(task)
    return group


class _TellsOfModels:
    """A task instance that hands on how models went, and nothing else."""

    def __init__(self, ti: Any) -> None:
        self._ti = ti

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ti, name)

    def xcom_push(self, key: str, value: Any) -> None:
        if key.startswith("model__") and key.endswith("_status"):
            self._ti.xcom_push(key=key, value=value)


def _tell_of_models_only(producer: Any) -> None:
    """Keep Cosmos from handing on what nobody asks for: tests' results, events, each model's SQL.

    dbt waits for each: a call of Airflow's web server, 1,400 times a night where 170 are asked for.
    """
    made_by_cosmos = producer._make_parse_callable

    def make() -> Callable[[str, Any], None]:
        parse = made_by_cosmos()

        def parse_line(line: str, told: Any) -> None:
            context = {**told["context"], "ti": _TellsOfModels(told["context"]["ti"])}
            parse(line, {**told, "context": context})

        return parse_line

    producer._make_parse_callable = make


def _model_task(*, dag: DAG, task_group: TaskGroup, node: DbtNode, **_: Any) -> ModelTask:
    """Show a model by a task that needs no process of its own."""
    from saferkc.orchestration.model_tasks import ModelTask  # noqa: PLC0415

    return ModelTask(
        task_id=f"{node.name}_run",
        dag=dag,
        task_group=task_group,
        model=node.unique_id,
        producer=f"{_GROUP}.{_PRODUCER}",
        retries=0,
    )


def _without_task(**_: Any) -> None:
    """Show no task for a node."""


def keep_run_results(project_dir: str, *, context: Any, begin_task: str) -> None:
    """Keep dbt's results for the audit, and how long it took, and tell its lineage: Cosmos throws its folder away."""
    produced = Path(project_dir) / "target" / "run_results.json"
    if produced.exists():
        build = context["ti"].xcom_pull(task_ids=begin_task)
        kept = run_results_file(Settings.load(), build["build_id"])
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(produced, kept)
        seconds = json.loads(kept.read_text())["elapsed_time"]
        keep_task_run(Settings.load(), "dbt", seconds, build_id=build["build_id"])
        tell_of_build(Settings.load(), Path(project_dir))
