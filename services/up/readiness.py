"""Asking services whether they are ready, over their probe ports."""

import asyncio
import json
from collections.abc import Mapping

TIMEOUT_S = 2.0


async def unready(probes: Mapping[str, str]) -> dict[str, str]:
    """Reasons by service, for those that are not ready; `probes` maps a service to its probe URL."""
    reasons = await asyncio.gather(*(_ask(url) for url in probes.values()))
    return {name: reason for name, reason in zip(probes, reasons, strict=True) if reason is not None}


async def _ask(url: str) -> str | None:
    host, _, port = url.removeprefix("http://").partition(":")
    try:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                answer = await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return "starting"
    head, _, body = answer.partition(b"\r\n\r\n")
    if head.split(b" ")[1:2] == [b"200"]:
        return None
    try:
        reasons: dict[str, str] = json.loads(body)["reasons"]
    except (ValueError, KeyError):
        return "no readable answer"
    return "; ".join(f"{check}: {reason}" for check, reason in reasons.items())
