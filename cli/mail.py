"""`./suite mail`: reads the letters the system sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from cli.folder import DEFAULT, DataFolder, from_where_asked
from cli.trouble import Trouble

app = typer.Typer(
    add_completion=False,
    invoke_without_command=True,
    help="Read the letters the system sent, newest last. They are kept in the data folder; none is delivered.",
)
Data = Annotated[Path | None, typer.Option("--data", help="Data folder of the system.")]
To = Annotated[str | None, typer.Option("--to", help="Only letters to this address.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON, one letter a line.")]


@dataclass(frozen=True)
class Letter:
    """A letter. `number` counts from 1 in the order they were sent."""

    number: int
    at: str
    to: str
    subject: str
    text: str


def letters(folder: Path, to: str | None = None) -> list[Letter]:
    """The letters of a mail folder, oldest first; `to` leaves those to one address."""
    found = [
        _read(number, file) for number, file in enumerate(sorted(folder.glob("*.eml")), start=1)
    ]
    return [
        letter
        for letter in found
        if to is None or to.lower() in {part.strip().lower() for part in letter.to.split(",")}
    ]


def _read(number: int, file: Path) -> Letter:
    with file.open("rb") as source:
        message = BytesParser(EmailMessage, policy=policy.default).parse(source)
    body = message.get_body(("plain", "html"))
    return Letter(
        number,
        str(message["date"] or ""),
        str(message["x-envelope-to"] or message["to"] or ""),
        str(message["subject"] or ""),
        body.get_content().strip() if body else "",
    )


def _chosen(data: Path | None, to: str | None) -> list[Letter]:
    folder = DataFolder(from_where_asked(data) if data else DEFAULT)
    if not folder.path.is_dir():
        raise Trouble(
            f"There is no data folder {folder.path}.",
            "./suite up makes it; --data says where another one is.",
        )
    return letters(folder.mail, to)


@app.callback()
def overview(
    context: typer.Context, data: Data = None, to: To = None, as_json: Json = False
) -> None:
    """List the letters, unless another word is said."""
    if context.invoked_subcommand is None:
        list_letters(data, to, as_json)


@app.command("list")
def list_letters(data: Data = None, to: To = None, as_json: Json = False) -> None:
    """List the letters."""
    found = _chosen(data, to)
    console = Console(highlight=False)
    if as_json:
        for letter in found:
            print(json.dumps(vars(letter)))  # noqa: T201 - for a program to read
        return
    table = Table("#", "when", "to", "subject", box=None)
    for letter in found:
        table.add_row(str(letter.number), letter.at, letter.to, letter.subject)
    console.print(table if found else "no mail")


@app.command()
def show(
    number: Annotated[int | None, typer.Argument(help="Which one; the newest if left out.")] = None,
    data: Data = None,
    to: To = None,
    as_json: Json = False,
) -> None:
    """Show one letter."""
    found = [letter for letter in _chosen(data, to) if number in {None, letter.number}]
    if not found:
        raise Trouble("There is no such letter.", "./suite mail lists those there are.")
    letter = found[-1]
    if as_json:
        print(json.dumps(vars(letter)))  # noqa: T201 - for a program to read
        return
    title = f"{letter.subject} → {letter.to}"
    Console(highlight=False).print(
        Panel(letter.text, title=title, subtitle=letter.at), markup=False
    )
