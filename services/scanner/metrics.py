"""What /metrics tells about scans. The names are documented API."""

from prometheus_client import Counter, Gauge, Histogram

SCANS = Counter("linstock_scans", "Attempts of scans that ended, by how", ["outcome"])
SCAN_SECONDS = Histogram(
    "linstock_scan_seconds", "Duration of completed scans", buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200)
)
RUNNING = Gauge("linstock_scans_running", "Scans that run in this process")
PAGES = Counter("linstock_scan_pages", "Pages of changes recorded")
FILES = Counter("linstock_scan_files", "Files seen by completed scans")
