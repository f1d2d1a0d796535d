"""Work queues: who opens which, and what is in it (R14, R21)."""

from __future__ import annotations

from collections.abc import Callable

from tests.model.words import Actor, Ask, List, Thing, anybody, is_provider, own


def queue(actor: Actor, thing: Thing) -> bool:
    """Whoever works at the office or for the group."""
    return own(actor, thing) and bool(thing.offices & actor.offices)


def team_queue(actor: Actor, thing: Thing) -> bool:
    """Whoever is staff of the group."""
    return own(actor, thing) and bool(thing.groups & actor.groups)


SENT_FROM_HERE = frozenset({"from here"})
SENT_FROM_THERE = frozenset({"within", "passed on", "draft there"})
ENDED_HERE = frozenset({"cancelled", "finished"})
RECEIVED_HERE = frozenset({"to here", "to the team", "within"})
"""R14: not what was sent to the leaver; nor what was cancelled, which is in the archive."""


def _queue(kind: str, where: str, names: frozenset[str], opens: Callable[[Actor], bool]) -> List:
    argument = f"{where.split(maxsplit=1)[0]}Id"
    return List(
        "workQueue",
        "R14 R21",
        "referral",
        lists=lambda _, thing: thing.name in names,
        may=opens,
        given={"kind": kind, argument: f"@{where}"},
        for_support=False,
        case=f"{kind} of {where}",
    )


def _at(office: str) -> Callable[[Actor], bool]:
    return lambda actor: office in actor.offices


def _in_team(actor: Actor) -> bool:
    return "team" in actor.groups


def _is_doctor_here(actor: Actor) -> bool:
    return actor.provider == "doctor here"


def own_queue(actor: Actor, thing: Thing) -> bool:
    """Whose record as a provider it is, as long as they belong to the organization."""
    return own(actor, thing) and is_provider(actor, thing) and not thing.removed


QUEUES = (
    _queue("REQUIRES_REVIEW", "office here", RECEIVED_HERE, _at("here")),
    _queue("RECEIVED", "office here", RECEIVED_HERE, _at("here")),
    _queue("SENT", "office here", SENT_FROM_HERE, _at("here")),
    _queue("ARCHIVE", "office here", ENDED_HERE, _at("here")),
    _queue("REQUIRES_REVIEW", "office there", frozenset({"to there", "draft there"}), _at("there")),
    _queue("SENT", "office there", SENT_FROM_THERE, _at("there")),
    _queue("RECEIVED", "group team", frozenset({"to the team"}), _in_team),
    _queue("RECEIVED", "group their team", frozenset(), lambda _: False),
    _queue("RECEIVED", "provider doctor here", frozenset({"to here", "within"}), _is_doctor_here),
    _queue("SENT", "provider doctor here", SENT_FROM_HERE, _is_doctor_here),
    _queue("ARCHIVE", "provider doctor here", ENDED_HERE, _is_doctor_here),
    _queue("RECEIVED", "provider doctor there", frozenset(), lambda _: False),
    _queue("RECEIVED", "provider leaver", frozenset(), lambda _: False),
)

SUBSCRIPTIONS = (
    Ask(
        "workQueueChanged",
        "R07 R14",
        "office",
        shown=anybody,
        may=queue,
        at="officeId",
        select="{ happened }",
        for_support=False,
        case="of an office",
    ),
    Ask(
        "workQueueChanged",
        "R07 R14",
        "group",
        shown=anybody,
        may=team_queue,
        at="groupId",
        select="{ happened }",
        for_support=False,
        case="of a group",
    ),
    Ask(
        "workQueueChanged",
        "R07 R14",
        "provider",
        shown=anybody,
        may=own_queue,
        at="providerId",
        select="{ happened }",
        for_support=False,
        case="of a provider",
    ),
)
