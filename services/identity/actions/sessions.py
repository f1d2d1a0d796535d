"""Signing in, staying signed in, signing out, and who is behind a token."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from kit.auth import Stage, Viewer
from kit.db import Connection
from kit.errors import Conflict, Denied, Unauthenticated
from services.identity import store
from services.identity.actions import tokens
from services.identity.actions.auditing import note_failed_sign_in, note_reuse
from services.identity.actions.breaking_glass import inside, leave_with_session
from services.identity.actions.means import Call
from services.identity.actions.opening import (
    Opening,
    SignedIn,
    bad_credentials,
    open_session,
    standing,
    with_tokens,
)
from services.identity.actions.throttle import attempt_succeeded, attempted
from services.identity.actions.told import tell_sessions_revoked
from services.identity.domain import (
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
    given = _Given(
        email_key(email[: 2 * LONGEST_EMAIL].replace("\0", " ")),
        normalized(password[: 2 * LONGEST]),
    )
    async with attempted(call, given.key) as attempt:
        known = await _recognize(call, given)
        async with call.db.transaction() as tx:
            await attempt_succeeded(tx, call, attempt)
            memberships = await store.memberships_of(tx, known.account.id)
    chosen = _choose(known, memberships, organization_id)
    opened = await _open(call, known, chosen)
    if opened is None:
        opened = await _open(call, await _recognize(call, given), chosen)
    if opened is None:
        raise bad_credentials()
    return opened


@dataclass(frozen=True, slots=True)
class _Given:
    """What somebody signs in with."""

    key: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Recognized:
    """Whose a right password is, and how far it reaches. `seen` is the hash it was compared with, `fresh` its hash by today's
    parameters where those have changed, `short` that it does not do by itself."""

    account: Account
    stage: Stage
    seen: str = field(repr=False)
    fresh: str | None = field(default=None, repr=False)
    short: bool = False


async def _recognize(call: Call, given: _Given) -> _Recognized:
    """How far the password reaches; Denied when it is wrong. Whatever the case, exactly as much is read, and one hash computed."""
    async with call.db.reading() as tx:
        account = await store.account_by_email(tx, given.key)
        temporary = await store.temporary_password(tx, account.id if account else _NOBODY)
    own = account.password_hash if account else None
    unused = temporary if temporary and temporary.consumed_at is None else None
    seen = own or (unused.password_hash if unused else None)
    right = await call.peers.hasher.right(given.password, seen)
    if account is None or seen is None or not right:
        await note_failed_sign_in(call, account)
        raise bad_credentials()
    if own is None and unused is not None:
        unused.require_unexpired(call.clock.now())
        return _Recognized(account, Stage.SET_PASSWORD, seen)
    hasher = call.peers.hasher
    fresh = await hasher.hash(given.password) if hasher.outdated(seen) else None
    short = len(given.password) < shortest_password(second_factor=False)
    return _Recognized(account, Stage.FULL, seen, fresh, short=short)


_NOBODY = UserId(UUID(int=0))


def _choose(
    known: _Recognized, memberships: list[KnownMembership], wanted: OrganizationId | None
) -> KnownMembership | None:
    """The membership to act in; none for support staff, and who has only a first password. Conflict CHOOSE_ORGANIZATION lists them
    when it is not clear."""
    if not known.account.support and not memberships:
        raise Denied(
            "This account is not active any more.",
            code="ACCOUNT_DEACTIVATED",
            remedy="Ask a client admin of your organization.",
        )
    if known.stage is not Stage.FULL:
        return None
    chosen = [one for one in memberships if wanted in {None, one.organization_id}]
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


async def _open(call: Call, known: _Recognized, chosen: KnownMembership | None) -> SignedIn | None:
    """A session, unless the password is another by now: who set it was told that whoever knew the one before is out."""
    account = known.account
    async with call.db.transaction() as tx:
        if not await _still_right(tx, known):
            return None
        if known.fresh is not None:
            await store.set_password(tx, account.id, known.fresh, call.clock.now())
        if chosen is not None:
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


async def _still_right(tx: Connection, known: _Recognized) -> bool:
    """Whether the account, which is held from here on, has the password that was compared (R05). A salt makes every hash another."""
    account = await store.lock_account(tx, known.account.id)
    if known.stage is Stage.FULL:
        return account is not None and account.password_hash == known.seen
    temporary = await store.temporary_password(tx, known.account.id)
    return temporary is not None and temporary.password_hash == known.seen


async def require_password_allowed(tx: Connection, organization_id: OrganizationId) -> None:
    """Denied SINGLE_SIGN_ON_REQUIRED where an organization's people sign in at its own sign-in service only."""
    service = await store.sign_in_service(tx, organization_id, share=True)
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
            await note_reuse(call, tx, session)
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
            await leave_with_session(call, tx, session.id)


# Who it is ------------------------------------------------------------------------------------------------------------


async def introspect(call: Call, token: str) -> tuple[Viewer, tokens.Claims]:
    """Whoever is behind an access token, with the powers the rows give now; Unauthenticated when the token is bad, or the
    session, the membership or the account is over."""
    claims = await tokens.read(call, token)
    async with call.db.reading() as tx:
        session = await store.session(tx, claims.session_id)
        viewer = await standing(call, tx, session) if session else None
        ends = await _ends(call, tx, session, viewer) if session and viewer else []
    if session is None or viewer is None or not session.live(call.clock.now()):
        raise tokens.bad_token()
    return viewer, replace(claims, expires_at=min([claims.expires_at, *ends]))


async def _ends(call: Call, tx: Connection, session: Session, viewer: Viewer) -> list[datetime]:
    """When powers of the viewer end by themselves: nobody is to remember them for longer."""
    access = await inside(call, tx, viewer)
    if access is not None:
        return [access.ends_at]
    lasting = not (viewer.office_admin_of or viewer.insurance_manager_of)
    if lasting or session.membership_id is None:
        return []
    first = await store.first_expiry(tx, session.membership_id)
    return [first] if first else []
