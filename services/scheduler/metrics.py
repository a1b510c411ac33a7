"""What the scheduler counts, on /metrics. The names are a promise."""

from prometheus_client import Counter, Gauge, Histogram

TICKS = Counter("linstock_scheduler_ticks_total", "Decided instants by verdict.", ["verdict"])
TICK_LATENESS = Histogram(
    "linstock_scheduler_tick_lateness_seconds",
    "From a tick's instant to its commit.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 60),
)
OPEN_JOBS = Gauge("linstock_scheduler_open_jobs", "Jobs without a final verdict.")
PARTITIONS = Gauge("linstock_scheduler_partitions", "Partitions of 64 whose schedules this replica fires first")
ACTIVE_SCHEDULES = Gauge("linstock_scheduler_active_schedules", "Schedules that tick.")
DISPATCHES = Counter("linstock_scheduler_dispatches_total", "Orders put on WORK.", ["queue"])
CLAIMS = Counter("linstock_scheduler_claims_total", "Claims by answer.", ["answer"])
EXPIRED_LEASES = Counter("linstock_scheduler_expired_leases_total", "Attempts whose worker fell silent.")
TIMEOUTS = Counter("linstock_scheduler_timeouts_total", "Attempts that passed their deadline.")
