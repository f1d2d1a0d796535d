"""The end of support accounts: by a colleague, or by ninety days without sign-in. The last one stays."""

import logging
from datetime import datetime

from kit.db import Connection
from kit.each import each
from kit.errors import Denied, NotFound
from kit.ids import new_id
from proto.identity.v1.events_pb2 import SupportAccountEnded
from services.identity import policy, store
from services.identity.actions.auditing import Concerned, note_support
from services.identity.actions.breaking_glass import leave_everywhere
from services.identity.actions.means import Call
from services.identity.actions.partners import end_partners
from services.identity.actions.told import tell_sessions_revoked, tell_user, write_letter
from services.identity.actions.within import Work
from services.identity.domain import SUITE, LetterKind, SupportAct, UserId, letters, reason
from services.identity.domain.provisioning import AWAY, WARNED_BEFORE, is_due
from services.identity.domain.support import AccountEnd, SupportAccount, keep_support
from services.identity.store import support_staff as rows

log = logging.getLogger(__name__)


async def support_accounts(call: Call) -> list[SupportAccount]:
    """Everybody who is or was support, for support."""
    policy.permit_support(call.viewer)
    # whole-suite: support belongs to none of the organizations
    async with call.db.for_support(call.viewer).reading() as tx:
        return await rows.support_staff(tx)


async def end_support_account(call: Call, user_id: UserId, why: str) -> SupportAccount:
    """Support only: a colleague, or the viewer, is support no more. Every session of theirs is over at once, wherever it is inside.
    Doing it twice changes nothing. Conflict LAST_SUPPORT_ACCOUNT when nobody would be left."""
    by = policy.permit_support(call.viewer)
    why = reason(why)
    # whole-suite: support belongs to none of the organizations
    async with call.db.for_support(call.viewer).transaction() as tx:
        accounts = {one.id: one for one in await rows.hold_support(tx)}
        if by not in accounts:
            raise Denied("Your account is not active any more.", code="ACCOUNT_DEACTIVATED")
        if user_id in accounts:
            keep_support(len(accounts))
            act = (SupportAct.END_SUPPORT_ACCOUNT, why)
            await store.note_support_act(tx, new_id(), by, user_id, act, call.clock.now())
            await note_support(call, tx, *act, Concerned("user", user_id, None))
            await _end(call, tx, accounts[user_id], AccountEnd.ENDED)
        return _found(await rows.support_staff(tx), user_id)


def _found(accounts: list[SupportAccount], user_id: UserId) -> SupportAccount:
    for one in accounts:
        if one.id == user_id:
            return one
    raise NotFound("There is no such support account.", field="userId")


async def _end(call: Call, tx: Connection, account: SupportAccount, because: AccountEnd) -> None:
    now, by = call.clock.now(), call.viewer
    await rows.end_support(tx, account.id, UserId(by.user_id) if by.user_id else None, because, now)
    await store.revoke_sessions_of(tx, account.id, "SUPPORT_ENDED", now)
    await store.consume_password_link(tx, account.id, now)
    places = await rows.with_keys_of(tx, account.id)
    await leave_everywhere(call, tx, account.id)
    for organization_id in places:
        organization = await store.lock_organization(tx, organization_id)
        await _end_partners(call, Work(tx, by, organization, now), account)
    fact = SupportAccountEnded(user_id=str(account.id), because=because)
    await tell_user(tx, fact, SUITE, account.id, now, by=by)
    await tell_sessions_revoked(tx, account.id, now, by=by)
    await _write_of_end(call, tx, account, because)


async def _end_partners(call: Call, work: Work, account: SupportAccount) -> None:
    """The keys of partners that they made inside an organization, and have seen, work no more; its client admins are told (R07). The
    organization is held, so none is made behind this."""
    ended = await end_partners(work, account.id)
    if not ended:
        return
    subject = f"Keys of partners of {work.organization.name} have ended"
    names = ", ".join(one.name for one in ended)
    words = letters.notice(
        subject,
        f"{subject}: {names}.",
        "Somebody had made them for you who is not with support any more. Add the partners anew, and give them their new keys.",
    )
    for admin in await store.client_admins(work.tx, work.organization.id):
        if admin.confirmed:
            await write_letter(call, work.tx, LetterKind.NOTICE, admin.id, words)


async def _write_of_end(
    call: Call, tx: Connection, account: SupportAccount, because: AccountEnd
) -> None:
    whose = f"The support account {account.email}"
    why = (
        "Nobody had signed in to it for 90 days."
        if because is AccountEnd.INACTIVE
        else "Somebody of support has ended it, and gave a reason, which is in the audit trail."
    )
    for user_id in [account.id, *await store.support_accounts(tx)]:
        words = letters.notice(f"{whose} has ended", f"{whose} has ended. {why}")
        await write_letter(call, tx, LetterKind.NOTICE, user_id, words)


# Ninety days ----------------------------------------------------------------------------------------------------------


async def end_away_support(call: Call) -> None:
    """The job: support that has not signed in for 76 days is warned by mail, and after 90 days its account ends, as everybody's does
    (R07). The last one stays, so that somebody can help."""
    before = call.clock.now() - (AWAY - WARNED_BEFORE)
    async with call.db.reading() as tx:
        away = [one for one in await rows.support_staff(tx) if _away(one, before)]

    async def one_away(account: SupportAccount) -> None:
        async with call.db.transaction() as tx:
            await _one_away(call, tx, account.id)

    await each(away, one_away)


def _away(account: SupportAccount, before: datetime) -> bool:
    return account.ended_at is None and account.seen_at <= before


async def _one_away(call: Call, tx: Connection, user_id: UserId) -> None:
    now = call.clock.now()
    accounts = await rows.hold_support(tx)
    account = next((one for one in accounts if one.id == user_id), None)
    if account is None or not _away(account, now - (AWAY - WARNED_BEFORE)):
        return
    if account.warned_at is None:
        ends = max(account.seen_at + AWAY, now + WARNED_BEFORE)
        words = letters.away("the support team", call.peers.post.public_url, ends)
        await write_letter(call, tx, LetterKind.NOTICE, account.id, words)
        await rows.support_warned(tx, account.id, now)
    elif is_due(account.seen_at, now) and now - account.warned_at >= WARNED_BEFORE:
        if len(accounts) > 1:
            await _end(call, tx, account, AccountEnd.INACTIVE)
        else:
            log.warning("the last support account has been away for 90 days, and stays")
