"""Runs every control both ways."""

from pathlib import Path

from linstock.bus.provision import provision
from tests.faults.controls import ack_order, ack_policy, claims, fence, versions
from tests.faults.controls.place import Place, Scenario
from tests.faults.report import Count, print_table, progress
from tests.support.servers import fresh_database, running_nats, running_postgres

CONTROLS: dict[str, Scenario] = {
    "no fence on the relay": fence.scenario,
    "ack before commit in the projection": ack_order.scenario,
    "no version check": versions.scenario,
    "claims ignored": claims.scenario,
    "FastStream's default ack policy": ack_policy.scenario,
}


async def run(home: Path) -> bool:
    counts: list[Count] = []
    with running_postgres(home / "postgres") as postgres:
        for number, (name, scenario) in enumerate(CONTROLS.items()):
            for sabotaged in (False, True):
                with (
                    fresh_database(postgres) as database_url,
                    running_nats(home / f"nats-{number}-{sabotaged}") as nats,
                ):
                    await provision(nats.url)
                    found = await scenario(Place(database_url, nats.url), sabotaged)
                counts.append(_count(name, found, sabotaged=sabotaged))
                progress(f"{name}, {'sabotaged' if sabotaged else 'as it is'}: {found or 'nothing wrong'}")
    return print_table("Controls: what each safeguard holds back", counts)


def _count(name: str, found: str, *, sabotaged: bool) -> Count:
    if sabotaged:
        what = f"  sabotaged: {found or 'nothing noticed'}"
        return Count(what, "red" if found else "green", "red")
    return Count(f"{name}{': ' + found if found else ''}", "red" if found else "green", "green")
