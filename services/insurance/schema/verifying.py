"""Saying that participations are still true, and finding those that wait for it (R27)."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

import strawberry

from kit.graphql import (
    CommonProblems,
    Connection,
    after_key,
    connection,
    described,
    mutation,
    page_of,
)
from kit.ids import parse_id
from services.insurance import actions, domain, policy, store
from services.insurance.schema.types import Info, Participation, shown

VerifyParticipationResult = Annotated[
    Participation | CommonProblems, strawberry.union("VerifyParticipationResult")
]


@strawberry.type(description="Why one participation of a call stayed as it was.")
class VerificationProblem:
    """One item's refusal."""

    code: str
    message: str
    remedy: str | None


@strawberry.type(description="What became of one participation of a call.")
class VerificationOutcome:
    """Verified when there is no problem."""

    participation_id: strawberry.ID
    problem: VerificationProblem | None

    @strawberry.field
    async def participation(self, info: Info) -> Participation | None:
        """As it is now; null when there is none of that id."""
        return await _load_own(info, parse_id(self.participation_id, "participationId"))


@strawberry.type(description="What became of each participation of a call, in its order.")
class ParticipationsVerified:
    """Some may have been refused."""

    outcomes: list[VerificationOutcome]
    verified: int = strawberry.field(description="How many were verified.")


VerifyParticipationsResult = Annotated[
    ParticipationsVerified | CommonProblems, strawberry.union("VerifyParticipationsResult")
]


@strawberry.input
class VerifyParticipationInput:
    """Say that a participation is still true."""

    participation_id: strawberry.ID
    expected_version: int


@strawberry.input
class VerifyParticipationsInput:
    """Say that many participations are still true."""

    participations: list[VerifyParticipationInput] = strawberry.field(
        description="1 to 100, each once, with the version that was seen."
    )
    idempotency_key: str


@strawberry.type(description="How sure lists are today: participations that are not past.")
class VerificationStanding:
    """Counts."""

    verified: int = strawberry.field(description="Verified within the last 90 days.")
    stale: int = strawberry.field(description="Verified longer ago.")
    unverified: int = strawberry.field(description="Never verified.")
    manager_missing: bool = strawberry.field(
        description="Plans are listed where nobody is insurance manager: it is up to the admins."
    )


@strawberry.type
class VerifyingMutation:
    """Those who may edit participations verify them (R26)."""

    @mutation
    async def verify_participation(
        self, info: Info, input: VerifyParticipationInput
    ) -> VerifyParticipationResult:
        """The participation is true as of today."""
        row = await actions.verify_participation(info.context.call, _wanted(input))
        return (await shown(info, [row]))[0]

    @mutation
    async def verify_participations(
        self, info: Info, input: VerifyParticipationsInput
    ) -> VerifyParticipationsResult:
        """Many participations are true as of today. What is wrong with one keeps none of the others back."""
        wanted = [_wanted(one) for one in input.participations]
        call, key = info.context.call, input.idempotency_key
        outcomes = await actions.verify_participations(call, wanted, key)
        return ParticipationsVerified(
            outcomes=[_outcome(one) for one in outcomes],
            verified=sum(one.code is None for one in outcomes),
        )


@strawberry.type
class VerifyingQuery:
    """What waits to be verified."""

    @described(
        "Of the viewer's organization, or just the offices whose plans the viewer keeps: those never verified first, then by the day of the last"
        " verification. With `within`, also those that will be stale in so many days (at most 90)."
    )
    async def participations_due(
        self,
        info: Info,
        within: int = 0,
        provider_id: strawberry.ID | None = None,
        office_id: strawberry.ID | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[Participation]:
        """Participations that are stale or were never verified."""
        page = page_of(first, after)
        found = await actions.due(
            info.context.call,
            within=within,
            place=domain.Place(
                domain.ProviderId(parse_id(provider_id, "providerId")) if provider_id else None,
                domain.OfficeId(parse_id(office_id, "officeId")) if office_id else None,
            ),
            after=after_key(page, date.fromisoformat, UUID),
            limit=page.limit + 1,
        )
        rows = await shown(info, found)
        return connection(rows, page, key=_due_key, node=lambda one: one)

    @strawberry.field
    async def verification_standing(self, info: Info) -> VerificationStanding:
        """How sure the lists of the viewer's organization are, or of just the offices whose plans the viewer keeps."""
        call = info.context.call
        offices = policy.offices_to_answer_for(call.viewer)
        organization_id = domain.OrganizationId(call.viewer.require_organization())
        async with call.db.reading() as tx:
            today = await actions.day_of(tx, organization_id, call.clock.now())
            before = domain.due_before(today, 0)
            counts = await store.counts(tx, organization_id, offices, before, today)
            missing = await store.manager_missing(tx, organization_id, offices, today)
        return VerificationStanding(
            verified=counts.verified,
            stale=counts.stale,
            unverified=counts.unverified,
            manager_missing=missing,
        )


def _due_key(one: Participation) -> Sequence[object]:
    return (one.row.last_verified_on or store.NEVER, one.row.id)


def _wanted(input: VerifyParticipationInput) -> domain.VerificationWanted:
    return domain.VerificationWanted(
        domain.ParticipationId(parse_id(input.participation_id, "participationId")),
        input.expected_version,
    )


def _outcome(one: domain.Outcome) -> VerificationOutcome:
    problem = None
    if one.code is not None:
        problem = VerificationProblem(code=one.code, message=one.message or "", remedy=one.remedy)
    return VerificationOutcome(
        participation_id=strawberry.ID(str(one.participation_id)), problem=problem
    )


async def _load_own(info: Info, participation_id: UUID) -> Participation | None:
    """A row of the viewer's organization, batched with the others of the request."""
    call = info.context.call
    organization_id = domain.OrganizationId(call.viewer.require_organization())

    async def load(keys: list[UUID]) -> list[Participation | None]:
        async with call.db.reading() as tx:
            rows = await store.own_rows(tx, organization_id, keys)
        found: dict[UUID, Participation] = {one.row.id: one for one in await shown(info, rows)}
        return [found.get(key) for key in keys]

    return await info.context.loader("own participations", load).load(participation_id)
