"""A number per table that says whether two sets of rows are the same, in whatever order they were written."""

from msgspec import Struct

from services.projection.schema import Connection
from services.projection.tables import Tables


class Checksum(Struct, frozen=True):
    rows: int
    digest: str


async def checksums(connection: Connection) -> dict[str, Checksum]:
    """Of every read model in the connection's schema. Reads all rows; run it in one snapshot to compare."""
    return {table: await _checksum(connection, table) for table in sorted(Tables().names())}


async def _checksum(connection: Connection, table: str) -> Checksum:
    # Table names are our own. The sum of hashes does not depend on the order of the rows.
    query = f"SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {table} t"  # noqa: S608
    found = await connection.fetchrow(query)
    assert found is not None  # an aggregate always has a row
    rows, total = found
    return Checksum(rows, f"{int(total) % 2**64:016x}")
