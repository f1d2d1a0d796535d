"""Writing the audit trail's entries."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NotRequired, TypedDict, Unpack
from uuid import UUID

from kit.auth import Viewer
from kit.db import Connection
from kit.ids import new_id
from kit.logs import request_id

_WRITE = """
WITH written AS (
    INSERT INTO audit_entries (id, at, organization_id, user_id, session_id, service, support, act, kind, about, fields, reason,
        purpose, request)
    SELECT id, $4, $5, $6, $7, $8, $9, $10, $11, about, string_to_array(fields, ','), $12, $13, $14
    FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS new(id, about, fields)
)
INSERT INTO audit_unsealed SELECT unnest($1::uuid[])
"""


class Deed(TypedDict):
    """What was done. `act` is kind and verb ("user.password_set"); `about` is None when it was done to nothing that has an id
    (a sign-in with an unknown name); `organization_id` None is a matter of the suite itself. `fields` are names of what was
    changed, never values. `reason` is what support or an admin gave as such: never a comment that may speak of a patient."""

    act: str
    kind: str
    about: UUID | None
    organization_id: UUID | None
    at: datetime
    fields: NotRequired[Collection[str]]
    reason: NotRequired[str]
    purpose: NotRequired[str]


async def record(tx: Connection, viewer: Viewer, **deed: Unpack[Deed]) -> None:
    """Write down what `viewer` did, in the transaction that does it: both are kept, or neither."""
    await _write(tx, viewer, {deed["about"]: deed.get("fields", ())}, deed)


async def saw(
    tx: Connection, viewer: Viewer, seen: Mapping[UUID, Collection[str]], **deed: Unpack[Deed]
) -> None:
    """Write down that `viewer` saw these fields of these things: an entry for each thing, all in one statement. What the deed
    itself says of `about` and `fields` is not looked at."""
    if seen:
        await _write(tx, viewer, seen, deed)


async def _write(
    tx: Connection,
    viewer: Viewer,
    about: Mapping[UUID, Collection[str]] | Mapping[UUID | None, Collection[str]],
    deed: Deed,
) -> None:
    await tx.execute(
        _WRITE,
        [new_id() for _ in about],
        list(about),
        [",".join(sorted(fields)) for fields in about.values()],
        deed["at"],
        deed["organization_id"],
        viewer.user_id,
        viewer.session_id,
        viewer.service,
        viewer.support,
        deed["act"],
        deed["kind"],
        deed.get("reason", ""),
        deed.get("purpose", ""),
        request_id.get(),
    )
