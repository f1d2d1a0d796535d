"""Reporting: the weekly report of a group (R31)."""

from __future__ import annotations

from tests.model.fields import FIELDS
from tests.model.words import (
    STALE,
    Actor,
    Ask,
    Entity,
    List,
    Table,
    Thing,
    Verb,
    admin_there,
    audit,
    both,
    looks_on,
    own,
)


def reads_some(actor: Actor) -> bool:
    """Client admins, and office admins, who see those of their own offices (permission matrix: org-wide reports)."""
    return actor.client_admin or actor.reporting_only or bool(actor.admin_of)


def reads_there(actor: Actor, thing: Thing) -> bool:
    """Org-wide reports: client admins, who sees what they see, and office admins of the group's offices."""
    return looks_on(actor, thing) or admin_there(actor, thing)


reads = both(own, reads_there)

VERBS = (
    Verb(
        "markReportReviewed",
        "R31",
        "report",
        may=admin_there,
        given=STALE,
        action="MARK_REVIEWED",
    ),
)

QUERIES = (
    audit("reporting"),
    Ask(
        "groupProgressReport",
        "R31",
        "group",
        shown=own,
        may=reads_there,
        at="groupId",
        given={"weekOf": "@day last week"},
        select="{ weekOf }",
        for_support=False,
    ),
    List(
        "groupProgressReports",
        "R31",
        "group",
        lists=reads,
        may=reads_some,
        given={"weekOf": "@day last week"},
        select="{ edges { node { group { id } } } }",
        for_support=False,
    ),
)

ENTITIES = (
    Entity("Group", "group", "R31", reads, 'progressReport(weekOf: "LAST WEEK") { weekOf }'),
)


TABLE = Table(
    verbs=VERBS,
    queries=QUERIES,
    entities=ENTITIES,
    references=frozenset({"User"}),
    fields=FIELDS["reporting"],
)
