"""Proposing changes of roles because of a finding, and hearing that they were made (R33)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kit import preview
from kit.auth import service_viewer
from kit.db import Connection
from kit.errors import Conflict, NotFound
from kit.ids import new_id
from kit.service import Call
from proto.reporting.v1.events_pb2 import FindingRoleChangeApplied, FindingRoleChangeProposed
from services.reporting import policy, store
from services.reporting.actions import findings
from services.reporting.actions.peers import Peers
from services.reporting.domain import OrganizationId, UserId
from services.reporting.domain.findings import Finding, FindingId
from services.reporting.domain.proposals import (
    Impact,
    Proposal,
    ProposalId,
    Roster,
    WantedChange,
    impact,
    parts,
    require_sensible,
)
from services.reporting.domain.scorecards import SubjectKind
from services.reporting.store import findings as kept
from services.reporting.store import proposals, scorecards


@dataclass(frozen=True, slots=True)
class ImpactShown:
    """What a change would do, and the token that binds it."""

    impact: Impact
    token: str


async def preview_change(call: Call[Peers], wanted: WantedChange) -> ImpactShown:
    """What a change of somebody's role would do to the office's coverage. For client admins."""
    organization_id = OrganizationId(policy.permit_practice(call.viewer))
    async with call.db.reading() as tx:
        roster = await _roster(tx, organization_id, wanted)
    return ImpactShown(impact(wanted, roster), preview.token(parts(roster)))


async def _roster(tx: Connection, organization_id: OrganizationId, wanted: WantedChange) -> Roster:
    places = await scorecards.places(tx, organization_id, [wanted.office_id])
    if not any(one.kind is SubjectKind.OFFICE for one in places):
        raise NotFound("There is no such office.", field="officeId")
    if not await store.people.active_users(tx, organization_id, [wanted.user_id]):
        raise NotFound("There is no such user.", field="userId")
    return await proposals.roster(tx, organization_id, wanted)


async def propose_change(
    call: Call[Peers], finding_id: FindingId, wanted: WantedChange, token: str
) -> Finding:
    """Propose a change, as its preview showed it; whoever may grant roles then makes it in identity. Refuses STALE_PREVIEW,
    LAST_COVERAGE, NOTHING_TO_CHANGE, ALREADY_PROPOSED, FINDING_CLOSED."""
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.transaction() as tx:
        # a change that is made meanwhile is heard of after it
        await store.organizations.hold(tx, organization_id)
        finding = await findings.to_change(call, tx, finding_id, None)
        roster = await _roster(tx, finding.organization_id, wanted)
        preview.require_same(token, parts(roster))
        require_sensible(wanted, roster)
        proposal = _proposal(call, finding, wanted)
        if not await proposals.add(tx, proposal):
            raise Conflict(
                "This was proposed already, and waits to be made.",
                code="ALREADY_PROPOSED",
                remedy="Make the change in identity: grantRole or revokeRole.",
            )
        await _tell_proposed(tx, call, finding, proposal)
    return finding


def _proposal(call: Call[Peers], finding: Finding, wanted: WantedChange) -> Proposal:
    return Proposal(
        ProposalId(new_id()),
        finding.organization_id,
        finding.id,
        wanted.change,
        wanted.user_id,
        wanted.role,
        wanted.office_id,
        UserId(call.viewer.require_user()),
        call.clock.now(),
    )


async def _tell_proposed(
    tx: Connection, call: Call[Peers], finding: Finding, proposal: Proposal
) -> None:
    fact = FindingRoleChangeProposed(
        finding_id=str(finding.id),
        proposal_id=str(proposal.id),
        change=proposal.change,
        user_id=str(proposal.user_id),
        role=proposal.role,
        office_id=str(proposal.office_id),
    )
    await findings.tell(tx, finding, fact, proposal.proposed_at, call.viewer)


async def change_made(
    tx: Connection, organization_id: OrganizationId, made: WantedChange, at: datetime
) -> None:
    """Identity told of a change: what was proposed is applied, and something was done about the finding."""
    by = service_viewer("reporting")
    for proposal in await proposals.apply(tx, organization_id, made, at):
        finding = await kept.locked(tx, organization_id, proposal.finding_id)
        if finding is not None:
            fact = FindingRoleChangeApplied(
                finding_id=str(finding.id), proposal_id=str(proposal.id)
            )
            await findings.tell(tx, finding, fact, at, by)
            await findings.actioned(tx, organization_id, finding.id, at, by)


async def of_findings(call: Call[Peers], ids: Sequence[FindingId]) -> list[list[Proposal]]:
    """What was proposed because of each finding."""
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        found = await proposals.of_findings(tx, organization_id, ids)
    return [[one for one in found if one.finding_id == id_] for id_ in ids]
