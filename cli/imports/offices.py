"""Offices from a table, each added as a client admin adds it; the name is what an office is known by."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import orjson

from cli.imports.report import Remark, Tally
from cli.imports.shared import degrees
from cli.imports.tables import Column, Record, Table
from cli.network import Person, Refused
from kit.errors import Invalid
from services.directory.domain import days, places
from services.directory.domain.nouns import Address, Point

TABLE = Table(
    "offices",
    (
        Column("name", "what it is called; one of that name is left as it is", needed=True, sample="Lakeside Heart Clinic"),
        Column("line1", "street and number", needed=True, sample="1 Sample Street"),
        Column("line2", "suite, floor", sample="Suite 200"),
        Column("city", "", needed=True, sample="Chicago"),
        Column("state", "two letters", ("region",), needed=True, sample="IL"),
        Column("postal_code", "five digits, or nine with a hyphen", ("zip",), needed=True, sample="60601"),
        Column("latitude", "in degrees; empty: the middle of the postal code", ("lat",), sample=""),
        Column("longitude", "in degrees", ("lon", "lng"), sample=""),
        Column("phone", "", needed=True, sample="312-555-0100"),
        Column("time_zone", "IANA name", needed=True, sample="America/Chicago"),
        Column("first_day", "2027-01-31 or 01/31/2027; a week from now or later", ("go_live_on",), needed=True, sample="2027-01-31"),
        Column("short_notice_reason", "why the first day is less than a week from now", sample=""),
        Column("group_only", "yes: it receives for groups alone, and needs no provider", sample="no"),
        Column("another_office", "yes: it is another one though it shares address or phone", sample="no"),
    ),
    ("Offices to add, one in a row.",),
)  # fmt: skip

NAMES = {
    "added": "added",
    "known": "known already by their name, left as they are",
    "errors": "rows with errors, not imported",
}

_OFFICES = """query($after: String) { offices(first: 100, after: $after) {
  pageInfo { hasNextPage endCursor } edges { node { name state } } } }"""
_ADDED = "... on Office { id }"
_YES, _NO = {"yes", "y", "true", "1", "x"}, {"no", "n", "false", "0", ""}
_COLUMNS = {
    "postalCode": "postal_code",
    "region": "state",
    "goLiveOn": "first_day",
    "timeZone": "time_zone",
    "reason": "short_notice_reason",
    "acknowledgeDuplicate": "another_office",
    "coordinates": "latitude",
}


@dataclass
class Offices:
    """An import of offices. A trial adds none; the directory itself judges days and other offices at the same door."""

    by: Person
    tell: Callable[[Remark], None]
    trial: bool
    tally: Tally = field(default_factory=Tally)
    _known: set[str] = field(default_factory=set)
    _run: bytes = field(default_factory=secrets.token_bytes)
    """Makes the keys of this import its own: what an earlier one added may be gone."""

    async def begin(self) -> None:
        """Which names there are."""
        after = None
        while True:
            page = (await self.by.ask(_OFFICES, after=after))["offices"]
            nodes = [edge["node"] for edge in page["edges"]]
            self._known |= {one["name"].casefold() for one in nodes if one["state"] != "CLOSED"}
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return

    async def take(self, record: Record) -> None:
        """One more row."""
        try:
            given = _input(record)
        except Invalid as refusal:
            self._wrong(record, refusal.code, refusal.message, refusal.remedy, refusal.field)
            return
        if given["name"].casefold() in self._known:
            self.tally.counts["known"] += 1
            return
        self._known.add(given["name"].casefold())
        if self.trial:
            self.tally.counts["added"] += 1
            return
        await self._add(record, given)

    async def _add(self, record: Record, given: dict[str, Any]) -> None:
        key = f"office-{hashlib.sha256(self._run + orjson.dumps(given)).hexdigest()}"
        try:
            await self.by.do("addOffice", given | {"idempotencyKey": key}, _ADDED)
        except Refused as refusal:
            told = refusal.problem
            if refusal.code == "NAME_TAKEN":
                self.tally.counts["known"] += 1
            else:
                self._known.discard(given["name"].casefold())
                self._wrong(record, refusal.code, told["message"], told["remedy"], told["field"])
            return
        self.tally.counts["added"] += 1

    async def end(self) -> None:
        """Nothing waits."""

    def _wrong(
        self, record: Record, code: str, message: str, remedy: str | None, where: str | None
    ) -> None:
        self.tally.counts["errors"] += 1
        words = " ".join(filter(None, [message, remedy]))
        column = _COLUMNS.get(where or "", where or "")
        self.tell(Remark(record.number, record.cells.get("name", ""), code, words, column))


def _input(record: Record) -> dict[str, Any]:
    """What addOffice is given; Invalid names the column that is wrong."""
    if record.problem:
        raise Invalid(record.problem, code="CELLS")
    cells = record.cells
    address = places.clean_address(
        Address(cells["line1"], cells.get("line2", ""), cells["city"], cells["state"], cells["postal_code"])
    )  # fmt: skip
    given: dict[str, Any] = {
        "name": places.clean_name(cells["name"]),
        "address": {
            "line1": address.line1,
            "line2": address.line2,
            "city": address.city,
            "region": address.region,
            "postalCode": address.postal_code,
        },
        "coordinates": _coordinates(cells.get("latitude", ""), cells.get("longitude", "")),
        "phone": places.clean_phone(cells["phone"]),
        "timeZone": days.zone(cells["time_zone"]).key,
        "goLiveOn": day(cells["first_day"], "first_day").isoformat(),
        "groupOnly": _yes(cells.get("group_only", ""), "group_only"),
        "acknowledgeDuplicate": _yes(cells.get("another_office", ""), "another_office"),
    }
    if reason := places.clean_reason(cells.get("short_notice_reason")):
        given |= {"acknowledgeShortLeadTime": True, "reason": reason}
    return given


def _coordinates(latitude: str, longitude: str) -> dict[str, float] | None:
    if not latitude and not longitude:
        return None
    point = places.clean_point(
        Point(degrees(latitude, "latitude"), degrees(longitude, "longitude"))
    )
    return {"latitude": point.latitude, "longitude": point.longitude}


def _yes(text: str, column: str) -> bool:
    word = text.casefold()
    if word not in _YES | _NO:
        raise Invalid(f"{column} is yes or no.", field=column, remedy="Leave it empty for no.")
    return word in _YES


def day(text: str, column: str) -> date:
    """A day as ISO writes it, or as Americans do; Invalid when it is none."""
    for form in ("%Y-%m-%d", "%m/%d/%Y"):
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    raise Invalid(
        f"{text!r} is no day.", code="BAD_DAY", field=column, remedy="Write it like 2027-01-31."
    )
