"""`python -m services.scanner`."""

from linstock import lifecycle, names
from services.scanner.app import build

if __name__ == "__main__":
    lifecycle.run(names.SCANNER, build)
