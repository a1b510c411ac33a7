"""`from linstock import outbox`: jobs that exist exactly if the application's own PostgreSQL transaction commits.

`await outbox.enqueue(connection, job, …)` writes a row into `linstock_outbox` by the connection it is given, whoever
made that; `linstock outbox relay` hands rows to Linstock. What an application needs besides is its own driver.
"""

from linstock.outbox.outbox import Outbox
from linstock.outbox.table import BadName
from linstock.outbox.writing import NoConnection

DEFAULT = Outbox()
DDL = DEFAULT.ddl

enqueue = DEFAULT.enqueue
delay = DEFAULT.delay
at = DEFAULT.at
enqueue_sync = DEFAULT.enqueue_sync
delay_sync = DEFAULT.delay_sync
at_sync = DEFAULT.at_sync

__all__ = [
    "DDL",
    "DEFAULT",
    "BadName",
    "NoConnection",
    "Outbox",
    "at",
    "at_sync",
    "delay",
    "delay_sync",
    "enqueue",
    "enqueue_sync",
]
