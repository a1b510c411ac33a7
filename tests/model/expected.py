"""What the model expects, in the words of the read models and verdicts."""

import os

from linstock.messages.scan import ChangesPreviewed, Counts
from tests.model.catalogue import Catalogue, Key, Outcome
from tests.model.looking import Look
from tests.model.world import Shown


def told(pages: list[ChangesPreviewed]) -> dict[Key, tuple[str, int, int]]:
    return {
        (each.collection_kind, each.path if each.path_bytes is None else os.fsdecode(each.path_bytes)): (
            each.kind,
            each.images_before,
            each.images,
        )
        for page in pages
        for each in page.changes
    }


def shown(catalogue: Catalogue, key: Key) -> Shown:
    one = catalogue.collections[key]
    files = {name: (*held, False) for name, held in one.images.items()}
    files |= {name: (*held, True) for name, held in one.lost.items()}
    return Shown("missing" if one.missing else "present", len(one.images), one.size_bytes, files)


def counts(look: Look, outcome: Outcome, told: Counts) -> Counts:
    seen = look.seen.values()
    there = [*seen, *(each for each in look.only_excluded.values() if not each.was_missing)]
    outside = {key for key in outcome.unknown if not look.reach.holds(key)}
    return Counts(
        collections=len(look.seen),
        images=sum(len(each.images) for each in seen),
        size_bytes=sum(each.size_bytes for each in seen),
        folders=look.folders,
        files=told.files,
        added=sum(each.added for each in seen),
        changed=sum(each.changed for each in seen),
        unchanged=sum(not (each.added or each.changed or each.moved_from) for each in seen),
        moved=sum(each.moved_from is not None for each in seen),
        absent=len(outcome.absent) + len(outcome.unknown - outside) + sum(len(each.gone) for each in there),
        errors=len(look.troubles),
        excluded=outcome.left_out + len(look.only_excluded) + sum(len(each.excluded) for each in seen),
        missing=outcome.missing,
        restored=sum(each.was_missing for each in seen),
        moved_images=outcome.moved_images,
    )


def changes(look: Look, catalogue: Catalogue) -> dict[Key, tuple[str, int, int]]:
    """What a scan would record: kind, images before and after."""
    found: dict[Key, tuple[str, int, int]] = {}
    for key, seen in look.seen.items():
        if seen.moved_from:
            found[key] = ("moved", len(seen.images), len(seen.images))
        elif seen.added:
            found[key] = ("added", 0, len(seen.images))
        elif seen.changed:
            known = catalogue.collections[key].images
            found[key] = ("changed", len(known), len(known.keys() | seen.images.keys()))
    return found
