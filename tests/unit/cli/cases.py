"""What every command must refuse. A new command needs a case here: the tests beside walk all commands there are."""

from typing import NamedTuple

from tests.unit.cli.examples import EVENT_ID, LIBRARY_ID, RUN_ID, SCHEDULE_ID


class Bad(NamedTuple):
    """Words that are wrong, the exit code they lead to, and a part of what is said about it on stderr."""

    words: tuple[str, ...]
    exit_code: int
    said: str


# {empty}: a folder with nothing in it, where nothing runs either.
BAD = {
    "calendar ls": Bad(("--limit", "0"), 2, "0 is not in the range"),
    "calendar rm": Bad((), 2, "Missing argument 'NAME'"),
    "calendar set": Bad(("holidays", "--day", "soon"), 2, "'soon' is no day such as 2026-12-25"),
    "calendar show": Bad((), 2, "Missing argument 'NAME'"),
    "completion": Bad(("tcsh",), 2, "'tcsh' is not one of"),
    "cron explain": Bad(("61 * * * *",), 2, "minute: 61 is not between 0 and 59"),
    "cron next": Bad(("* * * * *", "--zone", "Mars/Olympus"), 2, "there is no time zone 'Mars/Olympus'"),
    "demo": Bad(("--port", "70000"), 2, "70000 is not in the range"),
    "doctor": Bad(("--token-file", "/nonexistent"), 2, "cannot read /nonexistent"),
    "down": Bad(("--port", "x"), 2, "'x' is not a valid integer"),
    "events republish": Bad(("--data-dir", "{empty}"), 3, "Start it with `linstock up`"),
    "events show": Bad(("12",), 2, "'12' is not a valid UUID"),
    "events tail": Bad(("-f", "-o", "json"), 2, "use -o jsonl"),
    "events verify": Bad(("--data-dir", "{empty}"), 3, "Start it with `linstock up`"),
    "lib add": Bad(("/nonexistent",), 2, "/nonexistent is not a folder"),
    "lib exclude": Bad((LIBRARY_ID,), 2, "Missing option '--preview'"),
    "lib hint": Bad((LIBRARY_ID, "/elsewhere/a.jpg"), 2, "it is not in /srv/holidays"),
    "lib ls": Bad(("--limit", "0"), 2, "0 is not in the range"),
    "lib quarantine": Bad(("nowhere",), 4, "There is no library 'nowhere'"),
    "lib removals approve": Bad((LIBRARY_ID,), 1, "Nothing of Holidays is held back"),
    "lib removals ls": Bad(("Twins",), 2, "'Twins' may be:"),
    "lib removals reject": Bad(("nowhere",), 4, "There is no library 'nowhere'"),
    "lib rm": Bad((LIBRARY_ID,), 2, "add --yes"),
    "lib scan": Bad((LIBRARY_ID, "--path", "/elsewhere"), 2, "it is not in /srv/holidays"),
    "lib set": Bad((LIBRARY_ID,), 2, "Say what to change"),
    "lib show": Bad(("Twins",), 2, "'Twins' may be:"),
    "logs": Bad(("--data-dir", "{empty}"), 1, "There is no log yet"),
    "projection rebuild": Bad(("--data-dir", "{empty}"), 3, "linstock up"),
    "projection verify": Bad(("--data-dir", "{empty}"), 3, "linstock up"),
    "run cancel": Bad(("10e",), 4, "There is no run '10e'"),
    "run changes": Bad((RUN_ID, "--kind", "eaten"), 2, "'eaten' is not one of"),
    "run diff": Bad((RUN_ID,), 2, "Missing argument 'RUN'"),
    "run undo": Bad((RUN_ID,), 2, "add --yes, or --dry-run"),
    "run ls": Bad(("--status", "Lost"), 2, "'Lost' is not one of"),
    "run show": Bad((), 2, "Missing argument 'RUN'"),
    "schedule backfill": Bad((SCHEDULE_ID, "--from", "2026-03-01", "--to", "2026-03-02"), 2, "add --yes"),
    "schedule diff": Bad((SCHEDULE_ID, "0"), 2, "0 is not in the range"),
    "schedule disable": Bad(("nowhere",), 4, "There is no schedule 'nowhere'"),
    "schedule enable": Bad(("nowhere",), 4, "There is no schedule 'nowhere'"),
    "schedule ls": Bad(("-o", "xml"), 2, "'xml' is not one of"),
    "schedule pause": Bad((SCHEDULE_ID, "--until", "soon"), 2, "'soon' is no time such as"),
    "schedule preview": Bad((), 2, "Give an EXPR"),
    "schedule restore": Bad(("nowhere", "3"), 4, "There is no schedule 'nowhere'"),
    "schedule resume": Bad(("nowhere",), 4, "There is no schedule 'nowhere'"),
    "schedule set": Bad((SCHEDULE_ID,), 2, "Say what to change"),
    "schedule show": Bad(("nowhere",), 4, "There is no schedule 'nowhere'"),
    "schedule ticks": Bad((SCHEDULE_ID, "--at", "noon"), 2, "'noon' is no time such as '2026-03-29 02:00'"),
    "schedule trigger": Bad(("nowhere",), 4, "There is no schedule 'nowhere'"),
    "schedule versions": Bad(("nowhere",), 4, "There is no schedule 'nowhere'"),
    "status": Bad(("--data-dir", "{empty}"), 3, "Nothing runs on"),
    "token create": Bad(("--role", "root"), 2, "'root' is not one of"),
    "token ls": Bad(("-o", "xml"), 2, "'xml' is not one of"),
    "token revoke": Bad(("12345678", "--data-dir", "{empty}"), 4, "There is no token 12345678"),
    "up": Bad(("/nonexistent",), 2, "/nonexistent is not a folder"),
}

# Right words for each command that asks a server: without a role they end with exit code 6.
ROLES: dict[str, tuple[str, ...]] = {
    "calendar ls": (),
    "calendar rm": ("holidays",),
    "calendar set": ("holidays", "--empty"),
    "calendar show": ("holidays",),
    "events show": (EVENT_ID,),
    "events tail": (),
    "lib add": ("{empty}",),
    "lib exclude": (LIBRARY_ID, "--preview", "*.tmp"),
    "lib hint": (LIBRARY_ID, "2024/a.jpg"),
    "lib ls": (),
    "lib quarantine": (LIBRARY_ID,),
    "lib removals approve": (LIBRARY_ID, "--yes"),
    "lib removals ls": (LIBRARY_ID,),
    "lib removals reject": (LIBRARY_ID, "--yes"),
    "lib rm": (LIBRARY_ID, "--yes"),
    "lib scan": (LIBRARY_ID,),
    "lib set": (LIBRARY_ID, "--name", "New"),
    "lib show": (LIBRARY_ID,),
    "run cancel": (RUN_ID,),
    "run changes": (RUN_ID,),
    "run diff": (RUN_ID, RUN_ID),
    "run undo": (RUN_ID, "--dry-run"),
    "run ls": (),
    "run show": (RUN_ID,),
    "schedule backfill": (SCHEDULE_ID, "--from", "2026-03-01", "--to", "2026-03-02", "--yes"),
    "schedule diff": (SCHEDULE_ID, "3"),
    "schedule disable": (SCHEDULE_ID,),
    "schedule enable": (SCHEDULE_ID,),
    "schedule ls": (),
    "schedule pause": (SCHEDULE_ID,),
    "schedule preview": ("0 2 * * *",),
    "schedule restore": (SCHEDULE_ID, "3"),
    "schedule resume": (SCHEDULE_ID,),
    "schedule set": (SCHEDULE_ID, "--overlap", "buffer_one"),
    "schedule show": (SCHEDULE_ID,),
    "schedule ticks": (SCHEDULE_ID,),
    "schedule trigger": (SCHEDULE_ID,),
    "schedule versions": (SCHEDULE_ID,),
}

# What is asked last, which alone needs the higher role: a viewer may read all that comes before.
WRITES = {
    "calendar rm": "DELETE /calendars/holidays",
    "calendar set": "PUT /calendars/holidays",
    "lib add": "POST /libraries",
    "lib hint": f"POST /libraries/{LIBRARY_ID}/hints",
    "lib rm": f"DELETE /libraries/{LIBRARY_ID}",
    "lib scan": f"POST /libraries/{LIBRARY_ID}/scans",
    "lib set": f"PATCH /libraries/{LIBRARY_ID}",
    "run cancel": f"POST /runs/{RUN_ID}/cancel",
    "schedule backfill": f"POST /scheduledjobs/{SCHEDULE_ID}/backfill",
    "schedule disable": f"POST /scheduledjobs/{SCHEDULE_ID}/disable",
    "schedule enable": f"POST /scheduledjobs/{SCHEDULE_ID}/enable",
    "schedule pause": f"POST /scheduledjobs/{SCHEDULE_ID}/pause",
    "schedule restore": f"POST /scheduledjobs/{SCHEDULE_ID}/restore",
    "schedule resume": f"POST /scheduledjobs/{SCHEDULE_ID}/resume",
    "schedule set": f"PATCH /scheduledjobs/{SCHEDULE_ID}",
    "schedule trigger": f"POST /scheduledjobs/{SCHEDULE_ID}/trigger",
}
