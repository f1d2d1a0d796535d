"""Adding, naming and removing second factors, recovery codes, and support's reset of lost ones."""

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256

from kit.auth import Stage
from kit.db import Connection
from kit.errors import Conflict, Denied, NotFound
from kit.ids import new_id
from proto.identity.v1.events_pb2 import (
    RecoveryCodesMade,
    SecondFactorAdded,
    SecondFactorRemoved,
    SecondFactorsReset,
)
from services.identity import policy, store
from services.identity.actions.auditing import Concerned, note_own, note_support
from services.identity.actions.means import Call
from services.identity.actions.opening import SignedIn, continue_session, must_have_factor
from services.identity.actions.own import (
    FACTOR_CHANGED,
    OwnWork,
    own_work,
    tell_of_person,
    write_notice,
)
from services.identity.actions.passkeys import NotOurPasskeyError
from services.identity.actions.told import tell_sessions_revoked
from services.identity.domain import (
    Account,
    Factor,
    FactorId,
    FactorKind,
    Purpose,
    SupportAct,
    UserId,
    reason,
)
from services.identity.domain.factors import (
    CHALLENGE_LIFE,
    MOST_FACTORS,
    NEVER,
    app_uri,
    bad_factor,
    keep_a_factor,
    new_recovery_codes,
    new_secret,
    plain_recovery_code,
    shown,
    step_of,
)
from services.identity.store import Ceremony


@dataclass(frozen=True, slots=True)
class SecondFactors:
    """What a user proves who they are with besides a password."""

    factors: tuple[Factor, ...]
    recovery_codes_left: int
    required: bool


@dataclass(frozen=True, slots=True)
class NewApp:
    """What an authenticator app is told. It counts once a code of it was confirmed."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Added:
    """A new factor. With the first one come recovery codes, shown this once; and, where it was all that was missing, a session."""

    factor: Factor
    recovery_codes: tuple[str, ...] = field(repr=False)
    signed_in: SignedIn | None


async def second_factors(call: Call) -> SecondFactors:
    """The viewer's own."""
    user_id = policy.permit_adding_factor(call.viewer)
    # whole-suite: the person's account, and every organization it works for
    async with call.db.everywhere().reading() as tx:
        account = await store.account(tx, user_id)
        factors = await store.factors_of(tx, user_id)
        left = await store.recovery_codes_left(tx, user_id)
        required = account is not None and await must_have_factor(call, tx, account)
    return SecondFactors(tuple(factors), left, required)


# Adding ---------------------------------------------------------------------------------------------------------------


async def start_totp(call: Call) -> NewApp:
    """A secret for an authenticator app. It counts for nothing until `add_totp` was given a code of it."""
    async with _adding(call) as work:
        secret = new_secret()
        await _hand_out(work, Purpose.ADD_TOTP, secret)
        return NewApp(shown(secret), app_uri(secret, work.account.email, call.peers.passkeys.name))


async def add_totp(call: Call, name: str, code: str) -> Added:
    """The app that was told the secret shows the right code: it is a second factor from now on."""
    async with _adding(call) as work:
        secret = await _handed_out(work, Purpose.ADD_TOTP)
        step = step_of(secret, code, call.clock.real(), after=NEVER)
        if step is None:
            raise bad_factor()
        factor = Factor(
            FactorId(new_id()),
            work.account.id,
            FactorKind.TOTP,
            name,
            work.now,
            sealed_secret=call.peers.vault.seal(secret),
            last_step=step,
        )
        return await _add(work, factor, Purpose.ADD_TOTP)


async def start_passkey(call: Call) -> str:
    """What the browser's `navigator.credentials.create` is to be given, as JSON."""
    async with _adding(call) as work:
        options, challenge = call.peers.passkeys.to_add(work.account, work.factors)
        await _hand_out(work, Purpose.ADD_PASSKEY, challenge)
        return options


async def add_passkey(call: Call, name: str, answer: str) -> Added:
    """The passkey the browser has made is a second factor from now on."""
    async with _adding(call) as work:
        challenge = await _handed_out(work, Purpose.ADD_PASSKEY)
        try:
            made = call.peers.passkeys.added(challenge, answer)
        except NotOurPasskeyError:
            raise bad_factor() from None
        factor = Factor(
            FactorId(new_id()),
            work.account.id,
            FactorKind.PASSKEY,
            name,
            work.now,
            credential_id=made.credential_id,
            credential=made.credential,
            uses=made.uses,
        )
        return await _add(work, factor, Purpose.ADD_PASSKEY)


@asynccontextmanager
async def _adding(call: Call) -> AsyncIterator[OwnWork]:
    async with own_work(call, policy.permit_adding_factor(call.viewer)) as work:
        if len(work.factors) >= MOST_FACTORS:
            raise Conflict(
                f"You have {MOST_FACTORS} second factors already.",
                code="TOO_MANY_FACTORS",
                remedy="Remove one that you do not use.",
            )
        yield work


async def _hand_out(work: OwnWork, purpose: Purpose, secret: bytes) -> None:
    sealed = work.call.peers.vault.seal(secret)
    ceremony = Ceremony(sealed, work.now + CHALLENGE_LIFE)
    await store.put_ceremony(work.tx, work.session.id, purpose, ceremony)


async def _handed_out(work: OwnWork, purpose: Purpose) -> bytes:
    ceremony = await store.ceremony(work.tx, work.session.id, purpose)
    if ceremony is None or work.now >= ceremony.ends_at:
        raise Conflict(
            "This was not begun, or too long ago.",
            code="NOTHING_BEGUN",
            remedy="Begin once more: startTotp or startPasskey.",
        )
    return work.call.peers.vault.open(ceremony.sealed)


async def _add(work: OwnWork, factor: Factor, purpose: Purpose) -> Added:
    if not await store.add_factor(work.tx, factor):
        raise bad_factor()
    await store.end_ceremony(work.tx, work.session.id, purpose)
    codes = () if work.factors else await _new_recovery_codes(work)
    fact = SecondFactorAdded(
        user_id=str(factor.user_id), factor_id=str(factor.id), kind=factor.kind
    )
    await work.end_other_sessions()
    await work.tell(fact)
    subject = "A second factor was added to your account"
    await work.write(subject, f"{subject}: {_called(factor)}.")
    await store.note_proof(work.tx, work.session.id, work.now, second_factor=True)
    return Added(factor, codes, await _let_in(work))


async def _let_in(work: OwnWork) -> SignedIn | None:
    """A session that could only add a factor has done what it is for: another one takes its place."""
    if work.session.stage is not Stage.ENROL_FACTOR:
        return None
    await store.revoke_session(work.tx, work.session.id, FACTOR_CHANGED, work.now)
    return await continue_session(work.call, work.tx, work.session, work.account)


def _called(factor: Factor) -> str:
    kinds = {FactorKind.TOTP: "authenticator app", FactorKind.PASSKEY: "passkey"}
    return f"the {kinds[factor.kind]} “{factor.name}”"


# Keeping --------------------------------------------------------------------------------------------------------------


async def rename_factor(call: Call, factor_id: FactorId, name: str) -> Factor:
    """Call one of the viewer's factors something else."""
    async with own_work(call, policy.permit_credentials(call.viewer)) as work:
        factor = _own(work, factor_id)
        await store.rename_factor(work.tx, factor_id, name)
        await note_own(call, work.tx, "second_factor_renamed")
        return replace(factor, name=name)


async def remove_factor(call: Call, factor_id: FactorId) -> SecondFactors:
    """A factor is none any more. Conflict LAST_SECOND_FACTOR when the user must have one and this is the last."""
    async with own_work(call, policy.permit_credentials(call.viewer)) as work:
        factor = _own(work, factor_id)
        required = await must_have_factor(call, work.tx, work.account)
        keep_a_factor(factor_id, work.factors, required=required)
        await store.remove_factor(work.tx, factor_id)
        left = tuple(one for one in work.factors if one.id != factor_id)
        if not left:
            await store.remove_factors(work.tx, work.account.id)
        await work.end_other_sessions()
        await work.tell(SecondFactorRemoved(user_id=str(work.account.id), factor_id=str(factor_id)))
        subject = "A second factor was removed from your account"
        await work.write(subject, f"{subject}: {_called(factor)}.")
        codes = await store.recovery_codes_left(work.tx, work.account.id)
        return SecondFactors(left, codes, required)


def _own(work: OwnWork, factor_id: FactorId) -> Factor:
    for factor in work.factors:
        if factor.id == factor_id:
            return factor
    raise NotFound("You have no such second factor.", field="factorId")


async def make_recovery_codes(call: Call) -> tuple[str, ...]:
    """Ten new recovery codes, shown this once; those before are void."""
    async with own_work(call, policy.permit_credentials(call.viewer)) as work:
        if not work.factors:
            raise Conflict(
                "Recovery codes stand in for a second factor, and you have none.",
                code="SECOND_FACTOR_MISSING",
                remedy="Add an authenticator app or a passkey first.",
            )
        codes = await _new_recovery_codes(work)
        await work.tell(RecoveryCodesMade(user_id=str(work.account.id)))
        subject = "You have new recovery codes"
        await work.write(subject, f"{subject}. Those before do not work any more.")
        return codes


async def _new_recovery_codes(work: OwnWork) -> tuple[str, ...]:
    codes = new_recovery_codes()
    hashes = [recovery_hash(work.call, work.account.id, one) for one in codes]
    await store.put_recovery_codes(work.tx, work.account.id, hashes, work.now)
    return tuple(codes)


def recovery_hash(call: Call, user_id: UserId, code: str) -> bytes:
    """What is kept of a recovery code."""
    text = f"{user_id} {plain_recovery_code(code)}".encode(errors="replace")
    return hmac.digest(call.peers.vault.recovery_key, text, sha256)


# Support's reset ------------------------------------------------------------------------------------------------------


async def reset_second_factors(call: Call, user_id: UserId, why: str) -> UserId:
    """Support only: a user who has lost them has no second factor any more, every session is over, and the user is told. The reason
    is kept."""
    by = policy.permit_factor_reset(call.viewer)
    why = reason(why)
    # whole-suite: support belongs to none of the organizations
    async with call.db.for_support(call.viewer).transaction() as tx:
        account = _resettable(await store.lock_account(tx, user_id), by)
        now = call.clock.now()
        if not await store.remove_factors(tx, user_id):
            raise Conflict(
                "This user has no second factor.", code="SECOND_FACTOR_MISSING", field="userId"
            )
        if await store.revoke_sessions_of(tx, user_id, "FACTOR_RESET", now):
            await tell_sessions_revoked(tx, user_id, now, by=call.viewer)
        act = (SupportAct.RESET_SECOND_FACTORS, why)
        await store.note_support_act(tx, new_id(), by, user_id, act, now)
        for one in await store.memberships_of(tx, user_id):
            await note_support(call, tx, *act, Concerned("user", user_id, one.organization_id))
        await tell_of_person(call, tx, account.id, SecondFactorsReset(user_id=str(user_id)))
        await _write_of_reset(call, tx, account)
    return user_id


def _resettable(account: Account | None, by: UserId) -> Account:
    if account is None:
        raise NotFound("There is no such user.", field="userId")
    if account.id == by:
        raise Denied(
            "Nobody resets one's own second factors.",
            remedy="Remove them one by one, or ask a colleague.",
        )
    return account


async def _write_of_reset(call: Call, tx: Connection, account: Account) -> None:
    subject = "Support has reset your second factors"
    next_time = "The next time you sign in, your password is enough, or you are asked to add one."
    await write_notice(call, tx, account.id, subject, f"{subject}. {next_time}")
