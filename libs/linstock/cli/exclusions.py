"""What `linstock lib exclude --preview` asks and shows."""

from typing import TYPE_CHECKING

from linstock.cli import words
from linstock.cli.screen import Column, Screen, note

if TYPE_CHECKING:
    from linstock.cli.api import Api, Json

_COLUMNS = (
    Column("PATTERN", lambda row: row["pattern"], folds=True),
    Column("COLLECTIONS", lambda row: f"{row['collections']:,}"),
    Column("IMAGES", lambda row: f"{row['images']:,}"),
    Column("FIRST", lambda row: ", ".join(row["paths"][:3]), folds=True),
)


def show(api: "Api", screen: Screen, library: "Json", patterns: tuple[str, ...]) -> None:
    path = f"/libraries/{library['id']}/exclusions/preview"
    told = api.command("POST", path, {"patterns": list(patterns)}).body
    if screen.form != "table":
        screen.one(told, ())
        return
    screen.rows(told["patterns"], _COLUMNS, none="")
    for each in told["patterns"]:
        if each["warning"]:
            note(f"Warning: {words.printable(each['pattern'])}: {each['warning']}")
    least = "at least " if told["approximate"] else ""
    note(f"Together {least}{told['collections']:,} of {words.counted(told['ofCollections'], 'collection')} "
         f"and {told['images']:,} of {words.counted(told['ofImages'], 'image')}. Nothing was changed.")  # fmt: skip
