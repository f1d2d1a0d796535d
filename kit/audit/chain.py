"""The chain of the audit trail: each hash is SHA-256 of the hash before it and the entry in its canonical form.

Canonical form: JSON (UTF-8, no spaces, keys sorted) of an object with the columns of COLUMNS as the database gives them as text,
whole numbers (microseconds since 1970 for times), booleans, lists of text and null. It must never change: hashes of years hang
on it. A new column of `audit_entries` goes into a form of its own, chosen by the entry's age.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

FIRST = bytes(32)
"""What stands for the hash before the first one."""

COLUMNS = """e.id::text AS id, (extract(epoch FROM e.at) * 1000000)::bigint AS at,
    (extract(epoch FROM e.recorded_at) * 1000000)::bigint AS recorded_at, e.organization_id::text AS organization_id,
    e.user_id::text AS user_id, e.session_id::text AS session_id, e.service, e.support, e.act, e.kind, e.about::text AS about,
    e.fields, e.reason, e.purpose, e.request"""
"""What of an entry (`audit_entries e`) is hashed, as SQL."""


class Link(NamedTuple):
    """One place in the chain."""

    sequence: int
    entry_id: str
    hash: bytes


def canonical(entry: dict[str, Any]) -> bytes:
    """An entry, selected by COLUMNS, as what is hashed."""
    return orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)


def chained(before: bytes, entry: bytes) -> bytes:
    """The hash of a canonical entry whose predecessor's hash is `before`."""
    return hashlib.sha256(before + entry).digest()


def append(head: Link | None, entries: Iterable[dict[str, Any]]) -> list[Link]:
    """The links of entries that follow on `head`, in their order."""
    sequence, last = (head.sequence, head.hash) if head else (0, FIRST)
    links = []
    for entry in entries:
        sequence, last = sequence + 1, chained(last, canonical(entry))
        links.append(Link(sequence, entry["id"], last))
    return links
