"""What insurance lists: who accepts a plan where, and when somebody said so last."""

from datetime import date
from uuid import UUID

from google.protobuf.message import Message

from kit.db import Connection
from kit.inbox import Handler, Heard
from proto.insurance.v1 import events_pb2 as insurance
from services.reporting import store
from services.reporting.consumers.people import noted
from services.reporting.domain import OrganizationId
from services.reporting.store.people import Participation


async def _participation(tx: Connection, heard: Heard) -> None:
    fact: (
        insurance.ParticipationAdded
        | insurance.ParticipationEnded
        | insurance.ParticipationVerified
    )
    fact = heard.fact
    row = Participation(
        OrganizationId(heard.organization_id),
        UUID(fact.participation_id),
        UUID(fact.provider_id),
        UUID(fact.office_id),
        date.fromisoformat(fact.effective_from),
        _day(fact.effective_until),
        _day(fact.verified_on),
    )
    await store.people.keep_participation(tx, row)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


PARTICIPATIONS: dict[type[Message], Handler] = {
    insurance.ParticipationAdded: noted(_participation),
    insurance.ParticipationEnded: noted(_participation),
    insurance.ParticipationVerified: noted(_participation),
}
