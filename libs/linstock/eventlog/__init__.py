"""The event log: append with expected version, group commit, chain, relay. One log per service schema."""
