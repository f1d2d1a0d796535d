"""How the demo world's referrals are worked, step by step through five weeks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cli.network import Person
from cli.seed.building import Site, together
from cli.seed.stories import Deed, End, Story
from cli.seed.world import World

_WANTED = "... on Referral { id version history { happened } }"
_LOOK = "query($id: ID!) { referral(id: $id) { version } }"
_BY_ITSELF = {"APPOINTMENT_PASSED", "RELEASED"}
"""What nobody did: no deed of a story."""

_AFTER_A_VISIT = {"completeReferral", "reportNoShow"}
_MAKING = {"createDraft", "sendReferral"}
_CHOOSE_A_RECEIVER = {"sendReferral", "resendReferral", "forwardReferral", "reassignReferral"}
_REASONS = ("PATIENT_CHOICE", "CONTINUITY_OF_CARE", "NO_CAPACITY_IN_PLAN", "NOBODY_IN_PLAN")


class Work:
    """All referrals, as far as they have come."""

    def __init__(self, site: Site, world: World, stories: Sequence[Story]) -> None:
        self._site, self._stories = site, stories
        self._desks = _desks(site, world)
        self._referrals = [_Referral(site, self._desks, story) for story in stories]

    async def play(self) -> None:
        """Every step, at its moment."""
        for number, moment in enumerate(self._site.notes.steps()):
            due = [one for one in self._referrals if one.has_at(number)]
            acting = {desk.email: desk for one in due for desk in one.acting_at(number)}
            await self._site.at(moment, *acting.values())
            await together(*(one.play(number) for one in due))


def deeds_of(stories: Sequence[Story]) -> int:
    """How many things are done, for the bar."""
    return sum(len(story.deeds) for story in stories)


def _desks(site: Site, world: World) -> dict[str, Person]:
    """Who works the queue of each office: of those who may, whoever has fewest offices."""
    return {
        office.name: site.people[
            min(
                (one for one in organization.staff if office.name in one.offices),
                key=lambda one: len(one.offices),
            ).email
        ]
        for organization in world.organizations
        for office in organization.offices
    }


class _Referral:
    """One of them. What is done already is seen when it is made again, and not done again."""

    def __init__(self, site: Site, desks: dict[str, Person], story: Story) -> None:
        self._site, self._desks, self._story = site, desks, story
        self._done, self._id, self._version = 0, "", 0

    def has_at(self, step: int) -> bool:
        return any(deed.step == step for deed in self._story.deeds)

    def acting_at(self, step: int) -> list[Person]:
        """Whoever acts then, and the sender, who sees everything."""
        offices = {deed.office for deed in self._story.deeds if deed.step == step}
        return [self._desks[office] for office in offices | {self._story.sender.office}]

    async def play(self, step: int) -> None:
        for number, deed in enumerate(self._story.deeds):
            if deed.step != step:
                continue
            if number == 0:
                await self._make(deed)
            elif number >= self._done:
                await self._act(deed)
            else:
                self._site.told()

    async def _make(self, deed: Deed) -> None:
        name = f"{self._story.number}"
        by, given = self._desks[deed.office], {"draft": self._draft(), **self._outside(deed)}
        made = await self._site.make(by, deed.verb, name, given, _WANTED)
        self._id, self._version = made["id"], made["version"]
        self._done = sum(one["happened"] not in _BY_ITSELF for one in made["history"])

    async def _act(self, deed: Deed) -> None:
        if deed.verb in _AFTER_A_VISIT:
            seen = await self._desks[self._story.sender.office].ask(_LOOK, id=self._id)
            self._version = seen["referral"]["version"]
        given = {
            "referralId": self._id,
            "expectedVersion": self._version,
            **self._more(deed),
            **self._outside(deed),
        }
        done = await self._site.do(self._desks[deed.office], deed.verb, given, _WANTED)
        self._version, self._done = done["version"], self._done + 1

    def _outside(self, deed: Deed) -> dict[str, str]:
        """Why it may go to a receiver outside of the patient's plan; it is not looked at when the receiver is listed."""
        asks = self._story.plan is not None and deed.verb in _CHOOSE_A_RECEIVER
        return {"outsidePlanReason": _REASONS[self._story.number % len(_REASONS)]} if asks else {}

    def _draft(self) -> dict[str, Any]:
        story = self._story
        return {
            "sender": self._end(story.sender),
            "receiver": self._end(story.receiver),
            "patient": story.patient,
            "specialtyCode": story.specialty,
            "urgency": story.urgency,
            "planId": self._site.ids[story.plan] if story.plan else None,
        }

    def _more(self, deed: Deed) -> dict[str, Any]:
        more = dict(deed.more)
        if isinstance(receiver := more.get("receiver"), End):
            more["receiver"] = self._end(receiver)
        if npi := more.pop("npi", None):
            more["providerId"] = self._site.ids[npi]
        return more

    def _end(self, end: End) -> dict[str, str]:
        given = {"officeId": self._site.ids[end.office]}
        if end.npi:
            given["providerId"] = self._site.ids[end.npi]
        if end.group:
            given["groupId"] = self._site.ids[end.group]
        return given
