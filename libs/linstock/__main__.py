"""`python -m linstock`: the command, also where no console script is on PATH."""

from linstock.cli import main

if __name__ == "__main__":
    main()
