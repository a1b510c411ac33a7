"""Times in bodies, in UTC."""

from datetime import UTC, datetime

from services.api.problems import invalid, wrong


def utc(given: datetime, *where: str) -> datetime:
    """`where` is the field. Raises Problem 422 for one that UTC can't say: the first hours of the year 1, the last of
    9999."""
    try:
        return given.astimezone(UTC)
    except OverflowError as error:
        raise invalid(wrong(*where, detail="it is too far away")) from error
