"""From what a server answers to a sentence, what to do next, and an exit code."""

from typing import TYPE_CHECKING, Any

from linstock.cli.exits import Ended, Exit

if TYPE_CHECKING:
    import httpx

    from linstock.cli.api import Done

_CODES = {
    400: Exit.USAGE,
    401: Exit.NOT_ALLOWED,
    403: Exit.NOT_ALLOWED,
    404: Exit.NOT_FOUND,
    409: Exit.REFUSED,
    412: Exit.REFUSED,
    413: Exit.USAGE,
    422: Exit.USAGE,
    428: Exit.REFUSED,
    429: Exit.UNREACHABLE,
    502: Exit.UNREACHABLE,
    503: Exit.UNREACHABLE,
    504: Exit.UNREACHABLE,
}
_NEXT = {
    401: "Give a token: --token-file FILE, or LINSTOCK_TOKEN (an admin makes one with `linstock token create`).",
    403: "Ask for a token with a higher role.",
    412: "It was changed meanwhile: look at it again.",
    429: "Try again in a moment.",
    500: "`linstock logs` has the reason.",
    503: "Try again in a moment; `linstock status` says what is not ready.",
}

_LISTS = {
    "calendar": "calendar ls",
    "library": "lib ls",
    "scheduled": "schedule ls",
    "run": "run ls",
    "scan": "run ls",
    "event": "events tail",
}


def unreachable(url: str, error: Exception) -> Ended:
    import httpx

    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return Ended(
            f"Nothing runs at {url}. Start it with `linstock up`, or say where it is: --url.", Exit.UNREACHABLE
        )
    why = "no answer in time" if isinstance(error, httpx.TimeoutException) else str(error) or type(error).__name__
    return Ended(f"{url} does not answer ({why}). `linstock status` says what is not ready.", Exit.UNREACHABLE)


def of(answer: "httpx.Response", url: str) -> Ended:
    """The problem (RFC 9457) of an answer; also where something else than Linstock has answered."""
    problem = decoded(answer, url)
    sentence = _sentence(problem) or f"{url} answered {answer.status_code} {answer.reason_phrase}."
    return _ended(answer.status_code, sentence, str(problem.get("code") or ""))


def outcome(operation: dict[str, Any]) -> "Done":
    """Of a command whose owner came back. Raises Ended when it was refused."""
    from linstock.cli.api import Done

    answer = operation.get("answer") or {}
    if operation["status"] == "refused":
        raise _ended(
            int(answer.get("status") or 409), str(answer.get("detail") or "It was refused."), str(answer.get("code"))
        )
    body = {name: answer[name] for name in ("id", "instants", "undone", "purged") if answer.get(name)} | (
        answer.get("many") or {}
    )
    return Done(int(answer.get("status") or 200), body)


def still_pending(operation: str) -> Ended:
    return Ended(
        f"It is stored (operation {operation}) and will be done as soon as its service is back. "
        "`linstock status` says what is not ready.",
        Exit.UNREACHABLE,
    )


def decoded(answer: "httpx.Response", url: str) -> dict[str, Any]:
    if not answer.content:
        return {}
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Ended(f"What answers at {url} is not Linstock ({answer.status_code}). Say where it is: --url.",
                    Exit.UNREACHABLE)  # fmt: skip
    return found


def _ended(status: int, sentence: str, code: str) -> Ended:
    following = _NEXT.get(status, "")
    if status == 404 and (listing := _LISTS.get(code.partition("-")[0])):
        following = f"`linstock {listing}` shows what there is."
    return Ended(f"{sentence} {following}".strip(), _CODES.get(status, Exit.FAILED))


def _sentence(problem: dict[str, Any]) -> str:
    """`detail`, with the fields it is about where it does not name them."""
    detail = str(problem.get("detail") or problem.get("title") or "")
    fields = [error for error in problem.get("errors") or () if isinstance(error, dict)]
    told = [f"{_field(error)}: {error.get('detail', '')}" for error in fields]
    sentence = detail if all(str(error.get("detail", "")) in detail for error in fields) else "; ".join(told)
    return sentence if not sentence or sentence.endswith((".", "!", "?")) else f"{sentence}."


def _field(error: dict[str, Any]) -> str:
    return str(error.get("pointer") or error.get("parameter") or "").removeprefix("#/")
