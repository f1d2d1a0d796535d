"""Whoever alone covers an office gives it up only to a successor (R07, R18, R33)."""

from kit.errors import Conflict
from services.identity import store
from services.identity.actions.enrolment import grant
from services.identity.actions.means import Call
from services.identity.actions.within import Work
from services.identity.domain import OfficeId, Role, RoleWanted, User
from services.identity.domain.provisioning import Handover, able, require_covered, uncovered


async def hand_over(
    call: Call, work: Work, user: User, leaving: frozenset[OfficeId], agreed: Handover
) -> None:
    """Let the successor cover what the user leaves to nobody. The organization is held, so nobody else leaves meanwhile. Conflict
    SOLE_COVERAGE unless that is acknowledged and somebody named, SUCCESSOR_UNABLE."""
    alone = uncovered(leaving, await store.coverage(work.tx, work.organization.id, leaving))
    named = agreed.successor_id
    successor = await work.user(named, "successorId") if named else None
    require_covered(alone, acknowledged=agreed.acknowledged, successor=successor)
    if successor is None or not alone:
        return
    if not able(successor, user):
        raise Conflict(
            "This user cannot take over.",
            code="SUCCESSOR_UNABLE",
            field="successorId",
            remedy="Name a confirmed, active user of the organization.",
        )
    closed = await store.closed_offices(work.tx, work.organization.id, list(alone))
    for office in sorted(alone - closed):
        wanted = RoleWanted(Role.OFFICE_STAFF, OfficeId(office))
        await grant(call, work, successor.id, wanted)
