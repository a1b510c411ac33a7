"""`linstock …` whose services log everything, for tests of what must be in no log: same arguments as the command."""

import sys

from linstock import cli
from services.up import background, start


def main() -> None:
    run = (sys.executable, "-m", "tests.support.talkative_service")
    start.COMMANDS = {name: (*run, name) for name in start.COMMANDS}
    background.COMMAND = (sys.executable, "-m", "tests.support.talkative_up", "up")
    cli.main()


if __name__ == "__main__":
    main()
