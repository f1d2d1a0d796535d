"""Tokens of previews: who commits what a preview showed is refused when what it showed has moved since.

A preview answers what exactly a change would do, and a token made of the same parts ("office", "providers", ...). The verb that
makes the change builds the parts anew, under its locks, and asks `require_same`. A token is no secret and opens nothing: it only
says what was seen, and whoever may commit may also see. It holds a digest of each part and nothing of what is in it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import date
from enum import Enum
from uuid import UUID

from kit.errors import Conflict, Invalid

_DIGEST = 12
"""Hex digits of a part's digest: plenty against chance, and nobody gains by a collision."""

_NAME = re.compile(r"[a-z][a-z_]*")
MOST = 2000
"""A token longer than this is none of ours."""


def token(parts: Mapping[str, object]) -> str:
    """What was seen, part by part. The values are plain data, ids, days, enums, dataclasses, and lists, sets or mappings of them;
    the order of a list counts, that of sets and mappings does not. Names are lower_snake."""
    for name in parts:
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"{name!r} cannot name a part of a preview")
    return ".".join(f"{name}-{_digest(parts[name])}" for name in sorted(parts))


def require_same(
    seen: str, parts: Mapping[str, object], *, beside: AbstractSet[str] = frozenset()
) -> None:
    """Conflict STALE_PREVIEW, with the names of the parts that moved, unless `seen` is the token of the same parts.

    Parts that the token does not name count as moved; a text that is no token at all is Invalid. Parts `beside` may have moved:
    those that surprise nobody who commits, because nothing is left in them or the verb does not rest on them.
    """
    known = _read(seen)
    moved = [name for name in sorted(parts) if known.get(name) != _digest(parts[name])]
    moved += sorted(known.keys() - parts.keys())
    moved = [name for name in moved if name not in beside]
    if moved:
        raise Conflict(
            f"This has changed since the preview: {', '.join(moved).replace('_', ' ')}.",
            code="STALE_PREVIEW",
            field="token",
            remedy="Look at the preview again, and decide on what it says now.",
            moved=moved,
        )


def _read(seen: str) -> dict[str, str]:
    pairs = [part.partition("-") for part in seen.split(".")] if len(seen) <= MOST else []
    if not pairs or any(_NAME.fullmatch(name) is None or not digest for name, _, digest in pairs):
        raise Invalid(
            "This is not the token of a preview.",
            field="token",
            remedy="Send the token as the preview gave it.",
        )
    return {name: digest for name, _, digest in pairs}


def _digest(part: object) -> str:
    text = json.dumps(_plain(part), separators=(",", ":"), sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]


def _plain(part: object) -> object:
    """The part as JSON has it; a set in an order of its own, so that equal sets are told alike."""
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        return {one.name: _plain(getattr(part, one.name)) for one in dataclasses.fields(part)}
    if isinstance(part, Mapping):
        return {str(_leaf(name)): _plain(value) for name, value in part.items()}
    if isinstance(part, AbstractSet):
        return sorted((_plain(one) for one in part), key=json.dumps)
    if isinstance(part, list | tuple):
        return [_plain(one) for one in part]
    return _leaf(part)


def _leaf(part: object) -> object:
    if isinstance(part, Enum):
        return part.value
    if isinstance(part, UUID | date):
        return str(part)
    if part is None or isinstance(part, bool | int | float | str):
        return part
    raise TypeError(f"a {type(part).__name__} cannot be part of a preview")
