"""What siblings may ask insurance over gRPC."""

from datetime import date
from typing import Any

from kit.db import Database
from kit.errors import Invalid
from kit.ids import parse_id
from kit.rpc import AddServicer, current_viewer
from proto.insurance.v1.insurance_pb2 import AcceptsReply, AcceptsRequest
from proto.insurance.v1.insurance_pb2_grpc import InsuranceServicer, add_InsuranceServicer_to_server
from services.insurance import policy, store
from services.insurance.domain import OfficeId, Participation, PlanId, ProviderId

MAX_PROVIDERS = 1000


class InsuranceDoor(InsuranceServicer):
    """Answers siblings."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def Accepts(self, request: AcceptsRequest, context: Any) -> AcceptsReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """Which of the providers accept the plan at the office on the day (R27, R28). An unknown plan says nothing."""
        policy.permit_reading(current_viewer())
        if len(request.provider_ids) > MAX_PROVIDERS:
            raise Invalid(f"Ask for at most {MAX_PROVIDERS} providers.", field="provider_ids")
        providers = [ProviderId(parse_id(one, "provider_ids")) for one in request.provider_ids]
        office_id = OfficeId(parse_id(request.office_id, "office_id"))
        plan_id, on = PlanId(parse_id(request.plan_id, "plan_id")), _day(request.on)
        async with self._db.reading() as tx:
            plan = (await store.plans_by_id(tx, [plan_id])).get(plan_id)
            if plan is None:
                return AcceptsReply(plan_known=False)
            if not plan.period.covers(on):
                return AcceptsReply(plan_known=True)
            return _reply(await store.accepting(tx, providers, office_id, plan_id, on))


def _reply(rows: list[Participation]) -> AcceptsReply:
    """A row that nobody verified makes the whole answer unverified: the oldest verification is none at all."""
    verified = [row.last_verified_on for row in rows]
    known = [day for day in verified if day is not None]
    oldest = min(known).isoformat() if known and len(known) == len(verified) else ""
    return AcceptsReply(
        plan_known=True,
        accepting_provider_ids=sorted({str(row.provider_id) for row in rows}),
        verified_on=oldest,
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("on is not a day.", field="on", remedy="Send an ISO date.") from None


def servicers(database: Database) -> list[AddServicer]:
    """The servicers of this service."""
    return [lambda server: add_InsuranceServicer_to_server(InsuranceDoor(database), server)]
