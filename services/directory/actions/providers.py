"""Verbs of a provider's profile: add, change, submit, approve, reject, verify (R09, R11)."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from uuid import UUID

from kit.db import Connection
from kit.errors import Conflict, Invalid, Refusal
from kit.idempotency import once
from kit.ids import new_id
from proto.directory.v1 import events_pb2 as facts
from services.directory import policy, store
from services.directory.actions import finding, going_live, suggestions, telling
from services.directory.actions.auditing import note_profile, note_rejection
from services.directory.actions.peers import Call
from services.directory.domain import profiles
from services.directory.domain.nouns import (
    Gender,
    OfficeId,
    OrganizationId,
    Profile,
    Provider,
    ProviderId,
    ProviderState,
    UserId,
    require_version,
)
from services.directory.domain.profiles import Standing

MOST_AT_ONCE = 100
"""Providers of one call that approves many."""


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What is to change of a profile; None leaves a field as it is."""

    first_name: str | None = None
    last_name: str | None = None
    npi: str | None = None
    credential: str | None = None
    phone: str | None = None
    specialty_codes: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    gender: Gender | None = None
    email: str | None = None

    def applied_to(self, profile: Profile) -> Profile:
        """The profile with the change."""
        asked = {one.name: getattr(self, one.name) for one in fields(self)}
        return replace(profile, **{name: one for name, one in asked.items() if one is not None})


async def add_provider(call: Call, profile: Profile, *, submit: bool, key: str) -> Provider:
    """Add a provider as a draft, or submitted at once. Refuses DUPLICATE_NPI with the provider who has the NPI (R09)."""
    organization_id = policy.acting(call.viewer)
    policy.permit_any_admin(call.viewer, organization_id)
    async with call.db.transaction() as tx:

        async def make() -> UUID:
            clean = await cleaned(tx, profile)
            await require_free_npi(tx, organization_id, clean.npi)
            return (await added(tx, call, clean, submit=submit)).id

        made = await once(
            tx,
            call.viewer,
            key=key,
            request=("addProvider", profile, submit),
            at=call.clock.now(),
            make=make,
        )
        return (await store.providers.by_ids(tx, [made]))[made]


async def cleaned(tx: Connection, profile: Profile) -> Profile:
    """The profile, cleaned, with specialties the directory knows; Invalid otherwise."""
    codes = [code.strip().upper() for code in profile.specialty_codes]
    known = await store.catalogue.specialties_by_code(tx, codes)
    return profiles.clean_profile(profile, known.__contains__)


async def require_free_npi(
    tx: Connection,
    organization_id: OrganizationId,
    npi: str | None,
    *,
    holder: ProviderId | None = None,
) -> None:
    """DUPLICATE_NPI with the provider who has it, unless that is `holder`. Of two who ask at once, the second sees the first."""
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


async def added(tx: Connection, call: Call, profile: Profile, *, submit: bool) -> Provider:
    """A new draft with a clean profile, or submitted at once."""
    user = policy.acting_user(call.viewer)
    new = Provider(
        id=ProviderId(new_id()),
        organization_id=policy.acting(call.viewer),
        state=ProviderState.SUBMITTED if submit else ProviderState.DRAFT,
        **{one.name: getattr(profile, one.name) for one in fields(profile)},
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
    await store.providers.add(tx, new, call.clock.now())
    await telling.of_provider(tx, call, new, facts.ProviderAdded(provider_id=str(new.id)))
    if submit:
        fact = facts.ProviderSubmitted(provider_id=str(new.id))
        await telling.of_provider(tx, call, new, fact)
    return new


async def change_provider(
    call: Call, provider_id: UUID, seen: int, change: ProfileChange
) -> Provider:
    """Change a profile. Of an approved one, the change waits for approval unless the viewer may approve it alone (R11). The
    provider who is meant may ask for it (§2)."""
    async with call.db.transaction() as tx:
        before, at_offices = await _changeable(tx, call, provider_id, seen, asking=True)
        profile = await cleaned(tx, change.applied_to(before.proposed or before.profile))
        await _require_free_npi_for(tx, before, profile)
        settings = await store.catalogue.settings(tx, before.organization_id)
        alone = policy.is_client_admin(call.viewer, before.organization_id)
        waits = profiles.waits_for_approval(before, settings, may_approve=alone)
        await note_profile(tx, call, before, profile, waits=waits)
        if waits:
            user = policy.acting_user(call.viewer)
            await _save(tx, call, replace(before, proposed=profile, proposed_by=user))
        else:
            await _apply(tx, call, before, profile)
    await suggestions.review(call, before.organization_id, at_offices)
    return await _read(call, provider_id)


async def _require_free_npi_for(tx: Connection, before: Provider, profile: Profile) -> None:
    """DUPLICATE_NPI for an NPI that is new to a locked provider. The one it has is its own already, and is not held: an import
    holds NPIs before it locks who has them, and they would wait for each other."""
    if profile.npi != before.npi:
        await require_free_npi(tx, before.organization_id, profile.npi, holder=before.id)


async def _apply(tx: Connection, call: Call, before: Provider, profile: Profile) -> None:
    """Whoever changes what was submitted has submitted it as it is now: they do not approve their own words (R11)."""
    if before.state is ProviderState.APPROVED:
        profiles.require_complete(profile)
    after = before.with_profile(profile)
    if before.state is ProviderState.SUBMITTED:
        after = replace(after, submitted_by=policy.acting_user(call.viewer))
    await _save(tx, call, after)
    if before.state is ProviderState.APPROVED and before.specialty_codes != profile.specialty_codes:
        await _tell_approved(tx, call, after)


async def _tell_approved(tx: Connection, call: Call, provider: Provider) -> None:
    fact = facts.ProviderApproved(
        provider_id=str(provider.id), specialty_codes=provider.specialty_codes
    )
    await telling.of_provider(tx, call, provider, fact)


async def _changeable(
    tx: Connection, call: Call, provider_id: UUID, seen: int, *, asking: bool = False
) -> tuple[Provider, list[OfficeId]]:
    """The provider, if the viewer may change it and has seen its last version; and the offices where it works."""
    before = await finding.provider(tx, call.viewer, provider_id)
    at_offices = await offices(tx, call, before)
    policy.permit_change(call.viewer, before, at_offices, asking=asking)
    require_version("provider", seen, before.version)
    return before, at_offices


async def offices(tx: Connection, call: Call, provider: Provider) -> list[OfficeId]:
    """Where the provider works, now or later."""
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
        at_offices = await offices(tx, call, before)
        standing = await _standing(tx, call, before, at_offices)
        profiles.require_complete(profile, settings.approval_needs, standing)
        profiles.require_active_npi(before, profile)
        await _require_free_npi_for(tx, before, profile)
        after = replace(
            before.with_profile(profile),
            state=ProviderState.APPROVED,
            approved_at=before.approved_at or call.clock.now(),
            verified_at=call.clock.now(),
        )
        await _save(tx, call, after)
        await _tell_approved(tx, call, after)
    await going_live.recheck(call, before.organization_id, at_offices)
    await suggestions.review(call, before.organization_id, at_offices)
    return await _read(call, provider_id)


async def _standing(
    tx: Connection, call: Call, provider: Provider, at_offices: Sequence[OfficeId]
) -> Standing:
    today, ids = call.clock.now().date(), [provider.id]
    plans = await store.heard.plans_listed(tx, provider.organization_id, ids, today)
    return Standing(len(set(at_offices)), plans.get(provider.id, 0))


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of one provider of many: approved, or why not."""

    provider_id: UUID
    provider: Provider | None = None
    refusal: Refusal | None = None


async def approve_providers(call: Call, wanted: Sequence[tuple[UUID, int]]) -> list[Decided]:
    """Approve up to 100, each by itself and as if alone: what hinders one leaves the others as they are (R11)."""
    policy.permit_client_admin(call.viewer, policy.acting(call.viewer))
    if not 1 <= len(wanted) <= MOST_AT_ONCE:
        raise Invalid(f"Name 1 to {MOST_AT_ONCE} providers.", field="providers")
    found = []
    for provider_id, seen in wanted:
        try:
            found.append(Decided(provider_id, await approve_provider(call, provider_id, seen)))
        except Refusal as refusal:
            found.append(Decided(provider_id, refusal=refusal))
    return found


async def verify_provider(call: Call, provider_id: UUID, seen: int) -> Provider:
    """Say that an approved profile was looked at and is right, for the next 90 days (R11)."""
    async with call.db.transaction() as tx:
        before, _ = await _changeable(tx, call, provider_id, seen)
        profiles.require_state(before, ProviderState.APPROVED)
        after = replace(before, verified_at=call.clock.now())
        await _save(tx, call, after)
        await telling.of_provider(
            tx, call, after, facts.ProviderVerified(provider_id=str(after.id))
        )
    return await _read(call, provider_id)


async def reject_provider(call: Call, provider_id: UUID, seen: int, reason: str) -> Provider:
    """Send a submitted provider back with a reason, or drop the change that waits on an approved one (R11)."""
    said = profiles.clean_text(reason, "reason", profiles.MAX_REASON)
    async with call.db.transaction() as tx:
        before = await _decidable(tx, call, provider_id, seen)
        await note_rejection(tx, call, before, said)
        if before.proposed is not None:
            await _save(tx, call, replace(before, proposed=None, proposed_by=None))
        else:
            after = replace(before, state=ProviderState.REJECTED, rejection_reason=said)
            await _save(tx, call, after)
            fact = facts.ProviderRejected(provider_id=str(after.id))
            await telling.of_provider(tx, call, after, fact, audited=True)
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
