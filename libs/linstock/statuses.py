"""How a run or job stands, as the read models, the api and applications call it."""

PENDING, SCHEDULED, RUNNING, RETRYING, PAUSED = "Pending", "Scheduled", "Running", "Retrying", "Paused"
COMPLETED, FAILED, TIMEOUT, CANCELLED = "Completed", "Failed", "Timeout", "Cancelled"
ENDED = (COMPLETED, FAILED, TIMEOUT, CANCELLED)
OF_JOBS = (PENDING, SCHEDULED, RUNNING, RETRYING, *ENDED)
OF_RUNS = (PENDING, SCHEDULED, RUNNING, RETRYING, PAUSED, *ENDED)
