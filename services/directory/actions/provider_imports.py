"""Adding many profiles in one call, each row with its own answer (R09)."""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from kit.db import Connection
from kit.errors import Invalid, Refusal
from kit.idempotency import once
from kit.ids import new_id
from services.directory import policy, store
from services.directory.actions import providers as verbs
from services.directory.actions.peers import Call
from services.directory.domain.imports import ImportResult, ImportStatus
from services.directory.domain.nouns import Profile

MOST_ROWS = 200
"""Rows of one import call."""


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
            return await _kept(tx, call, results)

        batch = await once(
            tx,
            call.viewer,
            key=key,
            request=("importProviders", tuple(rows), submit),
            at=call.clock.now(),
            make=make,
        )
        return await store.catalogue.batch_results(tx, organization_id, batch)


async def _kept(tx: Connection, call: Call, results: list[ImportResult]) -> UUID:
    """The batch with what it answers, and its mark on whom it brought."""
    batch, organization_id = new_id(), policy.acting(call.viewer)
    user, at = policy.acting_user(call.viewer), call.clock.now()
    await store.catalogue.add_batch(tx, batch, organization_id, user, at, results)
    added = [one for one in results if one.status is ImportStatus.ADDED and one.provider_id]
    await store.providers.keep_batch(
        tx, organization_id, batch, [UUID(one.provider_id) for one in added]
    )
    return batch


async def _imported(tx: Connection, call: Call, row: Profile, *, submit: bool) -> ImportResult:
    codes = list(dict.fromkeys(code.strip().upper() for code in row.specialty_codes))
    known = await store.catalogue.specialties_by_code(tx, codes)
    kept = tuple(code for code in codes if code in known)
    try:
        profile = await verbs.cleaned(tx, replace(row, specialty_codes=kept))
        await verbs.require_free_npi(tx, policy.acting(call.viewer), profile.npi)
    except Refusal as refusal:
        return _refused(refusal)
    added = await verbs.added(tx, call, profile, submit=submit)
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
