"""Settings: the environment read once into one frozen dataclass, all wrong values reported together by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

SIBLINGS = ("identity", "directory", "insurance", "referrals", "reporting")
"""The services of the suite. Their names are also their viewer audiences, database names and NATS users."""

MIN_KEY_BYTES = 32
MAX_PORT = 65535


class Mode(StrEnum):
    """DEVELOPMENT allows moving the clock, GraphiQL, introspection and explained plans; PRODUCTION none of them."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class SettingsError(Exception):
    """One or more settings are missing or wrong; the text lists all of them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(
            "These settings need mending:\n" + "\n".join(f"  {line}" for line in problems)
        )
        self.problems = problems


def setting(
    name: str, read: Callable[[str], Any], default: str | None = None, *, about: str
) -> Any:  # noqa: ANN401
    """Declare a dataclass field that comes from the environment.

    `name` may hold `{SERVICE}`. `read` turns text into the value and raises ValueError with the reason. Without a default the
    setting must be given. `NAME_FILE` names a file to read the value from (for secrets). `about` is for the docs.
    """
    return field(metadata={"name": name, "read": read, "default": default, "about": about})


def text(value: str) -> str:
    """Any text that is not empty."""
    if not value:
        raise ValueError("must not be empty")
    return value


def optional(value: str) -> str:
    """Any text; empty means "not given"."""
    return value


def port(value: str) -> int:
    """A TCP port; 0 lets the system choose."""
    if not value.isdigit() or int(value) > MAX_PORT:
        raise ValueError(f"must be a port from 0 to {MAX_PORT}, not {value!r}")
    return int(value)


def address(value: str) -> str:
    """host:port."""
    host, _, number = value.rpartition(":")
    if not host:
        raise ValueError(f"must be host:port, not {value!r}")
    port(number)
    return value


def url(*schemes: str) -> Callable[[str], str]:
    """A URL with one of these schemes. The value is never echoed: it may carry a password."""

    def read(value: str) -> str:
        if not value.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ValueError(
                f"must be a URL that starts with {' or '.join(f'{s}://' for s in schemes)}"
            )
        return value

    return read


def key(value: str) -> bytes:
    """A secret key as hexadecimal digits, at least 32 bytes."""
    try:
        secret = bytes.fromhex(value)
    except ValueError:
        raise ValueError("must be hexadecimal digits") from None
    if len(secret) < MIN_KEY_BYTES:
        raise ValueError(f"must be at least {MIN_KEY_BYTES} bytes ({2 * MIN_KEY_BYTES} digits)")
    return secret


def number(low: int, high: int) -> Callable[[str], int]:
    """A whole number within bounds, both included."""

    def read(value: str) -> int:
        if not value.removeprefix("-").isdigit() or not low <= int(value) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}, not {value!r}")
        return int(value)

    return read


def one_of(*words: str) -> Callable[[str], str]:
    """One of a few words."""

    def read(value: str) -> str:
        if value not in words:
            raise ValueError(f"must be one of {', '.join(words)}, not {value!r}")
        return value

    return read


def yes_or_no(value: str) -> bool:
    """yes or no."""
    return one_of("yes", "no")(value) == "yes"


def mode(value: str) -> Mode:
    """development or production."""
    return Mode(one_of(*Mode)(value))


@dataclass(frozen=True, kw_only=True)
class ProcessSettings:
    """What every process of the suite is told."""

    mode: Mode = setting("MODE", mode, "production", about="development or production")
    http_host: str = setting(
        "HTTP_HOST", text, "127.0.0.1", about="address the HTTP door listens on"
    )
    http_port: int = setting("HTTP_PORT", port, about="port of the HTTP door")
    nats_url: str = setting(
        "NATS_URL", url("nats", "tls"), about="NATS server, with this process's user"
    )
    viewer_key: bytes = setting(
        "VIEWER_KEY", key, about="key that signs the viewer between our processes"
    )
    log_level: str = setting(
        "LOG_LEVEL", one_of("debug", "info", "warning", "error"), "info", about="how much is logged"
    )
    shutdown_grace: int = setting(
        "SHUTDOWN_GRACE",
        number(0, 300),
        "10",
        about="seconds that requests in flight may still take at a stop",
    )

    @classmethod
    def at_odds(cls, values: Mapping[str, Any]) -> list[str]:  # noqa: ARG003 - for those who have settings that depend on each other
        """What settings that are right by themselves do not allow each other. `values`, by field, lacks those that are wrong."""
        return []


@dataclass(frozen=True, kw_only=True)
class ServiceSettings(ProcessSettings):
    """What every service is told besides."""

    database_url: str = setting(
        "DATABASE_URL_{SERVICE}",
        url("postgres", "postgresql"),
        about="PostgreSQL database of the service",
    )
    grpc_port: int = setting("GRPC_PORT", port, about="port of the gRPC door")
    audit_key: bytes = setting(
        "AUDIT_KEY", key, about="key of this service that signs the audit trail's checkpoints"
    )
    audit_folder: str = setting(
        "AUDIT_FOLDER",
        optional,
        "",
        about="folder, on another volume than the database, in which the audit trail's checkpoints are written down too",
    )
    pool_size: int = setting(
        "POOL_SIZE", number(6, 100), "10", about="database connections of the service"
    )


SettingsT = TypeVar("SettingsT", bound=ProcessSettings)


def load(
    kind: type[SettingsT], service: str, environment: Mapping[str, str] = os.environ
) -> SettingsT:
    """Read the settings of a process; SettingsError lists everything that is missing or wrong."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for declared in fields(kind):
        name = declared.metadata["name"].format(SERVICE=service.upper())
        try:
            values[declared.name] = declared.metadata["read"](_raw(declared, name, environment))
        except ValueError as reason:
            problems.append(f"{name} {reason}")
    problems += kind.at_odds(values)
    if problems:
        raise SettingsError(problems)
    return kind(**values)


def _raw(declared: Field[Any], name: str, environment: Mapping[str, str]) -> str:
    if name in environment:
        return environment[name]
    if file := environment.get(f"{name}_FILE"):
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ValueError(
                f"cannot be read from the file {name}_FILE names: {error.strerror}"
            ) from None
    default: str | None = declared.metadata["default"]
    if default is None:
        raise ValueError(f"is not set ({declared.metadata['about']})")
    return default
