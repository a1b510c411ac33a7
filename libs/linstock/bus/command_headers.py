"""The headers of a command: who asks, under which key, where the answer goes."""

REPLY_TO = "reply_to"
ACTOR = "ls-actor"
IDEMPOTENCY_KEY = "ls-idempotency-key"
MADE_AT = "ls-made-at"
TRACEPARENT = "traceparent"
