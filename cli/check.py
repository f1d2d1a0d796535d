"""`./suite check`: everything that can be said about the code without running the system."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console

from cli.folder import ROOT
from cli.trouble import Trouble

app = typer.Typer(add_completion=False)
BIN = Path(sys.prefix) / "bin"


class Step(NamedTuple):
    """A check: its name and the program that makes it."""

    name: str
    program: list[str]


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, *arguments]


STEPS = (
    Step("ruff check", _module("ruff", "check")),
    Step("ruff format", _module("ruff", "format", "--check")),
    Step("mypy", _module("mypy")),
    Step("imports", [str(BIN / "lint-imports"), "--no-cache"]),
    Step("contracts", _module("cli", "contracts", "--check")),
    Step("house rules", _module("pytest", "tests/house")),
    Step(
        "compose file",
        [str(BIN / "docker-compose"), "-f", "docker-compose.yml", "config", "--quiet"],
    ),
    Step("Dockerfile", [str(BIN / "hadolint"), "deploy/Dockerfile"]),
)


@app.command()
def check(
    only: Annotated[list[str] | None, typer.Argument(help="Names of checks, such as mypy.")] = None,
) -> None:
    """Run every check and say how each went; exit code 1 when one failed."""
    console = Console(highlight=False)
    chosen = [step for step in STEPS if not only or step.name in only]
    if not chosen:
        raise Trouble(f"There is no such check. They are: {', '.join(s.name for s in STEPS)}.")
    failed = [step.name for step in chosen if not _passes(step, console)]
    if failed:
        raise Trouble(f"{len(failed)} of {len(chosen)} checks failed: {', '.join(failed)}.")
    console.print(f"[green]all {len(chosen)} checks passed[/]")


def _passes(step: Step, console: Console) -> bool:
    begun = time.monotonic()
    with console.status(step.name):
        done = subprocess.run(step.program, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - fixed programs
    mark = "[red]failed[/]" if done.returncode else "[green]ok[/]"
    console.print(f"{mark}  {step.name} [dim]{time.monotonic() - begun:.1f} s[/]")
    if done.returncode:
        console.print((done.stdout + done.stderr).strip(), markup=False, soft_wrap=True)
    return done.returncode == 0
