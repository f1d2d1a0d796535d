"""Sends profiles to the directory in batches, as a client admin, and tells what became of each row."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from cli.imports.register import Passed, Profile, Row, RowError
from cli.network import Person, Refused
from cli.trouble import Trouble

MOST_ROWS = 200
MOST_BYTES = 80_000
"""Both stay below what one call may hold: 200 rows for the directory, 100,000 bytes for the gateway."""

NO_SPECIALTY = "NO_KNOWN_SPECIALTY"
OFTEN = 1000
"""After so many rows somebody is told how far it is, whether a batch was sent or not."""

_WANTED = "... on ImportedProviders { rows { status code message ignoredSpecialtyCodes } }"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to say about a row. `imported`: it was imported all the same."""

    row: int
    npi: str
    code: str
    message: str
    imported: bool = False


@dataclass
class Tally:
    """What became of the rows so far."""

    rows: int = 0
    added: int = 0
    without_specialty: int = 0
    known: int = 0
    errors: int = 0
    passed: Counter[Passed] = field(default_factory=Counter)

    def as_data(self) -> dict[str, int]:
        """For a table or a program."""
        return {
            "rows": self.rows,
            "added": self.added,
            "added_without_specialty": self.without_specialty,
            "known_already": self.known,
            "errors": self.errors,
            "organizations_skipped": self.passed[Passed.ORGANIZATION],
            "deactivated_skipped": self.passed[Passed.DEACTIVATED],
        }


@dataclass
class Import:
    """One import, on behalf of a client admin. `tell` hears what there is to say about a row, `moved` that it goes on."""

    by: Person
    tell: Callable[[Remark], None]
    moved: Callable[[], None]
    tally: Tally = field(default_factory=Tally)
    _batch: list[Row] = field(default_factory=list)
    _profiles: list[dict[str, Any]] = field(default_factory=list)
    _bytes: int = 0

    async def run(self, rows: Iterable[Row]) -> Tally:
        """Import the rows; only one batch of them is kept at a time."""
        for row in rows:
            self.tally.rows += 1
            if isinstance(row.found, Profile):
                await self._add(row, row.found)
            elif isinstance(row.found, RowError):
                self._wrong(row, row.found.code, row.found.message)
            else:
                self.tally.passed[row.found] += 1
            if self.tally.rows % OFTEN == 0:
                self.moved()
        await self._send()
        return self.tally

    async def _add(self, row: Row, profile: Profile) -> None:
        given = _input(profile)
        size = len(orjson.dumps(given))
        if len(self._batch) == MOST_ROWS or self._bytes + size > MOST_BYTES:
            await self._send()
        self._batch.append(row)
        self._profiles.append(given)
        self._bytes += size

    async def _send(self) -> None:
        """Import what is waiting. The key follows from what is sent, so the same batch is never imported twice."""
        if not self._batch:
            return
        key = f"nppes-{hashlib.sha256(orjson.dumps(self._profiles)).hexdigest()}"
        given = {"rows": self._profiles, "idempotencyKey": key}
        try:
            answer = await self.by.do("importProviders", given, _WANTED)
        except Refused as refusal:
            raise Trouble(
                f"The directory refused to import: {refusal.problem['message']}",
                refusal.problem.get("remedy") or "",
            ) from None
        for row, told in zip(self._batch, answer["rows"], strict=True):
            self._note(row, told)
        self._batch, self._profiles, self._bytes = [], [], 0
        self.moved()

    def _note(self, row: Row, told: dict[str, Any]) -> None:
        if told["status"] == "REFUSED":
            self._wrong(row, told["code"], told["message"])
        elif told["status"] == "KNOWN":
            self.tally.known += 1
        else:
            self.tally.added += 1
            self._note_specialty(row, told["ignoredSpecialtyCodes"])

    def _note_specialty(self, row: Row, ignored: list[str]) -> None:
        codes = row.found.specialty_codes if isinstance(row.found, Profile) else ()
        if set(codes) > set(ignored):
            return
        self.tally.without_specialty += 1
        named = ", ".join(codes) or "none is given"
        message = f"The directory knows no specialty of this row ({named}): a draft without one."
        self.tell(Remark(row.number, row.npi, NO_SPECIALTY, message, imported=True))

    def _wrong(self, row: Row, code: str, message: str) -> None:
        self.tally.errors += 1
        self.tell(Remark(row.number, row.npi, code, message))


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
