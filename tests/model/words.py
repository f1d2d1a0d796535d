"""The words the tables are written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

WORKING_ROLES = frozenset({"OFFICE_ADMIN", "OFFICE_STAFF"})
"""By which somebody works at an office: by no other role that is granted there."""


class Verdict(StrEnum):
    """What must become of an attempt."""

    ALLOW = "allow"
    DENY = "deny"
    """Refused as FORBIDDEN or one of its kind: the thing is known, the act is not theirs."""

    UNKNOWN = "unknown"
    """Answered exactly as an id that never was."""

    ABSENT = "absent"
    """Left out of a list, or empty in an answer."""

    UNAUTHENTICATED = "unauthenticated"


class Session(StrEnum):
    """How far somebody got through the door."""

    FULL = "full"
    SET_PASSWORD = "set password"
    ENDED = "ended"
    NONE = "none"


@dataclass(frozen=True)
class Actor:
    """Somebody who tries. Offices and groups by name; see `cast`."""

    name: str
    organization: str = ""
    session: Session = Session.FULL
    support: bool = False
    client_admin: bool = False
    reporting_only: bool = False
    """Sees what a client admin sees, and changes nothing."""

    insurance_manager: bool = False
    insurance_of: frozenset[str] = frozenset()
    """Whose plans the actor keeps, where it is not the whole organization's: works at none of them by it (R26)."""

    call_centre: bool = False
    admin_of: frozenset[str] = frozenset()
    staff_of: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    provider: str = ""
    """Whose record as a provider is about the actor."""

    @property
    def offices(self) -> frozenset[str]:
        """Where the actor works."""
        return self.admin_of | self.staff_of

    @property
    def works(self) -> bool:
        """Whether the actor works for a place, and so has its queue."""
        return bool(self.offices or self.groups)


@dataclass(frozen=True)
class Thing:
    """Something to see or to change: its kind, its name in the cast, whose it is and where.

    `provider`: of an end of a referral, who refers or is to see the patient. `shown`: the whole network may know of it (approved,
    been live, been ready). `ended`: it is over. `receiver`: of a referral,
    who has it now. `past`: who had it before. `roles`: of a user, what they are and where, `had`: what they were before they went.
    """

    kind: str
    name: str
    organization: str
    offices: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    shown: bool = False
    ended: bool = False
    removed: bool = False
    receiver: Thing | None = None
    past: Thing | None = None
    roles: frozenset[tuple[str, str]] = frozenset()
    had: frozenset[tuple[str, str]] = frozenset()
    by: str = ""
    provider: str = ""


Predicate = Callable[[Actor, Thing], bool]

NOTHING = Thing("nothing", "nothing", "")
"""What an operation without an id is about."""

STALE: Mapping[str, Any] = {"expectedVersion": 1_000_000}
KEY: Mapping[str, Any] = {"idempotencyKey": "NEW KEY"}
"""The harness puts a fresh key there."""


# Rows of a table ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """What every row says: the operation's name, the rules it rests on, and the kind of thing whose id it takes."""

    name: str
    rule: str
    about: str = ""


@dataclass(frozen=True)
class Verb(Row):
    """A mutation. `sees`: to whom the thing is known at all (its organization, unless said). `case` names a variant of the input.

    Values of `given` that begin with @ are names of the cast: "@office here". `at` may be a path: "target.officeId", or
    "items.referralId" for the first of `items`. `each` is the path to the answer about one of many: "items.outcome".
    `for_support`: for people without an organization. `of_oneself`: about nobody but the viewer.
    """

    may: Predicate = field(kw_only=True)
    sees: Predicate | None = None
    at: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    then: str = "STALE_VERSION"
    case: str = ""
    for_support: bool = False
    of_oneself: bool = False
    each: str = ""
    action: str = ""
    """Its name among the thing's allowedActions, when it is there."""


@dataclass(frozen=True)
class Ask(Row):
    """A query of one thing, or of what there is one of in an organization. `shown`: to whom it is known. `may`: who of those may
    have it; the others are refused."""

    shown: Predicate = field(kw_only=True)
    may: Predicate = field(default=lambda _actor, _thing: True)
    at: str = "id"
    given: Mapping[str, Any] = field(default_factory=dict)
    select: str = "{ id }"
    or_else: str = ""
    """What else somebody may meet who may have it: a refusal for another reason, or "nothing" when there is none yet."""

    for_support: bool = True
    case: str = ""


@dataclass(frozen=True)
class List(Row):
    """A query of many. `lists`: what of `about` is in it. `may`: to whom it opens at all. `given`: its arguments."""

    lists: Predicate = field(kw_only=True)
    may: Callable[[Actor], bool] = lambda _actor: True
    given: Mapping[str, Any] = field(default_factory=dict)
    select: str = "{ edges { node { id } } }"
    page: bool = True
    complete: bool = True
    """Nothing else is in it than what the cast has."""

    for_support: bool = True
    case: str = ""


@dataclass(frozen=True)
class Elsewhere(Row):
    """An operation that a table cannot try: `about` tells the reason and the test that judges it instead."""


@dataclass(frozen=True)
class Rpc:
    """An RPC, who of our own parts has business with it, and a question that is well formed. `for_user`: only a user's question
    is carried there, none is asked in a part's own name."""

    name: str
    callers: frozenset[str]
    reason: str
    given: Mapping[str, Any] = field(default_factory=dict)
    for_user: bool = False


@dataclass(frozen=True)
class Hidden:
    """A field that not everybody sees who sees the thing: `to` says who does. `select` when it has fields of its own."""

    of: str
    field: str
    rule: str
    to: Predicate
    select: str = ""


@dataclass(frozen=True)
class Action:
    """An entry of a thing's allowedActions that is no verb's `action`: `to` says who is offered it, in the right state."""

    of: str
    name: str
    rule: str
    to: Predicate


@dataclass(frozen=True)
class Entity:
    """A type that other services refer to by key. `shown`: to whom `field`, which this service adds to it, is told; LAST WEEK in it
    is a day of the week before."""

    name: str
    about: str
    rule: str
    shown: Predicate
    field: str = ""


@dataclass(frozen=True)
class Table:
    """Everything a service offers. `fields`: of each type those that whoever sees the thing sees."""

    verbs: tuple[Verb | Elsewhere, ...] = ()
    queries: tuple[Ask | List | Elsewhere, ...] = ()
    subscriptions: tuple[Ask | Elsewhere, ...] = ()
    entities: tuple[Entity, ...] = ()
    references: frozenset[str] = frozenset()
    """Entities of others that it only names: `resolvable: false`."""

    hidden: tuple[Hidden, ...] = ()
    actions: tuple[Action, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    """Hidden fields ("Type.field") of things that the cast does not have, and where they are judged."""

    rpcs: tuple[Rpc, ...] = ()
    proofs: Mapping[str, Predicate] = field(default_factory=dict)
    """Verbs that ask for a proof of who it is, not older than ten minutes, and of whom; see test_fresh_proof of its service."""


# Predicates -----------------------------------------------------------------------------------------------------------


def anybody(actor: Actor, thing: Thing) -> bool:  # noqa: ARG001 - a predicate
    """Everybody."""
    return True


def nobody(actor: Actor, thing: Thing) -> bool:  # noqa: ARG001 - a predicate
    """Nobody at all."""
    return False


def own(actor: Actor, thing: Thing) -> bool:
    """Of the actor's organization."""
    return bool(actor.organization) and actor.organization == thing.organization


def own_or_shown(actor: Actor, thing: Thing) -> bool:
    """One's own, and what the whole network may know of (R02, R11, R16, R23)."""
    return own(actor, thing) or thing.shown


def is_provider(actor: Actor, thing: Thing) -> bool:
    """The actor is the provider it is about, or who stands at this end of a referral (permission matrix, column 7)."""
    mine = thing.name if thing.kind == "provider" else thing.provider
    return bool(actor.provider) and actor.provider == mine


def support(actor: Actor, thing: Thing) -> bool:  # noqa: ARG001 - a predicate
    """Support."""
    return actor.support


def client_admin(actor: Actor, thing: Thing) -> bool:  # noqa: ARG001 - whose it is, is asked before
    """Client admins."""
    return actor.client_admin


def looks_on(actor: Actor, thing: Thing) -> bool:  # noqa: ARG001 - whose it is, is asked before
    """Client admins, and who sees what they see."""
    return actor.client_admin or actor.reporting_only


def any_admin(actor: Actor, thing: Thing) -> bool:  # noqa: ARG001 - whose it is, is asked before
    """Client admins and office admins of any office."""
    return actor.client_admin or bool(actor.admin_of)


def admin_there(actor: Actor, thing: Thing) -> bool:
    """Client admins, and office admins of one of the thing's offices ("o" in the permission matrix)."""
    return actor.client_admin or bool(actor.admin_of & thing.offices)


def insurance_there(actor: Actor, thing: Thing) -> bool:
    """R26: insurance managers and client admins; office admins for their own offices, insurance managers of some offices for those."""
    return (
        actor.insurance_manager
        or bool(actor.insurance_of & thing.offices)
        or admin_there(actor, thing)
    )


def either(*predicates: Predicate) -> Predicate:
    """One of them at least."""
    return lambda actor, thing: any(one(actor, thing) for one in predicates)


def both(*predicates: Predicate) -> Predicate:
    """All of them."""
    return lambda actor, thing: all(one(actor, thing) for one in predicates)


def except_for(predicate: Predicate) -> Predicate:
    """Everybody else."""
    return lambda actor, thing: not predicate(actor, thing)


def audit(service: str) -> Ask:
    """What was done in an organization is for its client admins, and for who sees what they see."""
    return Ask(
        f"{service}Audit",
        "R02",
        shown=anybody,
        may=looks_on,
        select="{ pageInfo { hasNextPage } }",
        for_support=False,
    )
