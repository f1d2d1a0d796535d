"""Eighty referrals as data: who sends each to whom, and what is done to it at which step. Together they end in every status."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cli.seed.notes import Notes, visits
from cli.seed.world import (
    CARDIOLOGY,
    COMO,
    DERMATOLOGY,
    EMERGENCIES,
    EMERGENCY,
    FAMILY,
    HEART,
    LINDEN,
    NEUROLOGY,
    ORTHOPAEDICS,
    SPECIALISTS,
    ZONE,
    Group,
    Provider,
    World,
)

ENDS = {
    "DRAFT": 6,
    "PENDING": 12,
    "IN_PROGRESS": 10,
    "SCHEDULED": 14,
    "FOLLOW_UP": 6,
    "COMPLETED": 20,
    "DECLINED": 6,
    "CANCELLED": 6,
}
"""How many referrals stand in each status when the world is made."""

AHEAD = timedelta(days=21)
_WAITS = "INFORMATION_REQUIRED"
"""The one reason for which a declined referral waits for its sender however long it takes."""

_LAPSES_WITHIN = timedelta(days=9)
"""Declined longer ago than this, a referral of another reason has lapsed, or would while one looks at the new world."""

_DECLINES = ("NO_CAPACITY", "PLAN_NOT_ACCEPTED", _WAITS)
_CANCELS = ("BOOKED_ELSEWHERE", "NO_LONGER_REQUIRED", "PATIENT_DECLINES")
_NO_SHOWS = ("FORGOT", "ILL")
_URGENCIES = ("ROUTINE",) * 6 + ("URGENT", "URGENT", "ASAP")
_GIVEN = "Alder Bea Clove Dove Ember Fern Gale Haze Iris Jet Kit Lark Moss Nell Opal Pip"
_FAMILY = "Samplewood Testerly Mockford Fableton Demoski Placeholt Exampler Fictman"


@dataclass(frozen=True)
class End:
    """One end of a referral: an office, with a provider (by NPI) or a group (by name)."""

    office: str
    npi: str = ""
    group: str = ""


@dataclass(frozen=True)
class Deed:
    """Something done to a referral: at which step, by staff of which office. `more` is the verb's own input; an End in it
    stands for a receiver, and `npi` for a provider."""

    step: int
    verb: str
    office: str
    more: dict[str, Any]


@dataclass(frozen=True)
class Story:
    """A referral from its first step on; the first deed makes it. It ends in the status `end`."""

    number: int
    end: str
    sender: End
    receiver: End
    specialty: str
    plan: str | None
    urgency: str
    patient: dict[str, str]
    deeds: tuple[Deed, ...]


def write(world: World, notes: Notes, number: int) -> list[Story]:
    """The stories of a seed number."""
    author = _Author(world, notes, random.Random(number))  # noqa: S311 - stories, not secrets
    ends = [end for end, many in ENDS.items() for _ in range(many)]
    return [author.story(each, end) for each, end in enumerate(ends)]


class _Author:
    def __init__(self, world: World, notes: Notes, chance: random.Random) -> None:
        self._world, self._chance = world, chance
        self._steps = notes.steps()
        self._now = notes.begun.astimezone(ZoneInfo(ZONE))
        self._routes = self._all_routes()
        self._turn: Iterator[int] = iter(())

    def story(self, number: int, end: str) -> Story:
        """One that ends so."""
        sender, receiver, specialty = self._route()
        story = Story(
            number, end, sender, receiver, specialty,
            self._plan(receiver, specialty), self._chance.choice(_URGENCIES), self._patient(), (),
        )  # fmt: skip
        deeds = getattr(self, f"_{end.lower()}")(story, number)
        return replace(story, deeds=tuple(deeds))

    # Who sends to whom ------------------------------------------------------------------------------------------------

    def _all_routes(self) -> list[tuple[str, str, str]]:
        """Specialty and office of a sender, specialty of a receiver: as often as it happens."""
        family = [(FAMILY, at, to) for at in (LINDEN, COMO) for to in (CARDIOLOGY, CARDIOLOGY)]
        family += [
            (FAMILY, at, to)
            for at in (LINDEN, COMO)
            for to in (NEUROLOGY, ORTHOPAEDICS, DERMATOLOGY)
        ]
        emergency = [(EMERGENCY, EMERGENCIES, to) for to in (CARDIOLOGY, FAMILY, ORTHOPAEDICS)]
        return [*family, *emergency, (CARDIOLOGY, HEART, NEUROLOGY)]

    def _route(self) -> tuple[End, End, str]:
        index = next(self._turn, None)
        if index is None:
            order = list(range(len(self._routes)))
            self._chance.shuffle(order)
            self._turn = iter(order)
            index = next(self._turn)
        what, office, specialty = self._routes[index]
        return self._sender(what, office), self._receiver(specialty, office), specialty

    def _sender(self, specialty: str, office: str) -> End:
        group = self._group(specialty, office)
        if group is not None and group.may_send and (specialty == EMERGENCY or self._rarely()):
            return End(office, group=group.name)
        return End(office, npi=self._chance.choice(self._providers(specialty, office)).npi)

    def _receiver(self, specialty: str, sender: str) -> End:
        offices = [
            office.name
            for organization in self._world.organizations
            for office in organization.offices
            if office.name != sender and self._providers(specialty, office.name)
        ]
        office = self._chance.choice(offices)
        group = self._group(specialty, office)
        if group is not None and group.may_receive and self._chance.random() < 0.4:  # noqa: PLR2004
            return End(office, group=group.name)
        return End(office, npi=self._chance.choice(self._providers(specialty, office)).npi)

    def _rarely(self) -> bool:
        return self._chance.random() < 0.2  # noqa: PLR2004 - one in five

    def _providers(self, specialty: str, office: str) -> list[Provider]:
        return [
            one
            for organization in self._world.organizations
            for one in organization.providers
            if one.specialty == specialty and office in one.offices
        ]

    def _group(self, specialty: str, office: str) -> Group | None:
        found = (
            group
            for organization in self._world.organizations
            for group in organization.groups
            if group.specialty == specialty and office in group.offices
        )
        return next(found, None)

    def _plan(self, receiver: End, specialty: str) -> str | None:
        """Mostly one the receiver accepts, now and then another, now and then none."""
        if self._chance.random() < 0.1:  # noqa: PLR2004 - one in ten
            return None
        npi = receiver.npi or self._providers(specialty, receiver.office)[0].npi
        listed = self._world.accepted.get((npi, receiver.office), ())
        if not listed or self._rarely():
            return self._chance.choice(self._world.plans).name
        return self._chance.choice(listed)

    def _patient(self) -> dict[str, str]:
        born = date(1938, 1, 1) + timedelta(days=self._chance.randrange(80 * 365))
        return {
            "givenName": self._chance.choice(_GIVEN.split()),
            "familyName": self._chance.choice(_FAMILY.split()),
            "bornOn": born.isoformat(),
            "phone": f"612-555-01{self._chance.randrange(100):02}",
            "postalCode": self._chance.choice(("55401", "55408", "55410", "55105", "55108")),
            "memberNumber": f"SAMPLE-{self._chance.randrange(10**6):06}",
            "clinicalNote": "Made-up patient of the demo world.",
        }

    # What is done, by how it ends -------------------------------------------------------------------------------------

    def _draft(self, story: Story, _: int) -> list[Deed]:
        return [self._by_sender(story, self._chance.randint(12, 15), "createDraft")]

    def _pending(self, story: Story, number: int) -> list[Deed]:
        if number % 4 == 0:
            sent = self._sent(story, 9)
            declined = self._declining(story, 11)
            return [sent, declined, self._by_sender(story, 13, "resendReferral")]
        if number % 4 == 1 and story.specialty == CARDIOLOGY:
            elsewhere = self._elsewhere(story)
            forward = self._by_receiver(story, 14, "forwardReferral", receiver=elsewhere)
            return [self._sent(story, 12), forward]
        return [self._sent(story, self._chance.randint(12, 15))]

    def _in_progress(self, story: Story, number: int) -> list[Deed]:
        first = self._chance.randint(10, 14)
        more: dict[str, Any] = {}
        if number % 3 == 0:
            call_back = self._chance.choice(visits(self._now, self._now + AHEAD))
            more["callbackAt"] = call_back.isoformat()
        taken = self._by_receiver(story, first + 1, "acknowledgeReferral", **more)
        return [self._sent(story, first), taken, *self._reassigned(story, first + 1, number)]

    def _scheduled(self, story: Story, number: int) -> list[Deed]:
        first = self._chance.randint(8, 14)
        deeds = [self._sent(story, first), *self._booked(story, first + 1, self._later())]
        if number % 5 == 0:
            at = self._later().isoformat()
            deeds.append(self._by_receiver(story, first + 1, "rescheduleReferral", at=at))
        return deeds

    def _follow_up(self, story: Story, number: int) -> list[Deed]:
        """Half of them wait for somebody to say whether the patient came; the patients of the others did not."""
        first = self._chance.randint(7, 9)
        visit = self._chance.choice(visits(self._steps[first + 1], self._steps[12]))
        deeds = [self._sent(story, first), *self._booked(story, first + 1, visit)]
        if number % 2:
            why = self._chance.choice(_NO_SHOWS)
            deeds.append(self._by_receiver(story, 13, "reportNoShow", reasonCode=why))
        return deeds

    def _completed(self, story: Story, number: int) -> list[Deed]:
        first = number % 11
        taken = first + 1
        done = next(
            step
            for step in range(taken + 1, len(self._steps))
            if visits(self._steps[taken], self._steps[step])
        )
        visit = self._chance.choice(visits(self._steps[taken], self._steps[done]))
        return [
            self._sent(story, first),
            *self._booked(story, taken, visit),
            self._by_receiver(story, done, "completeReferral"),
        ]

    def _declined(self, story: Story, _: int) -> list[Deed]:
        first = self._chance.randint(3, 13)
        return [self._sent(story, first), self._declining(story, first + 1)]

    def _cancelled(self, story: Story, number: int) -> list[Deed]:
        first = self._chance.randint(2, 11)
        deeds = [self._sent(story, first)]
        if number % 2:
            deeds.append(self._by_receiver(story, first + 1, "acknowledgeReferral"))
        why = self._chance.choice(_CANCELS)
        return [*deeds, self._by_sender(story, first + 2, "cancelReferral", reasonCode=why)]

    # Deeds ------------------------------------------------------------------------------------------------------------

    def _by_sender(self, story: Story, step: int, verb: str, **more: object) -> Deed:
        return Deed(step, verb, story.sender.office, more)

    def _by_receiver(self, story: Story, step: int, verb: str, **more: object) -> Deed:
        return Deed(step, verb, story.receiver.office, more)

    def _sent(self, story: Story, step: int) -> Deed:
        return self._by_sender(story, step, "sendReferral")

    def _declining(self, story: Story, step: int) -> Deed:
        """With a reason for which it still waits for its sender when the world is made."""
        why = self._chance.choice(_DECLINES)
        if self._now - self._steps[step] > _LAPSES_WITHIN:
            why = _WAITS
        return self._by_receiver(story, step, "declineReferral", reasonCode=why)

    def _booked(self, story: Story, step: int, at: datetime) -> list[Deed]:
        deeds = []
        if story.receiver.group:
            members = self._providers(story.specialty, story.receiver.office)
            npi = self._chance.choice(members).npi
            deeds.append(self._by_receiver(story, step, "claimReferral", npi=npi))
        return [
            *deeds,
            self._by_receiver(story, step, "scheduleReferral", at=at.isoformat()),
        ]

    def _later(self) -> datetime:
        return self._chance.choice(visits(self._now, self._now + AHEAD))

    def _elsewhere(self, story: Story) -> End:
        """Another door for the same specialty."""
        office = SPECIALISTS if story.receiver.office != SPECIALISTS else HEART
        return End(office, npi=self._chance.choice(self._providers(CARDIOLOGY, office)).npi)

    def _reassigned(self, story: Story, step: int, number: int) -> list[Deed]:
        others = [
            one.npi
            for one in self._providers(story.specialty, story.receiver.office)
            if one.npi != story.receiver.npi
        ]
        if number % 5 or not story.receiver.npi or not others:
            return []
        receiver = End(story.receiver.office, npi=self._chance.choice(others))
        return [self._by_receiver(story, step, "reassignReferral", receiver=receiver)]
