"""`linstock up …` with services that do nothing, for tests of the supervisor: same arguments as the command."""

import sys

from linstock import cli
from services.up import background, start


async def _nothing(nats_url: str) -> None:
    return


def main() -> None:
    run = (sys.executable, "-m", "tests.support.dummy_service")
    start.COMMANDS = {name: (*run, name) for name in ("scheduler", "api")}
    start.provision = _nothing
    background.COMMAND = (sys.executable, "-m", "tests.support.dummy_up", "up")
    cli.main()


if __name__ == "__main__":
    main()
