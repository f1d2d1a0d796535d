"""`./suite import`: brings providers of the national register in, and specialties, postal codes, offices and staff from tables."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cli.folder import DEFAULT, DataFolder, from_where_asked
from cli.imports import offices, shared, staff
from cli.imports.running import Kind, Order, import_register, import_table
from cli.imports.telling import JsonTeller, Teller
from cli.system import running_url
from cli.trouble import Trouble

app = typer.Typer(add_completion=False, no_args_is_help=True)

Bundle = Annotated[
    Path, typer.Argument(help="The bundle as it was downloaded, or its npidata file.")
]
File = Annotated[Path | None, typer.Argument(help="The table, packed as ZIP or not.")]
Data = Annotated[Path | None, typer.Option(help="Data folder of the running system.")]
Url = Annotated[str | None, typer.Option(help="A gateway elsewhere, without /graphql.")]
Email = Annotated[
    str | None, typer.Option(help="Who imports; the password is asked for, or in SUITE_PASSWORD.")
]
Organization = Annotated[
    str, typer.Option(help="Name or id, for who works for several.", show_default=False)
]
Json = Annotated[
    bool, typer.Option("--json", help="One JSON object a line: every remark, then the counts.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Change nothing, and say what would become of the rows.")
]
Errors = Annotated[
    Path | None,
    typer.Option(help="Where to write the rows that are not imported; beside the file."),
]
Template = Annotated[bool, typer.Option("--template", help="Print a table to fill in.")]
FromStart = Annotated[
    bool, typer.Option("--from-start", help="Do not go on where an import was interrupted.")
]


@app.callback()
def overview() -> None:
    """Bring in providers of the national register; and specialties, postal codes, offices and staff from tables."""


@app.command()
def nppes(  # noqa: PLR0913 - each is an option of the command
    file: Bundle,
    data: Data = None,
    url: Url = None,
    email: Email = None,
    organization: Organization = "",
    errors: Errors = None,
    *,
    dry_run: DryRun = False,
    from_start: FromStart = False,
    as_json: Json = False,
) -> None:
    """Import the active individuals of an NPPES file, monthly or weekly, as drafts of provider profiles, and note which NPIs of
    your providers are deactivated.

    A client admin then completes, submits and approves them. Those whose specialties the directory does not know come without
    one. Providers the organization has already (by NPI) stay as they are. An import that was interrupted goes on where it was;
    importing a file again adds nothing twice, and tells what it told the first time.
    """
    order = _order(file, data, url, errors)
    order = order.by(email, organization, trial=dry_run)
    asyncio.run(import_register(order, _teller(as_json=as_json), from_start=from_start))


def _order(file: Path, data: Path | None, url: str | None, errors: Path | None) -> Order:
    folder = DataFolder(from_where_asked(data) if data else DEFAULT)
    path = from_where_asked(file)
    beside = path.with_name(f"{path.name}.errors.csv")
    address = (url or running_url(folder)).rstrip("/")
    return Order(path, folder, address, from_where_asked(errors) if errors else beside)


def _teller(*, as_json: bool) -> Teller:
    return JsonTeller() if as_json else Teller()


def _command(name: str, kind: Kind, about: str) -> None:
    """A word that imports a table of that kind."""

    @app.command(name=name, help=about)
    def imported(  # noqa: PLR0913 - each is an option of the command
        file: File = None,
        data: Data = None,
        url: Url = None,
        email: Email = None,
        organization: Organization = "",
        errors: Errors = None,
        *,
        dry_run: DryRun = False,
        as_json: Json = False,
        template: Template = False,
    ) -> None:
        if template:
            print(kind.table.template(), end="")  # noqa: T201 - the answer
            return
        if file is None:
            raise Trouble(
                "No file is named.", f"./suite import {name} --template prints one to fill in."
            )
        order = _order(file, data, url, errors)
        order = order.by(email, organization, trial=dry_run)
        asyncio.run(import_table(order, kind, _teller(as_json=as_json)))


_command(
    "taxonomy",
    Kind(shared.TAXONOMY, shared.TAXONOMY_NAMES, shared.taxonomy, for_support=True),
    "Import the NUCC provider taxonomy, for the whole network: support only. It is licensed and does not come with the suite.",
)
_command(
    "zips",
    Kind(shared.ZIPS, shared.ZIP_NAMES, shared.zips, for_support=True),
    "Import where postal codes are, for the whole network: support only. The census's gazetteer of ZCTAs can be given as it is.",
)
_command(
    "offices",
    Kind(offices.TABLE, offices.NAMES, offices.Offices),
    "Add offices from a table; those whose name there is already are left as they are.",
)
_command(
    "staff",
    Kind(staff.TABLE, staff.NAMES, staff.Staff),
    "Invite people from a table, and give those who are users already the roles they lack.",
)
