"""Signing in, staying signed in, signing out, and who is behind a token."""

from dataclasses import dataclass, replace
from datetime import datetime

from kit.auth import Stage, Viewer
from kit.db import Connection
from kit.errors import Conflict, Denied, Unauthenticated
from services.identity import store
from services.identity.actions import tokens
from services.identity.actions.auditing import note_failed_sign_in
from services.identity.actions.breaking_glass import inside
from services.identity.actions.means import Call
from services.identity.actions.opening import (
    Opening,
    SignedIn,
    bad_credentials,
    open_session,
    standing,
    with_tokens,
)
from services.identity.actions.throttle import attempt_succeeded, begin_attempt
from services.identity.actions.told import tell_sessions_revoked
from services.identity.domain import (
    Account,
    KnownMembership,
    OrganizationId,
    Refresh,
    RefreshToken,
    Session,
    SessionId,
    judge_refresh,
)
from services.identity.domain.factors import shortest_password
from services.identity.domain.passwords import LONGEST, normalized
from services.identity.domain.texts import LONGEST_EMAIL, email_key

# Signing in -----------------------------------------------------------------------------------------------------------


async def sign_in(
    call: Call, email: str, password: str, organization_id: OrganizationId | None
) -> SignedIn:
    """Open a session. Denied BAD_CREDENTIALS says the same, after the same time, whether the account exists or not; what is
    wrong besides (TEMP_PASSWORD_EXPIRED, ACCOUNT_DEACTIVATED, CHOOSE_ORGANIZATION, SINGLE_SIGN_ON_REQUIRED) is told only to who has
    the password. Nobody is known yet, so it looks at the accounts of all organizations."""
    # whole-suite: nobody is signed in yet
    call = replace(call, db=call.db.everywhere())
    key, password = (
        email_key(email[: 2 * LONGEST_EMAIL].replace("\0", " ")),
        normalized(password[: 2 * LONGEST]),
    )
    attempt = await begin_attempt(call, key)
    async with call.db.reading() as tx:
        account = await store.account_by_email(tx, key)
    known = await _recognize(call, account, password)
    if account is None or known is None:
        await note_failed_sign_in(call, account)
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


@dataclass(frozen=True, slots=True)
class _Recognized:
    """How far a right password reaches; `issued_at` says which temporary one it is, `short` that it does not do by itself."""

    stage: Stage
    issued_at: datetime | None = None
    short: bool = False


async def _recognize(call: Call, account: Account | None, password: str) -> _Recognized | None:
    """How far the password reaches; None when it is wrong. Exactly one hash is computed whatever the case."""
    hasher = call.peers.hasher
    if account is None or account.password_hash is not None:
        known = account.password_hash if account else None
        if not await hasher.right(password, known):
            return None
        if account and known and hasher.outdated(known):
            await _hash_anew(call, account, password)
        return _Recognized(Stage.FULL, short=len(password) < shortest_password(second_factor=False))
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
    async with call.db.transaction() as tx:
        await store.lock_account(tx, account.id)
        if await _void(tx, account, known):
            raise bad_credentials()
        if chosen is not None and known.stage is Stage.FULL:
            await require_password_allowed(tx, chosen.organization_id)
        opening = Opening(
            account,
            chosen.id if chosen else None,
            chosen.organization_id if chosen else None,
            stage=known.stage,
            weak=known.short,
        )
        session, challenge = await open_session(call, tx, opening)
    return await with_tokens(call, session, challenge)


async def _void(tx: Connection, account: Account, recognized: _Recognized) -> bool:
    """Whether the temporary password was reset while it was being looked at (R05)."""
    if recognized.issued_at is None:
        return False
    temporary = await store.temporary_password(tx, account.id)
    return temporary is None or temporary.issued_at != recognized.issued_at


async def require_password_allowed(tx: Connection, organization_id: OrganizationId) -> None:
    """Denied SINGLE_SIGN_ON_REQUIRED where an organization's people sign in at its own sign-in service only."""
    service = await store.sign_in_service(tx, organization_id)
    if service is not None and service.only:
        raise Denied(
            "Your organization signs in at its own sign-in service.",
            code="SINGLE_SIGN_ON_REQUIRED",
            remedy="Call startSingleSignOn.",
        )


# Staying signed in ----------------------------------------------------------------------------------------------------


async def refresh_session(call: Call, text: str) -> SignedIn:
    """The next tokens of a session. Denied SESSION_ENDED when it is over; a refresh token that was used before ends it at once,
    except that the direct predecessor gets the same successor again for ten seconds."""
    token = RefreshToken.read(text, call.peers.vault.refresh_key)
    if token is None:
        raise session_ended()
    # whole-suite: who refreshes shows no access token
    async with call.db.everywhere().transaction() as tx:
        session = await store.session(tx, token.session_id, lock=True)
        if session is None or await standing(call, tx, session) is None:
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
    return await with_tokens(call, session)


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
        viewer = await standing(call, tx, session) if session else None
        access = await inside(call, tx, viewer) if viewer else None
        until = access.ends_at if access else None
    if session is None or viewer is None or not session.live(call.clock.now()):
        raise tokens.bad_token()
    return viewer, replace(claims, expires_at=min(claims.expires_at, until or claims.expires_at))
