"""`./suite audit`: whether the audit trails are what was written, all of it and in its order."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.folder import DEFAULT, DataFolder, from_where_asked
from cli.servers.nats_config import AUDITOR, SERVICES
from cli.system import running_url
from cli.trouble import Trouble
from kit.audit.checkpoints import (
    BUS_AWAY,
    Checkpoint,
    CheckpointFile,
    CheckpointStream,
    ForgedError,
    public_keys,
    read,
)
from kit.audit.verify import SHOWN, Checkpoints, Finding, Report, Wrong, length, verify
from kit.bus import Bus
from kit.db import LOST_CONNECTION

app = typer.Typer(
    add_completion=False, help="The audit trails: who did what to what, one chain for each service."
)
PATIENCE = 5.0


@app.callback()
def overview() -> None:
    """Say which word is wanted."""


@dataclass(frozen=True)
class Sources:
    """Where the trails are, and what is kept elsewhere to hold them against."""

    databases: Mapping[str, str]
    nats_url: str
    folder: Path
    keys: Mapping[str, Ed25519PublicKey]


@app.command("verify")
def command(
    service: Annotated[list[str] | None, typer.Option(help="Only this service.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data folder of the running system.")] = None,
    restored: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M:%SZ"],
            help="When the databases were restored from older copies, in UTC: older checkpoints that do not fit are known.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a service.")] = False,
) -> None:
    """Make every hash anew and compare the chains with their checkpoints. Exit code 1 when anything is wrong.

    It looks at the system that runs on the data folder, or at what DATABASE_URL_<SERVICE>, NATS_URL, AUDIT_FOLDER and
    AUDIT_PUBLIC_KEYS name.
    """
    if unknown := set(service or ()) - set(SERVICES):
        raise Trouble(f"There is no service {min(unknown)!r}.", f"They are {', '.join(SERVICES)}.")
    sources = _from_environment(os.environ) or _from_folder(
        DataFolder(from_where_asked(data) if data else DEFAULT)
    )
    at = restored.replace(tzinfo=UTC) if restored else None
    reports = [Report(name, at) for name in service or sources.databases]
    sound = asyncio.run(_verify_all(sources, reports, as_json=as_json))
    if not sound:
        raise typer.Exit(1)


# Where things are -----------------------------------------------------------------------------------------------------


def _from_environment(environment: Mapping[str, str]) -> Sources | None:
    databases = {
        name: url
        for name in SERVICES
        if (url := _given(environment, f"DATABASE_URL_{name.upper()}"))
    }
    if not databases:
        return None
    keys, folder = environment.get("AUDIT_PUBLIC_KEYS"), environment.get("AUDIT_FOLDER")
    nats_url = _given(environment, "NATS_URL")
    if not (keys and folder and nats_url):
        raise Trouble(
            "Without its checkpoints a chain proves little.",
            "Set AUDIT_PUBLIC_KEYS (./suite secrets makes the file), AUDIT_FOLDER and NATS_URL.",
        )
    return Sources(databases, nats_url, Path(folder), _keys(json.loads(Path(keys).read_text())))


def _given(environment: Mapping[str, str], name: str) -> str:
    if file := environment.get(f"{name}_FILE"):
        return Path(file).read_text(encoding="utf-8").strip()
    return environment.get(name, "")


def _from_folder(folder: DataFolder) -> Sources:
    running_url(folder)
    state = json.loads(folder.state.read_text(encoding="utf-8"))
    return Sources(
        {
            name: f"postgresql://{name}:{folder.database_password(name)}@127.0.0.1:{state['postgres_port']}/{name}"
            for name in SERVICES
        },
        f"nats://{AUDITOR}:{folder.credentials.password(AUDITOR)}@127.0.0.1:{state['nats_port']}",
        folder.audit,
        _keys(public_keys({name: folder.audit_key(name) for name in SERVICES})),
    )


def _keys(told: Mapping[str, str]) -> dict[str, Ed25519PublicKey]:
    return {
        name: Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)) for name, key in told.items()
    }


# Verifying ------------------------------------------------------------------------------------------------------------


async def _verify_all(sources: Sources, reports: list[Report], *, as_json: bool) -> bool:
    console = Console(highlight=False, soft_wrap=True)
    async with _bus(sources.nats_url) as bus:
        for report in reports:
            began = time.monotonic()
            await _verify(sources, report, bus, quiet=as_json)
            took = time.monotonic() - began
            if as_json:
                print(json.dumps(_told(report, took)))  # noqa: T201 - for a program to read
            else:
                _show(console, report, took)
    return all(report.sound for report in reports)


@asynccontextmanager
async def _bus(url: str) -> AsyncIterator[Bus | None]:
    logging.getLogger("kit.bus").setLevel(logging.ERROR)  # that it hangs up at the end is no news
    bus = Bus(url, name=AUDITOR)
    try:
        try:
            await asyncio.wait_for(bus.connect(), PATIENCE)
        except BUS_AWAY:
            yield None
        else:
            yield bus
    finally:
        await bus.close()


async def _verify(sources: Sources, report: Report, bus: Bus | None, *, quiet: bool) -> None:
    service = report.service
    if service not in sources.keys:
        raise Trouble(f"AUDIT_PUBLIC_KEYS has no key of {service}.")
    checkpoints = await _checkpoints(sources, service, bus, report)
    try:
        async with _reading(sources.databases[service]) as tx:
            with _progress(service, await length(tx), quiet=quiet) as seen:
                await verify(tx, report, checkpoints, seen)
    except (*LOST_CONNECTION, asyncpg.PostgresError) as error:
        raise Trouble(
            f"The audit trail of {service} cannot be read: {error}", "Is its database there?"
        ) from None


@asynccontextmanager
async def _reading(url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection
    finally:
        await connection.close()


async def _checkpoints(
    sources: Sources, service: str, bus: Bus | None, report: Report
) -> Checkpoints:
    """The genuine checkpoints of each place; what is not, and a place that is away, is a finding."""
    lines = {"file": list(CheckpointFile.of(sources.folder, service).lines())}
    try:
        lines["stream"] = await _streamed(bus, service)
    except BUS_AWAY:
        text = "the broker does not answer: its checkpoints could not be compared"
        report.add(Finding(Wrong.PLACE_AWAY, text))
    return {
        place: list(_genuine(told, place, sources.keys[service], report))
        for place, told in lines.items()
    }


async def _streamed(bus: Bus | None, service: str) -> list[bytes]:
    if bus is None:
        raise OSError
    return [line async for line in CheckpointStream(bus, service).lines()]


def _genuine(
    lines: list[bytes], place: str, key: Ed25519PublicKey, report: Report
) -> Iterator[Checkpoint]:
    for number, line in enumerate(lines, start=1):
        try:
            yield read(line, key, report.service)
        except ForgedError:
            text = f"checkpoint {number} of the {place} was not signed by {report.service}"
            report.add(Finding(Wrong.FORGED, text))


# Telling --------------------------------------------------------------------------------------------------------------


@contextmanager
def _progress(service: str, total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A bar on the terminal; what it yields is told of every batch."""
    bar = Progress(
        TextColumn(f"{service:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.speed:,.0f}/s" if total else ""),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task("", total=total)
        yield lambda more: bar.advance(task, more)


def _told(report: Report, took: float) -> dict[str, Any]:
    return {
        "service": report.service,
        "sound": report.sound,
        "links": report.links,
        "head": report.head,
        "checkpoints": report.checkpoints,
        "forgiven": report.forgiven,
        "seconds": round(took, 3),
        "counts": dict(report.counts),
        "findings": [finding._asdict() for finding in report.findings],
    }


def _show(console: Console, report: Report, took: float) -> None:
    known = ", ".join(f"{count:,} in the {place}" for place, count in report.checkpoints.items())
    verdict = "[green]sound[/]" if report.sound else "[red]NOT SOUND[/]"
    console.print(
        f"{report.service:<10} {verdict}  {report.links:,} entries, checkpoints: {known or 'none'} ({took:.1f} s)"
    )
    for finding in report.findings:
        place = "" if finding.sequence is None else f" at {finding.sequence}"
        console.print(
            f"  {report.service}{place}: {finding.wrong}: {finding.message}", markup=False
        )
    if report.forgiven:
        console.print(f"  {report.service}: {report.forgiven:,} checkpoints are of a lost time")
    for wrong, count in report.counts.items():
        if count > SHOWN:
            console.print(f"  {report.service}: {count - SHOWN:,} more of {wrong}")
