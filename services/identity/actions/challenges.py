"""Answering for a second factor: to finish signing in, and to prove once more that it is you."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from kit.errors import Invalid
from proto.identity.v1.events_pb2 import RecoveryCodeUsed
from services.identity import policy, store
from services.identity.actions.auditing import note_own, note_wrong_proof
from services.identity.actions.factors import recovery_hash
from services.identity.actions.means import Call
from services.identity.actions.opening import Challenge, SignedIn, ask, continue_session
from services.identity.actions.own import OwnWork, own_work
from services.identity.actions.passkeys import NotOurPasskeyError
from services.identity.actions.throttle import attempt_succeeded, attempted, begin_attempt
from services.identity.domain import Factor, FactorKind, Purpose, UserId
from services.identity.domain.factors import PROOF_LIFE, bad_factor, passkey_counts, step_of
from services.identity.domain.passwords import LONGEST, normalized
from services.identity.domain.texts import email_key

log = logging.getLogger(__name__)

LONGEST_CODE = 100
ANSWERED = "ANSWERED"


@dataclass(frozen=True, slots=True)
class Answer:
    """One of these: an app's code, a recovery code, what the browser says of a passkey, or (to prove once more) the password."""

    code: str | None = None
    recovery_code: str | None = None
    passkey: str | None = None
    password: str | None = None

    def require_one(self) -> None:
        """Invalid ONE_ANSWER unless it is exactly one."""
        given = (self.code, self.recovery_code, self.passkey, self.password)
        if sum(one is not None for one in given) != 1:
            raise Invalid("Give exactly one answer.", code="ONE_ANSWER", field="input")


async def answer_second_factor(call: Call, answer: Answer) -> SignedIn:
    """Finish signing in. Denied BAD_SECOND_FACTOR whatever is wrong; RateLimited like passwords."""
    user_id = policy.permit_answer(call.viewer)
    answer.require_one()
    attempt = await begin_attempt(call, _bucket(user_id))
    async with own_work(call, user_id) as work:
        if await _right(work, answer):
            await attempt_succeeded(work.tx, call, attempt)
            await store.revoke_session(work.tx, work.session.id, ANSWERED, work.now)
            return await continue_session(call, work.tx, work.session, work.account)
    await note_wrong_proof(call)
    raise bad_factor()


async def start_proof(call: Call) -> Challenge | None:
    """What may prove that it is the viewer: one of the second factors; None for who has none, and gives the password."""
    async with own_work(call, policy.permit_adding_factor(call.viewer)) as work:
        if not work.factors:
            return None
        return await ask(call, work.tx, work.session, work.factors)


async def prove_identity(call: Call, answer: Answer) -> datetime:
    """Prove once more that it is the viewer, which changes of credentials ask for: with a second factor by who has one, with the
    password by who has none. Answers until when it counts."""
    user_id = policy.permit_adding_factor(call.viewer)
    answer.require_one()
    # whole-suite: the person's account, and every organization it works for
    async with call.db.everywhere().reading() as tx:
        account = await store.account(tx, user_id)
        alone = not await store.has_factor(tx, user_id)
    key = email_key(account.email) if account and alone else _bucket(user_id)
    known = account.password_hash if account and alone else None
    async with attempted(call, key) as attempt:
        by_password = answer.password is not None and await call.peers.hasher.right(
            normalized(answer.password[: 2 * LONGEST]), known
        )
    async with own_work(call, user_id) as work:
        same = work.account.password_hash == known and not work.factors
        if (by_password and same) or await _right(work, answer):
            await attempt_succeeded(work.tx, call, attempt)
            second = not by_password
            await store.note_proof(work.tx, work.session.id, work.now, second_factor=second)
            await note_own(call, work.tx, "proved")
            return work.now + PROOF_LIFE
    await note_wrong_proof(call)
    raise bad_factor(has_none=alone)


def _bucket(user_id: UserId) -> str:
    return f"second factor {user_id}"


async def _right(work: OwnWork, answer: Answer) -> bool:
    """Whether the answer is right; then it is used up."""
    if answer.code is not None:
        return await _right_code(work, answer.code[:LONGEST_CODE])
    if answer.passkey is not None:
        return await _right_passkey(work, answer.passkey)
    if answer.recovery_code is not None:
        return await _right_recovery_code(work, answer.recovery_code[:LONGEST_CODE])
    return False


async def _right_code(work: OwnWork, code: str) -> bool:
    at = work.call.clock.real()
    for factor in work.factors:
        if factor.sealed_secret is None or factor.last_step is None:
            continue
        secret = work.call.peers.vault.open(factor.sealed_secret)
        step = step_of(secret, code, at, after=factor.last_step)
        if step is not None:
            await store.factor_used(work.tx, replace(factor, last_step=step), work.now)
            return True
    return False


async def _right_passkey(work: OwnWork, said: str) -> bool:
    asked = await store.ceremony(work.tx, work.session.id, Purpose.ANSWER)
    if asked is None or work.now >= asked.ends_at:
        return False
    challenge = work.call.peers.vault.open(asked.sealed)
    passkeys = [one for one in work.factors if one.kind is FactorKind.PASSKEY]
    try:
        factor, uses = work.call.peers.passkeys.answered(challenge, passkeys, said)
    except NotOurPasskeyError:
        return False
    if not _counts(factor, uses):
        return False
    await store.end_ceremony(work.tx, work.session.id, Purpose.ANSWER)
    await store.factor_used(work.tx, replace(factor, uses=uses), work.now)
    return True


def _counts(factor: Factor, uses: int) -> bool:
    if passkey_counts(factor.uses or 0, uses):
        return True
    log.warning("a passkey counts backwards: there may be a copy", extra={"factor": str(factor.id)})
    return False


async def _right_recovery_code(work: OwnWork, code: str) -> bool:
    hashed = recovery_hash(work.call, work.account.id, code)
    if not work.factors or not await store.use_recovery_code(
        work.tx, work.account.id, hashed, work.now
    ):
        return False
    left = await store.recovery_codes_left(work.tx, work.account.id)
    await work.tell(RecoveryCodeUsed(user_id=str(work.account.id)))
    subject = "A recovery code was used to sign in to your account"
    await work.write(subject, f"{subject}. {left} are left.")
    return True
