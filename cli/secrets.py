"""`./suite secrets`: everything secret that docker-compose.yml reads, made once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.folder import ROOT, from_where_asked
from cli.servers.nats_config import AUDITOR, SERVICES, Credentials, render
from cli.servers.secrets import kept_secret, write_private
from cli.trouble import Trouble
from kit.audit.checkpoints import public_keys
from kit.roles import OWNER

app = typer.Typer(add_completion=False)
DEFAULT = ROOT / ".suite/secrets"
FOLDER_MODE = 0o700
FILE_MODE = 0o644
"""The folder keeps others out; a container's user must be able to read the single file that is mounted for it."""


@app.command()
def secrets(
    folder: Annotated[
        Path | None, typer.Argument(help="Where to.", show_default=str(DEFAULT))
    ] = None,
) -> None:
    """Make the secrets docker compose needs. Those that are there stay; delete one to have it made anew."""
    place = from_where_asked(folder) if folder else DEFAULT
    try:
        place.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, FileNotFoundError, NotADirectoryError) as error:
        raise Trouble(
            f"No folder can be made at {place} ({error.strerror}).", "Name another place."
        ) from None
    place.chmod(FOLDER_MODE)
    for name, text in compose_secrets(place).items():
        write_private(place / name, text)
        (place / name).chmod(FILE_MODE)
    Console(highlight=False).print(f"the secrets are in {place}: keep a copy in a safe place")


def compose_secrets(place: Path) -> dict[str, str]:
    """The files of docker-compose.yml's secrets, by name."""
    kept = place / "made"
    credentials = Credentials(kept)
    roles = (*SERVICES, *(f"{name}{OWNER}" for name in SERVICES))
    passwords = {role: kept_secret(kept / f"postgres-{role}") for role in roles}
    users = (*SERVICES, "gateway", AUDITOR)
    audit = {name: kept_secret(kept / f"audit-{name}.key") for name in SERVICES}
    return {
        "viewer-key": kept_secret(kept / "viewer-key"),
        "partner-issuer-seed": credentials.issuer_seed(),
        "identity-secret": kept_secret(kept / "identity-secret"),
        "patient-key": kept_secret(kept / "patient-key"),
        "support-password": kept_secret(kept / "support-password", 12),
        "postgres-superuser": kept_secret(kept / "postgres-superuser"),
        "nats.conf": render(
            credentials, listen="0.0.0.0:4222", store="/data", monitor="127.0.0.1:8222"
        ),
        **{f"audit-{name}": key for name, key in audit.items()},
        "audit-public-keys": json.dumps(public_keys(audit), indent=2),
        **{f"postgres-{role}": password for role, password in passwords.items()},
        **{
            f"database-{role}": f"postgresql://{role}:{password}@postgres:5432/{role.removesuffix(OWNER)}"
            for role, password in passwords.items()
        },
        **{
            f"nats-{user}": f"nats://{user}:{credentials.password(user)}@nats:4222"
            for user in users
        },
    }
