"""The first password: confirming an account, setting a password, and support's reset."""

from dataclasses import replace
from datetime import datetime

from kit.auth import Kind, Viewer
from kit.db import Connection
from kit.errors import Conflict, Denied, Invalid, NotFound
from kit.ids import new_id
from proto.identity.v1.events_pb2 import UserConfirmed
from services.identity import policy, store
from services.identity.actions.auditing import note_for_organizations
from services.identity.actions.enrolment import FirstSecrets, first_secrets
from services.identity.actions.means import Call, link_hash
from services.identity.actions.told import tell_sessions_revoked, tell_user, write_letter
from services.identity.domain import (
    Account,
    KnownMembership,
    LetterKind,
    SessionId,
    SupportAct,
    TemporaryPassword,
    UserId,
    email,
    letters,
    reason,
)
from services.identity.domain.nouns import TEMPORARY_LIFE
from services.identity.domain.passwords import accept, normalized
from services.identity.store.support_staff import add_to_support


async def confirm_account(call: Call, token: str, new_password: str) -> UserId:
    """Confirm the account a mail's link belongs to, by setting its password (R04). The link works once, within 48 hours of issue,
    and only this verb consumes it. TOKEN_UNKNOWN, TOKEN_CONSUMED, TOKEN_EXPIRED, or what is wrong with the password."""
    call = _for_the_account(call)
    async with call.db.reading() as tx:
        temporary = await _by_link(tx, token, call.clock.now())
    await _adopt(call, temporary, new_password)
    return temporary.user_id


def _for_the_account(call: Call) -> Call:
    """The same call with every organization's rows."""
    # whole-suite: nobody is signed in yet, and every organization that the account works for hears of it
    return replace(call, db=call.db.everywhere())


async def _by_link(tx: Connection, token: str, now: datetime) -> TemporaryPassword:
    found = await store.temporary_password_by_link(tx, link_hash(token))
    if found is None:
        raise NotFound(
            "This link is not known.",
            code="TOKEN_UNKNOWN",
            field="token",
            remedy="Use the newest mail you have.",
        )
    _require_good(found, now)
    return found


def _require_good(temporary: TemporaryPassword, now: datetime) -> None:
    if temporary.consumed_at is not None:
        raise Conflict(
            "This link was used already.",
            code="TOKEN_CONSUMED",
            field="token",
            remedy="Sign in with your password.",
        )
    if temporary.expired(now):
        raise Conflict(
            "This link has expired.",
            code="TOKEN_EXPIRED",
            field="token",
            remedy="Ask support for a new one.",
        )


async def set_password(call: Call, new_password: str) -> UserId:
    """Set the first password of one's own, in a session that began with the temporary one (R05). It ends that session."""
    user_id = policy.permit_new_password(call.viewer)
    call = _for_the_account(call)
    async with call.db.reading() as tx:
        session = await store.session(tx, SessionId(call.viewer.session_id or user_id))
        temporary = await store.temporary_password(tx, user_id)
    if session is None or temporary is None or not session.live(call.clock.now()):
        raise Denied("The session has ended.", code="SESSION_ENDED", remedy="Sign in again.")
    temporary.require_unexpired(call.clock.now())
    await _adopt(call, temporary, new_password)
    return user_id


async def _adopt(call: Call, seen: TemporaryPassword, new_password: str) -> None:
    """Let the password take the temporary one's place, unless that was used, or made anew, in the meantime."""
    async with call.db.reading() as tx:
        context = await _known_about(tx, seen.user_id)
    password = accept(new_password, context=context)
    if await call.peers.hasher.right(normalized(new_password), seen.password_hash):
        raise Invalid(
            "This is the temporary password.",
            code="PASSWORD_TEMPORARY",
            field="newPassword",
            remedy="Choose a password of your own.",
        )
    hashed = await call.peers.hasher.hash(password)
    async with call.db.transaction() as tx:
        await _require_waiting(tx, seen, call.clock.now())
        await _confirm(call, tx, seen.user_id, hashed)


async def _known_about(tx: Connection, user_id: UserId) -> list[str]:
    account = await store.account(tx, user_id)
    if account is None:
        raise LookupError("a temporary password of nobody")
    organizations = [one.organization_name for one in await store.memberships_of(tx, user_id)]
    return [account.name, account.email, *organizations]


async def _require_waiting(tx: Connection, seen: TemporaryPassword, now: datetime) -> None:
    await store.lock_account(tx, seen.user_id)
    current = await store.temporary_password(tx, seen.user_id)
    if current is None or current.issued_at != seen.issued_at:
        raise Conflict(
            "A newer mail was sent.",
            code="TOKEN_UNKNOWN",
            field="token",
            remedy="Use the newest mail you have.",
        )
    _require_good(current, now)
    if not await store.memberships_of(tx, seen.user_id):
        raise Conflict(
            "This account is not active any more.",
            code="ACCOUNT_DEACTIVATED",
            remedy="Ask a client admin of your organization.",
        )


def _themselves(call: Call, user_id: UserId) -> Viewer:
    """Who holds a link or a session of the account is its user, for the audit trail."""
    return replace(call.viewer, kind=Kind.USER, user_id=user_id)


async def _confirm(call: Call, tx: Connection, user_id: UserId, hashed: str) -> None:
    now = call.clock.now()
    by = _themselves(call, user_id)
    await store.set_password(tx, user_id, hashed, now)
    await store.consume_temporary_password(tx, user_id, now)
    await store.withdraw_invitations(tx, user_id)
    if await store.revoke_sessions_of(tx, user_id, "PASSWORD_SET", now):
        await tell_sessions_revoked(tx, user_id, now, by=by)
    for membership in await store.memberships_of(tx, user_id):
        fact = UserConfirmed(user_id=str(user_id))
        await tell_user(tx, fact, membership.organization_id, user_id, now, by=by)


# Support's reset ------------------------------------------------------------------------------------------------------


async def reset_temporary_password(call: Call, user_id: UserId, why: str) -> UserId:
    """Support only (R05): a new temporary password and link, good for 48 hours; the ones before and every session from them are
    void at once. The user and the client admins are told, and the reason is kept."""
    by = policy.permit_reset(call.viewer)
    # whole-suite: support belongs to none of the organizations whose client admins are told
    call = replace(call, db=call.db.for_support(call.viewer))
    why = reason(why)
    secrets = await first_secrets(call)
    async with call.db.transaction() as tx:
        account = await store.lock_account(tx, user_id)
        memberships = await store.memberships_of(tx, user_id)
        account = _require_resettable(account, memberships)
        now = call.clock.now()
        await _issue_anew(call, tx, account, secrets, now)
        await store.note_support_act(
            tx, new_id(), by, user_id, (SupportAct.RESET_TEMPORARY_PASSWORD, why), now
        )
        await note_for_organizations(
            tx, call, "user.temporary_password_reset", user_id, memberships, why
        )
        await _tell_client_admins(call, tx, account, memberships)
    return user_id


def _require_resettable(account: Account | None, memberships: list[KnownMembership]) -> Account:
    if account is None or account.support:
        raise NotFound("There is no such user.", field="userId")
    if account.confirmed_at is not None:
        raise Conflict(
            "This user has a password of their own.", code="ALREADY_CONFIRMED", field="userId"
        )
    if not memberships:
        raise Conflict("This user has been deactivated.", code="USER_DEACTIVATED", field="userId")
    return account


async def _issue_anew(
    call: Call, tx: Connection, account: Account, secrets: FirstSecrets, now: datetime
) -> None:
    until = now + TEMPORARY_LIFE
    password = TemporaryPassword(account.id, secrets.password_hash, now, until)
    await store.put_temporary_password(tx, password, link_hash(secrets.link))
    await store.withdraw_invitations(tx, account.id)
    if await store.revoke_sessions_of(tx, account.id, "PASSWORD_RESET", now):
        await tell_sessions_revoked(tx, account.id, now, by=call.viewer)
    link = call.peers.post.confirmation(secrets.link)
    words = letters.reset(link, secrets.password, until)
    await write_letter(call, tx, LetterKind.PASSWORD_RESET, account.id, words)


async def _tell_client_admins(
    call: Call, tx: Connection, account: Account, memberships: list[KnownMembership]
) -> None:
    subject = f"Support has reset the temporary password of {account.name}"
    words = letters.notice(subject, f"{subject}.", "It was asked for; you need not do anything.")
    for membership in memberships:
        for admin in await store.client_admins(tx, membership.organization_id):
            if admin.confirmed and admin.id != account.id:
                await write_letter(call, tx, LetterKind.NOTICE, admin.id, words)


# The first support account --------------------------------------------------------------------------------------------


async def ensure_support(call: Call) -> bool:
    """Make the support account the settings name, unless there is an account with that address, if only one that has ended. True when
    it was made."""
    wanted = call.peers.support
    if not wanted.email:
        return False
    address = email(wanted.email, "SUPPORT_EMAIL")
    async with call.db.reading() as tx:
        if await store.account_by_email(tx, address.key) is not None:
            return False
    hashed = await call.peers.hasher.hash(normalized(wanted.password))
    async with call.db.transaction() as tx:
        new, now = UserId(new_id()), call.clock.now()
        made = await store.add_support_account(tx, new, address, hashed, now)
        if made:
            await add_to_support(tx, new, now)
        return made
