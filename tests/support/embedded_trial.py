"""Starts both servers on the folder given, as whoever runs it, and says who runs them: "uid url-of-postgres"."""

import os
import sys
from pathlib import Path

import psycopg

from linstock.embedded import DataDir, EmbeddedNats, EmbeddedPostgres


def main(folder: str, *, die: bool) -> None:
    data = DataDir(Path(folder))
    data.prepare()
    nats, postgres = EmbeddedNats(data.nats), EmbeddedPostgres(data.postgres)
    nats.start()
    postgres.start()
    with psycopg.connect(postgres.url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS starts (n int)")
        connection.execute("INSERT INTO starts SELECT count(*) + 1 FROM starts")
        row = connection.execute("SELECT max(n) FROM starts").fetchone()
    print(os.geteuid(), nats.pid, postgres.pid, row[0] if row else 0, flush=True)
    if die:
        os._exit(9)
    postgres.stop()
    nats.stop()


if __name__ == "__main__":
    main(sys.argv[1], die="die" in sys.argv[2:])
