"""Loggers of what applications install: structlog's way of saying things, the standard library's way of showing them.

Whatever the process does with `logging` is done with these; the words beside the message are attributes of its record.
"""

import logging

import structlog
from structlog.stdlib import BoundLogger


def get_logger(name: str) -> BoundLogger:
    logger: BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[structlog.stdlib.filter_by_level, structlog.stdlib.render_to_log_kwargs],
        wrapper_class=BoundLogger,
        cache_logger_on_first_use=True,
    )
    return logger
