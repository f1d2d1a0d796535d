"""Importing a table again after what it brought is gone: it is done again, and not only told again."""

from __future__ import annotations

from typing import Any, cast

from cli.imports.offices import Offices
from cli.imports.staff import Staff
from cli.imports.tables import Record
from cli.network import Person

STAFF = {"name": "Sam Sample", "email": "sam@example.org", "role": "call centre", "offices": ""}
OFFICE = {
    "name": "Lakeside",
    "line1": "1 Sample Street",
    "city": "Chicago",
    "state": "IL",
    "postal_code": "60601",
    "phone": "312-555-0100",
    "time_zone": "America/Chicago",
    "first_day": "2099-01-31",
}


class Gone:
    """A client admin whose organization never has any of it when the import begins; keeps the keys it is given."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    async def ask(self, query: str, **_given: object) -> dict[str, Any]:
        nothing = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "edges": []}
        return {name: nothing for name in ("users", "offices") if name in query}

    async def do(self, _verb: str, given: dict[str, Any], _wanted: str) -> dict[str, Any]:
        self.keys.append(given["idempotencyKey"])
        return {}


async def test_a_row_whose_office_or_role_is_gone_is_another_request_in_another_import() -> None:
    by = Gone()
    for kind, cells in ((Staff, STAFF), (Offices, OFFICE)):
        for _ in range(2):
            work = kind(cast("Person", by), lambda _: None, trial=False)
            await work.begin()
            await work.take(Record(2, cells))
            assert work.tally.counts["errors"] == 0

    assert len(set(by.keys)) == len(by.keys) == 4
