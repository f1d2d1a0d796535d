"""Sends what the register says to the directory in batches, as a client admin, and tells what became of each row."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from cli.imports.register import Deactivated, Profile, Row, RowError
from cli.imports.report import Remark, Tally
from cli.network import Person

MOST_ROWS = 200
MOST_NOTES = 500
MOST_BYTES = 80_000
"""All stay below what one call may hold: 200 profiles and 1,000 NPIs for the directory, 100,000 bytes for the gateway."""

KEEP_EVERY = 10
"""After so many calls it is kept how far the import has come."""

NO_SPECIALTY = "NO_KNOWN_SPECIALTY"
OFTEN = 1000
"""After so many rows somebody is told how far it is, whether a batch was sent or not."""

NAMES = {
    "added": "added as drafts, now or when these rows were imported before",
    "added_without_specialty": "  of them without a specialty the directory knows",
    "known_already": "known already",
    "deactivated_noted": "deactivated, and noted of a provider of yours",
    "deactivated_not_held": "deactivated, of nobody of yours",
    "organizations_skipped": "organizations, passed over",
    "errors": "rows with errors, not imported",
}
"""What the rows are counted by; but for those without a specialty, each row is in one of them."""

_IMPORTED = "... on ImportedProviders { rows { status code field message ignoredSpecialtyCodes } }"
_NOTED = "... on NotedNpis { rows { status replacedByProviderId code message } }"


@dataclass
class Import:
    """One import, on behalf of a client admin. `tell` hears what there is to say about a row, `moved` that it goes on, `keep` that
    everything up to here is done. A trial changes nothing."""

    by: Person
    tell: Callable[[Remark], None]
    moved: Callable[[], None]
    keep: Callable[[], Awaitable[None]]
    trial: bool = False
    tally: Tally = field(default_factory=Tally)
    _profiles: list[tuple[Row, dict[str, Any]]] = field(default_factory=list)
    _notes: list[tuple[Row, dict[str, Any]]] = field(default_factory=list)
    _bytes: int = 0
    _calls: int = 0

    async def run(self, rows: Iterable[Row]) -> None:
        """Import the rows after those that are done; only one batch of them is kept at a time."""
        done = self.tally.rows
        for place, row in enumerate(rows, start=1):
            if place <= done:
                continue
            await self._take(row)
            self.tally.rows += 1
            if self.tally.rows % OFTEN == 0:
                self.moved()
        await self._send_all()

    async def _take(self, row: Row) -> None:
        if isinstance(row.found, Profile):
            await self._add(row, row.found)
        elif isinstance(row.found, Deactivated):
            await self._note(row, row.found)
        elif isinstance(row.found, RowError):
            self._wrong(row, row.found.code, row.found.message, row.found.field)
        else:
            self.tally.counts["organizations_skipped"] += 1

    async def _add(self, row: Row, profile: Profile) -> None:
        given = _input(profile)
        size = len(orjson.dumps(given))
        if len(self._profiles) == MOST_ROWS or self._bytes + size > MOST_BYTES:
            await self._full()
        self._profiles.append((row, given))
        self._bytes += size

    async def _note(self, row: Row, found: Deactivated) -> None:
        if len(self._notes) == MOST_NOTES:
            await self._full()
        given = {"npi": row.npi, "status": "DEACTIVATED", "replacedBy": found.replaced_by}
        if found.on is not None:
            given["deactivatedOn"] = found.on.isoformat()
        self._notes.append((row, given))

    async def _full(self) -> None:
        """Everything that waits is sent, so that a row that comes later is never done before one that came first."""
        await self._send_all()
        self._calls += 1
        if self._calls % KEEP_EVERY == 0 and not self.trial:
            await self.keep()

    async def _send_all(self) -> None:
        for row, told in await self._send("importProviders", _IMPORTED, self._profiles):
            self._imported(row, told)
        for row, told in await self._send("noteNpis", _NOTED, self._notes):
            self._noted(row, told)
        self._profiles, self._notes, self._bytes = [], [], 0
        self.moved()

    async def _send(
        self, verb: str, wanted: str, batch: list[tuple[Row, dict[str, Any]]]
    ) -> list[tuple[Row, dict[str, Any]]]:
        """Each row with what became of it. The key follows from what is sent, so the same batch is never imported twice."""
        if not batch:
            return []
        rows = [given for _, given in batch]
        key = f"{verb}-{hashlib.sha256(orjson.dumps(rows)).hexdigest()}"
        given = {"rows": rows, "idempotencyKey": key, "dryRun": self.trial}
        if verb == "importProviders":
            given["fromRegister"] = True
        answer = await self.by.do(verb, given, wanted)
        return [(row, told) for (row, _), told in zip(batch, answer["rows"], strict=True)]

    def _imported(self, row: Row, told: dict[str, Any]) -> None:
        if told["status"] == "REFUSED":
            self._wrong(row, told["code"], told["message"], told["field"] or "")
        elif told["status"] == "KNOWN":
            self.tally.counts["known_already"] += 1
        else:
            self.tally.counts["added"] += 1
            self._note_specialty(row, told["ignoredSpecialtyCodes"])

    def _note_specialty(self, row: Row, ignored: list[str]) -> None:
        codes = row.found.specialty_codes if isinstance(row.found, Profile) else ()
        if set(codes) > set(ignored):
            return
        self.tally.counts["added_without_specialty"] += 1
        named = ", ".join(codes) or "none is given"
        message = f"The directory knows no specialty of this row ({named}): a draft without one."
        self.tell(Remark(row.number, row.npi, NO_SPECIALTY, message, imported=True))

    def _noted(self, row: Row, told: dict[str, Any]) -> None:
        if told["status"] == "REFUSED":
            self._wrong(row, told["code"], told["message"], "NPI")
            return
        if told["status"] == "NOT_HELD":
            self.tally.counts["deactivated_not_held"] += 1
            return
        self.tally.counts["deactivated_noted"] += 1
        found = row.found
        if isinstance(found, Deactivated) and found.replaced_by:
            other = " Somebody of yours has it: merge them." if told["replacedByProviderId"] else ""
            message = f"The register has put {found.replaced_by} in its place.{other}"
            self.tell(Remark(row.number, row.npi, "NPI_REPLACED", message, imported=True))

    def _wrong(self, row: Row, code: str, message: str, where: str) -> None:
        self.tally.counts["errors"] += 1
        self.tell(Remark(row.number, row.npi, code, message, where))


def _input(profile: Profile) -> dict[str, Any]:
    given = asdict(profile)
    return {
        "npi": given["npi"],
        "firstName": given["first_name"],
        "lastName": given["last_name"],
        "credential": given["credential"],
        "phone": given["phone"],
        "specialtyCodes": list(profile.specialty_codes),
    }
