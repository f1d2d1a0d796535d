"""A small town whose referrals are sent, moved, fenced, removed and crashed over, and what must hold of it at every moment.

What the tables say happened is read past the product's own policy; who may see it is asked of tests/model, which knows nothing of the
product.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from kit.auth import Kind, Viewer
from kit.db import LOST_CONNECTION
from services.referrals.actions import clocks
from tests.model import referrals as model
from tests.model.words import Actor, Thing
from tests.service.referrals.asking import PROBLEM
from tests.service.referrals.conftest import CARDIOLOGY, Referrals, World
from tests.service.referrals.fencing import Directory

OPEN = {"PENDING", "IN_PROGRESS", "SCHEDULED", "FOLLOW_UP"}
WAITING = {"DRAFT", "DECLINED"}
RAN: Counter[str] = Counter()
"""How often each kind of step was taken, and how it ended."""

EVERYTHING = "SELECT * FROM referrals WHERE sending_organization_id = ANY($1) ORDER BY id"
HOPS = "SELECT h.* FROM hops h JOIN referrals r ON r.id = h.referral_id WHERE r.sending_organization_id = ANY($1) ORDER BY h.referral_id, h.hop"
REMOVED = (
    "SELECT organization_id, provider_id FROM removed_providers WHERE organization_id = ANY($1)"
)
STEPS = """
SELECT s.referral_id, array_agg(s.version ORDER BY s.version) AS versions FROM steps s JOIN referrals r ON r.id = s.referral_id
WHERE r.sending_organization_id = ANY($1) GROUP BY 1
"""
KILL = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND backend_type = 'client backend'
    AND NOT pid = ANY($1)
"""
AT_REST = "SELECT coalesce(array_agg(DISTINCT pid), '{}') FROM pg_locks WHERE locktype = 'advisory' AND granted"
"""Who holds a lock while nobody asks for anything: the kit's own loops, whose deaths the kit's tests are about."""


@dataclass(frozen=True)
class Desk:
    """An office with one provider, and somebody on its staff."""

    organization_id: UUID
    office_id: UUID
    provider_id: UUID
    staff: Viewer

    @property
    def place(self) -> dict[str, str]:
        """As a receiver or a sender is named."""
        return {"officeId": str(self.office_id), "providerId": str(self.provider_id)}


def _desk(service: Referrals, organization_id: UUID) -> Desk:
    office_id = uuid4()
    service.directory.office_of[office_id] = organization_id
    staff = _somebody(organization_id, office_staff_of=frozenset({office_id}))
    return Desk(organization_id, office_id, uuid4(), staff)


def _somebody(organization_id: UUID, **grants: Any) -> Viewer:  # noqa: ANN401 - any field of a viewer
    return Viewer(
        kind=Kind.USER,
        user_id=uuid4(),
        session_id=uuid4(),
        organization_id=organization_id,
        **grants,
    )


@dataclass
class Town:
    """Three organizations with two desks each, the service between them, and directory, who asks it."""

    service: Referrals
    directory: Directory
    killer: asyncpg.Connection[asyncpg.Record]
    desks: list[Desk] = field(default_factory=list)
    onlookers: list[Viewer] = field(default_factory=list)
    spared: list[int] = field(default_factory=list)
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        for _ in range(3):
            organization_id = uuid4()
            self.desks += [_desk(self.service, organization_id) for _ in range(2)]
            self.onlookers.append(_somebody(organization_id, client_admin=True))
        self.onlookers.append(_somebody(uuid4(), office_staff_of=frozenset({uuid4()})))

    @property
    def world(self) -> World:
        """For who asks in the words of a client."""
        return World(self.service, None, None)  # type: ignore[arg-type] - neither practice is named here

    @property
    def organizations(self) -> list[UUID]:
        """Everybody's."""
        return sorted({one.organization_id for one in self.desks})

    async def rows(self, statement: str) -> list[asyncpg.Record]:
        """What the tables say, of these organizations."""
        return await self._look(statement, self.organizations)

    async def _look(self, statement: str, given: object) -> list[asyncpg.Record]:
        async with self.looking:
            return await self.killer.fetch(statement, given)

    def at(self, office_id: UUID | None) -> Desk | None:
        """The desk of an office."""
        return next((one for one in self.desks if one.office_id == office_id), None)

    async def begin(self, referrals: int) -> None:
        """So many referrals are under way."""
        self.spared = await self.killer.fetchval(AT_REST)
        for number in range(referrals):
            await self.take(("send", number, number + 3))

    # What is done -----------------------------------------------------------------------------------------------------

    async def take(self, step: tuple[str, int, int]) -> None:
        """One step, whatever comes of it."""
        kind, one, other = step
        try:
            code = await getattr(self, f"_{kind}")(one, other)
        except (*LOST_CONNECTION, RuntimeError):
            code = "CRASHED"
        RAN[kind] += 1
        RAN[f"{kind}: {code}"] += 1

    async def _send(self, one: int, other: int) -> str:
        sender, receiver = self._desk(one), self._desk(other)
        draft = {
            "sender": sender.place,
            "receiver": receiver.place,
            "specialtyCode": CARDIOLOGY,
            "patient": {"givenName": "A", "familyName": "B", "bornOn": "1961-02-03"},
        }
        given = {"draft": draft, "idempotencyKey": str(uuid4())}
        code = await self._do("sendReferral", sender.staff, given)
        if code == "CRASHED":  # whoever did not hear an answer asks again
            code = await self._do("sendReferral", sender.staff, given)
        return code

    async def _move(self, verb: str, one: int, side: str, **given: object) -> str:
        rows = await self.rows(EVERYTHING)
        if not rows:
            return "NOTHING"
        row = rows[one % len(rows)]
        desk = self.at(row[f"{side}_office_id"])
        if desk is None:
            return "NOTHING"
        order = {"referralId": str(row["id"]), "expectedVersion": row["version"]}
        return await self._do(verb, desk.staff, order | given)

    async def _forward(self, one: int, other: int) -> str:
        receiver = self._desk(other).place
        return await self._move(
            "forwardReferral", one, "receiving", receiver=receiver, confirmLoop=other % 2 == 0
        )

    async def _reassign(self, one: int, other: int) -> str:
        return await self._move(
            "reassignReferral", one, "receiving", receiver=self._desk(other).place
        )

    async def _decline(self, one: int, _: int) -> str:
        return await self._move("declineReferral", one, "receiving", reasonCode="NO_CAPACITY")

    async def _acknowledge(self, one: int, _: int) -> str:
        return await self._move("acknowledgeReferral", one, "receiving")

    async def _resend(self, one: int, other: int) -> str:
        return await self._move("resendReferral", one, "sending", receiver=self._desk(other).place)

    async def _hand_over(self, one: int, other: int) -> str:
        return await self._move("changeSender", one, "sending", sender=self._desk(other).place)

    async def _cancel(self, one: int, _: int) -> str:
        return await self._move("cancelReferral", one, "sending", reasonCode="RAISED_IN_ERROR")

    async def _fence(self, one: int, _: int) -> str:
        """Directory begins a removal, and is not heard of again for now."""
        desk = self._desk(one)
        await self.directory.raise_fence(desk.organization_id, "PROVIDER", desk.provider_id)
        return "RAISED"

    async def _lower(self, one: int, _: int) -> str:
        desk = self._desk(one)
        await self.directory.lower_fence(desk.organization_id, "PROVIDER", desk.provider_id)
        return "LOWERED"

    async def _remove(self, one: int, _: int) -> str:
        """As directory does it: the fence, the count, and only when nothing is open the end."""
        desk = self._desk(one)
        whom = desk.organization_id, "PROVIDER", desk.provider_id
        work = await self.directory.raise_fence(*whom)
        if work.total:
            await self.directory.lower_fence(*whom)
            return "OPEN"
        self.service.directory.codes[desk.provider_id] = "NOT_PLACED"
        await self.directory.end_access(desk.organization_id, desk.provider_id)
        return "REMOVED"

    async def _leave(self, one: int, other: int) -> str:
        """A provider's work is given on, or up, and then the provider goes."""
        desk, onward = self._desk(one), self._desk(other).place
        for row in await self.rows(EVERYTHING):
            order = {"referralId": str(row["id"]), "expectedVersion": row["version"]}
            if row["receiving_provider_id"] == desk.provider_id and row["status"] in OPEN:
                if other % 2:
                    await self._do("forwardReferral", desk.staff, order | {"receiver": onward})
                else:
                    given = order | {"reasonCode": "NO_CAPACITY"}
                    await self._do("declineReferral", desk.staff, given)
            if row["sending_provider_id"] == desk.provider_id:
                given = order | {"reasonCode": "RAISED_IN_ERROR"}
                await self._do("cancelReferral", desk.staff, given)
        return await self._remove(one, other)

    async def _contest(self, one: int, other: int) -> str:
        """Somebody sends to a provider who is being removed at that moment."""
        both = self._send(one, other), self._remove(other, one)
        outcomes = await asyncio.gather(*both, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return " AND ".join(map(str, outcomes))

    async def _crash(self, one: int, _: int) -> str:
        """Whatever is in the middle of a transaction dies; then the jobs of two replicas start anew."""
        for _again in range(one % 20):
            await asyncio.sleep(0)
        ((killed,),) = await self._look(KILL, self.spared)
        call = self.service.running.parts.call()
        for job in (clocks.pass_appointments, clocks.lapse_declined, clocks.tell_late):
            await asyncio.gather(job(call), job(call), return_exceptions=True)
        return "KILLED" if killed else "IDLE"

    async def _do(self, verb: str, viewer: Viewer, given: dict[str, Any]) -> str:
        kind = _INPUTS.get(verb, f"{verb[0].upper()}{verb[1:]}Input")
        query = f"mutation ($input: {kind}!) {{ {verb}(input: $input) {{ ... on Referral {{ id }} {PROBLEM} }} }}"
        answer = await self.service.running.gql(query, {"input": given}, viewer=viewer)
        if "errors" in answer:
            code = answer["errors"][0]["extensions"]["code"]
            assert code in {"INTERNAL", "UNAVAILABLE"}, answer
            return "CRASHED"
        return str(answer["data"][verb].get("code", "DONE"))

    def _desk(self, number: int) -> Desk:
        return self.desks[number % len(self.desks)]

    # What must hold ---------------------------------------------------------------------------------------------------

    async def check(self) -> None:
        """Nothing is an orphan, and everybody sees what the model says and nothing else."""
        rows, hops = await self.rows(EVERYTHING), await self.rows(HOPS)
        removed = {(row["organization_id"], row["provider_id"]) for row in await self.rows(REMOVED)}
        versions = {row["referral_id"]: row["versions"] for row in await self.rows(STEPS)}
        for row in rows:
            mine = [hop for hop in hops if hop["referral_id"] == row["id"]]
            self._check_whole(row, mine, versions[row["id"]])
            self._check_no_orphan(row, removed)
        viewers = [*(desk.staff for desk in self.desks), *self.onlookers]
        await asyncio.gather(*(self._check_seen(one, rows, hops, removed) for one in viewers))

    @staticmethod
    def _check_whole(row: asyncpg.Record, hops: list[asyncpg.Record], versions: list[int]) -> None:
        assert versions == list(range(1, row["version"] + 1)), "a step without a trace, or twice"
        assert [hop["hop"] for hop in hops] == list(range(1, row["hop"] + 1))
        assert [hop["hop"] for hop in hops if hop["left_at"] is None] == [row["hop"]]
        ends = ("organization_id", "office_id", "provider_id", "group_id")
        assert [hops[-1][end] for end in ends] == [row[f"receiving_{end}"] for end in ends]

    def _check_no_orphan(self, row: asyncpg.Record, removed: set[tuple[UUID, UUID]]) -> None:
        """Open work is with a provider who is there, at an office where somebody works."""
        receiver = (row["receiving_organization_id"], row["receiving_provider_id"])
        sender = (row["sending_organization_id"], row["sending_provider_id"])
        if row["status"] in OPEN:
            assert receiver not in removed, "open with a provider who was removed"
            assert self.at(row["receiving_office_id"]) is not None
        if row["status"] in OPEN | WAITING:
            assert sender not in removed, "waits for a provider who was removed"
            assert self.at(row["sending_office_id"]) is not None

    async def _check_seen(
        self,
        viewer: Viewer,
        rows: list[asyncpg.Record],
        hops: list[asyncpg.Record],
        removed: set[tuple[UUID, UUID]],
    ) -> None:
        actor = _actor(viewer)
        shown = await self._shown(viewer, [row["id"] for row in rows])
        for row in rows:
            mine = [hop for hop in hops if hop["referral_id"] == row["id"]]
            expected = _expected(actor, list(_things(row, mine, removed)))
            assert shown.get(str(row["id"]), "") == expected, (actor.name, dict(row))
            RAN["verdicts"] += 1

    async def _shown(self, viewer: Viewer, ids: list[UUID]) -> dict[str, str]:
        """How much of each referral somebody is shown: by its key, by its id, and in the queues, which must agree."""
        query = (
            "query ($all: [_Any!]!) { _entities(representations: $all)"
            " { ... on Referral { id sight patient { familyName } } } }"
        )
        given = {"all": [{"__typename": "Referral", "id": str(one)} for one in ids]}
        data = await self.service.running.data(query, given, viewer=viewer)
        seen = {one["id"]: one for one in data["_entities"] if one}
        assert all((one["sight"] == "FULL") == bool(one["patient"]) for one in seen.values())
        sights = {id_: str(one["sight"]) for id_, one in seen.items()}
        for office in viewer.offices & {desk.office_id for desk in self.desks}:
            assert await self._queued(viewer, office) <= sights.keys()
        return sights

    async def _queued(self, viewer: Viewer, office_id: UUID) -> set[str]:
        kinds = ("REQUIRES_REVIEW", "SENT", "RECEIVED", "ARCHIVE")
        parts = " ".join(
            f"{kind}: workQueue(kind: {kind}, officeId: $o, first: 100) {{ edges {{ node {{ id }} }} }}"
            for kind in kinds
        )
        query = f"query ($o: ID!) {{ {parts} }}"
        data = await self.service.running.data(query, {"o": str(office_id)}, viewer=viewer)
        return {edge["node"]["id"] for kind in kinds for edge in data[kind]["edges"]}


_INPUTS = {"declineReferral": "ReasonedReferralInput", "cancelReferral": "ReasonedReferralInput"}


def _actor(viewer: Viewer) -> Actor:
    return Actor(
        str(viewer.user_id),
        str(viewer.organization_id),
        client_admin=viewer.client_admin,
        staff_of=frozenset(map(str, viewer.office_staff_of)),
    )


def _things(
    row: asyncpg.Record, hops: list[asyncpg.Record], removed: set[tuple[UUID, UUID]]
) -> Iterator[Thing]:
    """The referral in the model's words, once for each past receiver. An end whose provider was removed is nobody's any more."""

    def end(kind: str, source: asyncpg.Record, prefix: str) -> Thing:
        organization, provider = source[f"{prefix}organization_id"], source[f"{prefix}provider_id"]
        there = (organization, provider) not in removed
        offices = frozenset({str(source[f"{prefix}office_id"])} if there else ())
        return Thing(kind, "", str(organization), offices)

    sender, receiver = end("referral", row, "sending_"), end("referral", row, "receiving_")
    pasts = [end("referral", hop, "") for hop in hops if hop["left_at"] is not None]
    for past in pasts or [None]:
        yield Thing(
            "referral",
            str(row["id"]),
            sender.organization,
            sender.offices,
            receiver=receiver,
            past=past,
        )


def _expected(actor: Actor, things: list[Thing]) -> str:
    if any(model.works(actor, thing) for thing in things):
        return "FULL"
    return "PAST" if any(model.sees(actor, thing) for thing in things) else ""
