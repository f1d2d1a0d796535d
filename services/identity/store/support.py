"""Requests to support, and support inside organizations."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.identity.domain import OrganizationId, SessionId, UserId
from services.identity.domain.support import (
    AccessEnd,
    Asker,
    RequestState,
    RequestWanted,
    SupportAccess,
    SupportAccessId,
    SupportRequest,
    SupportRequestId,
)

# Requests -------------------------------------------------------------------------------------------------------------


async def ask(
    tx: Connection,
    organization_id: OrganizationId,
    wanted: RequestWanted,
    key: SupportRequestId,
    at: datetime,
) -> SupportRequest:
    """The organization's open request about this, which is a new one with that key unless there was one already; one more has
    asked then."""
    return await db.one(
        tx,
        SupportRequest,
        "INSERT INTO support_requests (id, organization_id, code, verb, subject_id, opened_at) VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT (organization_id, code, subject_id) WHERE answered_at IS NULL"
        " DO UPDATE SET asked = support_requests.asked + 1 RETURNING *",
        key,
        organization_id,
        wanted.code,
        wanted.verb,
        wanted.subject_id,
        at,
    )


async def add_asker(tx: Connection, organization_id: OrganizationId, asker: Asker) -> None:
    """Somebody asks; who asks again has the last word."""
    await db.run(
        tx,
        "INSERT INTO support_request_askers (request_id, organization_id, user_id, asked_at, note)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (request_id, user_id)"
        " DO UPDATE SET asked_at = $4, note = coalesce($5, support_request_askers.note)",
        asker.request_id,
        organization_id,
        asker.user_id,
        asker.asked_at,
        asker.note,
    )


# any-organization: support answers all of them; whose a request is was judged by the policy of the caller
async def request(tx: Connection, request_id: UUID, *, lock: bool = False) -> SupportRequest | None:
    """The request, if there is one in the transaction's scope; with `lock`, held until it ends."""
    sql = "SELECT * FROM support_requests WHERE id = $1"
    return await db.maybe(tx, SupportRequest, f"{sql} FOR UPDATE" if lock else sql, request_id)


# any-organization: the requests were read within one, or by support
async def askers(tx: Connection, requests: Iterable[UUID]) -> dict[UUID, list[Asker]]:
    """Who asked, the first one first."""
    rows = await db.many(
        tx,
        Asker,
        "SELECT * FROM support_request_askers WHERE request_id = ANY($1) ORDER BY asked_at, user_id",
        list(requests),
    )
    found: dict[UUID, list[Asker]] = {}
    for row in rows:
        found.setdefault(row.request_id, []).append(row)
    return found


# any-organization: support answers all of them
async def keep_state(
    tx: Connection, key: SupportRequestId, state: RequestState, by: UserId, at: datetime
) -> None:
    """Somebody of support has taken a locked request."""
    await db.run(
        tx,
        "UPDATE support_requests SET state = $2, taken_by = $3, taken_at = $4, version = version + 1 WHERE id = $1",
        key,
        state,
        by,
        at,
    )


# any-organization: support answers all of them
async def keep_answer(
    tx: Connection,
    key: SupportRequestId,
    answer: tuple[RequestState, str],
    by: UserId,
    at: datetime,
) -> None:
    """A locked request is answered."""
    await db.run(
        tx,
        "UPDATE support_requests SET state = $2, answer = $3, answered_by = $4, answered_at = $5, version = version + 1"
        " WHERE id = $1",
        key,
        *answer,
        by,
        at,
    )


@dataclass(frozen=True, slots=True)
class RequestsWanted:
    """Which requests: of an organization (None: of all, for support), that a user made (None: whoever), in a state."""

    organization_id: OrganizationId | None
    asked_by: UserId | None
    state: RequestState | None


# any-organization: support answers all of them; everybody else names the own organization
async def requests_page(
    tx: Connection, wanted: RequestsWanted, after: tuple[datetime, UUID] | None, limit: int
) -> list[SupportRequest]:
    """Requests, the newest first."""
    return await db.many(
        tx,
        SupportRequest,
        "SELECT * FROM support_requests r WHERE ($1::uuid IS NULL OR organization_id = $1)"
        " AND ($2::uuid IS NULL OR EXISTS (SELECT FROM support_request_askers a WHERE a.request_id = r.id AND a.user_id = $2))"
        " AND ($3::text IS NULL OR state = $3) AND ($4::timestamptz IS NULL OR (opened_at, id) < ($4, $5::uuid))"
        " ORDER BY opened_at DESC, id DESC LIMIT $6",
        wanted.organization_id,
        wanted.asked_by,
        wanted.state,
        *(after or (None, None)),
        limit,
    )


# Inside an organization -----------------------------------------------------------------------------------------------


async def add_access(tx: Connection, access: SupportAccess) -> None:
    """Support is inside. Raises the violation of support_accesses_one when this session is inside one already."""
    await db.run(
        tx,
        "INSERT INTO support_accesses (id, organization_id, user_id, session_id, reason, began_at, ends_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        access.id,
        access.organization_id,
        access.user_id,
        access.session_id,
        access.reason,
        access.began_at,
        access.ends_at,
    )


# any-organization: a session is inside at most one
async def access_of(
    tx: Connection, session_id: SessionId, *, lock: bool = False
) -> SupportAccess | None:
    """Where this session of support is inside, if it is; look at `live`, for it ends by itself."""
    sql = "SELECT * FROM support_accesses WHERE session_id = $1 AND ended_at IS NULL"
    return await db.maybe(tx, SupportAccess, f"{sql} FOR UPDATE" if lock else sql, session_id)


# any-organization: support staff belong to none, and are inside any
async def accesses_of_user(tx: Connection, user_id: UserId) -> list[SupportAccess]:
    """Where this person of support is inside, with whichever session, held."""
    sql = "SELECT * FROM support_accesses WHERE user_id = $1 AND ended_at IS NULL ORDER BY id FOR UPDATE"
    return await db.many(tx, SupportAccess, sql, user_id)


# any-organization: the answer to a retry
async def access(tx: Connection, key: UUID) -> SupportAccess:
    """An access that there is."""
    return await db.one(tx, SupportAccess, "SELECT * FROM support_accesses WHERE id = $1", key)


# any-organization: a session is inside at most one
async def end_access(
    tx: Connection, key: SupportAccessId, because: AccessEnd, at: datetime
) -> None:
    """Support is outside again, at that moment or when it had to be."""
    await db.run(
        tx,
        "UPDATE support_accesses SET ended_at = least($3, ends_at), ended_because = $2 WHERE id = $1 AND ended_at IS NULL",
        key,
        because,
        at,
    )


# any-organization: the job looks everywhere
async def over_accesses(tx: Connection, at: datetime) -> list[SupportAccess]:
    """Those whose time, or session, is over and of which nothing was told, held."""
    return await db.many(
        tx,
        SupportAccess,
        "SELECT a.* FROM support_accesses a LEFT JOIN sessions s ON s.id = a.session_id WHERE a.ended_at IS NULL"
        " AND (a.ends_at <= $1 OR s.id IS NULL OR s.revoked_at IS NOT NULL) ORDER BY a.id LIMIT 500"
        " FOR UPDATE OF a SKIP LOCKED",
        at,
    )


# any-organization: support sees its own doing everywhere; client admins name their organization
async def accesses_page(
    tx: Connection,
    organization_id: OrganizationId | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[SupportAccess]:
    """When support was inside an organization (None: any), the newest first."""
    return await db.many(
        tx,
        SupportAccess,
        "SELECT * FROM support_accesses WHERE ($1::uuid IS NULL OR organization_id = $1)"
        " AND ($2::timestamptz IS NULL OR (began_at, id) < ($2, $3::uuid)) ORDER BY began_at DESC, id DESC LIMIT $4",
        organization_id,
        *(after or (None, None)),
        limit,
    )
