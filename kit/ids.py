"""Ids: UUID version 7, so that rows are born in order. Each service names its own with NewType."""

from __future__ import annotations

import secrets
import time
from uuid import UUID

from kit.errors import Invalid

_RANDOM_BITS = 74


def new_id() -> UUID:
    """A fresh UUIDv7 (RFC 9562): 48 bits of milliseconds, then 74 random bits.

    The time in it only orders rows; nothing is ever decided by it.
    """
    milliseconds = time.time_ns() // 1_000_000
    noise = secrets.randbits(_RANDOM_BITS)
    head = (milliseconds & 0xFFFF_FFFF_FFFF) << 80
    return UUID(int=head | 0x7 << 76 | (noise >> 62) << 64 | 0b10 << 62 | (noise & (1 << 62) - 1))


def parse_id(text: str, field: str) -> UUID:
    """The id in `text`, or Invalid naming `field` (as the client spells it)."""
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(
            f"{field} is not an id.",
            code="INVALID_ID",
            field=field,
            remedy="Use an id as the API gave it to you.",
        ) from None
