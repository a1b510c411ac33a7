"""The exact versions that are compared, with the drivers that decide their speed."""

from linstock.version import VERSION

OURS = "linstock"
REQUIREMENTS: dict[str, tuple[str, ...]] = {
    "procrastinate": ("procrastinate==3.10.0", "psycopg[binary]==3.3.9"),
    "celery": ("celery[redis]==5.7.0", "redis==8.1.0"),
    "arq": ("arq==0.28.0", "redis[hiredis]==5.3.1"),
    "saq": (
        "saq[redis]==0.26.4",
        "redis==7.4.1",
        "typing_extensions==4.16.0",  # it imports this and does not say so
    ),
    "taskiq": ("taskiq==0.13.0", "taskiq-redis==1.2.4", "redis==8.1.0"),
    "dramatiq": ("dramatiq[redis]==2.2.1", "redis==8.1.0"),
    "huey": ("huey==3.5.4", "redis==8.1.0"),
    "dbos": ("dbos==3.4.0", "psycopg[binary]==3.3.9"),
    "pgqueuer": ("pgqueuer==1.6.0", "asyncpg==0.32.0"),
    "rq": ("rq==3.0.0", "redis==8.1.0"),
}


def version(name: str) -> str:
    """Of the peer itself, which is the first of what it requires."""
    return VERSION if name == OURS else REQUIREMENTS[name][0].partition("==")[2]
