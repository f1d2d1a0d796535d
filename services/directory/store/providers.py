"""Rows of providers."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.directory.domain.nouns import (
    OfficeId,
    OrganizationId,
    Provider,
    ProviderId,
    ProviderState,
    UserId,
)

_PROVIDER = """SELECT p.*,
    ARRAY(SELECT code FROM provider_specialties WHERE provider_id = p.id ORDER BY rank) AS specialty_codes
    FROM providers p"""
_REMAINING = """FROM placements l JOIN offices o ON o.id = l.office_id WHERE l.provider_id = p.id
                AND remains(l.effective_from, l.effective_until, o.time_zone, $7)
                AND ($1::uuid IS NOT NULL OR o.live_at IS NOT NULL)"""

_OWN = "p.organization_id = $1"
_OF_NETWORK = "$1::uuid IS NULL AND p.state = 'APPROVED'"
"""As the index of the network's list has it."""

SortKey = tuple[str, str, UUID]
"""Last name, first name and id: the order of lists."""


@dataclass(frozen=True, slots=True)
class ProviderFilter:
    """Which providers are wanted. Without `organization_id` the approved ones of the whole network."""

    organization_id: OrganizationId | None
    name: str = ""
    specialty_code: str | None = None
    office_id: OfficeId | None = None
    state: ProviderState | None = None
    without_office: bool = False


async def add(tx: Connection, provider: Provider, at: datetime) -> None:
    """Keep a new provider. Raises the violation of providers_npi when the organization has the NPI already."""
    await db.run(
        tx,
        """INSERT INTO providers (id, organization_id, state, npi, first_name, last_name, credential, phone,
            languages, gender, email, added_by, added_at, submitted_by)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)""",
        provider.id,
        provider.organization_id,
        provider.state,
        *_said(provider),
        provider.added_by,
        at,
        provider.submitted_by,
    )
    await _keep_specialties(tx, provider)


def _said(provider: Provider) -> tuple[object, ...]:
    """What the profile says, but for the specialties."""
    return (
        provider.npi,
        provider.first_name,
        provider.last_name,
        provider.credential,
        provider.phone,
        list(provider.languages),
        provider.gender,
        provider.email,
    )


def _leaving(provider: Provider) -> tuple[object, ...]:
    """How the provider leaves, if so."""
    return (
        provider.fence,
        provider.offboarding,
        provider.state_before,
        provider.ends_placements,
        provider.removal_asked_by,
        provider.removal_asked_at,
        list(provider.removal_offices),
        provider.removal_held_up,
    )


_SAME = "npi IS NOT DISTINCT FROM $4"
"""What the register said of an NPI says nothing of another one."""


async def save(tx: Connection, provider: Provider, at: datetime) -> None:
    """Keep a changed provider, which this transaction has locked, as its next version."""
    await db.run(
        tx,
        f"""UPDATE providers SET state = $3, npi = $4, first_name = $5, last_name = $6, credential = $7, phone = $8,
            languages = $9, gender = $10, email = $11, proposed = $12, proposed_by = $13, submitted_by = $14,
            approved_at = $15, rejection_reason = $16, fence = $17, offboarding = $18, state_before = $19, ends_placements = $20,
            removal_asked_by = $21, removal_asked_at = $22, removal_offices = $23, removal_held_up = $24, verified_at = $25,
            merged_into = $26, removal_due = CASE WHEN $22::timestamptz IS NOT NULL THEN coalesce(removal_due, $27) END,
            npi_status = CASE WHEN {_SAME} THEN npi_status ELSE 'UNKNOWN' END,
            npi_checked_at = CASE WHEN {_SAME} THEN npi_checked_at END,
            npi_deactivated_on = CASE WHEN {_SAME} THEN npi_deactivated_on END,
            npi_replaced_by = CASE WHEN {_SAME} THEN npi_replaced_by END,
            fence_at = CASE WHEN $17::fence_step IS NOT NULL THEN $27::timestamptz END, version = version + 1
            WHERE organization_id = $1 AND id = $2""",  # noqa: S608 - a constant of this file
        provider.organization_id,
        provider.id,
        provider.state,
        *_said(provider),
        asdict(provider.proposed) if provider.proposed else None,
        provider.proposed_by,
        provider.submitted_by,
        provider.approved_at,
        provider.rejection_reason,
        *_leaving(provider),
        provider.verified_at,
        provider.merged_into,
        at,
    )
    await db.run(tx, "DELETE FROM provider_specialties WHERE provider_id = $1", provider.id)
    await _keep_specialties(tx, provider)


async def take_npi_along(tx: Connection, before: Provider, provider_id: ProviderId) -> None:
    """What the register says of an NPI holds for the provider who has it now."""
    await db.run(
        tx,
        """UPDATE providers p SET npi_status = o.npi_status, npi_checked_at = o.npi_checked_at,
            npi_deactivated_on = o.npi_deactivated_on, npi_replaced_by = o.npi_replaced_by
            FROM providers o WHERE p.organization_id = $1 AND p.id = $2 AND o.organization_id = $1 AND o.id = $3""",
        before.organization_id,
        provider_id,
        before.id,
    )


async def _keep_specialties(tx: Connection, provider: Provider) -> None:
    await db.run(
        tx,
        """INSERT INTO provider_specialties (provider_id, rank, code)
            SELECT $1, rank, code FROM unnest($2::text[]) WITH ORDINALITY AS given (code, rank)""",
        provider.id,
        list(provider.specialty_codes),
    )


async def keep_batch(
    tx: Connection, organization_id: OrganizationId, batch: UUID, ids: Iterable[UUID]
) -> None:
    """These providers, new in this transaction, came with the import."""
    await db.run(
        tx,
        "UPDATE providers SET import_batch = $2 WHERE organization_id = $1 AND id = ANY($3)",
        organization_id,
        batch,
        list(ids),
    )


async def locked(
    tx: Connection, organization_id: OrganizationId, provider_id: UUID
) -> Provider | None:
    """The provider, locked until the transaction ends."""
    return await db.maybe(
        tx,
        Provider,
        f"{_PROVIDER} WHERE p.organization_id = $1 AND p.id = $2 FOR UPDATE OF p",
        organization_id,
        provider_id,
    )


async def hold_up(tx: Connection, provider: Provider, due: datetime) -> None:
    """Why a locked provider was not removed by itself, and when it is looked again; no new version."""
    await db.run(
        tx,
        "UPDATE providers SET removal_held_up = $3, removal_due = $4 WHERE organization_id = $1 AND id = $2",
        provider.organization_id,
        provider.id,
        provider.removal_held_up,
        due,
    )


async def hasten(
    tx: Connection, organization_id: OrganizationId, provider_id: UUID, at: datetime
) -> None:
    """It is time to look whether the provider can be removed, if that was asked for."""
    await db.run(
        tx,
        "UPDATE providers SET removal_due = least(removal_due, $3) WHERE organization_id = $1 AND id = $2"
        " AND removal_due IS NOT NULL",
        organization_id,
        provider_id,
        at,
    )


async def awaiting(tx: Connection, now: datetime) -> list[Provider]:
    """Those who are to be removed by themselves and of whom it is time to look; at once who works nowhere any more."""
    # any-organization: the job
    return await db.many(
        tx,
        Provider,
        f"""{_PROVIDER} WHERE p.removal_due IS NOT NULL AND p.fence = 'OPEN' AND (p.removal_due <= $1
            OR (p.removal_held_up = 'OFFICES_REMAIN' AND NOT EXISTS (
                SELECT FROM placements l JOIN offices o ON o.id = l.office_id WHERE l.provider_id = p.id
                AND remains(l.effective_from, l.effective_until, o.time_zone, $1))))
            ORDER BY p.removal_due, p.id""",
        now,
    )


async def asked_by(
    tx: Connection, organization_id: OrganizationId, user_id: UserId
) -> list[Provider]:
    """Those who are to be removed by themselves because the user has asked for that, locked in one order."""
    return await db.many(
        tx,
        Provider,
        f"{_PROVIDER} WHERE p.organization_id = $1 AND p.removal_asked_by = $2 AND p.fence IN ('OPEN', 'REMOVING')"
        " ORDER BY p.id FOR UPDATE OF p",
        organization_id,
        user_id,
    )


async def locked_all(
    tx: Connection, organization_id: OrganizationId, ids: Iterable[UUID]
) -> dict[UUID, Provider]:
    """Those of these providers that the organization has, locked in one order so that two calls never wait for each other."""
    rows = await db.many(
        tx,
        Provider,
        f"{_PROVIDER} WHERE p.organization_id = $1 AND p.id = ANY($2) ORDER BY p.id FOR UPDATE OF p",
        organization_id,
        list(ids),
    )
    return {row.id: row for row in rows}


async def with_npi(tx: Connection, organization_id: OrganizationId, npi: str) -> ProviderId | None:
    """The organization's provider with that NPI; those who were removed do not count."""
    found: ProviderId | None = await db.value(
        tx,
        "SELECT id FROM providers WHERE organization_id = $1 AND npi = $2 AND state <> 'REMOVED'",
        organization_id,
        npi,
    )
    return found


async def by_ids(tx: Connection, ids: Iterable[UUID]) -> dict[UUID, Provider]:
    """The providers with these ids."""  # any-organization: policy decides for each what the viewer may see
    rows = await db.many(
        tx, Provider, f"{_PROVIDER} WHERE p.id = ANY((SELECT $1::uuid[])::uuid[])", list(ids)
    )
    return {row.id: row for row in rows}


async def page(
    tx: Connection, wanted: ProviderFilter, after: SortKey | None, limit: int, *, now: datetime
) -> list[Provider]:
    """Providers by last name, first name and id; only placements that are not over count, and in the network only offices that
    have been live."""  # any-organization: the network's approved providers are public in it
    return await db.many(
        tx,
        Provider,
        f"""{_PROVIDER} WHERE {_OF_NETWORK if wanted.organization_id is None else _OWN}
            AND ($2 = '' OR (p.last_name || ' ' || p.first_name) ILIKE '%' || $2 || '%'
                OR (p.first_name || ' ' || p.last_name) ILIKE '%' || $2 || '%')
            AND ($3::text IS NULL OR EXISTS (
                SELECT FROM provider_specialties s WHERE s.provider_id = p.id AND s.code = $3))
            AND ($4::uuid IS NULL OR EXISTS (SELECT {_REMAINING} AND l.office_id = $4))
            AND ($5::provider_state IS NULL OR p.state = $5)
            AND (NOT $6 OR (p.state <> 'REMOVED' AND NOT EXISTS (SELECT {_REMAINING})))
            AND ($9::text IS NULL OR (p.last_name, p.first_name, p.id) > ($9, $10, $11::uuid))
            ORDER BY p.last_name, p.first_name, p.id LIMIT $8""",
        wanted.organization_id,
        _escaped(wanted.name),
        wanted.specialty_code,
        wanted.office_id,
        wanted.state,
        wanted.without_office,
        now,
        limit,
        *(after or (None, None, None)),
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
