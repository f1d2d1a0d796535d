"""Who might become office admin (R-S1): suggested with reasons, dismissed for good, and never granted by itself."""

from kit import audit
from kit.errors import NotFound
from services.identity import policy, store
from services.identity.actions.means import Call
from services.identity.actions.within import organization_work
from services.identity.domain import OfficeId, UserId
from services.identity.domain.candidates import ACTIVE_WITHIN, OfficeCandidates, suggest


async def office_admin_candidates(call: Call) -> list[OfficeCandidates]:
    """The organization's offices that have staff and no office admin, each with who might become one: the best first, or nobody."""
    organization_id = policy.permit_candidates(call.viewer)
    now = call.clock.now()
    async with call.db.reading() as tx:
        known = await store.possible_office_admins(tx, organization_id, now - ACTIVE_WITHIN)
    return suggest(known, now)


async def dismiss_candidate(call: Call, office_id: OfficeId, user_id: UserId | None) -> None:
    """Do not suggest this user for the office again; without a user, nobody. Doing it twice changes nothing."""
    policy.permit_copying(call.viewer)
    async with organization_work(call) as work:
        policy.permit_copying(work.viewer)
        here = work.organization.id
        if not await store.offices_staffed(work.tx, here, [office_id]):
            raise NotFound("There is no such office.", field="officeId")
        if user_id is not None:
            await work.user(user_id)
        about = (office_id, user_id)
        await store.dismiss_candidate(work.tx, here, about, work.granter, work.now)
        await audit.record(
            work.tx,
            work.viewer,
            act="office.candidate_dismissed",
            about=office_id,
            kind="office",
            organization_id=here,
            at=work.now,
        )
