"""Receivers offered for a referral: what it asks for, its patient's plans and place, put to directory (R28)."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from kit.errors import Invalid
from proto.directory.v1 import directory_pb2 as directory
from proto.directory.v1.directory_pb2_grpc import DirectoryStub
from services.referrals.actions.patients import patients
from services.referrals.actions.peers import Call
from services.referrals.domain import (
    MOST_PLANS,
    MOST_SUGGESTED,
    GroupId,
    OfficeId,
    Patient,
    PlanAcceptance,
    PlanId,
    ProviderId,
    Referral,
    SuggestedNear,
    Suggestion,
    Suggestions,
    SuggestionWidening,
)

MOST_ASKED: Final = 20
"""Referrals of one request for which receivers are offered: for each directory searches."""

AT_ONCE: Final = 4
"""Searches of one request that directory is asked for at once."""

_POSTAL: Final = re.compile(r"\d{5}(-\d{4})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a sender asks for besides what the referral says: other plans of the patient, the day of the visit, and so many."""

    other_plans: tuple[PlanId, ...] = ()
    on: date | None = None
    only_accepting: bool = False
    first: int = 10

    def __post_init__(self) -> None:
        """Refuse too many."""
        if not 1 <= self.first <= MOST_SUGGESTED:
            raise Invalid(f"first must be 1 to {MOST_SUGGESTED}.", code="PAGE_SIZE", field="first")
        if len(self.other_plans) > MOST_PLANS - 2:
            raise Invalid(f"Give at most {MOST_PLANS - 2} plans.", field="otherPlanIds")


class Offers:
    """What one request is offered: so many searches and no more, a few at a time."""

    def __init__(self, call: Call) -> None:
        self._call, self._left = call, MOST_ASKED
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def load(
        self, asked: Sequence[tuple[Referral, Wish]]
    ) -> list[Suggestions | BaseException]:
        """For each referral that the viewer sees in FULL the receivers, or why there are none; TOO_MANY_SUGGESTIONS for the rest."""
        taken = asked[: self._left]
        self._left -= len(taken)
        known = await patients(self._call, [referral.id for referral, _ in taken])
        found = await asyncio.gather(
            *(self._one(*each, patient) for each, patient in zip(taken, known, strict=True)),
            return_exceptions=True,
        )
        return [*found, *(_too_many() for _ in asked[len(taken) :])]

    async def _one(self, referral: Referral, wish: Wish, patient: Patient | None) -> Suggestions:
        async with self._slots:
            return await _suggest(self._call, referral, wish, _postal_code(patient))


def _too_many() -> Invalid:
    return Invalid(
        f"Receivers are offered for {MOST_ASKED} referrals of a request.",
        code="TOO_MANY_SUGGESTIONS",
        remedy="Ask for the others in another request.",
    )


async def _suggest(
    call: Call, referral: Referral, wish: Wish, postal_code: str | None
) -> Suggestions:
    """Near the patient, or near the sending office where it is not known where the patient lives."""
    if postal_code is not None:
        reply = await _ask(call, referral, wish, postal_code)
        if not reply.place_unknown:
            return _suggestions(reply, SuggestedNear.PATIENT)
    reply = await _ask(call, referral, wish, None)
    return _suggestions(reply, SuggestedNear.SENDING_OFFICE)


def _postal_code(patient: Patient | None) -> str | None:
    """Where the patient lives, if it can be a postal code at all."""
    written = (patient.postal_code or "").strip() if patient is not None else ""
    return written if _POSTAL.fullmatch(written) else None


async def _ask(
    call: Call, referral: Referral, wish: Wish, postal_code: str | None
) -> directory.SuggestReply:
    plans = dict.fromkeys([*referral.plans, *wish.other_plans])
    question = directory.SuggestRequest(
        specialty_code=referral.specialty_code,
        plan_ids=[str(plan) for plan in plans],
        postal_code=postal_code or "",
        office_id="" if postal_code else str(referral.sending_office_id),
        on=wish.on.isoformat() if wish.on else "",
        only_accepting_new_patients=wish.only_accepting,
        first=wish.first,
    )
    peer = call.peers.directory
    return await peer.ask(DirectoryStub(peer.channel).Suggest, question, viewer=call.viewer)


def _suggestions(reply: directory.SuggestReply, near: SuggestedNear) -> Suggestions:
    return Suggestions(
        receivers=tuple(_suggestion(one) for one in reply.receivers),
        on=date.fromisoformat(reply.on),
        near=near,
        widening=SuggestionWidening(reply.widening) if reply.widening else None,
        insurance_unknown=reply.insurance_unknown,
    )


def _suggestion(told: directory.SuggestedReceiver) -> Suggestion:
    return Suggestion(
        office_id=OfficeId(UUID(told.office_id)),
        provider_id=ProviderId(UUID(told.provider_id)) if told.provider_id else None,
        group_id=GroupId(UUID(told.group_id)) if told.group_id else None,
        name=told.name,
        distance_km=told.distance_km if told.HasField("distance_km") else None,
        plan=PlanAcceptance(told.plan) if told.plan else None,
        accepted_plans=tuple(PlanId(UUID(one)) for one in told.accepted_plan_ids),
        plan_verified_on=date.fromisoformat(told.plan_verified_on)
        if told.plan_verified_on
        else None,
        plan_stale=told.plan_stale,
        accepting_new_patients=told.accepting_new_patients,
        score=told.score,
        reasons=tuple(factor.reason for factor in told.factors),
    )
