"""Proposing a change of somebody's role because of a finding (R33)."""

from typing import Annotated, TypeAlias

import strawberry

from kit.graphql import CommonProblems, Context, StalePreviewProblem, described, mutation
from kit.ids import parse_id
from services.reporting.actions import proposals as actions
from services.reporting.actions.peers import Peers
from services.reporting.domain import OfficeId, UserId
from services.reporting.domain import proposals as domain
from services.reporting.domain.findings import FindingId
from services.reporting.schema.findings import Finding
from services.reporting.schema.guides import GuideRole
from services.reporting.schema.proposals import RoleChange, RoleChangePreview

Info: TypeAlias = strawberry.Info[Context[Peers], None]


@strawberry.input
class RoleChangeInput:
    """A change of somebody's role at an office."""

    change: RoleChange  # type: ignore[valid-type]
    user_id: strawberry.ID
    role: GuideRole  # type: ignore[valid-type]
    office_id: strawberry.ID

    def wanted(self) -> domain.WantedChange:
        """As the domain has it."""
        return domain.WantedChange(
            self.change,
            UserId(parse_id(self.user_id, "userId")),
            self.role,
            OfficeId(parse_id(self.office_id, "officeId")),
        )


@strawberry.input
class ProposeRoleChangeInput:
    """A change, as its preview showed it."""

    finding_id: strawberry.ID
    change: RoleChangeInput
    token: str


ProposeRoleChangeResult = Annotated[
    Finding | StalePreviewProblem | CommonProblems, strawberry.union("ProposeRoleChangeResult")
]


@strawberry.type
class ProposingQuery:
    """What a change would do."""

    @described(
        "What a change of somebody's role would do to the office's coverage. For client admins."
    )
    async def role_change_preview(self, info: Info, change: RoleChangeInput) -> RoleChangePreview:
        """Preview (R33)."""
        told = await actions.preview_change(info.context.call, change.wanted())
        return RoleChangePreview.of(told)


@strawberry.type
class ProposingMutation:
    """Client admins propose."""

    @mutation
    async def propose_role_change(
        self, info: Info, input: ProposeRoleChangeInput
    ) -> ProposeRoleChangeResult:
        """Propose a change of somebody's role because of a finding. It is made with grantRole or revokeRole; the finding is ACTIONED
        once identity has told so (R33)."""
        finding = await actions.propose_change(
            info.context.call,
            FindingId(parse_id(input.finding_id, "findingId")),
            input.change.wanted(),
            input.token,
        )
        return Finding.of(info, finding)
