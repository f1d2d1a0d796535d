"""The verdict on an attempt: the same few steps for every row."""

from __future__ import annotations

from tests.model.words import (
    Actor,
    Ask,
    Hidden,
    List,
    Session,
    Thing,
    Verb,
    Verdict,
    is_provider,
    own,
)


def door(actor: Actor, *, for_support: bool) -> Verdict | None:
    """What the state of somebody's session says before anything else; None: go on."""
    if actor.session in {Session.NONE, Session.ENDED}:
        return Verdict.UNAUTHENTICATED
    if actor.session is Session.SET_PASSWORD:
        return Verdict.DENY
    if not actor.organization and not for_support:
        return Verdict.DENY
    return None


def of_verb(row: Verb, actor: Actor, thing: Thing) -> Verdict:
    """What becomes of a mutation."""
    if (shut := door(actor, for_support=row.for_support)) is not None:
        return shut
    if actor.reporting_only and not row.of_oneself:
        return Verdict.DENY
    sees = row.sees or (lambda who, what: own(who, what) or not row.about)
    if not sees(actor, thing):
        return Verdict.UNKNOWN
    return Verdict.ALLOW if row.may(actor, thing) else Verdict.DENY


def of_ask(row: Ask, actor: Actor, thing: Thing) -> Verdict:
    """What becomes of a query for one thing."""
    if (shut := door(actor, for_support=row.for_support)) is not None:
        return shut
    if not row.shown(actor, thing):
        return Verdict.UNKNOWN
    return Verdict.ALLOW if row.may(actor, thing) else Verdict.DENY


def of_list(row: List, actor: Actor, thing: Thing) -> Verdict:
    """Whether a thing is in somebody's list."""
    if (shut := door(actor, for_support=row.for_support)) is not None:
        return shut
    if not row.may(actor):
        return Verdict.DENY
    return Verdict.ALLOW if row.lists(actor, thing) else Verdict.ABSENT


def of_hidden(row: Hidden, actor: Actor, thing: Thing) -> Verdict:
    """Whether a field is told to somebody who sees the thing."""
    return Verdict.ALLOW if row.to(actor, thing) else Verdict.ABSENT


def relation(actor: Actor, thing: Thing) -> str:
    """How somebody stands to a thing, for the report: one of six."""
    if thing.removed:
        return "removed provider"
    if thing.ended:
        return "ended"
    parts = [one for one in (thing, thing.receiver, thing.past) if one is not None]
    if any(part.groups & actor.groups for part in parts):
        return "shared by a group"
    mine = [part for part in parts if part.organization == actor.organization]
    if not mine:
        return "another organization"
    if any(part.offices & actor.offices or is_provider(actor, part) for part in mine):
        return "own"
    return "same organization"
