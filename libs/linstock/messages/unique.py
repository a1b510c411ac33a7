"""Unique: who has a key for itself. One aggregate per workspace and key."""

from datetime import datetime
from uuid import UUID

from linstock.messages.message import Message


class KeyTaken(Message, frozen=True, tag="linstock.unique.taken.v1"):
    """`job_id` has the key from now on: until `until`, or (None) until the job has ended."""

    key: str
    job_id: UUID
    at: datetime
    until: datetime | None = None


UniqueEvent = KeyTaken
