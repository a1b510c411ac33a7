"""covers of collections, under /api/v1"""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import QueryParameter

from linstock import names
from linstock.bus.thumbnails import Thumbnails
from linstock.messages.enrichment import WantedThumbnails
from services.api import answers
from services.api.context import Context, Fresh, Id
from services.api.problems import Problem, not_found
from services.api.queries import covers
from services.api.queries.covers import Cover

WEBP = "image/webp"
KEPT = "private, max-age=31536000, immutable"
ASKED_EACH_TIME = "private, no-cache"
RETRY_AFTER_S = 5

Size = Annotated[
    Literal[160, 320, 640],
    QueryParameter(
        description="Pixels of the longest side",
        schema_extra={"one_of": None, "type": OpenAPIType.INTEGER, "enum": [160, 320, 640]},
    ),
]
Hash = Annotated[
    str | None,
    QueryParameter(
        name="hash",
        description="The cover's own, as a collection names it: then the answer may be kept for ever",
        pattern="^[0-9a-f]{64}$",
        schema_extra={"one_of": None, "type": OpenAPIType.STRING, "pattern": "^[0-9a-f]{64}$"},
    ),
]

_NO_COVER = {
    "no_valid_image": ("no-valid-image", "None of its images can be shown."),
    "too_large": ("cover-too-large", "Each of its images takes more memory to decode than is allowed."),
    "broken_archive": ("broken-archive", "The archive can't be read."),
}


@get("/collections/{collection_id:uuid}/cover", media_type=WEBP, responses=answers.reading(404, 422))
async def get_cover(collection_id: Id, fresh: Fresh, size: Size = 320, hash_: Hash = None) -> Response[bytes]:
    """A thumbnail of a collection's cover, as WebP. 404 says why there is none; `cover-not-made-yet` is worth asking
    again."""
    cover = await covers.of(fresh.pool, fresh.workspace, collection_id)
    if cover is None:
        raise not_found("collection", collection_id)
    if cover.hash is None:
        raise _none(cover)
    made = await Thumbnails(fresh.client).get(cover.hash, size)
    if made is None:
        raise await _lost(fresh, collection_id, cover)
    kept = KEPT if hash_ == cover.hash else ASKED_EACH_TIME
    headers = {"ETag": f'"{cover.hash}-{size}"', "Cache-Control": kept}
    return Response(made, media_type=WEBP, headers=headers)


async def _lost(context: Context, collection_id: UUID, cover: Cover) -> Problem:
    """Thumbnails are derived: a scanner that hears of it makes them again."""
    assert cover.hash
    if cover.state == "missing":
        return Problem(404, "collection-missing", "Its thumbnails are lost, and its files are missing.")
    wanted = WantedThumbnails(collection_id=collection_id, hash=cover.hash)
    await context.client.publish(names.wanted_thumbnails(context.workspace), msgspec.json.encode(wanted))
    return _not_yet("Its thumbnails are lost; they are being made again.")


def _none(cover: Cover) -> Problem:
    if cover.no_cover in _NO_COVER:
        return Problem(404, *_NO_COVER[cover.no_cover])
    return _not_yet("Its images were not read yet.")


def _not_yet(detail: str) -> Problem:
    return Problem(404, "cover-not-made-yet", detail, headers={"Retry-After": str(RETRY_AFTER_S)})


HANDLERS = (get_cover,)
