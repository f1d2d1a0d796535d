"""`./suite test`: the test suite, on servers of its own."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from cli.folder import ROOT

app = typer.Typer(add_completion=False)
OURS = (
    "DATABASE_URL_",
    "NATS_URL",
    "SMTP_URL",
    "VIEWER_KEY",
    "AUDIT_",
    "MODE",
    "PARTNER_ISSUER_SEED",
)


@app.command(
    name="test", context_settings={"ignore_unknown_options": True, "allow_extra_args": True}
)
def command(
    arguments: Annotated[list[str] | None, typer.Argument(help="Whatever pytest takes.")] = None,
) -> None:
    """Run the tests on an own PostgreSQL and NATS, beside a running system if need be."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    os.chdir(ROOT)
    command = [sys.executable, "-m", "pytest", *(arguments or [])]
    os.execve(sys.executable, command, environment)  # noqa: S606 - becoming pytest
