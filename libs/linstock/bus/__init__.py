"""The bus: provisioning, publishing, consuming, replies. Everything that knows JetStream is here or in eventlog.relay."""
