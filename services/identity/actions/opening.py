"""Opening a session: how far it reaches, what it is worth, and who stands behind it."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from kit.auth import Kind, Stage, Viewer
from kit.db import Connection
from kit.errors import Denied
from kit.ids import new_id
from services.identity import store
from services.identity.actions import tokens
from services.identity.actions.auditing import note_session
from services.identity.actions.breaking_glass import inside
from services.identity.actions.means import Call
from services.identity.actions.tokens import AccessToken
from services.identity.actions.within import viewer_of
from services.identity.domain import (
    SESSION_LIFE,
    Account,
    Factor,
    FactorKind,
    MembershipId,
    OrganizationId,
    Purpose,
    RefreshToken,
    Session,
    SessionId,
    UserId,
)
from services.identity.domain.factors import CHALLENGE_LIFE, ENROLMENT_LIFE
from services.identity.store import Ceremony
from services.identity.store.support_staff import support_signed_in

_ADMINS = {"CLIENT_ADMIN", "REPORTING_ONLY"}
_LIVES = {Stage.SECOND_FACTOR: CHALLENGE_LIFE, Stage.ENROL_FACTOR: ENROLMENT_LIFE}


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is still asked for. `passkey_options` is what the browser is to be given, as JSON; None without a passkey."""

    kinds: tuple[FactorKind, ...]
    passkey_options: str | None
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session with its tokens; one that cannot do everything has nothing to refresh with."""

    session: Session
    access: AccessToken = field(repr=False)
    refresh_token: str | None = field(repr=False)
    challenge: Challenge | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """What is known of a sign-in. `second_factor`: a second one was given. `proved`: to us, and not only to the organization's
    sign-in service. `weak`: what was given is not enough by itself."""

    account: Account
    membership_id: MembershipId | None = None
    organization_id: OrganizationId | None = None
    stage: Stage = Stage.FULL
    second_factor: bool = False
    proved: bool = True
    single_sign_on: bool = False
    weak: bool = False


def bad_credentials() -> Denied:
    """The one answer to a wrong address or password."""
    return Denied(
        "The e-mail address or the password is wrong.",
        code="BAD_CREDENTIALS",
        remedy="Check both; an invitation has your first password.",
    )


async def open_session(
    call: Call, tx: Connection, opening: Opening
) -> tuple[Session, Challenge | None]:
    """Keep a session that reaches as far as what was given: whoever has a second factor is asked for it, and whoever must have one
    and has none can only add one."""
    factors = await _asked_for(tx, opening)
    wanted = _session(call, opening, Stage.SECOND_FACTOR if factors else opening.stage)
    viewer = await standing(call, tx, wanted)
    if viewer is None:
        raise bad_credentials()
    stage = Stage.ENROL_FACTOR if opening.weak and viewer.stage is Stage.FULL else viewer.stage
    life = _LIVES.get(stage, SESSION_LIFE)
    session = replace(wanted, stage=stage, ends_at=wanted.began_at + life)
    await store.add_session(tx, session)
    if stage is Stage.FULL and session.membership_id is not None:
        await store.signed_in(tx, session.membership_id, session.began_at)
    if stage is Stage.FULL and viewer.support:
        await support_signed_in(tx, session.user_id, session.began_at)
    await note_session(tx, viewer, session)
    challenge = await ask(call, tx, session, factors) if factors else None
    return session, challenge


async def _asked_for(tx: Connection, opening: Opening) -> list[Factor]:
    if opening.stage is not Stage.FULL or opening.second_factor:
        return []
    return await store.factors_of(tx, opening.account.id)


def _session(call: Call, opening: Opening, stage: Stage) -> Session:
    now = call.clock.now()
    return Session(
        id=SessionId(new_id()),
        user_id=opening.account.id,
        membership_id=opening.membership_id,
        organization_id=opening.organization_id,
        stage=stage,
        began_at=now,
        ends_at=now + timedelta(hours=1),
        refresh_number=1,
        rotated_at=now,
        second_factor=opening.second_factor,
        proved_at=now if opening.proved else None,
        single_sign_on=opening.single_sign_on,
    )


async def ask(call: Call, tx: Connection, session: Session, factors: list[Factor]) -> Challenge:
    """Ask for one of these factors; a challenge to passkeys waits for its answer."""
    kinds = tuple(kind for kind in FactorKind if any(one.kind is kind for one in factors))
    ends_at = min(call.clock.now() + CHALLENGE_LIFE, session.ends_at)
    if FactorKind.PASSKEY not in kinds:
        return Challenge(kinds, None, ends_at)
    options, challenge = call.peers.passkeys.to_answer(factors)
    sealed = call.peers.vault.seal(challenge)
    await store.put_ceremony(tx, session.id, Purpose.ANSWER, Ceremony(sealed, ends_at))
    return Challenge(kinds, options, ends_at)


async def with_tokens(call: Call, session: Session, challenge: Challenge | None = None) -> SignedIn:
    """The session with its newest tokens."""
    refresh = RefreshToken(session.id, session.refresh_number).text(call.peers.vault.refresh_key)
    access = await tokens.issue(call, session)
    return SignedIn(session, access, refresh if session.stage is Stage.FULL else None, challenge)


async def continue_session(
    call: Call, tx: Connection, before: Session, account: Account
) -> SignedIn:
    """The session that follows one in which signing in was finished with a second factor."""
    opening = Opening(
        account,
        before.membership_id,
        before.organization_id,
        second_factor=True,
        single_sign_on=before.single_sign_on,
    )
    session, _ = await open_session(call, tx, opening)
    return await with_tokens(call, session)


# Who it is ------------------------------------------------------------------------------------------------------------


async def standing(call: Call, tx: Connection, session: Session) -> Viewer | None:
    """The viewer of a session by today's rows; None when the account or membership it stands on is over. Whoever must have a
    second factor by now, and signed in without one, can only add one."""
    account = await store.account(tx, session.user_id)
    if account is None:
        return None
    bare = Viewer(
        kind=Kind.USER,
        user_id=session.user_id,
        session_id=session.id,
        stage=session.stage,
        second_factor=session.second_factor,
    )
    if session.stage is Stage.SET_PASSWORD:
        waiting = account.confirmed_at is None and await store.memberships_of(tx, account.id)
        return bare if waiting and not account.support else None
    if account.support:
        return await _held(call, tx, account, await _support(call, tx, replace(bare, support=True)))
    if session.organization_id is None:
        return None
    user = await store.user(tx, session.organization_id, UserId(session.user_id))
    if user is None or not user.active:
        return None
    viewer = viewer_of(bare, user)
    admin = any(grant.role in _ADMINS for grant in user.grants)
    return await _held(call, tx, account, viewer) if admin else viewer


async def _support(call: Call, tx: Connection, viewer: Viewer) -> Viewer:
    """Support, who belongs to no organization, or while it is inside one has the powers of its client admins there."""
    access = await inside(call, tx, viewer)
    if access is None:
        return viewer
    return replace(viewer, organization_id=access.organization_id, client_admin=True)


async def _held(call: Call, tx: Connection, account: Account, viewer: Viewer) -> Viewer:
    """The viewer, held back until there is the second factor that there must be."""
    if viewer.stage is not Stage.FULL or viewer.second_factor:
        return viewer
    must = await must_have_factor(call, tx, account)
    return replace(viewer, stage=Stage.ENROL_FACTOR) if must else viewer


async def must_have_factor(call: Call, tx: Connection, account: Account) -> bool:
    """Whether the user must have a second factor: client admins when an organization of theirs says so, support when the settings
    or any organization does."""
    if not account.support:
        return await store.requires_second_factor_of(tx, account.id)
    return call.peers.support.second_factor or await store.any_requires_second_factor(tx)
