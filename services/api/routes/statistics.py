"""statistics, under /api/v1"""

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from services.api import answers
from services.api.context import Fresh, Id
from services.api.dto.statistics import StatisticsDto
from services.api.problems import not_found
from services.api.queries import libraries, statistics

Days = Annotated[int, QueryParameter(ge=1, le=366, description="How many days the series have, today included")]


@get("/statistics", responses=answers.reading(422))
async def get_statistics(fresh: Fresh, days: Days = 30) -> StatisticsDto:
    """Over all libraries: what there is, how it grew, how runs went."""
    return await statistics.of(fresh.pool, fresh.workspace, None, days, fresh.now())


@get("/libraries/{library_id:uuid}/statistics", responses=answers.reading(404, 422))
async def get_library_statistics(library_id: Id, fresh: Fresh, days: Days = 30) -> StatisticsDto:
    """Of one library: what there is, how it grew, how runs went."""
    if await libraries.one(fresh.pool, fresh.workspace, library_id) is None:
        raise not_found("library", library_id)
    return await statistics.of(fresh.pool, fresh.workspace, library_id, days, fresh.now())


HANDLERS = (get_statistics, get_library_statistics)
