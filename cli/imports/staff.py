"""Staff from a table, each invited as a client admin invites them; the address of mail is what somebody is known by."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from cli.imports.report import Remark, Tally
from cli.imports.tables import Column, Record, Table
from cli.network import Person, Refused
from kit.errors import Invalid

TABLE = Table(
    "staff",
    (
        Column("name", "as people say it", needed=True, sample="Sam Sample"),
        Column("email", "where the invitation goes; who has the address already gets no second account", ("e_mail", "mail"), needed=True, sample="sam@example.org"),
        Column("role", "office staff, office admin, client admin, insurance manager, call centre, or reporting only", needed=True, sample="office staff"),
        Column("offices", "for office staff and office admins, and for insurance managers of some offices only: names of offices, with ; between them", ("office",), sample="Lakeside Heart Clinic; Lakeside North"),
    ),
    ("People to invite, one in a row; somebody with two roles has two rows.",),
)  # fmt: skip

NAMES = {
    "invited": "invited",
    "roles_added": "were users already, and have the role now",
    "known": "had the role already",
    "errors": "rows with errors, not imported",
}

_USERS = """query($after: String) { users(first: 100, after: $after) {
  pageInfo { hasNextPage endCursor }
  edges { node { email status grants { role office { id } } } } } }"""
_OFFICES = """query($after: String) { offices(first: 100, after: $after) {
  pageInfo { hasNextPage endCursor } edges { node { id name state } } } }"""
_INVITED = "... on UserInvited { user { id } }"
_AT_OFFICES = {"OFFICE_STAFF", "OFFICE_ADMIN"}
_PERHAPS_AT_OFFICES = "INSURANCE_MANAGER"
_ROLES = (*sorted(_AT_OFFICES), "CLIENT_ADMIN", "INSURANCE_MANAGER", "CALL_CENTRE", "REPORTING_ONLY")  # fmt: skip

Role = tuple[str, str | None]
"""A role, and at which office."""


@dataclass
class Staff:
    """An import of staff. A trial invites nobody; identity itself judges addresses."""

    by: Person
    tell: Callable[[Remark], None]
    trial: bool
    tally: Tally = field(default_factory=Tally)
    _users: dict[str, set[Role]] = field(default_factory=dict)
    _offices: dict[str, str] = field(default_factory=dict)
    _run: bytes = field(default_factory=secrets.token_bytes)
    """Makes the keys of this import its own: a role that an earlier one gave may be revoked."""

    async def begin(self) -> None:
        """Who is there, and which offices."""
        async for one in _all(self.by, _USERS, "users"):
            roles = {
                (grant["role"], grant["office"]["id"] if grant["office"] else None)
                for grant in one["grants"]
            }
            if one["email"]:
                self._users[one["email"].casefold()] = roles
        async for one in _all(self.by, _OFFICES, "offices"):
            if one["state"] != "CLOSED":
                self._offices[one["name"].casefold()] = one["id"]

    async def take(self, record: Record) -> None:
        """One more row."""
        try:
            name, email, roles = self._read(record)
        except Invalid as refusal:
            self._wrong(record, refusal.code, refusal.message, refusal.remedy, refusal.field)
            return
        known = self._users.get(email.casefold())
        if known is not None and known >= roles:
            self.tally.counts["known"] += 1
            return
        wanted = sorted(roles - (known or set()), key=str)
        given = {
            "name": name,
            "email": email,
            "roles": [{"role": role, "officeId": office} for role, office in wanted],
        }
        if self.trial or await self._invite(record, given):
            self.tally.counts["invited" if known is None else "roles_added"] += 1
            self._users[email.casefold()] = (known or set()) | roles

    async def _invite(self, record: Record, given: dict[str, Any]) -> bool:
        key = f"staff-{hashlib.sha256(self._run + orjson.dumps(given)).hexdigest()}"
        try:
            await self.by.do("inviteUser", given | {"idempotencyKey": key}, _INVITED)
        except Refused as refusal:
            told = refusal.problem
            self._wrong(record, refusal.code, told["message"], told["remedy"], told["field"])
            return False
        return True

    async def end(self) -> None:
        """Nothing waits."""

    def _read(self, record: Record) -> tuple[str, str, set[Role]]:
        if record.problem:
            raise Invalid(record.problem, code="CELLS")
        cells = record.cells
        for column in ("name", "email"):
            if not cells[column]:
                raise Invalid(f"{column} is missing.", field=column)
        role = cells["role"].strip().upper().replace(" ", "_").replace("-", "_")
        if role not in _ROLES:
            names = ", ".join(one.replace("_", " ").lower() for one in _ROLES)
            message = f"{cells['role']!r} is no role."
            raise Invalid(message, code="UNKNOWN_ROLE", field="role", remedy=f"One of: {names}.")
        places = [one.strip() for one in cells.get("offices", "").split(";") if one.strip()]
        return cells["name"], cells["email"], self._roles(role, places)

    def _roles(self, role: str, places: list[str]) -> set[Role]:
        if role not in _AT_OFFICES and not (role == _PERHAPS_AT_OFFICES and places):
            if places:
                message = "This role is in the whole organization."
                raise Invalid(message, field="offices", remedy="Leave the offices empty.")
            return {(role, None)}
        unknown = [one for one in places if one.casefold() not in self._offices]
        if unknown or not places:
            message = f"There is no office {unknown[0]!r}." if unknown else "No office is named."
            raise Invalid(
                message,
                code="UNKNOWN_OFFICE" if unknown else "OFFICE_NEEDED",
                field="offices",
                remedy="Write the names as ./suite import offices has them, with ; between.",
            )
        return {(role, self._offices[one.casefold()]) for one in places}

    def _wrong(
        self, record: Record, code: str, message: str, remedy: str | None, where: str | None
    ) -> None:
        self.tally.counts["errors"] += 1
        words = " ".join(filter(None, [message, remedy]))
        self.tell(Remark(record.number, record.cells.get("email", ""), code, words, where or ""))


async def _all(by: Person, query: str, of: str) -> Any:  # noqa: ANN401 - an async generator of nodes
    after = None
    while True:
        page = (await by.ask(query, after=after))[of]
        for edge in page["edges"]:
            yield edge["node"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return
