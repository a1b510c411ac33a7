"""collections and the collections of a library, under /api/v1"""

from typing import Annotated
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery, QueryParameter
from msgspec import Struct

from services.api import answers
from services.api.context import Fresh, Id
from services.api.dto.collections import CollectionDto, CollectionPage, CollectionSort, Kind, State
from services.api.filters import LibraryId, Text, words
from services.api.paging import PAGED, Wanted
from services.api.problems import not_found
from services.api.queries import collections, libraries


class Listing(Struct, frozen=True):
    """Which collections of whatever library, in which order."""

    state: State | None
    kind: Kind | None
    text: str
    sort: CollectionSort

    def of(self, library_id: UUID | None) -> collections.Wanted:
        return collections.Wanted(library_id, self.state, self.kind, self.text)


async def listing(
    # Litestar has `state` for itself.
    state_: Annotated[State | None, QueryParameter(name="state", schema_extra=words(State))] = None,
    kind: Annotated[Kind | None, QueryParameter(schema_extra=words(Kind))] = None,
    text: Text = "",
    sort: FromQuery[CollectionSort] = "path",
) -> Listing:
    return Listing(state_, kind, text, sort)


Listed = NamedDependency[Listing]
FILTERED = {**PAGED, "listing": Provide(listing)}


@get("/collections", dependencies=FILTERED, responses=answers.reading(422))
async def list_all_collections(
    window: Wanted,
    listing: Listed,
    fresh: Fresh,
    library_id: LibraryId = None,
) -> CollectionPage:
    """Collections of all libraries that are not deleted. `text` is part of the path, whatever its case."""
    return await collections.page(fresh.pool, fresh.workspace, listing.of(library_id), listing.sort, window)


@get("/collections/{collection_id:uuid}", responses=answers.reading(404))
async def get_collection(collection_id: Id, fresh: Fresh) -> CollectionDto:
    """One collection, also by an id that it had in another library."""
    collection = await collections.one(fresh.pool, fresh.workspace, collection_id)
    if collection is None:
        raise not_found("collection", collection_id)
    return collection


@get("/libraries/{library_id:uuid}/collections", dependencies=FILTERED, responses=answers.reading(404, 422))
async def list_collections(library_id: Id, window: Wanted, listing: Listed, fresh: Fresh) -> CollectionPage:
    """A library's collections. `text` is part of the path, whatever its case."""
    if await libraries.one(fresh.pool, fresh.workspace, library_id) is None:
        raise not_found("library", library_id)
    return await collections.page(fresh.pool, fresh.workspace, listing.of(library_id), listing.sort, window)


HANDLERS = (list_all_collections, get_collection, list_collections)
