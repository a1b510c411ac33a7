"""Whether every command was done once that somebody was told about."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from linstock.messages.receipt import CommandHandled
from tests.faults.history import History, decoded
from tests.faults.ledger import Ledger


@dataclass
class Commands:
    """Every command that somebody was told about has one receipt and one effect."""

    lost: int = 0
    doubled: int = 0
    answered_differently: int = 0
    refused: Counter[str] = field(default_factory=Counter)


EFFECTS = {
    "create": "linstock.library.created.v1",
    "rename": "linstock.library.settings_changed.v1",
    "delete": "linstock.library.deleted.v1",
    "scan": "linstock.scan.requested.v1",
}


def commands(history: History, ledger: Ledger, command_id_of: dict[str, UUID]) -> Commands:
    """`command_id_of` a key, as the API derives it. Every command the harness sends has exactly one effect."""
    found = Commands()
    receipts: dict[UUID, list[CommandHandled]] = defaultdict(list)
    effects: Counter[tuple[UUID, str]] = Counter()
    for record in history.events():
        event = decoded(record)
        if isinstance(event, CommandHandled):
            receipts[event.command_id].append(event)
        elif record.causation_id is not None:
            effects[record.causation_id, record.type] += 1
    for entry in ledger.entries:
        command_id = command_id_of[entry.key]
        outcomes = receipts[command_id]
        effect = effects[command_id, EFFECTS[entry.kind]]
        done = any(receipt.outcome == "done" for receipt in outcomes)
        wanted = entry.acked and entry.refused is None
        found.lost += (entry.acked and not outcomes) or (wanted and not (done and effect))
        found.lost += entry.refused is not None and done
        found.answered_differently += len(entry.ids) > 1
        found.doubled += len(outcomes) > 1 or effect > 1 or (effect == 1 and not done)
        if entry.refused:
            found.refused[f"{entry.kind}: {entry.refused}"] += 1
    return found
