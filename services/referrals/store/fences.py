"""SQL of fences: what is leaving, and the locks that keep a send and a removal from missing each other."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.referrals.domain import OrganizationId, Party, Subject

# Both sides lock the same key: a send shares it until its transaction ends, raising the fence takes it alone. So either the
# fence sees the send's referral, or the send sees the fence. Keys are taken in order, so two sends never wait for each other.
_SHARE = """
SELECT pg_advisory_xact_lock_shared(key) FROM (
    SELECT DISTINCT hashtextextended(name, 0) AS key FROM unnest($1::text[]) AS name ORDER BY key
) AS keys
"""


async def share(tx: Connection, parties: Iterable[Party]) -> None:
    """Hold off every fence around these ends until the transaction ends; waits for one that is being raised."""
    names = {_name(kind, subject) for party in parties for kind, subject in party.subjects}
    await tx.fetch(_SHARE, sorted(names))


async def around(tx: Connection, party: Party) -> frozenset[Subject]:
    """What of this end is fenced. Ask in a statement of its own, after `share`."""
    return frozenset(kind for _, kind, _ in await standing(tx, [party]))


Fenced = tuple[OrganizationId, Subject, UUID]
"""Of which organization, and what."""


def of(party: Party) -> frozenset[Fenced]:
    """What of this end could be fenced."""
    return frozenset((party.organization_id, *subject) for subject in party.subjects)


async def standing(tx: Connection, parties: Iterable[Party]) -> frozenset[Fenced]:
    """What of these ends is fenced. Ask in a statement of its own, after `share`."""
    named = sorted({fenced for party in parties for fenced in of(party)})
    if not named:
        return frozenset()
    rows = await tx.fetch(
        "SELECT f.organization_id, f.kind, f.subject_id"
        " FROM unnest((SELECT $1::uuid[]), (SELECT $2::fence_kind[]), (SELECT $3::uuid[])) AS s (organization_id, kind, id)"
        " JOIN fences f ON f.kind = s.kind AND f.subject_id = s.id AND f.organization_id = s.organization_id",
        *zip(*named, strict=True),
    )
    return frozenset((OrganizationId(one), Subject(kind), id_) for one, kind, id_ in rows)


async def raise_fence(
    tx: Connection, organization_id: OrganizationId, subject: tuple[Subject, UUID], at: datetime
) -> None:
    """Stand a fence around a subject, after every send in flight has ended. Raising a raised one is harmless."""
    kind, subject_id = subject
    await db.value(
        tx,
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
        _name(kind, subject_id),
    )
    await db.run(
        tx,
        "INSERT INTO fences VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        kind,
        subject_id,
        organization_id,
        at,
    )


async def lower_fence(
    tx: Connection, organization_id: OrganizationId, subject: tuple[Subject, UUID]
) -> None:
    """Take a fence away; harmless when there is none."""
    kind, subject_id = subject
    await db.run(
        tx,
        "DELETE FROM fences WHERE organization_id = $1 AND kind = $2 AND subject_id = $3",
        organization_id,
        kind,
        subject_id,
    )


def _name(kind: Subject, subject_id: UUID) -> str:
    return f"fence {kind.value} {subject_id}"
