"""`python -m services.library`."""

from linstock import lifecycle, names
from services.library.app import build

if __name__ == "__main__":
    lifecycle.run(names.LIBRARY, build)
