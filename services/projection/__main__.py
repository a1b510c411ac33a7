"""python -m services.projection"""

from linstock.lifecycle import run
from services.projection.app import build

if __name__ == "__main__":
    run("projection", build)
