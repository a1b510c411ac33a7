"""The bus: provisioning, publishing, consuming, replies. What knows JetStream is here or in eventlog.relay."""
