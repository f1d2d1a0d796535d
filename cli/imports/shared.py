"""What the whole network shares, imported by support: specialties of the NUCC code set, and where postal codes are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from cli.imports.report import Remark, Tally
from cli.imports.tables import Column, Record, Table
from cli.network import Person
from kit.errors import Invalid
from services.directory.domain import imports, places
from services.directory.domain.nouns import Point, Specialty

MOST_BYTES = 80_000
"""Below what one call to the gateway may hold."""

TAXONOMY = Table(
    "taxonomy",
    (
        Column("Code", "ten characters, ends in X", needed=True, sample="207RC0000X"),
        Column("Grouping", "", needed=True, sample="Allopathic & Osteopathic Physicians"),
        Column("Classification", "", needed=True, sample="Internal Medicine"),
        Column("Specialization", "", sample="Cardiovascular Disease"),
        Column("Display Name", "what people read", sample="Cardiovascular Disease Physician"),
    ),
    ("The NUCC provider taxonomy as CSV. It is licensed: download it from the NUCC yourself.",),
)

ZIPS = Table(
    "zips",
    (
        Column(
            "postal_code", "five digits", ("zip", "zipcode", "zip_code", "GEOID", "ZCTA5", "ZCTA5CE20"),
            needed=True, sample="60601",
        ),
        Column("latitude", "of its middle, in degrees", ("lat", "INTPTLAT"), needed=True, sample="41.8858"),
        Column(
            "longitude", "of its middle, in degrees", ("lon", "lng", "long", "INTPTLONG"),
            needed=True, sample="-87.6181",
        ),
        Column("city", "", ("place", "NAME", "primary_city"), sample="Chicago"),
        Column("state", "two letters", ("region", "USPS"), sample="IL"),
    ),
    ("Where postal codes are. The census's gazetteer of ZCTAs can be given as it comes, packed or not.",),
)  # fmt: skip


@dataclass
class Shared:
    """Sends rows that can be read, many in one call, and tells what became of them. A trial sends nothing."""

    by: Person
    tell: Callable[[Remark], None]
    trial: bool
    verb: str
    read: Callable[[Record], dict[str, Any]]
    wanted: str
    most: int
    tally: Tally = field(default_factory=Tally)
    _seen: set[str] = field(default_factory=set)
    _batch: list[dict[str, Any]] = field(default_factory=list)
    _bytes: int = 0

    async def begin(self) -> None:
        """Nothing has to be known first."""

    async def take(self, record: Record) -> None:
        """One more row; the first of several with one key counts."""
        key = next(iter(record.cells.values()), "")
        try:
            if record.problem:
                raise Invalid(record.problem, code="CELLS")
            given = self.read(record)
        except Invalid as refusal:
            self.tally.counts["errors"] += 1
            message = " ".join(filter(None, [refusal.message, refusal.remedy]))
            where = (refusal.field or "").rpartition(".")[2]
            self.tell(Remark(record.number, key, refusal.code, message, where))
            return
        known = str(next(iter(given.values())))
        if known in self._seen:
            self.tally.counts["repeated"] += 1
            return
        self._seen.add(known)
        await self._add(given)

    async def _add(self, given: dict[str, Any]) -> None:
        size = len(orjson.dumps(given))
        if len(self._batch) == self.most or self._bytes + size > MOST_BYTES:
            await self.end()
        self._batch.append(given)
        self._bytes += size
        self.tally.counts["kept"] += 1

    async def end(self) -> None:
        """Send what waits."""
        batch, self._batch, self._bytes = self._batch, [], 0
        if batch and not self.trial:
            answer = await self.by.do(self.verb, {"rows": batch}, self.wanted)
            self.tally.counts.update({name: answer[name] for name in ("added", "changed", "officesLocated") if name in answer})  # fmt: skip


TAXONOMY_NAMES = {
    "kept": "specialties that can be read",
    "added": "of them new",
    "changed": "of them told otherwise than before",
    "repeated": "codes that came before in the file, passed over",
    "errors": "rows with errors, not imported",
}
ZIP_NAMES = {
    "kept": "postal codes that can be read",
    "changed": "of them new, or elsewhere than before",
    "officesLocated": "offices that stand elsewhere for it",
    "repeated": "codes that came before in the file, passed over",
    "errors": "rows with errors, not imported",
}


def taxonomy(by: Person, tell: Callable[[Remark], None], *, trial: bool) -> Shared:
    """The import of specialties."""
    wanted = "... on ImportedSpecialties { added changed }"
    return Shared(
        by, tell, trial, "importSpecialties", _specialty, wanted, imports.MOST_SPECIALTIES
    )


def zips(by: Person, tell: Callable[[Remark], None], *, trial: bool) -> Shared:
    """The import of postal codes."""
    wanted = "... on ImportedZips { changed officesLocated }"
    return Shared(by, tell, trial, "importZips", _zip, wanted, places.MOST_ZIPS)


def _specialty(record: Record) -> dict[str, Any]:
    cells = record.cells
    row = Specialty(
        cells["Code"],
        cells["Grouping"],
        cells["Classification"],
        cells.get("Specialization") or None,
        cells.get("Display Name", ""),
    )
    (one,) = imports.clean_specialties([row])
    return {
        "code": one.code,
        "grouping": one.grouping,
        "classification": one.classification,
        "specialization": one.specialization or "",
        "name": one.name,
    }


def _zip(record: Record) -> dict[str, Any]:
    cells = record.cells
    code = cells["postal_code"].removesuffix(".0")
    region = cells.get("state", "")
    point = places.clean_point(
        Point(degrees(cells["latitude"], "latitude"), degrees(cells["longitude"], "longitude"))
    )
    return {
        "postalCode": places.clean_postal_code(code.zfill(places.POSTAL_DIGITS)),
        "latitude": point.latitude,
        "longitude": point.longitude,
        "city": places.clean_city(cells.get("city", "")),
        "region": places.clean_region(region) if region else "",
    }


def degrees(text: str, column: str) -> float:
    """A number of degrees; Invalid when it is none."""
    try:
        return float(text)
    except ValueError:
        raise Invalid(
            f"{text!r} is no number of degrees.", code="BAD_COORDINATES", field=column
        ) from None
