"""Watching: how changes on the disk of a library are noticed. No event: it is told on core NATS and forgotten."""

from datetime import datetime

from linstock.messages.message import Message

INOTIFY, POLLING, OFF = "inotify", "polling", "off"


class Watching(Message, frozen=True):
    """`mode` is inotify | polling | off; `reason` is a sentence, empty where all is as it should be."""

    mode: str
    since: datetime
    reason: str = ""
