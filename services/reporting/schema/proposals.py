"""Changes of roles that are proposed because of a finding, as GraphQL tells them (R33)."""

from datetime import datetime

import strawberry

from services.reporting.actions.proposals import ImpactShown
from services.reporting.domain import proposals as domain
from services.reporting.schema.guides import GuideRole
from services.reporting.schema.offices import Office
from services.reporting.schema.people import User

RoleChange = strawberry.enum(
    domain.RoleChange, name="RoleChange", description="Give a role, or take it away."
)
_VERBS = {domain.RoleChange.GRANT: "grantRole", domain.RoleChange.REVOKE: "revokeRole"}


@strawberry.type(
    description="What a change of somebody's role would do to the office's coverage, and a token that binds it."
)
class RoleChangePreview:
    """Preview."""

    confirmed_before: int = strawberry.field(
        description="Who covers the office now: its confirmed office admins and staff."
    )
    confirmed_after: int
    open_referrals: int = strawberry.field(description="Open at the office.")
    other_offices: list[Office] | None = strawberry.field(
        description="Where the user is office admin or staff as well."
    )
    blocked: bool = strawberry.field(description="Nobody would cover the office any more.")
    token: str

    @classmethod
    def of(cls, told: ImpactShown) -> "RoleChangePreview":
        """As GraphQL tells it."""
        shown = told.impact
        return cls(
            confirmed_before=shown.confirmed_before,
            confirmed_after=shown.confirmed_after,
            open_referrals=shown.open,
            other_offices=[Office.of(one) for one in shown.other_offices],
            blocked=shown.blocked,
            token=told.token,
        )


@strawberry.type(
    description="A change of somebody's role. It is made with the verb named, and applied once identity has told so."
)
class RoleProposal:
    """Proposal."""

    id: strawberry.ID
    change: RoleChange  # type: ignore[valid-type]
    user: User | None
    role: GuideRole  # type: ignore[valid-type]
    office: Office | None
    verb: str = strawberry.field(description="The mutation that makes it: grantRole or revokeRole.")
    proposed_by: User | None
    proposed_at: datetime
    applied_at: datetime | None = strawberry.field(description="Null: it was not made yet.")
    last_coverage: bool = strawberry.field(
        description="Nobody else covers the office by now: revokeRole refuses it, SOLE_COVERAGE, unless it names a successor."
    )

    @classmethod
    def of(cls, told: domain.Proposal) -> "RoleProposal":
        """As GraphQL tells it."""
        return cls(
            id=strawberry.ID(str(told.id)),
            change=told.change,
            user=User.of(told.user_id),
            role=told.role,
            office=Office.of(told.office_id),
            verb=_VERBS[told.change],
            proposed_by=User.of(told.proposed_by),
            proposed_at=told.proposed_at,
            applied_at=told.applied_at,
            last_coverage=told.last_coverage,
        )
