"""What the projection tells Prometheus. The names are an API."""

from prometheus_client import Counter, Gauge

EVENTS = Counter("linstock_projection_events", "Events applied to the read models")
POSITION = Gauge("linstock_projection_position", "Position in each log that the read models reflect", ["log"])
PENDING = Gauge("linstock_projection_pending_events", "Events in the stream that were not delivered yet")
STOPPED = Gauge(
    "linstock_projection_stopped", "1 while a poison event or a broken chain keeps the read models from moving on"
)
REBUILDS = Counter("linstock_projection_rebuilds", "Rebuilds that the service started by itself")
