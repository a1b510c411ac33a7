"""What the services would have recorded of one library: created, scheduled, scanned twice. For read-side tests."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4, uuid5

import msgspec

from linstock import names
from linstock.bus.envelope import Delivered
from linstock.messages.answer import Answer
from linstock.messages.catalogue import (
    Arrival,
    CollectionEntry,
    CollectionFiles,
    CollectionsDeparted,
    CollectionsMarkedMissing,
    CollectionsPurged,
    CollectionsRecorded,
    CollectionsRestored,
    CollectionsReverted,
    Departure,
    FileEntry,
    FilesMoved,
    HoldSettled,
    MissingFiles,
    MovedFile,
    MovedFiles,
    RemovalsApproved,
    RemovalsHeld,
    RemovalsProposed,
    RemovalsRejected,
    RevertedCollection,
    ScanStarted,
)
from linstock.messages.contents import ContentsHashed, HashedCollection, HashedFile, RotFound, RottenFile
from linstock.messages.enrichment import (
    CollectionsEnriched,
    Cover,
    EnrichedCollection,
    FilesQuarantined,
    ImageFact,
    QuarantinedFile,
)
from linstock.messages.job import (
    ENRICH,
    JobFailed,
    JobRequested,
    JobRetryScheduled,
    JobStarted,
    JobSucceeded,
    OutcomeIgnored,
    ScanRequested,
)
from linstock.messages.library import LibraryCreated, LibraryDeleted, LibrarySettingsChanged, Settings
from linstock.messages.receipt import CommandHandled
from linstock.messages.rules import Rules, Timing
from linstock.messages.scan import (
    ChangesPreviewed,
    Counts,
    PreviewedChange,
    ReportItem,
    ScanCompleted,
    ScanFailed,
    ScanUndone,
)
from linstock.messages.schedule import (
    JobPolicy,
    ScanTarget,
    ScheduleBackfilled,
    ScheduleChanged,
    ScheduleDefined,
    ScheduleDeleted,
    ScheduleDisabled,
    ScheduleEnabled,
    TickFired,
    TicksSkipped,
)
from tests.support.recorded import NOON, RecordedLog

WORKER = "library-scan-test-1"


class Story:
    """Three logs with holes between positions. Each method is something that happened; `seed` decides every id.
    One that is told `beside` another is of a second library in the same logs."""

    def __init__(
        self,
        *,
        path: str = "/data/pictures",
        workspace: str = "default",
        seed: UUID | None = None,
        beside: "Story | None" = None,
    ) -> None:
        self.seed = seed or uuid4()
        self._told: set[UUID] = set()
        self.library_id = self.id("library")
        self.schedule_id = names.schedule_of(self.library_id)
        self.settings = Settings(name="Pictures", path=path, auto_scan=True, cron_expression="0 2 * * *")
        self.library = RecordedLog(names.LIBRARY, epoch=self.id("epoch-l"), hole=1, workspace=workspace)
        self.scheduler = RecordedLog(names.SCHEDULER, epoch=self.id("epoch-s"), hole=2, workspace=workspace)
        self.scanner = RecordedLog(names.SCANNER, epoch=self.id("epoch-c"), workspace=workspace)
        if beside is not None:
            self.library, self.scheduler, self.scanner = beside.library, beside.scheduler, beside.scanner

    def id(self, what: str) -> UUID:
        return uuid5(self.seed, what)

    @property
    def target(self) -> ScanTarget:
        return ScanTarget(library_id=self.library_id, library_name=self.settings.name, library_path=self.settings.path)

    def created(self) -> "Story":
        self.library.says(self.library_id, LibraryCreated(library_id=self.library_id, settings=self.settings))
        answer = Answer(status=201, id=self.library_id)
        self.handled(self.library, self.id("create"), "CreateLibrary", answer)
        self.scheduler.says(
            self.schedule_id,
            ScheduleDefined(
                schedule_id=self.schedule_id,
                name="Library Scan - Pictures",
                description="Automatic scan for library: Pictures",
                timing=Timing(expression="0 2 * * *", zone="UTC"),
                target=self.target,
                enabled=True,
                library_version=1,
                cursor=NOON,
            ),
        )
        return self

    def handled(self, log: RecordedLog, command_id: UUID, command: str, answer: Answer) -> "Story":
        log.says(
            self.id(f"receipt-{command_id}"),
            CommandHandled(
                command_id=command_id,
                command=command,
                outcome="done" if answer.status < 400 else "refused",
                answer=msgspec.Raw(msgspec.json.encode(answer)),
                request_hash="-",
            ),
        )
        return self

    def renamed(self, name: str) -> "Story":
        self.settings = msgspec.structs.replace(self.settings, name=name)
        self.library.says(self.library_id, LibrarySettingsChanged(library_id=self.library_id, settings=self.settings))
        return self

    def deleted(self) -> "Story":
        self.library.says(self.library_id, LibraryDeleted(library_id=self.library_id))
        self.scheduler.says(self.schedule_id, ScheduleDeleted(schedule_id=self.schedule_id, library_version=2))
        return self

    def paused(self) -> "Story":
        self.scheduler.says(
            self.schedule_id, ScheduleDisabled(schedule_id=self.schedule_id, library_version=2, at=NOON)
        )
        return self

    def resumed(self) -> "Story":
        self.scheduler.says(
            self.schedule_id, ScheduleEnabled(schedule_id=self.schedule_id, library_version=3, cursor=NOON)
        )
        return self

    def retimed(
        self,
        version: int,
        expression: str,
        *,
        after: datetime,
        zone: str = "UTC",
        clock_changes: str = "cronos",
        rules: Rules | None = None,
    ) -> "Story":
        """Instants later than `after` are the new version's."""
        self.scheduler.says(
            self.schedule_id,
            ScheduleChanged(
                schedule_id=self.schedule_id,
                version=version,
                name=f"version {version}",
                description="",
                timing=Timing(expression=expression, zone=zone, clock_changes=clock_changes),
                target=self.target,
                library_version=1,
                cursor=after,
                rules=rules,
            ),
            actor=f"editor-{version}",
        )
        return self

    def skipped(
        self, first: datetime, last: datetime, count: int, reason: str, *, busy: UUID | None = None, version: int = 1
    ) -> "Story":
        self.scheduler.says(
            self.schedule_id,
            TicksSkipped(
                schedule_id=self.schedule_id,
                first=first,
                last=last,
                count=count,
                reason=reason,
                busy=busy,
                version=version,
                tzdata="2026f",
            ),
        )
        return self

    def backfilled(self, *instants: datetime, version: int = 1) -> "Story":
        self.scheduler.says(
            self.schedule_id,
            ScheduleBackfilled(
                schedule_id=self.schedule_id,
                at=NOON,
                first=instants[0],
                last=instants[-1],
                instants=instants,
                version=version,
                tzdata="2026f",
            ),
            actor="ann",
        )
        return self

    def fired(
        self, instant: datetime, run: int, verdict: str = "fired", *, missed: int = 0, version: int = 1
    ) -> "Story":
        self.scheduler.says(
            self.schedule_id,
            TickFired(
                schedule_id=self.schedule_id,
                instant=instant,
                job_id=self.run(run),
                verdict=verdict,
                missed_count=missed,
                version=version,
                tzdata="2026f",
            ),
        )
        return self

    def requested(self, run: int, **asked: Any) -> "Story":
        """`asked` are further fields of ScanRequested."""
        instant = NOON + timedelta(days=run)
        self.fired(instant, run)
        self.scheduler.says(
            self.run(run),
            ScanRequested(
                job_id=self.run(run),
                schedule_id=self.schedule_id,
                instant=instant,
                triggered_by="Scheduler",
                target=self.target,
                policy=JobPolicy(),
                requested_at=instant,
                **asked,
            ),
        )
        return self

    def run(self, run: int) -> UUID:
        return self.id(f"run-{run}")

    def started(self, run: int, *, attempt: int = 1) -> "Story":
        at = self.moment(run, attempt)
        self.scheduler.says(
            self.run(run),
            JobStarted(
                job_id=self.run(run),
                attempt=attempt,
                worker=WORKER,
                lease=self.id(f"lease-{run}-{attempt}"),
                at=at,
                deadline=at + timedelta(hours=1),
            ),
        )
        self.scanner.says(
            self.library_id,
            ScanStarted(
                scan_id=self.run(run),
                library_id=self.library_id,
                attempt=attempt,
                lease=self.id(f"lease-{run}-{attempt}"),
                worker=WORKER,
                root=self.settings.path,
                at=at,
            ),
        )
        return self

    def moment(self, run: int, attempt: int) -> datetime:
        return NOON + timedelta(days=run, minutes=attempt)

    def page(self, run: int, *collections: str, attempt: int = 1, images: int = 2, newer_ns: int = 0) -> "Story":
        """`newer_ns`: by how much the images' times are later than they are otherwise."""
        self.scanner.says(
            self.library_id,
            CollectionsRecorded(
                scan_id=self.run(run),
                library_id=self.library_id,
                attempt=attempt,
                page=1,
                collections=tuple(self._collection(name, images) for name in collections),
                files=tuple(self._files(name, images, newer_ns) for name in collections),
                added=len(collections),
                at=self.moment(run, attempt),
            ),
        )
        return self

    def departed(self, name: str, *, to: str) -> "Story":
        """It goes on as `to`, in another library; which is this one, for there is no other."""
        at = self.moment(9, 1)
        arrival = Arrival(
            collection_id=self.collection(to),
            from_library_id=self.library_id,
            from_collection_id=self.collection(name),
            from_path=name,
        )
        self.scanner.says(
            self.library_id,
            CollectionsRecorded(
                scan_id=self.run(9),
                library_id=self.library_id,
                attempt=1,
                page=1,
                collections=(self._collection(to, 2),),
                files=(self._files(to, 2, 0),),
                added=0,
                at=at,
                arrived=(arrival,),
            ),
        )
        departure = Departure(collection_id=self.collection(name), to_collection_id=self.collection(to))
        left = CollectionsDeparted(
            scan_id=self.run(9),
            library_id=self.library_id,
            to_library_id=self.library_id,
            collections=(departure,),
            at=at,
        )
        self.scanner.says(self.library_id, left)
        return self

    def previewed(self, run: int, *collections: str, attempt: int = 1, images: int = 2) -> "Story":
        """A page of what a dry run would have recorded: each as if it were new."""
        self.scanner.says(
            self.run(run),
            ChangesPreviewed(
                scan_id=self.run(run),
                library_id=self.library_id,
                attempt=attempt,
                page=1,
                changes=tuple(
                    PreviewedChange(
                        kind="added",
                        collection_id=self.collection(name),
                        collection_kind="folder",
                        path=name,
                        images=images,
                        images_before=0,
                        size_bytes=images * 1000,
                        size_bytes_before=0,
                    )
                    for name in collections
                ),
                at=self.moment(run, attempt),
            ),
        )
        return self

    def collection(self, name: str) -> UUID:
        return self.id(f"collection-{name}")

    def _collection(self, name: str, images: int) -> CollectionEntry:
        return CollectionEntry(
            collection_id=self.collection(name),
            path=name,
            name=name.rpartition("/")[2] or "root",
            kind="archive" if name.endswith(".zip") else "folder",
            image_count=images,
            size_bytes=images * 1000,
            digest=f"{name}-{images}",
        )

    def _files(self, name: str, images: int, newer_ns: int) -> CollectionFiles:
        files = tuple(
            FileEntry(name=f"{number}.jpg", size_bytes=1000, mtime_ns=number + newer_ns) for number in range(images)
        )
        return CollectionFiles(collection_id=self.collection(name), files=files)

    def held(self, run: int, count: int, *, attempt: int = 1, replaces: int | None = None) -> "Story":
        self.scanner.says(
            self.library_id,
            RemovalsHeld(
                scan_id=self.run(run),
                library_id=self.library_id,
                attempt=attempt,
                count=count,
                reason="empty_root",
                at=self.moment(run, attempt),
                message="The library's folder is empty.",
                replaces=None if replaces is None else self.run(replaces),
            ),
        )
        return self

    def proposed(self, run: int, *collections: str, attempt: int = 1) -> "Story":
        self.scanner.says(
            self.library_id,
            RemovalsProposed(
                scan_id=self.run(run),
                library_id=self.library_id,
                attempt=attempt,
                page=2,
                at=self.moment(run, attempt),
                collections=tuple(map(self.collection, collections)),
            ),
        )
        return self

    def marked_missing(
        self, run: int, *collections: str, attempt: int = 1, files: tuple[MissingFiles, ...] = ()
    ) -> "Story":
        self.scanner.says(
            self.library_id,
            CollectionsMarkedMissing(
                scan_id=self.run(run),
                library_id=self.library_id,
                attempt=attempt,
                page=3,
                at=self.moment(run, attempt),
                collections=tuple(map(self.collection, collections)),
                files=files,
            ),
        )
        return self

    def images_left(self, run: int, collections: Iterable[str], number: int, *, attempt: int = 1) -> "Story":
        """The image of this number is in the collection `b` now, whichever it was in."""
        left = tuple(
            MovedFiles(
                collection_id=self.collection(name),
                files=(MovedFile(name=f"{number}.jpg", to_collection_id=self.collection("b"), to_name="9.jpg"),),
                image_count=1,
                size_bytes=1000,
                digest=f"{name}-moved",
            )
            for name in collections
        )
        moved = FilesMoved(
            scan_id=self.run(run),
            library_id=self.library_id,
            attempt=attempt,
            page=2,
            collections=left,
            at=self.moment(run, attempt),
        )
        self.scanner.says(self.library_id, moved)
        return self

    def gone(self, collections: Iterable[str], *numbers: int) -> tuple[MissingFiles, ...]:
        """The images of these numbers in each."""
        return tuple(
            MissingFiles(
                collection_id=self.collection(name),
                names=tuple(f"{number}.jpg" for number in numbers),
                image_count=1,
                size_bytes=1000,
                digest=f"{name}-left",
            )
            for name in collections
        )

    def restored(self, run: int, *collections: str, attempt: int = 1) -> "Story":
        self.scanner.says(
            self.library_id,
            CollectionsRestored(
                scan_id=self.run(run),
                library_id=self.library_id,
                attempt=attempt,
                page=4,
                at=self.moment(run, attempt),
                collections=tuple(map(self.collection, collections)),
            ),
        )
        return self

    def hashed(self, run: int, **contents: str) -> "Story":
        """A verify scan read these collections; each letter stands for the bytes of one image, in order."""
        collections = tuple(
            HashedCollection(
                collection_id=self.collection(name),
                files=tuple(
                    HashedFile(f"{number}.jpg", 1000, number, hash=sha256(letter.encode()).hexdigest())
                    for number, letter in enumerate(letters)
                ),
            )
            for name, letters in contents.items()
        )
        page = ContentsHashed(
            scan_id=self.run(run), library_id=self.library_id, collections=collections, at=self.moment(run, 1)
        )
        self.scanner.says(names.contents_of(self.library_id), page)
        return self

    def rotten(self, run: int, name: str, number: int) -> "Story":
        at = self.moment(run, 1)
        file = RottenFile(
            collection_id=self.collection(name), name=f"{number}.jpg", size_bytes=1000, mtime_ns=number,
            expected=sha256(b"y").hexdigest(), found=sha256(b"rot").hexdigest(), hashed_at=at,
        )  # fmt: skip
        found = RotFound(scan_id=self.run(run), library_id=self.library_id, files=(file,), at=at)
        self.scanner.says(names.contents_of(self.library_id), found)
        return self

    def undone(self, run: int, *withdrawn: str) -> "Story":
        """Somebody undid a scan that had found nothing but these, new."""
        at = self.moment(run, 1)
        reverted = tuple(RevertedCollection(collection_id=self.collection(name)) for name in withdrawn)
        page = CollectionsReverted(
            scan_id=self.run(run), library_id=self.library_id, attempt=1, page=1, collections=reverted, at=at
        )
        self.scanner.says(self.library_id, page)
        counts = {"withdrawn": len(withdrawn), "changed": 0, "restored": 0, "missing": 0, "left_alone": 0}
        verdict = ScanUndone(scan_id=self.run(run), library_id=self.library_id, attempt=1, actor="eva", at=at, **counts)
        self.scanner.says(self.run(run), verdict)
        return self

    def purged(self, *collections: str) -> "Story":
        at = self.moment(9, 1)
        page = CollectionsPurged(
            purge_id=self.run(9),
            library_id=self.library_id,
            page=1,
            actor="eva",
            missing_before=at,
            at=at,
            collections=tuple(map(self.collection, collections)),
        )
        self.scanner.says(self.library_id, page)
        return self

    def decided(self, held_by: int, *, approved: bool) -> "Story":
        common = {"held_scan_id": self.run(held_by), "library_id": self.library_id, "actor": "eva"}
        at = self.moment(held_by, 9)
        self.scanner.says(
            self.library_id,
            RemovalsApproved(**common, count=1, at=at) if approved else RemovalsRejected(**common, at=at),  # type: ignore[arg-type]
        )
        return self

    def settled(self, run: int, *, held_by: int) -> "Story":
        self.scanner.says(
            self.library_id,
            HoldSettled(
                scan_id=self.run(run),
                held_scan_id=self.run(held_by),
                library_id=self.library_id,
                at=self.moment(run, 1),
            ),
        )
        return self

    def seen(self, run: int, *, attempt: int = 1, held: int = 0, collections: int = 2) -> "Story":
        """The scanner's verdict only: the job goes on until the scheduler has heard of it."""
        self.scanner.says(
            self.run(run),
            ScanCompleted(
                scan_id=self.run(run),
                library_id=self.library_id,
                attempt=attempt,
                lease=self.id(f"lease-{run}-{attempt}"),
                counts=Counts(collections=collections, images=collections * 2, size_bytes=collections * 2000, files=50),
                duration_ms=1500,
                held=held,
                at=self.moment(run, attempt) + timedelta(milliseconds=1500),
                report=(ReportItem(code="broken_archive", path="b.zip", message="no central directory"),),
            ),
        )
        return self

    def succeeded(self, run: int, *, attempt: int = 1) -> "Story":
        self.scheduler.says(
            self.run(run),
            JobSucceeded(
                job_id=self.run(run),
                attempt=attempt,
                at=self.moment(run, attempt) + timedelta(seconds=2),
                result=msgspec.Raw(b'{"status":"Completed","message":"2 collections"}'),
            ),
        )
        return self

    def retried(self, run: int, *, attempt: int = 1) -> "Story":
        at = self.moment(run, attempt) + timedelta(seconds=2)
        self.scheduler.says(
            self.run(run),
            JobRetryScheduled(
                job_id=self.run(run),
                attempt=attempt,
                next_attempt=attempt + 1,
                due=at + timedelta(seconds=10),
                code="lease_lost",
                message="no sign of life",
                at=at,
            ),
        )
        return self

    def ignored(self, run: int, *, attempt: int = 1) -> "Story":
        """An outcome that came too late to count."""
        self.scheduler.says(
            self.run(run),
            OutcomeIgnored(
                job_id=self.run(run),
                attempt=attempt,
                lease=self.id(f"lease-{run}-{attempt}"),
                outcome="succeeded",
                at=self.moment(run, attempt) + timedelta(seconds=3),
            ),
        )
        return self

    def failed(self, run: int, *, attempt: int = 1) -> "Story":
        at = self.moment(run, attempt) + timedelta(seconds=2)
        code, message = "root_missing", "There is no folder at /data/pictures"
        self.scanner.says(
            self.run(run),
            ScanFailed(
                scan_id=self.run(run),
                library_id=self.library_id,
                attempt=attempt,
                lease=self.id(f"lease-{run}-{attempt}"),
                code=code,
                message=message,
                final=True,
                at=at,
            ),
        )
        self.scheduler.says(
            self.run(run), JobFailed(job_id=self.run(run), attempt=attempt, at=at, code=code, message=message)
        )
        return self

    def scanned(self, run: int, *collections: str) -> "Story":
        """A run from its tick to its end."""
        return self.requested(run).started(run).page(run, *collections).seen(run).succeeded(run)

    def enriching(self, run: int) -> "Story":
        """The job that follows a scan, asked for and ended."""
        job_id = self.id(f"enriching-{run}")
        self.scheduler.says(
            job_id,
            JobRequested(
                job_id=job_id,
                job_type=ENRICH,
                queue=names.ENRICH_QUEUE,
                payload=msgspec.Raw(b"{}"),
                policy=JobPolicy(priority=1),
                requested_at=self.moment(run, 1),
                triggered_by="Scheduler",
                library_id=self.library_id,
            ),
            JobSucceeded(job_id=job_id, attempt=1, at=self.moment(run, 2), result=msgspec.Raw(b'{"collections":1}')),
        )
        return self

    def asked_for(self, what: str, *, job_type: str = "send_mail", **asked: Any) -> "Story":
        """A job of an application; `asked` are further fields of JobRequested."""
        request = JobRequested(
            job_id=self.job(what),
            job_type=job_type,
            queue="default",
            payload=msgspec.Raw(b'{"to":"ann"}'),
            policy=JobPolicy(),
            requested_at=NOON,
            triggered_by="API",
            **asked,
        )
        self.scheduler.says(self.job(what), request)
        return self

    def job(self, what: str) -> UUID:
        return self.id(f"job-{what}")

    def enriched(self, run: int, name: str, *, images: int = 2, cover: str | None = "0" * 64) -> "Story":
        """The images of `page` are 800 × 600; the first is the cover."""
        facts = tuple(ImageFact(f"{number}.jpg", 1000, number, width=800, height=600) for number in range(images))
        shown = cover and Cover(name="0.jpg", size_bytes=1000, mtime_ns=0, hash=cover, width=800, height=600)
        entry = EnrichedCollection(
            collection_id=self.collection(name),
            digest=f"{name}-{images}",
            mtime_ns=0,
            images=facts,
            image_count=images,
            cover=shown or None,
            no_cover="" if shown else "no_valid_image",
        )
        self.scanner.says(
            names.enrichment_of(self.library_id),
            CollectionsEnriched(
                job_id=self.id(f"enriching-{run}"),
                library_id=self.library_id,
                collections=(entry,),
                at=self.moment(run, 1),
            ),
        )
        return self

    def quarantined(self, run: int, name: str, *numbers: int, size_bytes: int = 1000) -> "Story":
        """Images of `page`."""
        files = tuple(
            QuarantinedFile(f"{number}.jpg", size_bytes, number, "corrupt", "image file is truncated")
            for number in numbers
        )
        self.scanner.says(
            names.enrichment_of(self.library_id),
            FilesQuarantined(
                job_id=self.id(f"enriching-{run}"),
                library_id=self.library_id,
                collection_id=self.collection(name),
                files=files,
                at=self.moment(run, 1),
            ),
        )
        return self

    def logs(self) -> tuple[RecordedLog, ...]:
        return self.library, self.scheduler, self.scanner

    def deliveries(self) -> list[Delivered]:
        """Everything, in the order of the times, as relays would publish it."""
        told = [delivered for log in self.logs() for delivered in log.deliveries]
        return sorted(told, key=lambda delivered: delivered.recorded.time)

    def news(self) -> list[Delivered]:
        """What happened since this was asked last."""
        new = [delivered for delivered in self.deliveries() if delivered.recorded.event_id not in self._told]
        self._told.update(delivered.recorded.event_id for delivered in new)
        return new
