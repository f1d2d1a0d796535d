"""Mail about work: an organization of a test, what its neighbours say, and the mail that comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

from google.protobuf.message import Message

from kit.auth import Viewer
from proto.referrals.v1.events_pb2 import (
    ReferralSent,
    ReferralState,
)
from tests.service.identity import asking
from tests.service.identity.asking import role
from tests.service.identity.conftest import Identity, Organization
from tests.support.facts import Neighbours

FIVE_MINUTES = timedelta(minutes=5, seconds=1)
A_DAY = timedelta(days=1)
MARK = "notice preferences"
"""Words that only mail about work has."""

PREFERENCES = "{ noticePreferences { kind delivery byDefault optional } }"
CHANGE = f"""mutation($input: ChangeNoticePreferenceInput!) {{ changeNoticePreference(input: $input) {{
    __typename {asking.PROBLEM} ... on NoticePreferenceChanged {{ preferences {{ kind delivery }} }} }} }}"""


@dataclass
class Case:
    """An organization with an office of a name, somebody at work there, and what its neighbours say."""

    identity: Identity
    here: Organization
    staff: Viewer
    said: Neighbours
    group: UUID | None = None
    events: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        """The suite's time."""
        return self.identity.running.parts.clock.now()

    async def say(
        self, aggregate: str, about_id: UUID, *facts: Message, at: datetime | None = None
    ) -> None:
        """Facts of one thing, each heard twice."""
        for fact in facts:
            event = await self.said.say(fact, self.here.id, aggregate, about_id, at or self.now)
            await self.said.repeat(event)
            self.events.append(event)

    def state(self, side: str = "RECEIVING", **more: str) -> ReferralState:
        """A referral of the office, on one side of it."""
        mine, other = ("receiving", "sending") if side == "RECEIVING" else ("sending", "receiving")
        known: dict[str, Any] = {
            f"{mine}_organization_id": str(self.here.id),
            f"{mine}_office_id": str(self.here.office),
            f"{other}_organization_id": str(uuid4()),
            f"{other}_office_id": str(uuid4()),
        }
        return ReferralState(side=side, **{**known, **more})

    async def sent(self, count: int = 1, **more: str) -> None:
        """So many new referrals."""
        for _ in range(count):
            await self.say("referral", uuid4(), ReferralSent(referral=self.state(**more)))

    async def mail(self, who: Viewer, admin: Viewer | None = None) -> list[EmailMessage]:
        """The mail about work that somebody got, the oldest first."""
        user = await self.identity.user(who.user_id, admin or self.here.admin)
        return [
            letter
            for address, letter in self.identity.mailbox.letters
            if address == user["email"] and MARK in text(letter)
        ]

    async def subjects(self, who: Viewer) -> list[str]:
        """Their subjects; a long one begins on a line of its own."""
        return [str(one["Subject"]).strip() for one in await self.mail(who)]

    async def choose(self, who: Viewer, kind: str, delivery: str) -> dict[str, Any]:
        """What choosing answers."""
        input_ = {"kind": kind, "delivery": delivery}
        return await self.identity.mutate(CHANGE, input_, who)

    async def later(self, by: timedelta = FIVE_MINUTES) -> None:
        """Time goes by, and what became due is done."""
        await self.identity.running.advance(by)


def text(letter: EmailMessage) -> str:
    """The words as plain text."""
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


async def new_case(identity: Identity, here: Organization) -> Case:
    identity.directory.names[here.office] = "Birch Street"
    staff = await identity.member(here, role("OFFICE_STAFF", here.office))
    return Case(identity, here, staff, Neighbours(identity.running))
