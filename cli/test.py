"""`./suite test`: the test suite, on servers of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from rich.console import Console

from cli.folder import ROOT

app = typer.Typer(add_completion=False)
OURS = (
    "DATABASE_URL_",
    "DATABASE_OWNER_URL_",
    "NATS_URL",
    "SMTP_URL",
    "VIEWER_KEY",
    "PATIENT_KEY",
    "ATTACHMENT_STORE",
    "AUDIT_",
    "MODE",
    "PARTNER_ISSUER_SEED",
    "S3_",
)
HALVES = (
    ("tests/unit", "tests/service"),
    ("tests/e2e", "tests/gateway", "tests/platform", "tests/house", "tests/model"),
)
"""They take about as long as one another; each has servers of its own."""


@app.command(
    name="test", context_settings={"ignore_unknown_options": True, "allow_extra_args": True}
)
def command(
    arguments: Annotated[list[str] | None, typer.Argument(help="Whatever pytest takes.")] = None,
) -> None:
    """Run the tests on an own PostgreSQL and NATS, beside a running system if need be. All of them: in two halves at once."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    os.chdir(ROOT)
    if not arguments:
        raise typer.Exit(_both_halves(environment))
    command = _pytest(arguments)
    os.execve(sys.executable, command, environment)  # noqa: S606 - becoming pytest


def _pytest(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", *arguments]


def _both_halves(environment: Mapping[str, str]) -> int:
    """Run them side by side; the second one's words are held back until the first has had its say. Answers 0 when both passed."""
    say = Console(highlight=False)
    shown, held_back = HALVES
    with tempfile.TemporaryFile("w+") as words:
        other = subprocess.Popen(  # noqa: S603 - our own interpreter
            _pytest(held_back), env=environment, stdout=words, stderr=subprocess.STDOUT
        )
        say.print(f"{', '.join(shown)}; beside them {', '.join(held_back)}")
        first = subprocess.run(_pytest(shown), env=environment, check=False).returncode  # noqa: S603
        say.print(f"waiting for {', '.join(held_back)}")
        second = other.wait()
        words.seek(0)
        sys.stdout.write(words.read())
    return first or second
