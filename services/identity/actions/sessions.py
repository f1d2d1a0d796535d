"""Signing in, staying signed in, signing out, and who is behind a token."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from kit.auth import Kind, Stage, Viewer
from kit.db import Connection
from kit.errors import Conflict, Denied, Unauthenticated
from kit.ids import new_id
from services.identity import store
from services.identity.actions import tokens
from services.identity.actions.means import Call
from services.identity.actions.throttle import attempt_succeeded, begin_attempt
from services.identity.actions.tokens import AccessToken
from services.identity.actions.told import tell_sessions_revoked
from services.identity.actions.within import viewer_of
from services.identity.domain import (
    SESSION_LIFE,
    Account,
    KnownMembership,
    OrganizationId,
    Refresh,
    RefreshToken,
    Session,
    SessionId,
    UserId,
    judge_refresh,
)
from services.identity.domain.passwords import LONGEST, normalized
from services.identity.domain.texts import LONGEST_EMAIL, email_key


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session with its tokens; one that may only set a password has nothing to refresh with."""

    session: Session
    access: AccessToken = field(repr=False)
    refresh_token: str | None = field(repr=False)


# Signing in -----------------------------------------------------------------------------------------------------------


async def sign_in(
    call: Call, email: str, password: str, organization_id: OrganizationId | None
) -> SignedIn:
    """Open a session. Denied BAD_CREDENTIALS says the same, after the same time, whether the account exists or not; what is
    wrong besides (TEMP_PASSWORD_EXPIRED, ACCOUNT_DEACTIVATED, CHOOSE_ORGANIZATION) is told only to who has the password."""
    key, password = (
        email_key(email[: 2 * LONGEST_EMAIL].replace("\0", " ")),
        normalized(password[: 2 * LONGEST]),
    )
    attempt = await begin_attempt(call, key)
    async with call.db.reading() as tx:
        account = await store.account_by_email(tx, key)
    known = await _recognize(call, account, password)
    if account is None or known is None:
        raise bad_credentials()
    async with call.db.transaction() as tx:
        await attempt_succeeded(tx, call, attempt)
        memberships = await store.memberships_of(tx, account.id)
    if not account.support and not memberships:
        raise Denied(
            "This account is not active any more.",
            code="ACCOUNT_DEACTIVATED",
            remedy="Ask a client admin of your organization.",
        )
    chosen = _choose(memberships, organization_id) if known.stage is Stage.FULL else None
    return await _open(call, account, known, chosen)


def bad_credentials() -> Denied:
    """The one answer to a wrong address or password."""
    return Denied(
        "The e-mail address or the password is wrong.",
        code="BAD_CREDENTIALS",
        remedy="Check both; an invitation has your first password.",
    )


@dataclass(frozen=True, slots=True)
class _Recognized:
    """How far a right password reaches; `issued_at` says which temporary one it is."""

    stage: Stage
    issued_at: datetime | None = None


async def _recognize(call: Call, account: Account | None, password: str) -> _Recognized | None:
    """How far the password reaches; None when it is wrong. Exactly one hash is computed whatever the case."""
    hasher = call.peers.hasher
    if account is None or account.password_hash is not None:
        known = account.password_hash if account else None
        if not await hasher.right(password, known):
            return None
        if account and known and hasher.outdated(known):
            await _hash_anew(call, account, password)
        return _Recognized(Stage.FULL)
    async with call.db.reading() as tx:
        temporary = await store.temporary_password(tx, account.id)
    known = temporary.password_hash if temporary else None
    if not await hasher.right(password, known) or temporary is None:
        return None
    if temporary.expired(call.clock.now()):
        raise Denied(
            "Your temporary password has expired.",
            code="TEMP_PASSWORD_EXPIRED",
            remedy="Ask support for a new one.",
        )
    return _Recognized(Stage.SET_PASSWORD, temporary.issued_at)


async def _hash_anew(call: Call, account: Account, password: str) -> None:
    """The parameters have changed since: keep the password by today's."""
    hashed = await call.peers.hasher.hash(password)
    async with call.db.transaction() as tx:
        await store.set_password(tx, account.id, hashed, call.clock.now())


def _choose(
    memberships: list[KnownMembership], wanted: OrganizationId | None
) -> KnownMembership | None:
    """The membership to act in; support staff have none. Conflict CHOOSE_ORGANIZATION lists them when it is not clear."""
    if wanted is not None:
        chosen = [one for one in memberships if one.organization_id == wanted]
    else:
        chosen = memberships
    if len(chosen) > 1 or (memberships and not chosen):
        raise Conflict(
            "You work for more than one organization."
            if chosen
            else "You do not work for this organization.",
            code="CHOOSE_ORGANIZATION",
            field="organizationId",
            remedy="Sign in again with one of these organizations.",
            memberships=tuple(memberships),
        )
    return chosen[0] if chosen else None


async def _open(
    call: Call, account: Account, known: _Recognized, chosen: KnownMembership | None
) -> SignedIn:
    now = call.clock.now()
    session = Session(
        id=SessionId(new_id()),
        user_id=account.id,
        membership_id=chosen.id if chosen else None,
        organization_id=chosen.organization_id if chosen else None,
        stage=known.stage,
        began_at=now,
        ends_at=now + SESSION_LIFE,
        refresh_number=1,
        rotated_at=now,
    )
    async with call.db.transaction() as tx:
        await store.lock_account(tx, account.id)
        if await _void(tx, account, known) or await standing(tx, session) is None:
            raise bad_credentials()
        await store.add_session(tx, session)
    return await _with_tokens(call, session)


async def _void(tx: Connection, account: Account, recognized: _Recognized) -> bool:
    """Whether the temporary password was reset while it was being looked at (R05)."""
    if recognized.issued_at is None:
        return False
    temporary = await store.temporary_password(tx, account.id)
    return temporary is None or temporary.issued_at != recognized.issued_at


async def _with_tokens(call: Call, session: Session) -> SignedIn:
    refresh = RefreshToken(session.id, session.refresh_number).text(call.peers.vault.refresh_key)
    access = await tokens.issue(call, session)
    return SignedIn(session, access, refresh if session.stage is Stage.FULL else None)


# Staying signed in ----------------------------------------------------------------------------------------------------


async def refresh_session(call: Call, text: str) -> SignedIn:
    """The next tokens of a session. Denied SESSION_ENDED when it is over; a refresh token that was used before ends it at once,
    except that the direct predecessor gets the same successor again for ten seconds."""
    token = RefreshToken.read(text, call.peers.vault.refresh_key)
    if token is None:
        raise session_ended()
    async with call.db.transaction() as tx:
        session = await store.session(tx, token.session_id, lock=True)
        if session is None or await standing(tx, session) is None:
            raise session_ended()
        now = call.clock.now()
        verdict = judge_refresh(session, token.number, now)
        if verdict is Refresh.ROTATE:
            await store.rotate(tx, session.id, now)
            session = replace(session, refresh_number=session.refresh_number + 1, rotated_at=now)
        elif verdict is Refresh.REVOKE:
            await _end(tx, call, session, "REUSED")
    if verdict not in {Refresh.ROTATE, Refresh.REPEAT}:
        raise session_ended()
    return await _with_tokens(call, session)


def session_ended() -> Denied:
    """The one answer to every refresh token that is not good."""
    return Denied("The session has ended.", code="SESSION_ENDED", remedy="Sign in again.")


async def _end(tx: Connection, call: Call, session: Session, because: str) -> None:
    now = call.clock.now()
    if await store.revoke_session(tx, session.id, because, now):
        await tell_sessions_revoked(
            tx,
            session.user_id,
            now,
            by=call.viewer,
            organization_id=session.organization_id,
            session_id=session.id,
        )


async def sign_out(call: Call) -> None:
    """End the viewer's session; nothing happens when it is over already."""
    call.viewer.require_user()
    if call.viewer.session_id is None:
        raise Unauthenticated("Nobody is signed in.")
    async with call.db.transaction() as tx:
        session = await store.session(tx, SessionId(call.viewer.session_id), lock=True)
        if session is not None:
            await _end(tx, call, session, "SIGNED_OUT")


# Who it is ------------------------------------------------------------------------------------------------------------


async def introspect(call: Call, token: str) -> tuple[Viewer, tokens.Claims]:
    """Whoever is behind an access token, with the powers the rows give now; Unauthenticated when the token is bad, or the
    session, the membership or the account is over."""
    claims = await tokens.read(call, token)
    async with call.db.reading() as tx:
        session = await store.session(tx, claims.session_id)
        viewer = await standing(tx, session) if session else None
    if session is None or viewer is None or not session.live(call.clock.now()):
        raise tokens.bad_token()
    return viewer, claims


async def standing(tx: Connection, session: Session) -> Viewer | None:
    """The viewer of a session by today's rows; None when the account or membership it stands on is over."""
    account = await store.account(tx, session.user_id)
    if account is None:
        return None
    bare = Viewer(
        kind=Kind.USER,
        user_id=session.user_id,
        session_id=session.id,
        stage=session.stage,
    )
    if account.support:
        return replace(bare, support=True)
    if session.stage is Stage.SET_PASSWORD:
        waiting = account.confirmed_at is None and await store.memberships_of(tx, account.id)
        return bare if waiting else None
    if session.organization_id is None:
        return None
    user = await store.user(tx, session.organization_id, UserId(session.user_id))
    return viewer_of(bare, user) if user is not None and user.active else None
