"""python -m services.scanner: the environment says where Postgres and NATS are."""

from linstock.lifecycle import run
from services.scanner.app import build

if __name__ == "__main__":
    run("scanner", build)
