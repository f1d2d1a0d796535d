"""Adding many profiles in one call, each row with its own answer (R09); and what the register says of NPIs that are held (R11)."""

import contextlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from kit.db import Connection
from kit.errors import Invalid, Refusal
from kit.idempotency import once
from kit.ids import new_id
from proto.directory.v1 import events_pb2 as facts
from services.directory import policy, store
from services.directory.actions import providers as verbs
from services.directory.actions import telling
from services.directory.actions.peers import Call
from services.directory.domain import imports, profiles
from services.directory.domain.imports import (
    ImportResult,
    ImportStatus,
    NoteResult,
    NoteStatus,
    NpiNote,
)
from services.directory.domain.nouns import NpiStatus, Profile, Provider, ProviderId

MOST_ROWS = 200
"""Rows of one import call."""

MOST_NOTES = 1000
"""NPIs of one call that notes what the register says."""


class _Undone(Exception):  # noqa: N818 - how a trial ends, no error
    """What was tried is rolled back."""


@dataclass(frozen=True, slots=True)
class HowImported:
    """Whether to ask for approval at once; whether the rows stand in the national register now, so that their NPIs are active; and
    whether only to say what would become of them."""

    submit: bool = False
    from_register: bool = False
    dry_run: bool = False


async def import_providers(
    call: Call, rows: Collection[Profile], *, how: HowImported, key: str
) -> tuple[ImportResult, ...]:
    """Add up to 200 profiles; the answer says for each row whether it was ADDED, KNOWN by its NPI, or REFUSED and why.

    Specialty codes the directory does not know are left out and named in the row's answer. A dry run answers what would become of
    the rows, and changes nothing.
    """
    organization_id = policy.acting(call.viewer)
    policy.permit_client_admin(call.viewer, organization_id)
    _require_few(rows, MOST_ROWS)
    if how.dry_run:
        return await _tried(call, rows, how)
    async with call.db.transaction() as tx:

        async def make() -> UUID:
            return await _kept(tx, call, await _imported(tx, call, rows, how))

        batch = await once(
            tx,
            call.viewer,
            key=key,
            request=("importProviders", tuple(rows), how),
            at=call.clock.now(),
            make=make,
        )
        return await store.catalogue.batch_results(tx, organization_id, batch)


def _require_few(rows: Collection[object], most: int) -> None:
    if not 1 <= len(rows) <= most:
        raise Invalid(
            f"Give 1 to {most} rows.", field="rows", remedy="Split a longer list over calls."
        )


async def _tried(
    call: Call, rows: Collection[Profile], how: HowImported
) -> tuple[ImportResult, ...]:
    """What would become of the rows. Ids of those who would be added are not told: they will never be."""
    results: list[ImportResult] = []
    with contextlib.suppress(_Undone):
        async with call.db.transaction() as tx:
            results = await _imported(tx, call, rows, how)
            raise _Undone
    return tuple(
        replace(one, provider_id=None) if one.status is ImportStatus.ADDED else one
        for one in results
    )


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


async def _imported(
    tx: Connection, call: Call, rows: Collection[Profile], how: HowImported
) -> list[ImportResult]:
    """What specialties there are and who has the NPIs is asked once for all rows."""
    organization_id = policy.acting(call.viewer)
    codes = {code.strip().upper() for row in rows for code in row.specialty_codes}
    known = (await store.catalogue.specialties_by_code(tx, codes)).keys()
    npis = {row.npi.strip() for row in rows if row.npi}
    await store.imports.hold_all(tx, organization_id, [f"npi {npi}" for npi in npis])
    held = await store.imports.with_npis(tx, organization_id, npis)
    results = [await _one(tx, call, row, known, held, submit=how.submit) for row in rows]
    if how.from_register:
        await _note_active(tx, call, results)
    return results


async def _note_active(tx: Connection, call: Call, results: Sequence[ImportResult]) -> None:
    """Whoever stands in the register now has an active NPI. That is told of those alone of whom something else was known."""
    organization_id, at = policy.acting(call.viewer), call.clock.now()
    ids = {one.status: set[UUID]() for one in results}
    for one in results:
        if one.provider_id:
            ids[one.status].add(UUID(one.provider_id))
    added = ids.get(ImportStatus.ADDED, set())
    await store.imports.begin_active(tx, organization_id, added, at)
    known = sorted(ids.get(ImportStatus.KNOWN, set()) - added)
    locked = await store.providers.locked_all(tx, organization_id, known)
    other = [one for one in locked.values() if one.npi and one.npi_status is not NpiStatus.ACTIVE]
    await _noted(tx, call, [NpiNote(str(one.npi), NpiStatus.ACTIVE) for one in other])
    await store.imports.looked_up(tx, organization_id, known, at)


async def _one(
    tx: Connection,
    call: Call,
    row: Profile,
    known: Collection[str],
    held: dict[str, ProviderId],
    *,
    submit: bool,
) -> ImportResult:
    codes = list(dict.fromkeys(code.strip().upper() for code in row.specialty_codes))
    kept = tuple(code for code in codes if code in known)
    try:
        profile = profiles.clean_profile(replace(row, specialty_codes=kept), known.__contains__)
    except Refusal as refusal:
        return ImportResult(
            ImportStatus.REFUSED, code=refusal.code, field=refusal.field, message=refusal.message
        )
    if profile.npi in held:
        return ImportResult(ImportStatus.KNOWN, provider_id=str(held[profile.npi]))
    added = await verbs.added(tx, call, profile, submit=submit)
    if profile.npi is not None:
        held[profile.npi] = added.id
    ignored = tuple(code for code in codes if code not in known)
    return ImportResult(
        ImportStatus.ADDED, provider_id=str(added.id), ignored_specialty_codes=ignored
    )


# What the register says of NPIs ---------------------------------------------------------------------------------------


async def note_npis(
    call: Call, notes: Sequence[NpiNote], *, key: str, dry_run: bool = False
) -> tuple[NoteResult, ...]:
    """Keep what the national register says of the organization's NPIs (R11): a provider with a deactivated one cannot be approved
    and is not found. A dry run changes nothing."""
    organization_id = policy.acting(call.viewer)
    policy.permit_client_admin(call.viewer, organization_id)
    _require_few(notes, MOST_NOTES)
    results: list[NoteResult] = []
    if dry_run:
        with contextlib.suppress(_Undone):
            async with call.db.transaction() as tx:
                results = await _noted(tx, call, notes)
                raise _Undone
        return tuple(results)
    async with call.db.transaction() as tx:

        async def make() -> UUID:
            batch, user = new_id(), policy.acting_user(call.viewer)
            answers = await _noted(tx, call, notes)
            at = call.clock.now()
            await store.catalogue.add_batch(tx, batch, organization_id, user, at, answers)
            return batch

        request = ("noteNpis", tuple(notes))
        at = call.clock.now()
        batch = await once(tx, call.viewer, key=key, request=request, at=at, make=make)
        return await store.imports.noted(tx, organization_id, batch)


async def _noted(tx: Connection, call: Call, notes: Sequence[NpiNote]) -> list[NoteResult]:
    organization_id = policy.acting(call.viewer)
    asked = {npi.strip() for one in notes for npi in (one.npi, one.replaced_by) if npi}
    held = await store.imports.with_npis(tx, organization_id, asked)
    mine = {held[one.npi.strip()] for one in notes if one.npi.strip() in held}
    locked = await store.providers.locked_all(tx, organization_id, sorted(mine))
    results = [await _note(tx, call, one, held, locked) for one in notes]
    same = [UUID(one.provider_id) for one in results if one.status is NoteStatus.SAME and one.provider_id]  # fmt: skip
    await store.imports.looked_up(tx, organization_id, same, call.clock.now())
    return results


async def _note(
    tx: Connection,
    call: Call,
    given: NpiNote,
    held: dict[str, ProviderId],
    locked: dict[UUID, Provider],
) -> NoteResult:
    try:
        note = imports.clean_note(given)
    except Refusal as refusal:
        return NoteResult(NoteStatus.REFUSED, code=refusal.code, message=refusal.message)
    provider = locked.get(held[note.npi]) if note.npi in held else None
    if provider is None or provider.npi != note.npi:
        return NoteResult(NoteStatus.NOT_HELD)
    follower = held.get(note.replaced_by) if note.replaced_by else None
    changed = await store.imports.note_npi(tx, provider, note, call.clock.now())
    if changed and provider.npi_status is not note.status:
        fact = facts.ProviderNpiChecked(
            provider_id=str(provider.id), status=note.status, replaced_by=note.replaced_by or ""
        )
        await telling.of_provider(tx, call, provider, fact)
    return NoteResult(
        NoteStatus.CHANGED if changed else NoteStatus.SAME,
        provider_id=str(provider.id),
        replaced_by_provider_id=str(follower) if follower else None,
    )
