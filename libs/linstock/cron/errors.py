"""What can be wrong with a cron expression or its zone."""


class InvalidCron(Exception):
    """This cannot be scheduled."""

    def __init__(self, field: str, reason: str) -> None:
        """`field` is second | minute | hour | day | month | weekday | expression | zone; `reason` is a sentence."""
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason
