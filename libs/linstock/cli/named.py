"""LIBRARY, SCHEDULE, RUN and JOB arguments: an id, the beginning of one, or (of what has one) an exact name."""

import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

import rich_click as click

from linstock.cli.exits import Ended, Exit
from linstock.cli.words import printable, short

if TYPE_CHECKING:
    from linstock.cli.api import Api, Json

SHORTEST_PREFIX = 4
APART = ("Enrich", "CleanThumbnails")  # types of runs
MOST_NAMED = 20_000
MOST_RUNS = 1_000
MOST_OFFERED = 200
COMPLETED_WITHIN_S = 1.0
_PREFIX = re.compile(rf"[0-9a-f-]{{{SHORTEST_PREFIX},36}}", re.IGNORECASE)
_PLAIN = re.compile(r"[\w.+@%-]+")


class Named(click.ParamType[str]):
    """A kind of thing that is looked up at `path`; completed by asking the server, silently."""

    def __init__(self, kind: str, path: str, *, most: int = MOST_NAMED) -> None:
        self.name = kind
        self.path, self.most = path, most

    def find(self, api: "Api", given: str) -> "Json":
        """Raises Ended when there is none, or more than one."""
        if identity := _uuid(given):
            return api.get(f"{self.path}/{identity}")
        rows, _ = api.rows(self.path, self.most)
        fits = [row for row in rows if _fits(row, given, names=self.name in ("library", "schedule"))]
        for job_type in APART if self.name == "run" else ():  # what comes by itself is in lists of its own
            if not fits:
                rows, _ = api.rows(self.path, self.most, jobType=job_type)
                fits = [row for row in rows if _fits(row, given, names=False)]
        if len(fits) == 1:
            return fits[0]
        if fits:
            raise Ended(f"{given!r} may be: {', '.join(map(_called, fits[:10]))}. Give more of the id.", Exit.USAGE)
        raise Ended(f"There is no {self.name} {printable(given)!r}. `linstock {_group(self.name)} ls` shows them.",
                    Exit.NOT_FOUND)  # fmt: skip

    def identity(self, api: "Api", given: str) -> str:
        """Its id. A whole one is taken as it is: what it names may be deleted. Raises as `find` does."""
        return str(_uuid(given) or self.find(api, given)["id"])

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG002
        from click.shell_completion import CompletionItem

        return [CompletionItem(value, help=text) for value, text in self._offers(ctx, incomplete)]

    def _offers(self, ctx: click.Context, incomplete: str) -> list[tuple[str, str]]:
        from linstock.cli import server
        from linstock.cli.api import Api

        try:
            token = server.token(ctx.params.get("token_file"))
            url = server.address(ctx.params.get("url"), ctx.params.get("data_dir"))
            with Api(url, token, timeout_s=COMPLETED_WITHIN_S) as api:
                rows, _ = api.rows(self.path, MOST_OFFERED)
        except click.ClickException:
            return []
        return [_offer(row) for row in rows if _begins(row, incomplete)]


LIBRARY = Named("library", "/libraries")
SCHEDULE = Named("schedule", "/scheduledjobs")
RUN = Named("run", "/runs", most=MOST_RUNS)
JOB = Named("job", "/jobs", most=MOST_RUNS)


def _begins(row: "Json", typed: str) -> bool:
    return str(row.get("name") or "").startswith(typed) or str(row["id"]).startswith(typed)


def _offer(row: "Json") -> tuple[str, str]:
    """Its name; its id where a shell would take the name apart."""
    name, identity = str(row.get("name") or ""), short(row["id"])
    return (name, identity) if _PLAIN.fullmatch(name) else (identity, printable(name))


def _fits(row: "Json", given: str, *, names: bool) -> bool:
    by_prefix = _PREFIX.fullmatch(given) is not None and str(row["id"]).startswith(given.lower())
    return by_prefix or (names and row.get("name") == given)


def _called(row: "Json") -> str:
    name = row.get("name") or row.get("scheduledJobName") or ""
    return f"{row['id']} ({printable(name)})" if name else str(row["id"])


def _group(kind: str) -> str:
    return {"library": "lib"}.get(kind, kind)


def _uuid(given: str) -> UUID | None:
    try:
        return UUID(given) if len(given) == 36 else None
    except ValueError:
        return None
