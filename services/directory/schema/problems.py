"""Refusals of the directory that carry more than the common ones."""

from datetime import datetime

import strawberry
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

from kit.graphql import Problem, described, problem_type
from services.directory.actions.items import RefusedItem
from services.directory.domain.fences import OfficeWork, OpenReferral


@problem_type("LEAD_TIME_SHORT")
@strawberry.type(description="The office would go live in less than a week (R16).")
class LeadTimeShortProblem(Problem):
    """LEAD_TIME_SHORT."""

    days_until_go_live: int


@problem_type("DUPLICATE_NPI")
@strawberry.type(description="The organization has a provider with this NPI (R09).")
class DuplicateNpiProblem(Problem):
    """DUPLICATE_NPI, with the match."""

    provider_id: strawberry.ID


@problem_type("INCOMPLETE")
@strawberry.type(description="The profile cannot be approved as it is (R11).")
class IncompleteProblem(Problem):
    """INCOMPLETE, with every field that is missing."""

    missing: list[str]


@strawberry.type(description="Why one of the things named in a call cannot be used.")
class ItemProblem:
    """ItemProblem."""

    id: strawberry.ID
    field: str = strawberry.field(description="The input list it is in.")
    code: str
    message: str


@problem_type("ITEMS_REFUSED")
@strawberry.type(description="Some of the things named cannot be used, so nothing was done (R17).")
class ItemsRefusedProblem(Problem):
    """ITEMS_REFUSED, item by item."""

    refused: strawberry.Private[list[RefusedItem]]

    @strawberry.field
    def items(self) -> list[ItemProblem]:
        """What is wrong with which of them."""
        return [
            ItemProblem(
                id=strawberry.ID(one.id), field=one.field, code=one.code, message=one.message
            )
            for one in self.refused
        ]


@strawberry.federation.type(keys=[Key(fields=FieldSet("id"), resolvable=False)])
class Referral:
    """A referral of the referrals service: what it says, and what you may do with it, is asked there."""

    id: strawberry.ID


@strawberry.type(description="A referral that is still being worked on.")
class ReferralInTheWay:
    """ReferralInTheWay."""

    referral_id: strawberry.ID
    status: str
    side: str = strawberry.field(description="SENDING or RECEIVING.")
    office_id: strawberry.ID
    appointment_at: datetime | None = strawberry.field(
        description="When the patient is to be seen, while an appointment is booked."
    )

    @described("The referral itself with your allowedActions; null when it is not yours to see.")
    def referral(self) -> Referral | None:
        """What may be done with it now."""
        return Referral(id=self.referral_id)

    @classmethod
    def of(cls, one: OpenReferral) -> "ReferralInTheWay":
        """As GraphQL tells it."""
        return cls(
            referral_id=strawberry.ID(one.referral_id),
            status=one.status,
            side=one.side,
            office_id=strawberry.ID(one.office_id),
            appointment_at=one.appointment_at,
        )


@strawberry.type(description="The open referrals that one office's queue holds.")
class OfficeInTheWay:
    """OfficeInTheWay."""

    office_id: strawberry.ID
    referral_ids: list[strawberry.ID]


@problem_type("OPEN_REFERRALS", "OFFICES_REMAIN")
@strawberry.type(description="What must be done before the removal (R12, R15, R24).")
class InTheWayProblem(Problem):
    """OPEN_REFERRALS, or OFFICES_REMAIN when only offices are left."""

    total: int = strawberry.field(description="How many referrals are open.")
    office_ids: list[strawberry.ID] = strawberry.field(
        description="The offices where the provider works."
    )
    open_referrals: strawberry.Private[list[OpenReferral]]
    office_work: strawberry.Private[list[OfficeWork]]

    @strawberry.field
    def referrals(self) -> list[ReferralInTheWay]:
        """At most the oldest 100."""
        return [ReferralInTheWay.of(one) for one in self.open_referrals]

    @strawberry.field
    def by_office(self) -> list[OfficeInTheWay]:
        """The same, by the office whose staff works on them."""
        return [
            OfficeInTheWay(
                office_id=strawberry.ID(one.office_id),
                referral_ids=[strawberry.ID(each) for each in one.referral_ids],
            )
            for one in self.office_work
        ]


@problem_type("PROVIDERS_ORPHANED")
@strawberry.type(description="Providers would work at no office (R19).")
class ProvidersOrphanedProblem(Problem):
    """PROVIDERS_ORPHANED, with who they are."""

    provider_ids: list[strawberry.ID]


@problem_type("DUPLICATE_OFFICE")
@strawberry.type(description="The organization has an office with this address or phone (R16).")
class DuplicateOfficeProblem(Problem):
    """DUPLICATE_OFFICE, with the ones that look alike."""

    office_ids: list[strawberry.ID]


@problem_type("ROSTER_DIFFERS")
@strawberry.type(description="Others work for the office as well (R18).")
class RosterDiffersProblem(Problem):
    """ROSTER_DIFFERS, with those who were not named."""

    user_ids: list[strawberry.ID]


@problem_type("APPOINTMENTS_AFTER_CLOSING")
@strawberry.type(description="Patients have an appointment on a day without the office (R19).")
class AppointmentsAfterClosingProblem(Problem):
    """APPOINTMENTS_AFTER_CLOSING, with the referrals."""

    referral_ids: list[strawberry.ID]


@problem_type("DRAFTS_OPEN")
@strawberry.type(description="Drafts of the group could no longer be sent (R22).")
class DraftsOpenProblem(Problem):
    """DRAFTS_OPEN, with the drafts."""

    referral_ids: list[strawberry.ID]
