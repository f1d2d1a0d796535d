"""Verbs of a provider's profile: add, change, submit, approve, reject, import (R09, R11)."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from uuid import UUID

from kit.db import Connection
from kit.errors import Conflict, Invalid, Refusal
from kit.idempotency import once
from kit.ids import new_id
from proto.directory.v1 import events_pb2 as facts
from services.directory import policy, store
from services.directory.actions import finding, going_live, suggestions, telling
from services.directory.actions.peers import Call
from services.directory.domain import profiles
from services.directory.domain.imports import ImportResult, ImportStatus
from services.directory.domain.nouns import (
    OfficeId,
    OrganizationId,
    Profile,
    Provider,
    ProviderId,
    ProviderState,
    UserId,
    require_version,
)

MOST_ROWS = 200
"""Rows of one import call."""


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What is to change of a profile; None leaves a field as it is."""

    first_name: str | None = None
    last_name: str | None = None
    npi: str | None = None
    credential: str | None = None
    phone: str | None = None
    specialty_codes: tuple[str, ...] | None = None

    def applied_to(self, profile: Profile) -> Profile:
        """The profile with the change."""
        names = ("first_name", "last_name", "npi", "credential", "phone", "specialty_codes")
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return replace(profile, **given)


async def add_provider(call: Call, profile: Profile, *, submit: bool, key: str) -> Provider:
    """Add a provider as a draft, or submitted at once. Refuses DUPLICATE_NPI with the provider who has the NPI (R09)."""
    organization_id = policy.acting(call.viewer)
    policy.permit_any_admin(call.viewer, organization_id)
    async with call.db.transaction() as tx:

        async def make() -> UUID:
            cleaned = await _cleaned(tx, profile)
            await _require_free_npi(tx, organization_id, cleaned.npi)
            return (await _added(tx, call, cleaned, submit=submit)).id

        made = await once(
            tx,
            call.viewer,
            key=key,
            request=("addProvider", profile, submit),
            at=call.clock.now(),
            make=make,
        )
        return (await store.providers.by_ids(tx, [made]))[made]


async def _cleaned(tx: Connection, profile: Profile) -> Profile:
    codes = [code.strip().upper() for code in profile.specialty_codes]
    known = await store.catalogue.specialties_by_code(tx, codes)
    return profiles.clean_profile(profile, known.__contains__)


async def _require_free_npi(
    tx: Connection,
    organization_id: OrganizationId,
    npi: str | None,
    *,
    holder: ProviderId | None = None,
) -> None:
    if npi is None:
        return
    await store.catalogue.hold(tx, organization_id, f"npi {npi}")
    found = await store.providers.with_npi(tx, organization_id, npi)
    if found is not None and found != holder:
        raise Conflict(
            "Your organization has a provider with this NPI already.",
            code="DUPLICATE_NPI",
            field="npi",
            remedy="Use that provider: place it at your office instead of adding it again.",
            provider_id=str(found),
        )


async def _added(tx: Connection, call: Call, profile: Profile, *, submit: bool) -> Provider:
    user = policy.acting_user(call.viewer)
    added = Provider(
        id=ProviderId(new_id()),
        organization_id=policy.acting(call.viewer),
        state=ProviderState.SUBMITTED if submit else ProviderState.DRAFT,
        npi=profile.npi,
        first_name=profile.first_name,
        last_name=profile.last_name,
        credential=profile.credential,
        phone=profile.phone,
        specialty_codes=profile.specialty_codes,
        proposed=None,
        proposed_by=None,
        added_by=user,
        submitted_by=user if submit else None,
        approved_at=None,
        rejection_reason=None,
        fence=None,
        offboarding=False,
        state_before=None,
        version=1,
    )
    await store.providers.add(tx, added, call.clock.now())
    await telling.of_provider(tx, call, added, facts.ProviderAdded(provider_id=str(added.id)))
    if submit:
        fact = facts.ProviderSubmitted(provider_id=str(added.id))
        await telling.of_provider(tx, call, added, fact)
    return added


async def change_provider(
    call: Call, provider_id: UUID, seen: int, change: ProfileChange
) -> Provider:
    """Change a profile. Of an approved one, the change waits for approval unless the viewer may approve it alone (R11)."""
    async with call.db.transaction() as tx:
        before, offices = await _changeable(tx, call, provider_id, seen)
        profile = await _cleaned(tx, change.applied_to(before.proposed or before.profile))
        await _require_free_npi(tx, before.organization_id, profile.npi, holder=before.id)
        settings = await store.catalogue.settings(tx, before.organization_id)
        alone = policy.is_client_admin(call.viewer, before.organization_id)
        if profiles.waits_for_approval(before, settings, may_approve=alone):
            user = policy.acting_user(call.viewer)
            await _save(tx, call, replace(before, proposed=profile, proposed_by=user))
        else:
            await _apply(tx, call, before, profile)
    await suggestions.review(call, before.organization_id, offices)
    return await _read(call, provider_id)


async def _apply(tx: Connection, call: Call, before: Provider, profile: Profile) -> None:
    if before.state is ProviderState.APPROVED:
        profiles.require_complete(profile)
    after = before.with_profile(profile)
    await _save(tx, call, after)
    if before.state is ProviderState.APPROVED and before.specialty_codes != profile.specialty_codes:
        await _tell_approved(tx, call, after)


async def _tell_approved(tx: Connection, call: Call, provider: Provider) -> None:
    fact = facts.ProviderApproved(
        provider_id=str(provider.id), specialty_codes=provider.specialty_codes
    )
    await telling.of_provider(tx, call, provider, fact)


async def _changeable(
    tx: Connection, call: Call, provider_id: UUID, seen: int
) -> tuple[Provider, list[OfficeId]]:
    """The provider, if the viewer may change it and has seen its last version; and the offices where it works."""
    before = await finding.provider(tx, call.viewer, provider_id)
    offices = await _offices(tx, call, before)
    policy.permit_change(call.viewer, before, offices)
    require_version("provider", seen, before.version)
    return before, offices


async def _offices(tx: Connection, call: Call, provider: Provider) -> list[OfficeId]:
    rows = await store.placements.remaining_of_provider(
        tx, provider.organization_id, provider.id, call.clock.now()
    )
    return [row.office_id for row in rows]


async def submit_provider(call: Call, provider_id: UUID, seen: int) -> Provider:
    """Ask for approval of a draft, or again of a rejected profile."""
    async with call.db.transaction() as tx:
        before, _ = await _changeable(tx, call, provider_id, seen)
        profiles.require_submittable(before)
        user = policy.acting_user(call.viewer)
        after = replace(
            before, state=ProviderState.SUBMITTED, submitted_by=user, rejection_reason=None
        )
        await _save(tx, call, after)
        fact = facts.ProviderSubmitted(provider_id=str(after.id))
        await telling.of_provider(tx, call, after, fact)
    return await _read(call, provider_id)


async def approve_provider(call: Call, provider_id: UUID, seen: int) -> Provider:
    """Approve a submitted provider, or the change that waits on an approved one. Refuses INCOMPLETE (R11)."""
    async with call.db.transaction() as tx:
        before = await _decidable(tx, call, provider_id, seen)
        settings = await store.catalogue.settings(tx, before.organization_id)
        user: UserId = policy.acting_user(call.viewer)
        profiles.require_other_approver(before, user, settings)
        profile = before.proposed or before.profile
        profiles.require_complete(profile)
        await _require_free_npi(tx, before.organization_id, profile.npi, holder=before.id)
        after = replace(
            before.with_profile(profile),
            state=ProviderState.APPROVED,
            approved_at=before.approved_at or call.clock.now(),
        )
        await _save(tx, call, after)
        await _tell_approved(tx, call, after)
        offices = await _offices(tx, call, after)
    await going_live.recheck(call, before.organization_id, offices)
    await suggestions.review(call, before.organization_id, offices)
    return await _read(call, provider_id)


async def reject_provider(call: Call, provider_id: UUID, seen: int, reason: str) -> Provider:
    """Send a submitted provider back with a reason, or drop the change that waits on an approved one (R11)."""
    said = profiles.clean_text(reason, "reason", profiles.MAX_REASON)
    async with call.db.transaction() as tx:
        before = await _decidable(tx, call, provider_id, seen)
        if before.proposed is not None:
            await _save(tx, call, replace(before, proposed=None, proposed_by=None))
        else:
            after = replace(before, state=ProviderState.REJECTED, rejection_reason=said)
            await _save(tx, call, after)
            fact = facts.ProviderRejected(provider_id=str(after.id))
            await telling.of_provider(tx, call, after, fact)
    return await _read(call, provider_id)


async def _decidable(tx: Connection, call: Call, provider_id: UUID, seen: int) -> Provider:
    before = await finding.provider(tx, call.viewer, provider_id)
    policy.permit_client_admin(call.viewer, before.organization_id)
    require_version("provider", seen, before.version)
    profiles.require_decidable(before)
    return before


async def _save(tx: Connection, call: Call, provider: Provider) -> None:
    await store.providers.save(tx, provider, call.clock.now())


async def _read(call: Call, provider_id: UUID) -> Provider:
    async with call.db.reading() as tx:
        return (await store.providers.by_ids(tx, [provider_id]))[provider_id]


# Importing ------------------------------------------------------------------------------------------------------------


async def import_providers(
    call: Call, rows: Collection[Profile], *, submit: bool, key: str
) -> tuple[ImportResult, ...]:
    """Add up to 200 profiles; the answer says for each row whether it was ADDED, KNOWN by its NPI, or REFUSED and why.

    Specialty codes the directory does not know are left out and named in the row's answer.
    """
    organization_id = policy.acting(call.viewer)
    policy.permit_client_admin(call.viewer, organization_id)
    if not 1 <= len(rows) <= MOST_ROWS:
        raise Invalid(
            f"Give 1 to {MOST_ROWS} rows.", field="rows", remedy="Split a longer list over calls."
        )
    async with call.db.transaction() as tx:

        async def make() -> UUID:
            results = [await _imported(tx, call, row, submit=submit) for row in rows]
            batch, user = new_id(), policy.acting_user(call.viewer)
            at = call.clock.now()
            await store.catalogue.add_batch(tx, batch, organization_id, user, at, results)
            return batch

        batch = await once(
            tx,
            call.viewer,
            key=key,
            request=("importProviders", tuple(rows), submit),
            at=call.clock.now(),
            make=make,
        )
        return await store.catalogue.batch_results(tx, organization_id, batch)


async def _imported(tx: Connection, call: Call, row: Profile, *, submit: bool) -> ImportResult:
    codes = list(dict.fromkeys(code.strip().upper() for code in row.specialty_codes))
    known = await store.catalogue.specialties_by_code(tx, codes)
    kept = tuple(code for code in codes if code in known)
    try:
        profile = await _cleaned(tx, replace(row, specialty_codes=kept))
        await _require_free_npi(tx, policy.acting(call.viewer), profile.npi)
    except Refusal as refusal:
        return _refused(refusal)
    added = await _added(tx, call, profile, submit=submit)
    ignored = tuple(code for code in codes if code not in known)
    return ImportResult(
        ImportStatus.ADDED, provider_id=str(added.id), ignored_specialty_codes=ignored
    )


def _refused(refusal: Refusal) -> ImportResult:
    if refusal.code == "DUPLICATE_NPI":
        return ImportResult(ImportStatus.KNOWN, provider_id=str(refusal.details["provider_id"]))
    return ImportResult(
        ImportStatus.REFUSED, code=refusal.code, field=refusal.field, message=refusal.message
    )
