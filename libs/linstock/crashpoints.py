"""Named places where a test may end the process as kill -9 would, to prove that nothing is lost there.

`LINSTOCK_CRASH_AT=NAME` ends it at the first hit, `NAME:3` at the third; several are separated by commas.
Unarmed, `reach` costs one look at an empty dict.
"""

import os
import sys

SCAN_NAMES = (
    "after_claim",
    "after_scan_started",
    "after_index_catch_up",
    "in_listing",
    "between_pages",
    "before_folder_rows",
    "after_folder_rows",
    "after_progress",
    "after_walk",
    "before_restoring",
    "after_restoring",
    "before_moving_images",
    "after_moving_images",
    "before_marking_missing",
    "between_marking_collections_and_images",
    "after_marking_missing",
    "before_holding",
    "after_proposing_before_verdict",
    "before_verdict",
    "before_closing",
    "while_closing",
)
"""Where a scan may end: with the three on its pages and its verdict, those of `make faults` part `scans`."""

NAMES = (
    "before_append",
    "after_append_before_reply",
    "after_reply_before_ack",
    "after_publish_before_confirm",
    "before_projection_commit",
    "after_projection_commit_before_ack",
    "after_claim_append_before_reply",
    "after_tick_append",
    "after_dispatch_publish",
    "after_page_append",
    "after_page_index_before_folders",
    "after_verdict_append_before_index",
    *SCAN_NAMES,
    "after_enrichment_append_before_index",
)

EXIT_CODE = 137  # what a shell reports for SIGKILL

_hits_left: dict[str, int] = {}


class UnknownCrashPoint(Exception):
    """LINSTOCK_CRASH_AT names "{name}"; known are {known}, each optionally followed by ":" and a hit from 1 on."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__((self.__doc__ or "").format(name=name, known=", ".join(NAMES)))


def arm(specification: str) -> None:
    """Replace what is armed. Raises `UnknownCrashPoint`: a misspelt name would make a test prove nothing."""
    armed: dict[str, int] = {}
    for word in filter(None, (part.strip() for part in specification.split(","))):
        name, _, hit = word.partition(":")
        if name not in NAMES or not (hit or "1").isdigit() or int(hit or "1") < 1:
            raise UnknownCrashPoint(word)
        armed[name] = int(hit or "1")
    _hits_left.clear()
    _hits_left.update(armed)


def reach(name: str) -> None:
    """Say that the named place is reached; does not return when it is armed and this is the hit."""
    if not _hits_left or name not in _hits_left:
        return
    _hits_left[name] -= 1
    if _hits_left[name] == 0:
        print(f"crash point {name}", file=sys.stderr, flush=True)
        os._exit(EXIT_CODE)
