"""Second factors and recovery codes. They belong to a person, in whatever organization the person works."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kit import db
from kit.db import Connection
from services.identity.domain import Factor, FactorId, Purpose, SessionId, UserId

_FACTOR = (
    "SELECT id, user_id, kind, name, added_at, used_at, sealed_secret, last_step, credential_id, credential, uses"
    " FROM factors"
)


@dataclass(frozen=True, slots=True)
class Ceremony:
    """Something that was handed out, and waits for its answer."""

    sealed: str
    ends_at: datetime


# any-organization: a factor belongs to a person
async def factors_of(tx: Connection, user_id: UserId, *, lock: bool = False) -> list[Factor]:
    """The user's second factors, the oldest first; with `lock`, held until the transaction ends."""
    held = " FOR UPDATE" if lock else ""
    return await db.many(
        tx, Factor, f"{_FACTOR} WHERE user_id = $1 ORDER BY added_at, id{held}", user_id
    )


# any-organization: a factor belongs to a person
async def has_factor(tx: Connection, user_id: UserId) -> bool:
    """Whether a second factor is asked for when the user signs in."""
    return bool(
        await db.value(tx, "SELECT EXISTS (SELECT FROM factors WHERE user_id = $1)", user_id)
    )


# any-organization: a factor belongs to a person
async def add_factor(tx: Connection, factor: Factor) -> bool:
    """Keep a new factor; False when the passkey is registered already, whosever it is."""
    return bool(
        await db.run(
            tx,
            "INSERT INTO factors (id, user_id, kind, name, added_at, sealed_secret, last_step, credential_id, credential,"
            " uses) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
            " ON CONFLICT ON CONSTRAINT factors_one_credential DO NOTHING",
            factor.id,
            factor.user_id,
            factor.kind,
            factor.name,
            factor.added_at,
            factor.sealed_secret,
            factor.last_step,
            factor.credential_id,
            factor.credential,
            factor.uses,
        )
    )


# any-organization: a factor belongs to a person
async def factor_used(tx: Connection, factor: Factor, at: datetime) -> None:
    """Keep what a use has moved: the step of an app, the counter of a passkey."""
    await db.run(
        tx,
        "UPDATE factors SET used_at = $2, last_step = $3, uses = $4 WHERE id = $1",
        factor.id,
        at,
        factor.last_step,
        factor.uses,
    )


# any-organization: a factor belongs to a person
async def rename_factor(tx: Connection, factor_id: FactorId, name: str) -> None:
    """Call a factor something else."""
    await db.run(tx, "UPDATE factors SET name = $2 WHERE id = $1", factor_id, name)


# any-organization: a factor belongs to a person
async def remove_factor(tx: Connection, factor_id: FactorId) -> None:
    """The factor is one no more."""
    await db.run(tx, "DELETE FROM factors WHERE id = $1", factor_id)


# any-organization: a factor belongs to a person
async def remove_factors(tx: Connection, user_id: UserId) -> int:
    """The user has no second factor and no recovery code any more; answers how many factors there were."""
    await db.run(tx, "DELETE FROM recovery_codes WHERE user_id = $1", user_id)
    return await db.run(tx, "DELETE FROM factors WHERE user_id = $1", user_id)


# any-organization: recovery codes belong to a person
async def put_recovery_codes(
    tx: Connection, user_id: UserId, hashes: Iterable[bytes], at: datetime
) -> None:
    """Keep new recovery codes in the place of those before."""
    await db.run(tx, "DELETE FROM recovery_codes WHERE user_id = $1", user_id)
    await db.run(
        tx,
        "INSERT INTO recovery_codes (user_id, code_hash, made_at) SELECT $1, unnest($2::bytea[]), $3",
        user_id,
        list(hashes),
        at,
    )


# any-organization: recovery codes belong to a person
async def use_recovery_code(
    tx: Connection, user_id: UserId, code_hash: bytes, at: datetime
) -> bool:
    """Use a code up; False when there is none, or it was used before."""
    return bool(
        await db.run(
            tx,
            "UPDATE recovery_codes SET used_at = $3 WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL",
            user_id,
            code_hash,
            at,
        )
    )


# any-organization: recovery codes belong to a person
async def recovery_codes_left(tx: Connection, user_id: UserId) -> int:
    """How many codes the user has not used."""
    left: int = await db.value(
        tx, "SELECT count(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL", user_id
    )
    return left


# any-organization: a session is found by its own id, which only its owner has
async def put_ceremony(
    tx: Connection, session_id: SessionId, purpose: Purpose, ceremony: Ceremony
) -> None:
    """Keep what was handed out, in the place of what was before."""
    await db.run(
        tx,
        "INSERT INTO ceremonies (session_id, purpose, sealed, ends_at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (session_id, purpose) DO UPDATE SET sealed = excluded.sealed, ends_at = excluded.ends_at",
        session_id,
        purpose,
        ceremony.sealed,
        ceremony.ends_at,
    )


# any-organization: a session is found by its own id, which only its owner has
async def ceremony(tx: Connection, session_id: SessionId, purpose: Purpose) -> Ceremony | None:
    """What waits for an answer, if anything does."""
    return await db.maybe(
        tx,
        Ceremony,
        "SELECT sealed, ends_at FROM ceremonies WHERE session_id = $1 AND purpose = $2 FOR UPDATE",
        session_id,
        purpose,
    )


# any-organization: a session is found by its own id, which only its owner has
async def end_ceremony(tx: Connection, session_id: SessionId, purpose: Purpose) -> None:
    """It was answered: it is not answered again."""
    await db.run(
        tx, "DELETE FROM ceremonies WHERE session_id = $1 AND purpose = $2", session_id, purpose
    )


# What an organization asks for ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SignInRules:
    """What an organization asks of its people at sign-in."""

    second_factor_required: bool
    version: int


async def sign_in_rules(tx: Connection, organization_id: object) -> SignInRules:
    """What the organization asks for; nothing, unless it has said so."""
    found = await db.maybe(
        tx,
        SignInRules,
        "SELECT second_factor_required, version FROM sign_in_rules WHERE organization_id = $1",
        organization_id,
    )
    return found or SignInRules(second_factor_required=False, version=0)


async def put_sign_in_rules(
    tx: Connection, organization_id: object, *, second_factor_required: bool
) -> None:
    """Keep what the organization asks for."""
    await db.run(
        tx,
        "INSERT INTO sign_in_rules (organization_id, second_factor_required) VALUES ($1, $2)"
        " ON CONFLICT (organization_id) DO UPDATE SET second_factor_required = excluded.second_factor_required,"
        " version = sign_in_rules.version + 1",
        organization_id,
        second_factor_required,
    )


# any-organization: support looks after all of them
async def any_requires_second_factor(tx: Connection) -> bool:
    """Whether some organization wants those who act for it to have a second factor."""
    return bool(
        await db.value(tx, "SELECT EXISTS (SELECT FROM sign_in_rules WHERE second_factor_required)")
    )


# any-organization: a person may act for several
async def requires_second_factor_of(tx: Connection, user_id: UserId) -> bool:
    """Whether an organization the user is a client admin of wants its client admins to have a second factor."""
    return bool(
        await db.value(
            tx,
            "SELECT EXISTS (SELECT FROM memberships m JOIN sign_in_rules r USING (organization_id)"
            " JOIN grants g ON g.membership_id = m.id AND g.role IN ('CLIENT_ADMIN', 'REPORTING_ONLY') AND g.ended_at IS NULL"
            " WHERE m.user_id = $1 AND m.deactivated_at IS NULL AND r.second_factor_required)",
            user_id,
        )
    )
