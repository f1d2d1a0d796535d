"""`./suite migrate`: the databases named by the environment, brought up to date. What compose runs before the services."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
from rich.console import Console

from cli.servers.nats_config import SERVICES
from cli.trouble import Trouble
from kit.db import MigrationError, migrate

app = typer.Typer(add_completion=False)


@app.command(name="migrate")
def command(
    service: Annotated[list[str] | None, typer.Argument(help="Only these services.")] = None,
) -> None:
    """Bring the databases that DATABASE_OWNER_URL_<SERVICE> (or ..._FILE) names up to date; where it is not set, those of
    DATABASE_URL_<SERVICE>. `up` does it by itself."""
    console = Console(highlight=False)
    for name in service or SERVICES:
        for applied in _migrate(name, _url(name)):
            console.print(f"{name}: {applied}")
        console.print(f"{name} is up to date")


def _url(service: str) -> str:
    if service not in SERVICES:
        raise Trouble(f"There is no service {service!r}.", f"They are {', '.join(SERVICES)}.")
    names = [f"{prefix}_{service.upper()}" for prefix in ("DATABASE_OWNER_URL", "DATABASE_URL")]
    for name in names:
        if url := os.environ.get(name):
            return url
        if file := os.environ.get(f"{name}_FILE"):
            return Path(file).read_text(encoding="utf-8").strip()
    raise Trouble(f"{names[0]} is not set.", "Name the database, or let ./suite up do all of this.")


def _migrate(service: str, url: str) -> list[str]:
    try:
        return asyncio.run(migrate(url, service))
    except (OSError, asyncpg.PostgresError, MigrationError) as error:
        raise Trouble(f"The database of {service} could not be migrated: {error}") from None
