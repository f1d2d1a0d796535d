"""Organizations' sign-in services, the domains of mail they speak for, whom they know, and sign-ins under way."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.identity.domain import OrganizationId, UserId
from services.identity.domain.sso import SignInDomain, SignInService

_SERVICE = (
    'SELECT organization_id, issuer, client_id, sealed_client_secret, "only", version, changed_at'
    " FROM sign_in_services"
)


@dataclass(frozen=True, slots=True)
class Trip:
    """A sign-in that is under way at an organization's service."""

    organization_id: OrganizationId
    service_version: int
    sealed: str
    ends_at: datetime


async def sign_in_service(
    tx: Connection, organization_id: OrganizationId, *, lock: bool = False, share: bool = False
) -> SignInService | None:
    """The sign-in service of the organization, if it has one. With `lock`, held until the transaction ends; with `share`, not
    changed until then."""
    held = " FOR UPDATE" if lock else " FOR SHARE" if share else ""
    return await db.maybe(
        tx, SignInService, f"{_SERVICE} WHERE organization_id = $1{held}", organization_id
    )


async def put_sign_in_service(tx: Connection, service: SignInService, by: UserId) -> None:
    """Keep a sign-in service in the place of the organization's one before."""
    await db.run(
        tx,
        'INSERT INTO sign_in_services (organization_id, issuer, client_id, sealed_client_secret, "only", version,'
        " changed_at, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (organization_id) DO UPDATE SET"
        " issuer = excluded.issuer, client_id = excluded.client_id, sealed_client_secret = excluded.sealed_client_secret,"
        ' "only" = excluded."only", version = excluded.version, changed_at = excluded.changed_at,'
        " changed_by = excluded.changed_by",
        service.organization_id,
        service.issuer,
        service.client_id,
        service.sealed_client_secret,
        service.only,
        service.version,
        service.changed_at,
        by,
    )


async def remove_sign_in_service(tx: Connection, organization_id: OrganizationId) -> None:
    """The organization has no sign-in service any more."""
    await db.run(tx, "DELETE FROM sign_in_trips WHERE organization_id = $1", organization_id)
    await db.run(tx, "DELETE FROM sign_in_services WHERE organization_id = $1", organization_id)


# Domains --------------------------------------------------------------------------------------------------------------


async def sign_in_domains(tx: Connection, organization_id: OrganizationId) -> list[SignInDomain]:
    """The organization's domains of mail, verified or not."""
    return await db.many(
        tx,
        SignInDomain,
        "SELECT domain, added_at, verified_at FROM sign_in_domains WHERE organization_id = $1 ORDER BY domain",
        organization_id,
    )


async def keep_domains(
    tx: Connection, organization_id: OrganizationId, domains: Iterable[str], at: datetime
) -> None:
    """These are the organization's domains: those that were, stay as verified as they were; others go."""
    wanted = sorted(set(domains))
    await db.run(
        tx,
        "DELETE FROM sign_in_domains WHERE organization_id = $1 AND domain <> ALL($2)",
        organization_id,
        wanted,
    )
    await db.run(
        tx,
        "INSERT INTO sign_in_domains (organization_id, domain, added_at) SELECT $1, unnest($2::text[]), $3"
        " ON CONFLICT (organization_id, domain) DO NOTHING",
        organization_id,
        wanted,
        at,
    )


async def verify_domain(
    tx: Connection, organization_id: OrganizationId, domain: str, by: UserId, at: datetime
) -> bool:
    """Support knows that the domain is the organization's; False when the organization does not say so."""
    return bool(
        await db.run(
            tx,
            "UPDATE sign_in_domains SET verified_at = coalesce(verified_at, $4), verified_by = coalesce(verified_by, $3)"
            " WHERE organization_id = $1 AND domain = $2",
            organization_id,
            domain,
            by,
            at,
        )
    )


# any-organization: whose domain this is, is the question
async def organization_of_domain(tx: Connection, domain: str) -> OrganizationId | None:
    """The organization with a sign-in service whose verified domain this is."""
    found: OrganizationId | None = await db.value(
        tx,
        "SELECT d.organization_id FROM sign_in_domains d JOIN sign_in_services s USING (organization_id)"
        " WHERE d.domain = $1 AND d.verified_at IS NOT NULL",
        domain,
    )
    return found


async def has_verified_domain(tx: Connection, organization_id: OrganizationId, domain: str) -> bool:
    """Whether the domain is the organization's own, as support has verified."""
    return bool(
        await db.value(
            tx,
            "SELECT true FROM sign_in_domains WHERE organization_id = $1 AND domain = $2 AND verified_at IS NOT NULL",
            organization_id,
            domain,
        )
    )


async def vouched_for(tx: Connection, organization_id: OrganizationId, domain: str) -> bool:
    """Whether the organization's own sign-in service vouches for who has an address of that domain (R03)."""
    return bool(
        await db.value(
            tx,
            "SELECT true FROM sign_in_domains d JOIN sign_in_services s USING (organization_id)"
            " WHERE d.organization_id = $1 AND d.domain = $2 AND d.verified_at IS NOT NULL",
            organization_id,
            domain,
        )
    )


# Whom a service knows -------------------------------------------------------------------------------------------------


# any-organization: a person has one account, whichever organization's service vouches for it
async def user_of_subject(tx: Connection, issuer: str, subject: str) -> UserId | None:
    """Who the person is that a service knows by this name."""
    found: UserId | None = await db.value(
        tx,
        "SELECT user_id FROM sign_in_subjects WHERE issuer = $1 AND subject = $2",
        issuer,
        subject,
    )
    return found


# any-organization: a person has one account, whichever organization's service vouches for it
async def link_subject(
    tx: Connection, issuer: str, subject: str, user_id: UserId, at: datetime
) -> bool:
    """A service vouches for the user from now on; False when it is somebody's already."""
    return bool(
        await db.run(
            tx,
            "INSERT INTO sign_in_subjects (issuer, subject, user_id, linked_at) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (issuer, subject) DO NOTHING",
            issuer,
            subject,
            user_id,
            at,
        )
    )


# any-organization: an account belongs to a person
async def confirm_without_password(tx: Connection, user_id: UserId, at: datetime) -> bool:
    """The organization's sign-in service vouches for the user, who needs no password; False when the user was confirmed already."""
    return bool(
        await db.run(
            tx,
            "UPDATE users SET confirmed_at = $2 WHERE id = $1 AND confirmed_at IS NULL",
            user_id,
            at,
        )
    )


# Sign-ins under way ---------------------------------------------------------------------------------------------------


async def put_trip(tx: Connection, state_hash: bytes, trip: Trip) -> None:
    """Somebody has left for the sign-in service."""
    await db.run(
        tx,
        "INSERT INTO sign_in_trips (state_hash, organization_id, service_version, sealed, ends_at)"
        " VALUES ($1, $2, $3, $4, $5)",
        state_hash,
        trip.organization_id,
        trip.service_version,
        trip.sealed,
        trip.ends_at,
    )


# any-organization: who comes back is known by the state alone
async def end_trip(tx: Connection, state_hash: bytes) -> Trip | None:
    """The sign-in that was begun with this state, which is not found again; None when there is none."""
    return await db.maybe(
        tx,
        Trip,
        "DELETE FROM sign_in_trips WHERE state_hash = $1"
        " RETURNING organization_id, service_version, sealed, ends_at",
        state_hash,
    )


# any-organization: housekeeping
async def forget_trips(tx: Connection, before: datetime, most: int) -> int:
    """Drop the sign-ins nobody came back from, at most so many; answers how many."""
    return await db.run(
        tx,
        "DELETE FROM sign_in_trips WHERE state_hash IN"
        " (SELECT state_hash FROM sign_in_trips WHERE ends_at <= $1 ORDER BY ends_at LIMIT $2)",
        before,
        most,
    )


async def forget_oldest_trip(tx: Connection, organization_id: OrganizationId) -> None:
    """Whoever of the organization left longest ago is not waited for any more."""
    await db.run(
        tx,
        "DELETE FROM sign_in_trips WHERE state_hash = (SELECT state_hash FROM sign_in_trips"
        " WHERE organization_id = $1 ORDER BY ends_at LIMIT 1)",
        organization_id,
    )


async def password_sessions_in(
    tx: Connection, organization_id: OrganizationId, because: str, at: datetime
) -> list[tuple[UUID, UUID]]:
    """End every session in the organization that did not begin at its sign-in service; answers users and sessions."""
    rows = await tx.fetch(
        "UPDATE sessions s SET revoked_at = $2, revoked_because = $3 FROM memberships m WHERE m.id = s.membership_id"
        " AND m.organization_id = $1 AND NOT s.single_sign_on AND s.revoked_at IS NULL AND s.ends_at > $2"
        " RETURNING s.user_id, s.id",
        organization_id,
        at,
        because,
    )
    return [(row["user_id"], row["id"]) for row in rows]


# any-organization: support looks after all of them
async def weak_support_sessions(
    tx: Connection, because: str, at: datetime
) -> list[tuple[UUID, UUID]]:
    """End every session of support staff that stands on one factor alone; answers users and sessions."""
    rows = await tx.fetch(
        "UPDATE sessions s SET revoked_at = $1, revoked_because = $2 FROM users u WHERE u.id = s.user_id AND u.support"
        " AND NOT s.second_factor AND s.revoked_at IS NULL AND s.ends_at > $1 RETURNING s.user_id, s.id",
        at,
        because,
    )
    return [(row["user_id"], row["id"]) for row in rows]


async def weak_admin_sessions_in(
    tx: Connection, organization_id: OrganizationId, because: str, at: datetime
) -> list[tuple[UUID, UUID]]:
    """End every session of the organization's client admins that stands on one factor alone; answers users and sessions."""
    rows = await tx.fetch(
        "UPDATE sessions s SET revoked_at = $2, revoked_because = $3 FROM memberships m WHERE m.id = s.membership_id"
        " AND m.organization_id = $1 AND NOT s.second_factor AND s.revoked_at IS NULL AND s.ends_at > $2"
        " AND EXISTS (SELECT FROM grants g WHERE g.membership_id = m.id AND g.ended_at IS NULL"
        " AND g.role IN ('CLIENT_ADMIN', 'REPORTING_ONLY')) RETURNING s.user_id, s.id",
        organization_id,
        at,
        because,
    )
    return [(row["user_id"], row["id"]) for row in rows]


async def trips_under_way(tx: Connection, organization_id: OrganizationId) -> int:
    """How many sign-ins at the organization's service wait for somebody to come back."""
    found: int = await db.value(
        tx, "SELECT count(*) FROM sign_in_trips WHERE organization_id = $1", organization_id
    )
    return found


# any-organization: a person has one account, whichever organization's service vouches for it
async def has_subject(tx: Connection, issuer: str, user_id: UserId) -> bool:
    """Whether the service knows the user already, by whatever name."""
    return bool(
        await db.value(
            tx,
            "SELECT EXISTS (SELECT FROM sign_in_subjects WHERE issuer = $1 AND user_id = $2)",
            issuer,
            user_id,
        )
    )


# any-organization: whose domain this is, is the question
async def owner_of_domain(tx: Connection, domain: str) -> OrganizationId | None:
    """The organization whose verified domain this is; who asks next waits until the transaction ends."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 2))", domain)
    found: OrganizationId | None = await db.value(
        tx,
        "SELECT organization_id FROM sign_in_domains WHERE domain = $1 AND verified_at IS NOT NULL",
        domain,
    )
    return found
