"""A real service that logs everything, its libraries included: `python -m tests.support.talkative_service NAME`."""

import logging
import sys
from importlib import import_module
from typing import Any

import structlog

from linstock import lifecycle
from linstock.telemetry import configure_logging


def _everything(*given: Any) -> None:
    configure_logging(*given)
    logging.getLogger().setLevel(logging.DEBUG)
    for logger in logging.Logger.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.setLevel(logging.DEBUG)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))


if __name__ == "__main__":
    vars(lifecycle)["configure_logging"] = _everything
    name = sys.argv[1]
    lifecycle.run(name, import_module(f"services.{name}.app").build)
