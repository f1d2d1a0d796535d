"""Reporting: the weekly report of a group (R31)."""

from __future__ import annotations

from tests.model.words import (
    STALE,
    Actor,
    Ask,
    Entity,
    List,
    Table,
    Verb,
    admin_there,
    both,
    own,
)


def reads_some(actor: Actor) -> bool:
    """Client admins, and office admins, who see those of their own offices (permission matrix: org-wide reports)."""
    return actor.client_admin or bool(actor.admin_of)


reads = both(own, admin_there)

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
    Ask(
        "groupProgressReport",
        "R31",
        "group",
        shown=own,
        may=admin_there,
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

FIELDS = {
    "BacklogOfAge": "fromDays toDays open",
    "DeclinedForReason": "reasonCode declined",
    "Group": "id progressReport",
    "GroupProgressReport": "group weekOf startsAt endsAt asOf dataAsOf figures restated published",
    "MedianHours": "hours referrals",
    "PublishedReport": "id version publishedAt dataAsOf figures reviewedAt reviewedBy allowedActions",
    "ReportFigures": "opening received reopened reassignedIn completed cancelled declined forwardedOut reassignedOut"
    " closing sent acknowledged scheduled appointmentsPassed noShows overdue declinedByReason backlogByAge"
    " toFirstAction toSchedule toCompletion reconciles unexplainedReferralIds",
    "ReportNumber": "count referralIds",
}

TABLE = Table(
    verbs=VERBS,
    queries=QUERIES,
    entities=ENTITIES,
    references=frozenset({"User"}),
    fields=FIELDS,
)
