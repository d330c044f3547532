"""What engineers watch: how tonight stands, what took how long, and what should have happened and has not."""

from saferkc.monitoring.builds import Build, last_builds
from saferkc.monitoring.deadline import Deadline, deadline_tonight
from saferkc.monitoring.lineage import tell_of_build, tell_of_load
from saferkc.monitoring.looking import look, settle_deadlines, settle_late
from saferkc.monitoring.tasks import TaskRun, keep_task_run, latest_task_runs, task_runs, timed
from saferkc.monitoring.tonight import FeedNight, FeedTonight, feeds_tonight

__all__ = [
    "Build",
    "Deadline",
    "FeedNight",
    "FeedTonight",
    "TaskRun",
    "deadline_tonight",
    "feeds_tonight",
    "keep_task_run",
    "last_builds",
    "latest_task_runs",
    "look",
    "settle_deadlines",
    "settle_late",
    "task_runs",
    "tell_of_build",
    "tell_of_load",
    "timed",
]
