"""Deactivating a user (R07): what it would touch, doing it, and the ninety days that do it by themselves."""

from dataclasses import dataclass, field
from functools import partial

from kit import preview
from kit.each import each
from kit.scope import widen
from proto.identity.v1.events_pb2 import UserDeactivated
from services.identity import policy, store
from services.identity.actions.covering import hand_over
from services.identity.actions.means import Call
from services.identity.actions.notifying import other_report_readers
from services.identity.actions.organizations import Changed, changed
from services.identity.actions.partners import end_partners
from services.identity.actions.support import support_did
from services.identity.actions.told import tell_sessions_revoked, tell_user, write_letter
from services.identity.actions.within import (
    AsSupport,
    Work,
    acting_in,
    organization_work,
)
from services.identity.domain import (
    LetterKind,
    OrganizationId,
    SupportAct,
    User,
    UserId,
    keep_a_client_admin,
    letters,
)
from services.identity.domain.nouns import last_client_admin
from services.identity.domain.provisioning import (
    AWAY,
    WARNED_BEFORE,
    Handover,
    Leaving,
    OfficeLeft,
    PartnerLeft,
    covers,
    is_due,
    uncovered,
    workplaces,
)
from services.identity.store import Away


@dataclass(frozen=True, slots=True)
class LeavingShown:
    """What deactivating would touch, and the token that binds it."""

    leaving: Leaving
    token: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """What was agreed to: the token of the preview (optional), who takes over what would be left to nobody, and that the credentials
    of partners stay which the user has seen."""

    token: str | None = None
    handover: Handover = field(default_factory=Handover)
    keep_partners: bool = False


async def preview_deactivation(call: Call, user_id: UserId) -> LeavingShown:
    """What deactivating the user would touch. Unavailable when a sibling that knows part of it is away."""
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        user = policy.found((await store.users_by_id(tx, organization_id, [user_id])).get(user_id))
        policy.permit_deactivate(call.viewer, user)
    leaving = await _leaving(call, user)
    return LeavingShown(leaving, preview.token(leaving.parts))


async def _leaving(call: Call, user: User) -> Leaving:
    """What is in the user's hands. Asked of the siblings outside any transaction."""
    offices = sorted(workplaces(user))
    here = user.organization_id
    work = await call.peers.referrals.work(here, user.id, offices)
    groups = await call.peers.directory.groups(here, user.id)
    async with call.db.reading() as tx:
        alone = uncovered(covers(user), await store.coverage(tx, here, covers(user)))
        partners = await store.partners_added_by(tx, here, user.id)
        readers = await other_report_readers(tx, here, user.id)
    return Leaving(
        user,
        tuple(OfficeLeft(one, one in alone, work.offices.get(one, 0)) for one in offices),
        work.claimed,
        work.claimed_ids,
        groups,
        tuple(PartnerLeft(one.id, one.name) for one in partners),
        readers,
    )


async def deactivate_user(
    call: Call,
    user_id: UserId,
    expected_version: int,
    agreed: Agreed,
    support: AsSupport | None = None,
) -> Changed:
    """End a user's work for the organization (R07): every session of theirs here is over at once. Doing it twice changes nothing.
    Conflict LAST_CLIENT_ADMIN when nobody would remain who can act as one (R01), SOLE_COVERAGE when offices would be left to nobody,
    STALE_PREVIEW when the token of a preview is given and something has moved since. Without a token no sibling is asked: an account
    can be ended whoever is away."""
    organization_id = acting_in(call, support)
    if agreed.token is not None:
        await _require_same(call, organization_id, user_id, agreed.token)
    async with organization_work(call, support) as work:
        user = await work.user(user_id)
        policy.permit_deactivate(work.viewer, user)
        if user.active:
            user.require_version(expected_version)
            keep_a_client_admin(user, await store.client_admins(work.tx, organization_id))
            await hand_over(call, work, user, covers(user), agreed.handover)
            if not agreed.keep_partners:
                await end_partners(work, user.id)
            await end_membership(work, user, "ADMIN")
            await support_did(call, work, SupportAct.DEACTIVATE_USER, user)
        return await changed(work, user_id, advise=user.client_admin)


async def _require_same(
    call: Call, organization_id: OrganizationId, user_id: UserId, token: str
) -> None:
    # whole-suite: support belongs to none of the organizations
    database = call.db.for_support(call.viewer)
    async with database.reading() as tx:
        user = (await store.users_by_id(tx, organization_id, [user_id])).get(user_id)
    if user is not None and user.active:
        preview.require_same(token, (await _leaving(call, user)).parts)


async def end_membership(work: Work, user: User, because: str) -> None:
    """The end of a membership: its grants and sessions here are over, and those everywhere when it was the last one."""
    await store.lock_account(work.tx, user.id)
    await store.deactivate(work.tx, user, work.by, work.now)
    here = work.organization.id
    await store.revoke_sessions_in(work.tx, here, user.id, "DEACTIVATED", work.now)
    # whole-suite: whether the person works for others as well decides over the account
    await widen(work.tx)
    if not await store.memberships_of(work.tx, user.id):
        await store.revoke_sessions_of(work.tx, user.id, "DEACTIVATED", work.now)
        await store.withdraw_invitations(work.tx, user.id)
        await store.consume_password_link(work.tx, user.id, work.now)
    fact = UserDeactivated(user_id=str(user.id), because=because)
    await tell_user(work.tx, fact, here, user.id, work.now, by=work.viewer)
    await tell_sessions_revoked(work.tx, user.id, work.now, by=work.viewer, organization_id=here)


# Ninety days ----------------------------------------------------------------------------------------------------------


async def deactivate_the_away(call: Call) -> None:
    """The job: who has not signed in for 76 days is warned by mail, and after 90 days deactivated (R07). The last client admin is not
    (R01): support is told instead, once."""
    now = call.clock.now()
    async with call.db.reading() as tx:
        away = await store.away_since(tx, now - (AWAY - WARNED_BEFORE))
    due = [
        one
        for one in away
        if one.warned_at is None or (is_due(one.since, now) and one.alerted_at is None)
    ]
    await each(due, partial(_one_away, call))


async def _one_away(call: Call, seen: Away) -> None:
    async with call.db.transaction() as tx:
        organization = await store.lock_organization(tx, seen.organization_id)
        now = call.clock.now()
        away = await store.still_away(
            tx, seen.organization_id, seen.user_id, now - (AWAY - WARNED_BEFORE)
        )
        user = await store.user(tx, seen.organization_id, seen.user_id, lock=True)
        if away is None or user is None:
            return
        work = Work(tx, call.viewer, organization, now)
        if not is_due(away.since, now) or away.warned_at is None:
            await _warn(call, work, user, away)
        elif last_client_admin(user, await store.client_admins(tx, organization.id)):
            await _alert_support(call, work, user, away)
        elif now - away.warned_at >= WARNED_BEFORE:
            await end_partners(work, user.id)
            await end_membership(work, user, "INACTIVE")


async def _warn(call: Call, work: Work, user: User, away: Away) -> None:
    if away.warned_at is not None:
        return
    ends = max(away.since + AWAY, work.now + WARNED_BEFORE)
    words = letters.away(work.organization.name, call.peers.post.public_url, ends)
    await write_letter(call, work.tx, LetterKind.NOTICE, user.id, words)
    await store.was_warned(work.tx, user, work.now)


async def _alert_support(call: Call, work: Work, user: User, away: Away) -> None:
    if away.alerted_at is not None:
        return
    subject = f"The last client admin of {work.organization.name} has been away for 90 days"
    words = letters.notice(
        subject,
        f"{subject}.",
        f"The account of {user.name} stays as it is, so that the organization is not locked out. Ask them who is to be client admin.",
    )
    for support in await store.support_accounts(work.tx):
        await write_letter(call, work.tx, LetterKind.NOTICE, support, words)
    await store.was_alerted(work.tx, user, work.now)
