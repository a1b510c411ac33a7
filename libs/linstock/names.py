"""Every stream, subject, durable and log name, and nowhere else: renaming a durable re-reads its stream.

No id of any kind is in an EVENTS subject: the server keeps every distinct subject in memory, and the relay's fence
costs more the more there are.
"""

from uuid import UUID, uuid5

EVENTS = "EVENTS"
COMMANDS = "COMMANDS"
WORK = "WORK"
REPORTS = "REPORTS"
DLQ = "DLQ"

LIBRARY = "library"
SCHEDULER = "scheduler"
SCANNER = "scanner"
PROJECTION = "projection"
API = "api"

SCAN_QUEUE = "library-scan"
ENRICH_QUEUE = "enrichment"
MAINTENANCE_QUEUE = "maintenance"
BUILT_IN_QUEUES = (SCAN_QUEUE, ENRICH_QUEUE, MAINTENANCE_QUEUE)

THUMBS = "THUMBS"  # a bucket of objects
THUMBS_STREAM = f"OBJ_{THUMBS}"

SERVICES = (LIBRARY, SCHEDULER, SCANNER, PROJECTION, API)
LOGS = (LIBRARY, SCHEDULER, SCANNER)
COMMANDED = (LIBRARY, SCHEDULER, SCANNER)

DEFAULT_WORKSPACE = "default"

# The namespace of every derived id. Never change it: ids in stored events depend on it.
NAMESPACE = UUID("6f2a8f4e-5d0b-5f0e-9a63-1c1b7a3c2d10")


def derived_id(kind: str, *parts: object) -> UUID:
    """The same id for the same parts, for ever: what makes a redelivery harmless."""
    return uuid5(NAMESPACE, "\x1f".join((kind, *(str(part) for part in parts))))


def schedule_of(library_id: UUID) -> UUID:
    return derived_id("schedule-of-library", library_id)


def job_of_tick(schedule_id: UUID, instant_iso: str) -> UUID:
    """The job that a tick requests: one per schedule and instant."""
    return derived_id("job-of-tick", schedule_id, instant_iso)


def calendar_of(workspace: str, name: str) -> UUID:
    return derived_id("calendar", workspace, name)


def hints_of(library_id: UUID) -> UUID:
    return derived_id("hints-of-library", library_id)


def job_of_hints(library_id: UUID, version: int) -> UUID:
    """The scan that all hints up to this version of the aggregate lead to."""
    return derived_id("job-of-hints", library_id, version)


def enrichment_of(library_id: UUID) -> UUID:
    """What is known of the images of a library."""
    return derived_id("enrichment", library_id)


def contents_of(library_id: UUID) -> UUID:
    """What is known of the bytes of a library's files."""
    return derived_id("contents", library_id)


def job_of_command(command_id: UUID, place: int) -> UUID:
    """The job at this place (from 0) of a command that wants some."""
    return derived_id("job-of-command", command_id, place)


def retry_of(job_id: UUID) -> UUID:
    """The job that does another one again."""
    return derived_id("retry-of", job_id)


def unique_of(workspace: str, key: str) -> UUID:
    """Who has a key for itself."""
    return derived_id("unique", workspace, key)


def job_after(event_id: UUID) -> UUID:
    """The job that a scan's verdict sets off."""
    return derived_id("job-after", event_id)


def undo_of(scan_id: UUID) -> UUID:
    """What undoing a scan changed is listed under this id."""
    return derived_id("undo", scan_id)


def path_of(workspace: str, path: str) -> UUID:
    """Who has a folder: one per workspace and path."""
    return derived_id("path", workspace, path)


def retention_of(log: str) -> UUID:
    return derived_id("retention", log)


def command_of(service: str, workspace: str, actor: str, idempotency_key: str) -> UUID:
    """A retry under the same key is the same command."""
    return derived_id("command", service, workspace, actor, idempotency_key)


def receipt_of(workspace: str, actor: str, idempotency_key: str) -> UUID:
    return derived_id("receipt", workspace, actor, idempotency_key)


def event_subject(log: str, workspace: str, event_type: str) -> str:
    """`ev.<log>.<workspace>.<aggregate>.<event>` for a type such as `linstock.scan.completed.v1`."""
    _, aggregate, event, _ = event_type.split(".")
    return f"ev.{log}.{workspace}.{aggregate}.{event}"


def events_of(log: str) -> str:
    return f"ev.{log}.>"


def command_subject(service: str, workspace: str, command: str, command_id: UUID) -> str:
    return f"cmd.{service}.{workspace}.{command}.{command_id}"


def scan_events() -> str:
    """ScanCompleted, ScanFailed, …: what the scheduler waits for (not the pages, which are the catalogue's)."""
    return f"ev.{SCANNER}.*.scan.*"


def schedule_wishes() -> tuple[str, ...]:
    """What a library's own schedule may have been told directly (ticks are none of the library's business)."""
    return tuple(
        f"ev.{SCHEDULER}.*.schedule.{event}" for event in ("changed", "defined", "deleted", "disabled", "enabled")
    )


def job_closings() -> tuple[str, ...]:
    """What ends an attempt from outside. Of the other events of jobs, which are many, the scanner learns nothing."""
    endings = ("cancelled", "failed", "paused", "retry_scheduled", "timed_out")
    return tuple(f"ev.{SCHEDULER}.*.job.{each}" for each in endings)


def commands_to(service: str) -> str:
    return f"cmd.{service}.>"


def lane(workspace: str, queue: str) -> str:
    """Where jobs wait for the same workers: a queue of a workspace; a built-in one is the same for all."""
    return queue if queue in BUILT_IN_QUEUES else f"{workspace}:{queue}"


def work_subject(workspace: str, queue: str, job_type: str) -> str:
    return f"work.{workspace}.{queue}.{job_type}"


def work_of(queue: str, workspace: str = "*") -> str:
    return f"work.{workspace}.{queue}.>"


def report_subject(workspace: str, queue: str) -> str:
    return f"rep.{workspace}.{queue}"


def life_subject(worker: str) -> str:
    """Core NATS: signs of life."""
    return f"life.{worker}"


def claim_subject(workspace: str, queue: str) -> str:
    """Core NATS: a claim that is lost is made again. One scheduler answers."""
    return f"claim.{workspace}.{queue}"


def stop_subject(worker: str) -> str:
    """Core NATS: attempts that are to end."""
    return f"stop.{worker}"


def asked_subject(workspace: str) -> str:
    """Core NATS: how jobs stand. One api answers."""
    return f"ask.{workspace}.jobs"


def progress_subject(workspace: str, job_id: UUID) -> str:
    """Core NATS: at most 4 a second per job."""
    return f"progress.{workspace}.{job_id}"


def watching_subject(workspace: str, library_id: UUID) -> str:
    """Core NATS: every few seconds per watched library."""
    return f"watching.{workspace}.{library_id}"


def wanted_thumbnails(workspace: str) -> str:
    """Core NATS: somebody wants to see thumbnails that are gone."""
    return f"thumbs.{workspace}.wanted"


def dlq_subject(consumer: str, reason: str) -> str:
    return f"dlq.{consumer}.{reason}"


def command_durable(service: str) -> str:
    return f"{service}-commands"


def reaction_durable(service: str) -> str:
    return f"{service}-reactions"


def durables_of(service: str) -> tuple[tuple[str, str], ...]:
    """The (stream, durable) pairs that a service cannot do without."""
    bound = {
        LIBRARY: (
            (COMMANDS, command_durable(LIBRARY)),
            (EVENTS, reaction_durable(LIBRARY)),
        ),
        SCHEDULER: (
            (COMMANDS, command_durable(SCHEDULER)),
            (EVENTS, reaction_durable(SCHEDULER)),
            (REPORTS, REPORTS_DURABLE),
        ),
        SCANNER: (
            (COMMANDS, command_durable(SCANNER)),
            (EVENTS, CLOSINGS_DURABLE),
            (EVENTS, library_durable(SCANNER)),
            *((WORK, work_durable(queue)) for queue in BUILT_IN_QUEUES),
        ),
        PROJECTION: ((EVENTS, PROJECTION_DURABLE),),
    }
    return bound.get(service, ())


def library_durable(service: str) -> str:
    """Beside its reactions, whose filter can't be changed where it stands."""
    return f"{service}-libraries"


def work_durable(queue: str, workspace: str = "") -> str:
    """`workspace` is that of an application's queue; the built-in ones are served for all together."""
    return f"work:{workspace}:{queue}" if workspace else f"work-{queue}"


REPORTS_DURABLE = "scheduler-reports"
CLOSINGS_DURABLE = "scanner-closings"
PROJECTION_DURABLE = "projection"

ALL_EVENTS = "ev.>"
ALL_COMMANDS = "cmd.>"
ALL_WORK = "work.>"
ALL_REPORTS = "rep.>"
ALL_DLQ = "dlq.>"
ALL_LIFE = "life.*"
ALL_CLAIMS = "claim.*.*"
ALL_PROGRESS = "progress.*.*"
ALL_WATCHING = "watching.*.*"
ALL_ASKED = "ask.*.jobs"
ALL_WANTED_THUMBNAILS = "thumbs.*.wanted"
