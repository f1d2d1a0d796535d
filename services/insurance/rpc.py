"""What siblings may ask insurance over gRPC."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from kit.errors import Invalid
from kit.ids import parse_id
from kit.rpc import AddServicer, current_viewer
from kit.service import Parts
from proto.insurance.v1 import insurance_pb2 as told
from proto.insurance.v1.insurance_pb2_grpc import InsuranceServicer, add_InsuranceServicer_to_server
from services.insurance import policy
from services.insurance.actions import Acceptance, Peers, accepts, plan_names
from services.insurance.actions.accepting import Answer
from services.insurance.domain import WEAKEST_FIRST, Certainty, PlanId

MAX_PROVIDERS = 1000
MAX_PLANS = 10
MAX_NAMED = 1000
_CERTAINTY = {
    Certainty.UNVERIFIED: told.CERTAINTY_UNVERIFIED,
    Certainty.STALE: told.CERTAINTY_STALE,
    Certainty.VERIFIED: told.CERTAINTY_VERIFIED,
}


class InsuranceDoor(InsuranceServicer):
    """Answers siblings."""

    def __init__(self, parts: Parts[Peers]) -> None:
        self._parts = parts

    async def Accepts(self, request: told.AcceptsRequest, context: Any) -> told.AcceptsReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """Which of the providers accept the plan at the office on the day (R27, R28). An unknown plan says nothing."""
        _require_few(request.provider_ids, MAX_PROVIDERS, "provider_ids")
        providers = [parse_id(one, "provider_ids") for one in request.provider_ids]
        office_id = parse_id(request.office_id, "office_id")
        plan_id, on = parse_id(request.plan_id, "plan_id"), _day(request.on)
        answer = await self._ask([(one, office_id) for one in providers], [plan_id], on)
        return _reply(plan_id, answer)

    async def AcceptsMany(  # noqa: N802 - grpc's
        self,
        request: told.AcceptsManyRequest,
        context: Any,  # noqa: ANN401, ARG002 - grpc's
    ) -> told.AcceptsManyReply:
        """Which of the plans are accepted at which of the places on the day: for lists, and for patients with two plans. Without
        places what is known of the plans, such as whether their payers want to know who referred (R22)."""
        _require_few(request.places, MAX_PROVIDERS, "places")
        _require_few(request.plan_ids, MAX_PLANS, "plan_ids")
        places = [
            (parse_id(one.provider_id, "provider_id"), parse_id(one.office_id, "office_id"))
            for one in request.places
        ]
        plans = [parse_id(one, "plan_ids") for one in request.plan_ids]
        answer = await self._ask(places, plans, _day(request.on))
        known = [
            told.KnownPlan(
                plan_id=str(plan.id),
                offered=plan.id in answer.offered,
                successor_plan_id=_successor(answer, plan.id),
                needs_referring_npi=plan.needs_referring_npi,
            )
            for plan in answer.plans.values()
        ]
        return told.AcceptsManyReply(
            known_plans=known, acceptances=[_acceptance(one) for one in answer.acceptances]
        )

    async def Plans(self, request: told.PlansRequest, context: Any) -> told.PlansReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """What the plans are called: for files that people read."""
        _require_few(request.plan_ids, MAX_NAMED, "plan_ids")
        ids = [PlanId(parse_id(one, "plan_ids")) for one in request.plan_ids]
        viewer = current_viewer()
        policy.permit_reading(viewer)
        named = await plan_names(self._parts.call(viewer), ids)
        return told.PlansReply(
            plans=[
                told.NamedPlan(plan_id=str(one), name=name, payer_name=payer)
                for one, (name, payer) in named.items()
            ]
        )

    async def _ask(
        self, places: Sequence[tuple[UUID, UUID]], plans: Sequence[UUID], on: date
    ) -> Answer:
        viewer = current_viewer()
        policy.permit_reading(viewer)
        return await accepts(self._parts.call(viewer), places, plans, on, eyes=None)


def _reply(plan_id: UUID, answer: Answer) -> told.AcceptsReply:
    """A row that nobody verified makes the whole answer unverified: the oldest verification is none at all."""
    if plan_id not in answer.plans:
        return told.AcceptsReply(plan_known=False)
    reply = told.AcceptsReply(
        plan_known=True,
        accepting_provider_ids=sorted({str(one.row.provider_id) for one in answer.acceptances}),
        acceptances=[_acceptance(one) for one in answer.acceptances],
        successor_plan_id=_successor(answer, plan_id),
        needs_referring_npi=answer.plans[plan_id].needs_referring_npi,
    )
    if answer.acceptances:
        weakest = min(answer.acceptances, key=_strength)
        reply.certainty = _CERTAINTY[weakest.certainty]
        reply.age_days = weakest.age_days or 0
        reply.verified_on = _iso(weakest.row.last_verified_on)
    return reply


def _strength(one: Acceptance) -> tuple[int, date]:
    return WEAKEST_FIRST.index(one.certainty), one.row.last_verified_on or date.min


def _acceptance(one: Acceptance) -> told.Acceptance:
    return told.Acceptance(
        provider_id=str(one.row.provider_id),
        office_id=str(one.row.office_id),
        plan_id=str(one.row.plan_id),
        participation_id=str(one.row.id),
        certainty=_CERTAINTY[one.certainty],
        verified_on=_iso(one.row.last_verified_on),
        age_days=one.age_days or 0,
        effective_until=_iso(one.until),
    )


def _successor(answer: Answer, plan_id: UUID) -> str:
    """The plan to ask about instead: once this one is not offered any more."""
    successor = answer.plans[plan_id].successor_id
    return str(successor) if successor and plan_id not in answer.offered else ""


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _require_few(things: Sequence[object] | Iterable[object], most: int, field: str) -> None:
    if len(list(things)) > most:
        raise Invalid(f"Ask for at most {most}.", field=field)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("on is not a day.", field="on", remedy="Send an ISO date.") from None


def servicers(parts: Parts[Peers]) -> list[AddServicer]:
    """The servicers of this service."""
    return [lambda server: add_InsuranceServicer_to_server(InsuranceDoor(parts), server)]
