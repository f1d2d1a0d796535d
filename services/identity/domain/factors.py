"""Second factors: authenticator apps, passkeys and recovery codes."""

import hmac
import secrets
from base64 import b32decode, b32encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType
from urllib.parse import quote, urlencode
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP

from kit.errors import Conflict, Denied
from services.identity.domain.nouns import UserId

FactorId = NewType("FactorId", UUID)

STEP = 30
"""Seconds a code of an authenticator app is shown."""

DRIFT = 1
"""So many steps before and after the present one are taken too: phones' clocks differ."""

NEVER = -1
"""The step of the newest code that was taken, when none was."""

DIGITS = 6
SECRET_BYTES = 20
RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 6, 4

MOST_FACTORS = 10

CHALLENGE_LIFE = timedelta(minutes=10)
"""How long an answer is waited for, and how long a session lives that can only give it."""

ENROLMENT_LIFE = timedelta(minutes=30)
"""How long a session lives that can only add a second factor."""

PROOF_LIFE = timedelta(minutes=10)
"""How long after proving who they are users may change what they prove it with."""

SHORTEST_ALONE = 15
SHORTEST_WITH_FACTOR = 8


class FactorKind(StrEnum):
    """What a second factor is."""

    TOTP = "TOTP"
    PASSKEY = "PASSKEY"


class Purpose(StrEnum):
    """What something that was handed out is to be answered for."""

    ADD_TOTP = "ADD_TOTP"
    ADD_PASSKEY = "ADD_PASSKEY"
    ANSWER = "ANSWER"


@dataclass(frozen=True, slots=True)
class Factor:
    """A second factor of a user. `credential` is a passkey's public half, `uses` its own counter."""

    id: FactorId
    user_id: UserId
    kind: FactorKind
    name: str
    added_at: datetime
    used_at: datetime | None = None
    sealed_secret: str | None = field(default=None, repr=False)
    last_step: int | None = None
    credential_id: bytes | None = None
    credential: bytes | None = None
    uses: int | None = None


def shortest_password(*, second_factor: bool) -> int:
    """NIST 800-63B-4: 8 characters where a second factor is asked for as well, 15 where the password stands alone."""
    return SHORTEST_WITH_FACTOR if second_factor else SHORTEST_ALONE


# Authenticator apps (RFC 6238) ----------------------------------------------------------------------------------------


def new_secret() -> bytes:
    """A fresh secret for an app."""
    return secrets.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """The secret as it is typed into an app."""
    return b32encode(secret).decode()


def unshown(text: str) -> bytes:
    """The secret in what was typed."""
    return b32decode(text)


def app_uri(secret: bytes, account: str, issuer: str) -> str:
    """What a QR code for the app holds."""
    label = quote(f"{issuer}:{account}", safe="")
    return f"otpauth://totp/{label}?{urlencode({'secret': shown(secret), 'issuer': issuer}, quote_via=quote)}"


def code_at(secret: bytes, step: int) -> str:
    """The code of a 30-second step."""
    return HOTP(secret, DIGITS, SHA1()).generate(step).decode()  # noqa: S303 - what every app does


def step_at(moment: datetime) -> int:
    """The 30-second step of a moment."""
    return int(moment.timestamp()) // STEP


def step_of(secret: bytes, code: str, now: datetime, *, after: int) -> int | None:
    """The step whose code this is: now, or one before or after; None when there is none, or only one that was used before.
    All are compared, whichever is right."""
    text = "".join(code.split()).encode()
    found = None
    for step in range(step_at(now) - DRIFT, step_at(now) + DRIFT + 1):
        same = hmac.compare_digest(code_at(secret, step).encode(), text)
        if same and step > after and found is None:
            found = step
    return found


# Recovery codes -------------------------------------------------------------------------------------------------------


def new_recovery_codes() -> list[str]:
    """Ten fresh codes of 118 bits, made to be written down."""
    return [
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
        for _ in range(RECOVERY_CODES)
    ]


def plain_recovery_code(text: str) -> str:
    """A recovery code however it was typed."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


# Rules ----------------------------------------------------------------------------------------------------------------


def bad_factor(*, has_none: bool = False) -> Denied:
    """The one answer to a code, a recovery code or a passkey that is not right, whatever is wrong with it. `has_none`: the user
    has no second factor, and proves it with the password."""
    with_one = "Try a fresh code, another second factor, or a recovery code."
    return Denied(
        "This does not prove that it is you.",
        code="BAD_SECOND_FACTOR",
        remedy="Try your password again; who has none signs in anew." if has_none else with_one,
    )


def require_proof(proved_at: datetime | None, now: datetime) -> None:
    """Denied STEP_UP_REQUIRED unless the user has proved who they are within ten minutes."""
    if proved_at is None or now >= proved_at + PROOF_LIFE:
        raise Denied(
            "Prove once more that it is you.",
            code="STEP_UP_REQUIRED",
            remedy="Call startProof, answer it with proveIdentity, then try again.",
        )


def keep_a_factor(leaving: FactorId, factors: Iterable[Factor], *, required: bool) -> None:
    """Conflict LAST_SECOND_FACTOR when the user must have one and this is the last."""
    if required and not [one for one in factors if one.id != leaving]:
        raise Conflict(
            "You must have a second factor, and this is your last.",
            code="LAST_SECOND_FACTOR",
            field="factorId",
            remedy="Add another one first.",
        )


def passkey_counts(known: int, told: int) -> bool:
    """Whether a passkey's counter may be what it tells: more than before, or 0 for those that do not count. Otherwise somebody
    has a copy."""
    return told > known or told == known == 0
