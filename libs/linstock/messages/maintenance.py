"""Jobs that keep house. The scheduler asks for them by itself, once a day; anybody may ask for one at any time."""

from linstock.messages.message import Message

CLEAN_THUMBNAILS = "CleanThumbnails"


class CleanThumbnailsPayload(Message, frozen=True):
    """`dry_run`: only say what would go."""

    dry_run: bool = False


class RequestCleaning(Message, frozen=True, tag="RequestCleaning"):
    """Have thumbnails removed that no collection has as its cover. The job's id is uuid5 of the command's id."""

    dry_run: bool = False
