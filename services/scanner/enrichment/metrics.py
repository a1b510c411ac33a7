"""What /metrics tells about enrichment. The names are documented API."""

from prometheus_client import Counter

IMAGES = Counter("linstock_enriched_images", "Images whose size was read")
QUARANTINED = Counter("linstock_quarantined_files", "Files that were put into quarantine")
THUMBNAILS = Counter("linstock_thumbnails", "Thumbnails that were stored")
