"""The demo world: made on the first `./suite up`, or by `./suite seed`, through the public endpoint as its users would make it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli.folder import DEFAULT, DataFolder, from_where_asked
from cli.network import AnswerError, Client, Person, Refused
from cli.seed import building, practising, stories, working, world
from cli.seed.building import Site
from cli.seed.notes import Notes
from cli.seed.stories import Story
from cli.seed.world import World
from cli.servers.secrets import write_private
from cli.system import SUPPORT_EMAIL, running_url
from cli.trouble import Trouble

app = typer.Typer(add_completion=False)
SEED = 1
"""The number every choice in the world follows from."""

_OF_ANOTHER = {"BAD_CREDENTIALS", "IDEMPOTENCY_KEY_REUSED"}


@app.command()
def seed(
    data: Annotated[
        Path | None,
        typer.Option(help="Data folder of the running system.", show_default="./suite up's"),
    ] = None,
) -> None:
    """Make the demo world in a running system that has none yet: two organizations, their people, and five weeks of referrals.

    It is finished by the same command when it was interrupted. Meanwhile the system's clock goes through the last weeks; at the
    end it is right again.
    """
    folder = DataFolder(from_where_asked(data) if data else DEFAULT)
    url = running_url(folder)
    if folder.accounts.exists():
        raise Trouble(
            "This system has a demo world already.",
            f"Its sign-ins are in {folder.accounts}; ./suite up --ephemeral makes another one.",
        )
    console = Console(highlight=False)
    begun = time.monotonic()
    asyncio.run(run(url, folder.path, console=console))
    console.print(f"The demo world is there: {time.monotonic() - begun:.1f} s.")
    console.print(f"Its sign-ins are in {folder.accounts}.", soft_wrap=True)


async def run(url: str, data_folder: Path, *, console: Console | None = None) -> None:
    """Make the demo world in the system at `url`, whose data are in this folder; finish it when it was begun before.

    The sign-ins are written last. The clock has no offset when this ends, however it ends.
    """
    folder = DataFolder(data_folder)
    notes = Notes.kept(folder.path / "demo.json")
    whole = world.build(SEED)
    written = stories.write(whole, notes, SEED)
    try:
        async with _site(url, folder, notes) as site:
            with _bar(console or Console(), whole, written, site):
                await building.build(site, whole)
                await practising.publish(site, whole)
                await working.Work(site, whole, written).play()
    except (Refused, AnswerError, Trouble) as why:
        raise _unfinished(why) from None
    write_private(folder.accounts, json.dumps(_accounts(whole, notes), indent=1))
    (folder.path / "demo.json").unlink()


def _unfinished(why: Exception) -> Trouble:
    if isinstance(why, Refused) and why.code in _OF_ANOTHER:
        return Trouble(
            "This system has a demo world that was made from another data folder: nobody here knows its passwords.",
            "Go without (./suite up --no-demo), or start anew with another --data folder.",
        )
    return Trouble(
        f"The demo world could not be finished: {why or type(why).__name__}",
        "The same command goes on where it stopped; ./suite up --no-demo goes without.",
    )


@asynccontextmanager
async def _site(url: str, folder: DataFolder, notes: Notes) -> AsyncIterator[Site]:
    client = Client(url)
    password = folder.secret("support.password", 12)
    support = Person(client, "Support", SUPPORT_EMAIL, password)
    try:
        yield Site(client, support, folder.mail, notes, f"demo-{SEED}", lambda: None)
    finally:
        await client.set_offset(timedelta())
        client.close()


def _bar(console: Console, whole: World, written: list[Story], site: Site) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    total = building.deeds_of(whole) + practising.deeds_of(whole) + working.deeds_of(written)
    task = bar.add_task("Demo world", total=total)
    site.told = lambda: bar.advance(task)
    return bar


def _accounts(whole: World, notes: Notes) -> list[dict[str, str]]:
    """One sign-in for each role of each organization, and one for who keeps the plans of some offices only."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for organization in whole.organizations:
        for user in organization.users:
            narrow = user.offices and not user.workplaces
            role = "office insurance" if narrow else user.role.replace("_", " ").lower()
            entry = {
                "role": role,
                "organization": organization.name,
                "email": user.email,
                "password": notes.password(user.email),
            }
            found.setdefault((organization.name, role), entry)
    return list(found.values())
