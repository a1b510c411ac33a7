"""`python -m services.api`."""

from linstock import lifecycle, names
from services.api.app import build

if __name__ == "__main__":
    lifecycle.run(names.API, build)
