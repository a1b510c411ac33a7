"""Running jobs: the worker's side of orders, claims, leases and outcomes."""
