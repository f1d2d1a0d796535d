"""Patients' data: sealed when it is written, opened for whom policy shows a referral in FULL, found again by exact words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from kit import audit
from kit.auth import service_viewer
from kit.db import Connection
from kit.each import each
from kit.errors import Invalid
from services.referrals import policy
from services.referrals.actions import attachments, pieces
from services.referrals.actions.looking import full, see_in
from services.referrals.actions.peers import Call
from services.referrals.actions.vault import MESSAGE, Keys, comment_of
from services.referrals.domain import (
    OrganizationId,
    Patient,
    Referral,
    ReferralId,
    Report,
    Sealed,
    Step,
)
from services.referrals.policy import Seen
from services.referrals.store import keys as keyring
from services.referrals.store import messages
from services.referrals.store import pieces as files
from services.referrals.store import sealed as store

PATIENT: Final = "patient"
REPORT: Final = "report"


@dataclass(frozen=True, slots=True)
class ToldStep:
    """A step with its comment, opened."""

    step: Step
    comment: str | None


# Writing --------------------------------------------------------------------------------------------------------------


async def keep_patient(tx: Connection, call: Call, referral: Referral, patient: Patient) -> None:
    """Write down whom a referral is about, in place of what was there."""
    keys = await call.peers.vault.own(tx, referral.sending_organization_id)
    await store.put_patient(tx, referral.id, keys.seal(patient.as_data(), referral.id, PATIENT))
    if referral.version > 1:
        await keyring.drop_marks(tx, referral.id)
    await _mark(tx, keys, referral, patient)


async def _mark(tx: Connection, keys: Keys, referral: Referral, patient: Patient) -> None:
    marks = keys.marks(sorted(patient.found_by))
    await keyring.put_marks(tx, keys.organization_id, referral.id, marks)


async def keep_report(tx: Connection, call: Call, referral: Referral, report: Report) -> None:
    """Write down what the receiver reports back, in place of what was there."""
    keys = await call.peers.vault.own(tx, referral.sending_organization_id)
    sealed = keys.seal(report.text, referral.id, REPORT)
    told = store.SealedReport(sealed, report.attached_at, report.attached_by)
    await store.put_report(tx, referral.id, told)


# Reading --------------------------------------------------------------------------------------------------------------


async def patients(call: Call, ids: Sequence[ReferralId]) -> list[Patient | None]:
    """The patients of referrals seen in FULL; None for any other."""
    async with call.db.reading() as tx:
        boxes = await store.patients(tx, await full(tx, call, ids))
        keys = await _keys(tx, call, boxes.values())
    return [_opened(keys, boxes.get(one), one) for one in ids]


def _opened(keys: Mapping[OrganizationId, Keys], box: Sealed | None, id_: UUID) -> Patient | None:
    if box is None:
        return None
    return Patient.from_data(keys[box.organization_id].open(box, id_, PATIENT))


async def reports(call: Call, ids: Sequence[ReferralId]) -> list[Report | None]:
    """What receivers reported back on referrals seen in FULL."""
    async with call.db.reading() as tx:
        found = await store.reports(tx, await full(tx, call, ids))
        keys = await _keys(tx, call, (one.sealed for one in found.values()))
    told = {
        id_: Report(
            str(keys[one.sealed.organization_id].open(one.sealed, id_, REPORT)),
            one.attached_at,
            one.attached_by,
        )
        for id_, one in found.items()
    }
    return [told.get(one) for one in ids]


async def steps(call: Call, ids: Sequence[ReferralId]) -> list[list[ToldStep]]:
    """What was done to referrals seen in FULL, with what was said."""
    async with call.db.reading() as tx:
        found = await store.steps(tx, await full(tx, call, ids))
        said = (step.comment for each in found.values() for step in each)
        keys = await _keys(tx, call, (box for box in said if box is not None))
    return [[_told(keys, step) for step in found.get(one, [])] for one in ids]


def _told(keys: Mapping[OrganizationId, Keys], step: store.SealedStep) -> ToldStep:
    box = step.comment
    if box is None:
        return ToldStep(step, None)
    use = comment_of(step.version)
    return ToldStep(step, str(keys[box.organization_id].open(box, step.referral_id, use)))


async def _keys(tx: Connection, call: Call, boxes: Iterable[Sealed]) -> dict[OrganizationId, Keys]:
    owners = {box.organization_id for box in boxes}
    return await call.peers.vault.of(tx, owners) if owners else {}


# Finding --------------------------------------------------------------------------------------------------------------


async def find(
    call: Call, words: Sequence[str | None], page: tuple[ReferralId | None, int]
) -> list[Seen]:
    """The viewer's referrals whose patient is found by the one word that was given: newest first, each as far as it is seen in
    FULL now."""
    organization_id = OrganizationId(call.viewer.require_organization())
    given = [word for word in words if word is not None]
    if len(given) != 1:
        raise Invalid(
            "Give a family name with the day of birth, a phone number, or a member number.",
            code="ONE_OF",
            remedy="A patient is found by exactly one of them, and as a whole.",
        )
    async with call.db.reading() as tx:
        senders = await keyring.correspondents(tx, organization_id)
        keys = await call.peers.vault.of(tx, senders)
        marks = [mark for one in keys.values() for mark in one.all_marks(given[0])]
        ids = await keyring.marked(tx, organization_id, marks, page)
        views = await see_in(tx, call, ids)
    seen = [views[one] for one in ids if one in views]
    return [one for one in seen if one.sight is policy.Sight.FULL]


# New keys -------------------------------------------------------------------------------------------------------------

BATCH: Final = 100
MAX_REASON: Final = 500


async def renew_key(call: Call, organization_id: OrganizationId, reason: str) -> int:
    """A new key for an organization: it seals from now on, and a job seals with it whatever older keys hold. Answers its
    number. Support only; NotFound for an organization that has never sent anything."""
    policy.permit_keys(call.viewer)
    why = reason.strip()
    if not 1 <= len(why) <= MAX_REASON:
        raise Invalid(f"Say why, in 1 to {MAX_REASON} characters.", field="reason")
    everywhere = call.db.on_behalf_of(service_viewer("referrals"))  # support has no organization
    async with everywhere.transaction() as tx:
        keys = (await call.peers.vault.of(tx, [organization_id])).get(organization_id)
        if keys is None:
            raise policy.unknown_organization()
        number = keys.newest + 1
        await call.peers.vault.add_key(tx, organization_id, number)
        await audit.record(
            tx,
            call.viewer,
            act="patient_key.renewed",
            kind="organization",
            about=organization_id,
            organization_id=organization_id,
            at=call.clock.now(),
            reason=why,
        )
    return number


async def reseal(call: Call) -> int:
    """Seal anew whatever an older key of its organization holds, then forget that key. Answers of how many referrals."""
    done = 0
    async with call.db.reading() as tx:
        waiting = await keyring.with_old_keys(tx)

    async def reseal_all(organization_id: OrganizationId) -> None:
        nonlocal done
        while batch := await _reseal_some(call, organization_id):
            done += batch

    await each(waiting, reseal_all)
    return done


async def _reseal_some(call: Call, organization_id: OrganizationId) -> int:
    async with call.db.transaction() as tx:
        keys = await call.peers.vault.own(tx, organization_id)
        old = await keyring.lock_sealed_before(tx, organization_id, keys.newest, BATCH)
        for referral in old:
            await _reseal(tx, keys, referral)
        done = len(old) or await attachments.reseal(tx, call, keys)
        if not done and not await files.arriving_before(tx, organization_id, keys.newest):
            await keyring.drop_keys(tx, organization_id, keys.newest)
    return done or await pieces.reseal_objects(call, organization_id)


async def _reseal(tx: Connection, keys: Keys, referral: Referral) -> None:
    id_ = referral.id
    for box in (await store.patients(tx, [id_])).values():
        patient = Patient.from_data(keys.open(box, id_, PATIENT))
        await store.put_patient(tx, id_, keys.seal(patient.as_data(), id_, PATIENT))
        await keyring.drop_marks(tx, id_)
        await _mark(tx, keys, referral, patient)
    for report in (await store.reports(tx, [id_])).values():
        sealed = keys.seal(keys.open(report.sealed, id_, REPORT), id_, REPORT)
        told = store.SealedReport(sealed, report.attached_at, report.attached_by)
        await store.put_report(tx, id_, told)
    for step in (await store.steps(tx, [id_]))[id_]:
        if step.comment is not None:
            use = comment_of(step.version)
            said = keys.open(step.comment, id_, use)
            await store.reseal_step(tx, step, keys.seal(said, id_, use))
    for message in await messages.all_of(tx, id_):
        said = keys.open(message.sealed, message.id, MESSAGE)
        await messages.reseal(tx, message.id, keys.seal(said, message.id, MESSAGE))
