"""What keeps patients' data closed at rest: a key for each organization, itself sealed with the suite's key.

Everything about the patient of a referral is sealed with the newest key of the sending organization, bound to its referral and
its use, so that no box opens in another's place. The marks by which a patient is found again are keyed digests under the same
key: who reads the tables does not learn that two organizations sent the same person.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from hmac import digest
from typing import Final
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kit.db import Connection
from services.referrals.domain import DataKey, OrganizationId, Sealed
from services.referrals.store import keys as store

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_MARK_BYTES: Final = 16


MESSAGE: Final = "message"
"""The use of the box that holds a message."""


FILE_NAME: Final = "file name"
"""The use of the box that holds what an attachment is called."""


def piece_of(number: int, *, last: bool) -> str:
    """The use of the box that holds a piece of an attachment: none can be moved, nor the rest cut off behind one."""
    return f"piece {number} and last" if last else f"piece {number}"


def comment_of(version: int) -> str:
    """The use of the box that holds the comment of a step."""
    return f"comment {version}"


@dataclass(frozen=True, slots=True)
class Keys:
    """An organization's keys, opened: the newest seals, every one opens and finds."""

    organization_id: OrganizationId
    by_number: Mapping[int, bytes]

    @property
    def newest(self) -> int:
        """The number of the key that seals now."""
        return max(self.by_number)

    def seal(self, plain: object, bound_to: UUID, use: str) -> Sealed:
        """Plain data in a box that only opens for the same referral and use."""
        return self.seal_bytes(orjson.dumps(plain), bound_to, use)

    def open(self, sealed: Sealed, bound_to: UUID, use: str) -> object:
        """What was sealed; a fault when the box was changed, moved, or sealed with a key that is gone."""
        return orjson.loads(self.open_bytes(sealed, bound_to, use))

    def seal_bytes(self, plain: bytes, bound_to: UUID, use: str) -> Sealed:
        """As `seal`, for bytes as they are."""
        nonce = os.urandom(_NONCE_BYTES)
        box = AESGCM(self.by_number[self.newest]).encrypt(nonce, plain, _binding(bound_to, use))
        return Sealed(self.organization_id, self.newest, nonce + box)

    def open_bytes(self, sealed: Sealed, bound_to: UUID, use: str) -> bytes:
        """As `open`, for bytes as they are."""
        nonce, box = sealed.box[:_NONCE_BYTES], sealed.box[_NONCE_BYTES:]
        try:
            return AESGCM(self.by_number[sealed.key_number]).decrypt(
                nonce, box, _binding(bound_to, use)
            )
        except (InvalidTag, KeyError):
            raise RuntimeError(f"the {use} of a referral does not open") from None

    def marks(self, words: Iterable[str]) -> list[bytes]:
        """The marks of what a patient is found by, under the newest key."""
        return _marks(self.by_number[self.newest], words)

    def all_marks(self, word: str) -> list[bytes]:
        """The marks of a word under every key: what was marked before the newest key is found until it is renewed."""
        return [mark for key in self.by_number.values() for mark in _marks(key, [word])]


class Vault:
    """Opens organizations' keys with PATIENT_KEY, and remembers them."""

    def __init__(self, secret: bytes) -> None:
        self._wrapping = AESGCM(digest(secret, b"data keys", sha256))
        self._opened: dict[tuple[OrganizationId, int], bytes] = {}

    async def own(self, tx: Connection, organization_id: OrganizationId) -> Keys:
        """The keys of an organization that seals; its first is made when it is needed first."""
        found = await self.of(tx, [organization_id])
        if organization_id not in found:
            await self.add_key(tx, organization_id, 1)
            found = await self.of(tx, [organization_id])
        return found[organization_id]

    async def of(
        self, tx: Connection, organization_ids: Iterable[OrganizationId]
    ) -> dict[OrganizationId, Keys]:
        """The keys of organizations that have sealed something."""
        kept: dict[OrganizationId, dict[int, bytes]] = {}
        for key in await store.keys_of(tx, sorted(set(organization_ids))):
            kept.setdefault(key.organization_id, {})[key.number] = self._open(key)
        return {one: Keys(one, by_number) for one, by_number in kept.items()}

    async def add_key(self, tx: Connection, organization_id: OrganizationId, number: int) -> None:
        """Another key; harmless when there is one with that number."""
        nonce = os.urandom(_NONCE_BYTES)
        box = self._wrapping.encrypt(
            nonce, os.urandom(KEY_BYTES), _binding(organization_id, f"key {number}")
        )
        await store.add_key(tx, DataKey(organization_id, number, nonce + box))

    def _open(self, key: DataKey) -> bytes:
        known = (key.organization_id, key.number)
        if known not in self._opened:
            nonce, box = key.sealed[:_NONCE_BYTES], key.sealed[_NONCE_BYTES:]
            try:
                self._opened[known] = self._wrapping.decrypt(
                    nonce, box, _binding(key.organization_id, f"key {key.number}")
                )
            except InvalidTag:
                raise RuntimeError("PATIENT_KEY does not open what this database holds") from None
        return self._opened[known]


def _marks(key: bytes, words: Iterable[str]) -> list[bytes]:
    marking = digest(key, b"marks", sha256)
    return [digest(marking, word.encode(), sha256)[:_MARK_BYTES] for word in words]


def _binding(to: UUID, use: str) -> bytes:
    return to.bytes + use.encode()
