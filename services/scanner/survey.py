"""One pass over a library's folder: walk, compare folder by folder, and yield what changed. Blocks: call it in a
thread. It holds two batches of folders at a time: what was recorded of one is looked up while the next is listed.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor

from services.scanner.batch import Batch, Look, Passed, Recall
from services.scanner.diff import Change
from services.scanner.listing import Folder, Trouble
from services.scanner.remembered import FolderRow, Remembered, digest_of
from services.scanner.tally import Tally
from services.scanner.task import Task
from services.scanner.walk import walk

BATCH_COLLECTIONS = 48
BATCH_IMAGES = 3_000


def survey(
    task: Task, recall: Recall, tally: Tally, stopping: Callable[[], bool], remembered: Remembered | None = None
) -> Iterator[Change | FolderRow | Passed]:
    """Changes in the order of the walk; after those of a folder, its row if it is another than before, and that the
    folder is passed. Raises RootUnavailable and Stopped."""
    remembered = remembered or Remembered()
    found = walk(task.root, task.scope, bounds=task.bounds, stopping=stopping, reach=task.reach, remembered=remembered)
    looks = _batches(_looks(found, task, tally, remembered))
    with ThreadPoolExecutor(1, "look-up") as executor:
        for batch in _looked_up((Batch(task, recall, tally, remembered, each, stopping) for each in looks), executor):
            yield from batch.items()


def _looked_up(batches: Iterable[Batch], executor: Executor) -> Iterator[Batch]:
    """In the same order, each once the one after it was listed."""
    waiting: tuple[Batch, Future[None] | None] | None = None
    for batch in batches:
        looking = executor.submit(batch.look_up) if batch.asks else None
        if waiting:
            yield _answered(*waiting)
        waiting = batch, looking
    if waiting:
        yield _answered(*waiting)


def _answered(batch: Batch, looking: "Future[None] | None") -> Batch:
    if looking:
        looking.result()
    return batch


def _looks(
    found: Iterable[Folder | FolderRow | Trouble], task: Task, tally: Tally, remembered: Remembered
) -> Iterator[Look]:
    for item in found:
        if isinstance(item, FolderRow):
            tally.saw_standing(item)
        elif isinstance(item, Trouble):
            tally.saw_trouble(item)
            remembered.doubt(item.path)
        else:
            tally.saw_folder(item)
            row, digest = remembered.take(item.path), digest_of(item)
            same = row is not None and row.digest == digest and not task.deep and not item.troubled
            yield Look(item, row, digest, same)


def _batches(looks: Iterable[Look]) -> Iterator[list[Look]]:
    batch: list[Look] = []
    collections = images = 0
    for look in looks:
        if look.same and not batch:
            yield [look]  # nothing to ask anybody
            continue
        batch.append(look)
        collections += 1 + len(look.folder.archives)
        images += len(look.folder.images)
        if collections >= BATCH_COLLECTIONS or images >= BATCH_IMAGES:
            yield batch
            batch, collections, images = [], 0, 0
    if batch:
        yield batch
