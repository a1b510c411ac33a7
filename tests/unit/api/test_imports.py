"""What the API costs to import: five services share the memory of a small machine."""

import subprocess
import sys

# Of our own test and command-line tools, and of litestar's optional ones.
UNWANTED = {"faker", "polyfactory", "faststream", "eventsourcing", "psycopg", "rich_click", "httpx", "jinja2", "pytest"}


def test_the_api_loads_nothing_it_does_not_serve_with() -> None:
    code = "import sys, services.api.app, services.api.document as made; made.document(); print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL, timeout=60
    )
    assert UNWANTED & set(loaded.stdout.split()) == set()
