"""Who might become office admin (R-S1)."""

from typing import Annotated

import strawberry

from kit.graphql import CommonProblems, mutation
from kit.ids import parse_id
from services.identity import actions
from services.identity.domain import OfficeId, UserId
from services.identity.domain.candidates import CandidateReason, OfficeCandidates
from services.identity.schema.types import Info, Office, User, load_user

Reason = strawberry.enum(CandidateReason, name="CandidateReason")


@strawberry.type(
    description="Somebody who might become office admin, and why. Nobody is granted anything by it."
)
class OfficeAdminCandidate:
    """OfficeAdminCandidate."""

    reasons: list[Reason]  # type: ignore[valid-type]
    score: int = strawberry.field(
        description="What the reasons weigh together; the order is by it."
    )
    days_signed_in: int = strawberry.field(description="Days with a sign-in among the last thirty.")
    offices: int = strawberry.field(description="How many offices the user works for.")
    user_id: strawberry.ID

    @strawberry.field
    async def user(self, info: Info) -> User | None:
        """Who it is."""
        return await load_user(info, parse_id(self.user_id, "userId"))


@strawberry.type(description="An office that has staff and no office admin.")
class OfficeWithoutAdmin:
    """OfficeWithoutAdmin."""

    office: Office | None
    candidates: list[OfficeAdminCandidate] = strawberry.field(
        description="The best first, at most three; none: nobody is more than its only cover."
    )

    @classmethod
    def of(cls, row: OfficeCandidates) -> "OfficeWithoutAdmin":
        """As GraphQL tells it."""
        return cls(
            office=Office(id=strawberry.ID(str(row.office_id))),
            candidates=[
                OfficeAdminCandidate(
                    reasons=list(one.reasons),
                    score=one.score,
                    days_signed_in=one.known.days_signed_in,
                    offices=one.known.offices,
                    user_id=strawberry.ID(str(one.known.user_id)),
                )
                for one in row.candidates
            ],
        )


@strawberry.type(description="The suggestion will not be made again.")
class CandidateDismissed:
    """CandidateDismissed."""

    office: Office | None


DismissCandidateResult = Annotated[
    CandidateDismissed | CommonProblems, strawberry.union("DismissCandidateResult")
]


@strawberry.input
class DismissCandidateInput:
    """Whom not to suggest for an office again; without a user: nobody."""

    office_id: strawberry.ID
    user_id: strawberry.ID | None = None


@strawberry.type
class CandidateQuery:
    """Suggestions."""

    @strawberry.field
    async def offices_without_admin(self, info: Info) -> list[OfficeWithoutAdmin]:
        """The offices that have staff and no office admin, each with who might become one. For client admins."""
        found = await actions.office_admin_candidates(info.context.call)
        return [OfficeWithoutAdmin.of(one) for one in found]


@strawberry.type
class CandidateMutation:
    """Suggestions."""

    @mutation
    async def dismiss_candidate(
        self, info: Info, input: DismissCandidateInput
    ) -> DismissCandidateResult:
        """Do not suggest a user for an office again, or with no user anybody. For client admins."""
        office_id = OfficeId(parse_id(input.office_id, "officeId"))
        user_id = UserId(parse_id(input.user_id, "userId")) if input.user_id else None
        await actions.dismiss_candidate(info.context.call, office_id, user_id)
        return CandidateDismissed(office=Office(id=input.office_id))
