"""`linstock up`: every service, NATS and PostgreSQL as children of one process on one machine."""
