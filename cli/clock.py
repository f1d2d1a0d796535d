"""`./suite clock`: moves the time of a running system, in development only."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.folder import DEFAULT, DataFolder, from_where_asked
from cli.http import Reply, request
from cli.system import running_url
from cli.trouble import Trouble

app = typer.Typer(add_completion=False)
UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
PATIENCE = 60.0


@app.command(context_settings={"ignore_unknown_options": True})
def clock(
    by: Annotated[str, typer.Argument(help="How far, such as +8d, +36h or +90m.")],
    data: Annotated[Path | None, typer.Option(help="Data folder of the running system.")] = None,
) -> None:
    """Move the time of the whole system forward; returns when everything that became due is done."""
    url = running_url(DataFolder(from_where_asked(data) if data else DEFAULT))
    reply = asyncio.run(_advance(url, span(by)))
    Console(highlight=False).print(f"It is now {reply.body['now']}.")


def span(text: str) -> timedelta:
    """The span of time that +8d, +36h, +90m or +1d12h means."""
    parts = re.findall(r"(\d{1,6})([dhms])", text)
    if not parts or re.sub(r"\d{1,6}[dhms]", "", text) not in {"", "+"}:
        raise Trouble(f"{text!r} is no span of time.", "Write +8d, +36h, +90m or +1d12h.")
    return sum((timedelta(**{UNITS[unit]: int(number)}) for number, unit in parts), timedelta())


async def _advance(url: str, by: timedelta) -> Reply:
    body = {"advance_seconds": int(by.total_seconds())}
    try:
        reply = await request(f"{url}/dev/clock", body, {"x-suite-dev": "1"}, seconds=PATIENCE)
    except (OSError, TimeoutError) as error:
        raise Trouble(f"The gateway does not answer: {error}", "Look at ./suite up.") from None
    if reply.status != 200 or not reply.body:  # noqa: PLR2004 - OK
        errors = (reply.body or {}).get("errors") or [{"message": f"status {reply.status}"}]
        raise Trouble(f"The clock was not moved: {errors[0]['message']}")
    return reply
