"""`python -m services.scheduler`."""

from linstock import lifecycle, names
from services.scheduler.app import build

if __name__ == "__main__":
    lifecycle.run(names.SCHEDULER, build)
