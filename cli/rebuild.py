"""`./suite rebuild`: what reporting made of facts, made again from the first fact on."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.folder import DEFAULT, DataFolder, from_where_asked
from cli.system import running_url
from cli.trouble import Trouble
from kit.db import LOST_CONNECTION, open_database
from kit.errors import Conflict
from kit.roles import OWNER
from services.reporting.consumers import rebuild_all
from services.reporting.consumers.keeping import Rebuilt

app = typer.Typer(add_completion=False)
NAME = "DATABASE_OWNER_URL_REPORTING"


@app.command(name="rebuild")
def command(
    data: Annotated[Path | None, typer.Option(help="Data folder of the running system.")] = None,
) -> None:
    """Make reporting's tables again of the facts it kept. Reports are read and facts are heard meanwhile.

    It works on the system that runs on the data folder, or on the database that DATABASE_OWNER_URL_REPORTING names.
    """
    folder = DataFolder(from_where_asked(data) if data else DEFAULT)
    url = _from_environment(os.environ) or _from_folder(folder)
    console = Console(highlight=False, stderr=True)
    begun = time.monotonic()
    with _bar(console) as bar:
        task = bar.add_task("facts", total=None)
        rebuilt = _rebuild(url, lambda done, total: bar.update(task, completed=done, total=total))
    _tell(rebuilt, time.monotonic() - begun)


def _from_environment(environment: Mapping[str, str]) -> str:
    if file := environment.get(f"{NAME}_FILE"):
        return Path(file).read_text(encoding="utf-8").strip()
    return environment.get(NAME, "")


def _from_folder(folder: DataFolder) -> str:
    running_url(folder)
    port = json.loads(folder.state.read_text(encoding="utf-8"))["postgres_port"]
    owner = f"reporting{OWNER}"
    return f"postgresql://{owner}:{folder.database_password(owner)}@127.0.0.1:{port}/reporting"


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeRemainingColumn(), console=console)


def _rebuild(url: str, progress: Callable[[int, int], None]) -> Rebuilt:
    async def work() -> Rebuilt:
        database = await open_database(url, size=1)
        try:
            return await rebuild_all(database, progress)
        finally:
            await database.pool.close()

    try:
        return asyncio.run(work())
    except Conflict as refused:
        raise Trouble(
            refused.message, "There is nothing to make the tables of: docs/operations.md."
        ) from None
    except (*LOST_CONNECTION, asyncpg.PostgresError) as error:
        raise Trouble(
            f"The tables could not be made again: {error}", "Nothing was changed."
        ) from None


def _tell(rebuilt: Rebuilt, seconds: float) -> None:
    console = Console(highlight=False)
    wrong = {table: rows for table, rows in rebuilt.changed.items() if rows}
    for table, rows in wrong.items():
        console.print(f"{table}: {rows} rows were not what the facts make")
    if not wrong:
        console.print("Every table was what the facts make.")
    rate = rebuilt.facts / seconds if seconds else 0.0
    console.print(f"{rebuilt.facts} facts in {seconds:.1f} s, {rate:.0f} a second")
