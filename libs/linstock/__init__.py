"""Linstock: `from linstock import job, Client, Worker, JobContext`.

The names below are imported when they are first asked for: most of what imports `linstock` needs none of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from linstock.jobs.blocking import BlockingClient as BlockingClient
    from linstock.jobs.client import Client as Client
    from linstock.jobs.client import Handle as Handle
    from linstock.jobs.client import NotAccepted as NotAccepted
    from linstock.jobs.client import NotCompleted as NotCompleted
    from linstock.jobs.client import UnknownJob as UnknownJob
    from linstock.jobs.client import Unreachable as Unreachable
    from linstock.jobs.context import Fail as Fail
    from linstock.jobs.context import JobCancelled as JobCancelled
    from linstock.jobs.context import JobContext as JobContext
    from linstock.jobs.context import Snooze as Snooze
    from linstock.jobs.definition import BadParameters as BadParameters
    from linstock.jobs.definition import Job as Job
    from linstock.jobs.definition import PayloadTooLarge as PayloadTooLarge
    from linstock.jobs.definition import job as job
    from linstock.jobs.worker import Worker as Worker
    from linstock.messages.schedule import Backoff as Backoff

_WHERE = {
    "Backoff": "messages.schedule",
    "BadParameters": "jobs.definition",
    "BlockingClient": "jobs.blocking",
    "Client": "jobs.client",
    "Fail": "jobs.context",
    "Handle": "jobs.client",
    "Job": "jobs.definition",
    "JobCancelled": "jobs.context",
    "JobContext": "jobs.context",
    "NotAccepted": "jobs.client",
    "NotCompleted": "jobs.client",
    "PayloadTooLarge": "jobs.definition",
    "Snooze": "jobs.context",
    "UnknownJob": "jobs.client",
    "Unreachable": "jobs.client",
    "Worker": "jobs.worker",
    "job": "jobs.definition",
}
__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"linstock has no {name}")
    found = getattr(import_module(f"linstock.{_WHERE[name]}"), name)
    globals()[name] = found
    return found
