"""Retention: how far back the read models keep details. An event of each log: a replay forgets the same."""

from datetime import datetime

from linstock.messages.message import Message


class RetentionApplied(Message, frozen=True, tag="linstock.retention.applied.v1"):
    """The policy is `days`. Details of this log that ended before `before` leave the read models; summaries stay, and
    so does the log. At most one a day and log."""

    before: datetime
    days: int


RetentionEvent = RetentionApplied
