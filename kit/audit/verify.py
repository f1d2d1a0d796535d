"""Verifying a service's audit trail: every hash made again, and the chain held against the checkpoints kept elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from kit.audit import chain
from kit.audit.chain import FIRST, canonical, chained
from kit.audit.checkpoints import Checkpoint
from kit.db import Connection

PAGE = 5000
SHOWN = 20
"""So many findings of a kind are told one by one; of the rest only the number."""

UNSEALED_AFTER = timedelta(seconds=30)
NOT_WRITTEN_DOWN_AFTER = timedelta(minutes=5)

_LINKS = f"""
SELECT c.sequence, c.entry_id::text AS entry_id, c.hash, e.id IS NULL AS gone, {chain.COLUMNS}
FROM audit_chain c LEFT JOIN audit_entries e ON e.id = c.entry_id WHERE c.sequence > $1 ORDER BY c.sequence LIMIT {PAGE}
"""  # noqa: S608 - constants
_LOOSE = """
SELECT e.id::text AS id, e.recorded_at, u.entry_id IS NOT NULL AS waiting, clock_timestamp() - e.recorded_at AS age
FROM audit_entries e LEFT JOIN audit_chain c ON c.entry_id = e.id LEFT JOIN audit_unsealed u ON u.entry_id = e.id
WHERE c.entry_id IS NULL ORDER BY e.id
"""
_LOST = """
SELECT u.entry_id::text FROM audit_unsealed u LEFT JOIN audit_entries e ON e.id = u.entry_id WHERE e.id IS NULL
"""
_AGE = """
SELECT clock_timestamp() - e.recorded_at FROM audit_chain c JOIN audit_entries e ON e.id = c.entry_id
WHERE c.sequence > $1 ORDER BY c.sequence LIMIT 1
"""


class Wrong(StrEnum):
    """What can be wrong with an audit trail."""

    CHANGED = "CHANGED"
    DELETED = "DELETED"
    GAP = "GAP"
    INSERTED = "INSERTED"
    UNSEALED = "UNSEALED"
    CUT = "CUT"
    REWRITTEN = "REWRITTEN"
    FORGED = "FORGED"
    NOT_WRITTEN_DOWN = "NOT_WRITTEN_DOWN"
    PLACE_AWAY = "PLACE_AWAY"


class Finding(NamedTuple):
    """One thing that is wrong, in words; with the place in the chain and the entry, where it has them."""

    wrong: Wrong
    message: str
    sequence: int | None = None
    entry_id: str | None = None


@dataclass
class Report:
    """What was found in one service's trail. `restored_at` is when its database was restored from an older copy, if that is known:
    checkpoints from before it that do not fit are `forgiven`."""

    service: str
    restored_at: datetime | None = None
    links: int = 0
    head: str = ""
    checkpoints: dict[str, int] = field(default_factory=dict)
    forgiven: int = 0
    findings: list[Finding] = field(default_factory=list)
    counts: Counter[Wrong] = field(default_factory=Counter)

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.counts

    def add(self, finding: Finding) -> None:
        """One more thing that is wrong."""
        self.counts[finding.wrong] += 1
        if self.counts[finding.wrong] <= SHOWN:
            self.findings.append(finding)


async def length(tx: Connection) -> int:
    """How many links a chain has."""
    found: int = await tx.fetchval("SELECT coalesce(max(sequence), 0) FROM audit_chain")
    return found


Checkpoints = Mapping[str, Sequence[Checkpoint]]
"""The genuine checkpoints of a service, oldest first, by the place they were found in."""


async def verify(
    tx: Connection, report: Report, checkpoints: Checkpoints, seen: Callable[[int], None]
) -> None:
    """Fill the report of a service. `tx` reads one consistent view that was begun after the checkpoints were read; `seen` is told
    how many links were looked at, now and then."""
    await tx.execute("SET LOCAL suite.scope = 'suite'")
    report.checkpoints = {place: len(known) for place, known in checkpoints.items()}
    walk = _Walk(report, _by_sequence(checkpoints))
    while rows := await tx.fetch(_LINKS, walk.sequence):
        for row in rows:
            walk.step(dict(row))
        seen(len(rows))
    report.links, report.head = walk.sequence, walk.hash.hex()
    walk.finish()
    await _find_loose(tx, report)
    for place, known in checkpoints.items():
        await _find_unwritten(tx, report, place, known)


def _by_sequence(checkpoints: Checkpoints) -> dict[int, list[tuple[str, Checkpoint]]]:
    found: dict[int, list[tuple[str, Checkpoint]]] = {}
    for place, known in checkpoints.items():
        for one in known:
            found.setdefault(one.sequence, []).append((place, one))
    return found


class _Walk:
    """Along the chain, link by link. After a wrong link it goes on from the hash that stands there: each is judged by itself."""

    def __init__(
        self, report: Report, checkpoints: dict[int, list[tuple[str, Checkpoint]]]
    ) -> None:
        self._report, self._checkpoints = report, checkpoints
        self.sequence, self.hash = 0, FIRST

    def step(self, row: dict[str, Any]) -> None:
        """The next link there is."""
        sequence, entry_id, stood = row.pop("sequence"), row.pop("entry_id"), row.pop("hash")
        gone = row.pop("gone")
        if sequence != self.sequence + 1:
            missing = f"{self.sequence + 1} to {sequence - 1}"
            self._add(Wrong.GAP, f"the links {missing} are missing", self.sequence + 1, None)
        elif gone:
            text = f"the entry {entry_id} of link {sequence} was deleted"
            self._add(Wrong.DELETED, text, sequence, entry_id)
        elif chained(self.hash, canonical(row)) != stood:
            text = f"the entry {entry_id}, or its link {sequence}, was changed"
            self._add(Wrong.CHANGED, text, sequence, entry_id)
        self.sequence, self.hash = sequence, stood
        if self._checkpoints:
            self._compare()

    def _compare(self) -> None:
        for place, known in self._checkpoints.pop(self.sequence, ()):
            if known.hash != self.hash and not self._forgiven(known):
                text = (
                    f"the checkpoint of {_when(known.at)} ({place}) has another hash for link {self.sequence}: the chain was"
                    " made anew from there or before, or the database went on from an older copy"
                )
                self._add(Wrong.REWRITTEN, text, self.sequence, None)

    def _forgiven(self, known: Checkpoint) -> bool:
        """Whether it is of a time that is known to have been lost."""
        at = self._report.restored_at
        lost = at is not None and known.at < at
        self._report.forgiven += lost
        return lost

    def finish(self) -> None:
        """After the last link: checkpoints that are still to be met are of links that are not there any more."""
        beyond = [
            (place, one)
            for sequence, known in sorted(self._checkpoints.items())
            for place, one in known
            if sequence > self.sequence and not self._forgiven(one)
        ]
        if beyond:
            place, last = beyond[-1]
            text = (
                f"the chain ends at link {self.sequence}, and the checkpoint of {_when(last.at)} ({place}) vouches for link"
                f" {last.sequence}: its end was cut off, or the database is an older copy"
            )
            self._add(Wrong.CUT, text, self.sequence + 1, None)

    def _add(self, wrong: Wrong, text: str, sequence: int, entry_id: str | None) -> None:
        self._report.add(Finding(wrong, text, sequence, entry_id))


async def _find_loose(tx: Connection, report: Report) -> None:
    """Entries that are in no link: such as wait for the sealer too long, and such as nobody put there properly."""
    async for row in tx.cursor(_LOOSE):
        entry_id, since = row["id"], _when(row["recorded_at"])
        if not row["waiting"]:
            text = f"the entry {entry_id} of {since} is not in the chain: it was put in by hand, or its link was taken away"
            report.add(Finding(Wrong.INSERTED, text, None, entry_id))
        elif row["age"] > UNSEALED_AFTER:
            text = f"the entry {entry_id} of {since} is not sealed yet: is the service running?"
            report.add(Finding(Wrong.UNSEALED, text, None, entry_id))
    async for row in tx.cursor(_LOST):
        text = f"the entry {row[0]} was deleted before it was sealed"
        report.add(Finding(Wrong.DELETED, text, None, row[0]))


async def _find_unwritten(
    tx: Connection, report: Report, place: str, known: Sequence[Checkpoint]
) -> None:
    """Whether the chain went on for long without being written down in a place."""
    since = report.restored_at
    last = max((one.sequence for one in known if since is None or one.at >= since), default=0)
    age: timedelta | None = await tx.fetchval(_AGE, last)
    if age is not None and age > NOT_WRITTEN_DOWN_AFTER:
        text = (
            f"nothing after link {last} was written down in the {place} for {age.total_seconds():.0f} s: checkpoints were"
            " taken away, or the service cannot write them"
        )
        report.add(Finding(Wrong.NOT_WRITTEN_DOWN, text, last, None))


def _when(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="seconds")
