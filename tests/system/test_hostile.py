"""A library of everything hostile at once, scanned and looked into by the real services: each thing is recorded, or
refused with its reason, and nothing of it is felt."""

from pathlib import Path

from tests.support import corpus
from tests.support.instance import Instance, started
from tests.support.waiting import until

MOST_KIB = 256 * 1024
WITHIN_S = 120


def looked_into(instance: Instance, most: dict[int, int]) -> bool:
    for pid, kib in corpus.most_memory_kib(instance.pid("scanner")).items():
        most[pid] = max(most.get(pid, 0), kib)
    runs = instance.get("/runs?jobType=Enrich")["data"]
    return bool(runs) and all(run["status"] == "Completed" for run in runs)


def test_none_of_it_crashes_a_worker_fills_the_disk_or_takes_the_memory(tmp_path: Path) -> None:
    root, most = tmp_path / "library", dict[int, int]()
    root.mkdir()
    corpus.put_corpus(root)
    there = corpus.files_in(root)
    with started(tmp_path / "data") as instance:
        scanner = instance.pid("scanner")
        library = instance.create("Hostile", root)
        scan = instance.scanned(library)
        assert scan["status"] == "Completed", scan
        until(lambda: looked_into(instance, most), "everything is looked into", WITHIN_S)
        print({pid: f"{kib / 1024:.0f} MB of at most 256" for pid, kib in most.items()})
        assert len(most) == 2  # the scanner, and the one process that read it all
        assert max(most.values()) < MOST_KIB
        assert instance.pid("scanner") == scanner
        quarantine = instance.get(f"/libraries/{library}/quarantine?pageSize=200")["data"]
        held = {each["path"]: each["code"] for each in quarantine}
        reported = {item["path"]: item["code"] for item in scan["report"]}
        found = instance.collections(library)
        assert instance.get("/statistics")["covers"] >= 3
    for name, (_, code) in corpus.IMAGES.items():
        assert held.get(f"images/{name}") == code, (name, held)
    assert held["images/sparse.jpg"] == "too_large"
    for name, code in corpus.ARCHIVES.items():
        codes = {each for path, each in held.items() if path.startswith(f"archives/{name}")}
        assert codes == {code}, (name, codes)
    assert {f"archives/{name}" for name in corpus.BROKEN} <= set(reported)
    assert not any(path.startswith("good") for path in held)
    assert found["good"]["imageCount"] == 4
    assert found["archives/good.cbz"]["imageCount"] == 2
    assert corpus.files_in(root) == there
