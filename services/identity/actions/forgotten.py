"""A forgotten password: self-service by mail for whoever has set one of their own. First passwords are another matter (R05)."""

from dataclasses import replace
from datetime import datetime, timedelta

from kit import audit
from kit.db import Connection
from kit.errors import Conflict, NotFound
from kit.ids import new_id
from services.identity import store
from services.identity.actions.auditing import note_password_link
from services.identity.actions.means import Call, link_hash, link_token
from services.identity.actions.throttle import begin_attempt
from services.identity.actions.told import tell_sessions_revoked, write_letter
from services.identity.domain import SUITE, Account, LetterKind, UserId, letters
from services.identity.domain.factors import shortest_password
from services.identity.domain.passwords import accept
from services.identity.domain.texts import LONGEST_EMAIL, email_key
from services.identity.store import Asked, PasswordLink

LINK_LIFE = timedelta(hours=1)
LINK_MINUTES = LINK_LIFE // timedelta(minutes=1)


async def forget_password(call: Call, address: str) -> None:
    """Somebody says that the password of an address is forgotten. The answer, its time and its throttle are the same whoever's address
    it is: what there is to be done is done by a job. RateLimited when it was asked too often."""
    # whole-suite: nobody is signed in
    call = replace(call, db=call.db.everywhere())
    key = email_key(address[: 2 * LONGEST_EMAIL].replace("\0", " "))
    await begin_attempt(call, f"forgotten password\0{key}")
    async with call.db.transaction() as tx:
        await store.ask_for_password(tx, new_id(), key, call.clock.now())


async def answer_forgotten(call: Call) -> None:
    """The job: write to those who have a password to forget, and to nobody else."""
    while True:
        token = link_token()
        async with call.db.transaction() as tx:
            asked = await store.take_asked(tx)
            if asked is None:
                return
            await _answer(call, tx, asked, token)


async def _answer(call: Call, tx: Connection, asked: Asked, token: str) -> None:
    found = await store.account_by_email(tx, asked.email_key)
    account = await store.lock_account(tx, found.id) if found else None
    if account is None or not await _may_have_password(tx, account):
        return
    now = call.clock.now()
    link = PasswordLink(account.id, now, now + LINK_LIFE)
    await store.put_password_link(tx, link, link_hash(token))
    words = letters.forgotten(call.peers.post.new_password(token), link.expires_at)
    await write_letter(call, tx, LetterKind.NOTICE, account.id, words)
    await note_password_link(call, tx, account.id)


async def _may_have_password(tx: Connection, account: Account) -> bool:
    """Confirmed users who work somewhere. Who has none, for a sign-in service has vouched for them, may set one where there is no such
    service any more."""
    if account.support or account.confirmed_at is None:
        return False
    memberships = await store.memberships_of(tx, account.id)
    if account.password_hash is not None:
        return bool(memberships)
    return any(
        [await store.sign_in_service(tx, one.organization_id) is None for one in memberships]
    )


async def set_new_password(call: Call, token: str, new_password: str) -> UserId:
    """Set another password with the link of a mail: once, within an hour. Every session of the user is over, and a mail says so.
    TOKEN_UNKNOWN, TOKEN_CONSUMED, TOKEN_EXPIRED, or what is wrong with the password."""
    # whole-suite: nobody is signed in, and every organization that the account works for hears of it
    call = replace(call, db=call.db.everywhere())
    hashed_token = link_hash(token)
    async with call.db.reading() as tx:
        link = _good(await store.password_link(tx, hashed_token), call.clock.now())
        context = await _known_about(tx, link.user_id)
        second = await store.has_factor(tx, link.user_id)
    password = accept(
        new_password, context=context, shortest=shortest_password(second_factor=second)
    )
    hashed = await call.peers.hasher.hash(password)
    async with call.db.transaction() as tx:
        await store.lock_account(tx, link.user_id)
        now = call.clock.now()
        _good(await store.password_link(tx, hashed_token, lock=True), now)
        await _replace(call, tx, link.user_id, hashed)
    return link.user_id


def _good(link: PasswordLink | None, now: datetime) -> PasswordLink:
    if link is None:
        raise NotFound(
            "This link is not known.",
            code="TOKEN_UNKNOWN",
            field="token",
            remedy="Use the newest mail you have.",
        )
    if link.consumed_at is not None:
        raise Conflict(
            "This link does not work any more.",
            code="TOKEN_CONSUMED",
            field="token",
            remedy="Sign in with your password, or ask for another link.",
        )
    if now >= link.expires_at:
        raise Conflict(
            "This link has expired.",
            code="TOKEN_EXPIRED",
            field="token",
            remedy="Ask for another one.",
        )
    return link


async def _known_about(tx: Connection, user_id: UserId) -> list[str]:
    account = await store.account(tx, user_id)
    if account is None:
        raise LookupError("a link of nobody")
    organizations = [one.organization_name for one in await store.memberships_of(tx, user_id)]
    return [account.name, account.email, *organizations]


async def _replace(call: Call, tx: Connection, user_id: UserId, hashed: str) -> None:
    now = call.clock.now()
    if not await store.memberships_of(tx, user_id):
        raise Conflict(
            "This account is not active any more.",
            code="ACCOUNT_DEACTIVATED",
            remedy="Ask a client admin of your organization.",
        )
    await store.set_password(tx, user_id, hashed, now)
    await store.consume_password_link(tx, user_id, now)
    by = replace(call.viewer, user_id=user_id)
    await audit.record(
        tx,
        by,
        act="user.password_set",
        about=user_id,
        kind="user",
        organization_id=SUITE,
        at=now,
    )
    if await store.revoke_sessions_of(tx, user_id, "PASSWORD_RESET", now):
        await tell_sessions_revoked(tx, user_id, now, by=by)
    await write_letter(call, tx, LetterKind.NOTICE, user_id, letters.password_changed(now))
