"""Every event type by its name. What is in here is stored for ever and published to strangers."""

from typing import get_args

from linstock.messages.calendar import CalendarEvent
from linstock.messages.catalogue import CatalogueEvent
from linstock.messages.contents import ContentsEvent
from linstock.messages.enrichment import EnrichmentEvent
from linstock.messages.hints import HintEvent
from linstock.messages.job import JobEvent
from linstock.messages.library import LibraryEvent
from linstock.messages.message import Message
from linstock.messages.path import PathEvent
from linstock.messages.receipt import ReceiptEvent
from linstock.messages.retention import RetentionEvent
from linstock.messages.scan import ScanEvent
from linstock.messages.schedule import ScheduleEvent
from linstock.messages.unique import UniqueEvent


def _members(union: object) -> tuple[type[Message], ...]:
    return get_args(union) or (union,)


def _tag(event: type[Message]) -> str:
    return str(event.__struct_config__.tag)


EVENTS: dict[str, type[Message]] = {
    _tag(event): event
    for union in (
        LibraryEvent,
        ScheduleEvent,
        CalendarEvent,
        HintEvent,
        JobEvent,
        ScanEvent,
        CatalogueEvent,
        ContentsEvent,
        EnrichmentEvent,
        PathEvent,
        ReceiptEvent,
        RetentionEvent,
        UniqueEvent,
    )
    for event in _members(union)
}
