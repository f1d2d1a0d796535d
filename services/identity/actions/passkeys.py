"""Passkeys: WebAuthn's two ceremonies, as Yubico's fido2 verifies them."""

import logging
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from struct import error as StructError  # noqa: N812 - an exception, whatever its case
from typing import Any, NoReturn

import orjson
from cryptography.exceptions import InvalidSignature
from fido2.cose import ES256, RS256, CoseKey, EdDSA
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    CollectedClientData,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from services.identity.domain import Account, Factor

logging.getLogger("fido2").setLevel(logging.WARNING)

ALGORITHMS = (ES256, EdDSA, RS256)
LONGEST_ANSWER = 16_384
CHALLENGE_BYTES = 32

_MALFORMED = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    StructError,
    AssertionError,
    NotImplementedError,
    RecursionError,
    OverflowError,
)
"""How the library meets bytes that are no answer of a passkey."""


class NotOurPasskeyError(Exception):
    """The answer does not prove what it should, for whatever reason."""


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey's public half."""

    credential_id: bytes
    credential: bytes
    uses: int


class Passkeys:
    """Passkeys for one place: `rp_id` is the domain they belong to, `origins` the web pages that may ask for them."""

    def __init__(self, rp_id: str, name: str, origins: Sequence[str]) -> None:
        self.name = name
        allowed = frozenset(origins)
        party = PublicKeyCredentialRpEntity(name=name, id=rp_id)
        self._server = Fido2Server(party, verify_origin=lambda origin: origin in allowed)
        self._server.allowed_algorithms = [
            PublicKeyCredentialParameters(
                type=PublicKeyCredentialType.PUBLIC_KEY, alg=algorithm.ALGORITHM
            )
            for algorithm in ALGORITHMS
        ]

    def to_add(self, account: Account, known: Sequence[Factor]) -> tuple[str, bytes]:
        """What a browser's `navigator.credentials.create` is given, as JSON, and the challenge in it."""
        challenge = secrets.token_bytes(CHALLENGE_BYTES)
        person = PublicKeyCredentialUserEntity(
            name=account.email, id=account.id.bytes, display_name=account.name
        )
        options, _ = self._server.register_begin(
            person,
            [_credential(one) for one in known if one.credential],
            resident_key_requirement=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.REQUIRED,
            challenge=challenge,
        )
        return _json(options.public_key), challenge

    def added(self, challenge: bytes, answer: str) -> NewPasskey:
        """The passkey a browser has made. NotOurPasskeyError when the challenge, the page, the place or the algorithm is another,
        or nobody was verified."""
        try:
            said = RegistrationResponse.from_dict(_read(answer))
            _same_origin(said.response.client_data)
            data = self._server.register_complete(_state(challenge), said)
            made = data.credential_data
            if made is None or not _usable(made.public_key):
                raise NotOurPasskeyError
        except _MALFORMED as error:
            _refuse(error)
        return NewPasskey(made.credential_id, bytes(made), data.counter)

    def to_answer(self, known: Sequence[Factor]) -> tuple[str, bytes]:
        """What a browser's `navigator.credentials.get` is given, as JSON, and the challenge in it."""
        challenge = secrets.token_bytes(CHALLENGE_BYTES)
        options, _ = self._server.authenticate_begin(
            [_credential(one) for one in known if one.credential],
            user_verification=UserVerificationRequirement.REQUIRED,
            challenge=challenge,
        )
        return _json(options.public_key), challenge

    def answered(
        self, challenge: bytes, known: Sequence[Factor], answer: str
    ) -> tuple[Factor, int]:
        """Which of these passkeys has answered, and what its counter says now."""
        try:
            said = AuthenticationResponse.from_dict(_read(answer))
            _same_origin(said.response.client_data)
            credentials = [_credential(one) for one in known if one.credential]
            used = self._server.authenticate_complete(_state(challenge), credentials, said)
            uses = said.response.authenticator_data.counter
        except _MALFORMED as error:
            _refuse(error)
        return next(one for one in known if one.credential_id == used.credential_id), uses


def _usable(key: CoseKey) -> bool:
    """Whether it is a key of an algorithm on our list that can check a signature at all (of the right kind, and on its curve):
    another one would lock its owner out."""
    if not isinstance(key, ALGORITHMS):
        return False
    try:
        key.verify(b"nothing", b"no signature")  # type: ignore[no-untyped-call]  # the library's own
    except InvalidSignature:
        return True
    return False


def _refuse(error: Exception) -> NoReturn:
    raise NotOurPasskeyError from error


def _same_origin(said: CollectedClientData) -> None:
    if said.cross_origin:
        raise ValueError("asked for from within another page")


def _read(answer: str) -> Any:  # noqa: ANN401 - whatever a browser sent
    if len(answer) > LONGEST_ANSWER:
        raise ValueError("too long")
    found = orjson.loads(answer)
    if found["type"] != PublicKeyCredentialType.PUBLIC_KEY:
        raise ValueError("another kind of credential")
    return found


def _credential(factor: Factor) -> AttestedCredentialData:
    return AttestedCredentialData(factor.credential or b"")


def _state(challenge: bytes) -> dict[str, object]:
    return {
        "challenge": urlsafe_b64encode(challenge).decode().rstrip("="),
        "user_verification": UserVerificationRequirement.REQUIRED,
    }


def _json(options: Any) -> str:  # noqa: ANN401 - the library's own
    return orjson.dumps(_plain(options)).decode()


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
