"""The pages on commands and settings."""

from __future__ import annotations

import importlib
from dataclasses import fields
from typing import TYPE_CHECKING

from cli.__main__ import WORDS
from cli.reference.table import table
from gateway.config import GatewaySettings
from kit.config import SIBLINGS, ProcessSettings, ServiceSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

EMBEDDED = (
    ("SUITE_POSTGRES_BIN", "folder with PostgreSQL's programs, instead of the wheel's"),
    ("SUITE_NATS_SERVER", "NATS server to run, instead of the wheel's"),
    ("UV", "uv to use, instead of the one `./suite` finds or installs"),
)
"""What the command itself reads, besides what it hands to the processes."""

HOW = """Environment variables, read once at the start; all wrong ones are reported together. `NAME_FILE` names a file to read the
value from instead. `./suite up` sets what it must; an operator of compose sets the rest."""


def commands_page() -> str:
    """Every word of `./suite`."""
    rows = [(f"`./suite {name}`", word.about) for name, word in sorted(WORDS.items())]
    return "## Commands\n\n" + table(("command", "what it does"), rows)


def settings_page() -> str:
    """Every setting of every process, by the process that reads it."""
    parts = [
        "## Settings",
        HOW,
        "### Every process",
        _settings(ProcessSettings, ()),
        "### Every service",
        _settings(ServiceSettings, _names(ProcessSettings)),
    ]
    for service in SIBLINGS:
        kind = getattr(importlib.import_module(f"services.{service}.app"), "Settings", None)
        if kind is not None:
            parts += [f"### {service}", _settings(kind, _names(ServiceSettings))]
    parts += ["### gateway", _settings(GatewaySettings, _names(ProcessSettings))]
    parts += [
        "### The command",
        table(("setting", "meaning"), [(f"`{n}`", a) for n, a in EMBEDDED]),
    ]
    return "\n\n".join(parts)


def _names(kind: type[ProcessSettings]) -> set[str]:
    return {field.metadata["name"] for field in fields(kind)}


def _settings(kind: type[ProcessSettings], known: Iterable[str]) -> str:
    rows = [
        (
            f"`{field.metadata['name'].replace('{SERVICE}', '<SERVICE>')}`",
            field.metadata["about"],
            _default(field.metadata["default"]),
        )
        for field in fields(kind)
        if field.metadata["name"] not in set(known)
    ]
    return table(("setting", "meaning", "default"), rows)


def _default(value: str | None) -> str:
    if value is None:
        return "must be given"
    if value.startswith("/"):
        return "beside the code"
    return f"`{value}`" if value else "none"
