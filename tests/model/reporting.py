"""Reporting: the weekly report of a group (R31), and best practice (R30, R32-R34)."""

from __future__ import annotations

from tests.model.fields import FIELDS
from tests.model.words import (
    KEY,
    STALE,
    WORKING_ROLES,
    Actor,
    Ask,
    Elsewhere,
    Entity,
    Hidden,
    List,
    Table,
    Thing,
    Verb,
    admin_there,
    anybody,
    audit,
    both,
    client_admin,
    either,
    looks_on,
    own,
)


def reads_some(actor: Actor) -> bool:
    """Client admins, and office admins, who see those of their own offices (permission matrix: org-wide reports)."""
    return actor.client_admin or actor.reporting_only or bool(actor.admin_of)


def reads_any(actor: Actor, thing: Thing) -> bool:  # noqa: ARG001 - a predicate
    """Who reads some report, scorecard or finding."""
    return reads_some(actor)


def reads_there(actor: Actor, thing: Thing) -> bool:
    """Org-wide reports: client admins, who sees what they see, and office admins of the group's offices."""
    return looks_on(actor, thing) or admin_there(actor, thing)


reads = both(own, reads_there)


def is_staff(actor: Actor, thing: Thing) -> bool:  # noqa: ARG001 - a predicate
    """R30: who has a role at an office as its staff, or works for a group."""
    return bool(actor.staff_of or actor.groups)


def published(actor: Actor, thing: Thing) -> bool:  # noqa: ARG001 - a predicate
    """R30: what is no draft, and was not withdrawn."""
    return thing.shown


asked = both(published, is_staff)
"""The guides of the cast are for office staff."""

reads_guide = both(own, either(looks_on, asked))


def to_learn(actor: Actor, thing: Thing) -> bool:
    """R34: who worked there when it was assigned, as staff, as office admin, or for a group."""
    return bool(actor.offices & thing.offices or actor.groups & thing.groups)


NO_FINDING = (
    "no rule is missed in the cast's one week:"
    " tests/service/reporting/test_scorecards.py::test_who_reads_scorecards_and_findings"
)


def _guide(name: str, action: str, **given: object) -> Verb:
    return Verb(name, "R30", "guide", may=client_admin, given={**STALE, **given}, action=action)


VERBS = (
    Verb(
        "addGuide",
        "R30",
        may=client_admin,
        given={"kind": "SENDING", "title": " ", "text": "x", "roles": ["OFFICE_STAFF"], **KEY},
        then="INVALID",
    ),
    _guide("changeGuide", "CHANGE", title="Changed"),
    _guide("publishGuide", "PUBLISH"),
    _guide("withdrawGuide", "WITHDRAW"),
    Verb(
        "acknowledgeGuide",
        "R30",
        "guide",
        may=asked,
        given={"number": 1_000_000},
        then="NEWER_VERSION",
        action="ACKNOWLEDGE",
    ),
    Verb(
        "changeScorecardRule",
        "R32",
        may=client_admin,
        given={"measure": "PLANS_VERIFIED", "atLeastPercent": 0, "expectedVersion": 1},
        then="INVALID",
    ),
    Elsewhere("recordFindingCause", "R32", NO_FINDING),
    Elsewhere("closeFinding", "R32", NO_FINDING),
    Elsewhere("proposeRoleChange", "R33", NO_FINDING),
    Verb(
        "assignTraining",
        "R34",
        may=client_admin,
        given={"title": "Manners", "dueOn": "2000-01-01", **KEY},
        then="INVALID",
    ),
    Verb(
        "completeTraining",
        "R34",
        "training",
        may=to_learn,
        then="Training",
        action="COMPLETE",
    ),
    Verb("cancelTraining", "R34", "training", may=client_admin, given=STALE, action="CANCEL"),
    Verb(
        "markReportReviewed",
        "R31",
        "report",
        may=admin_there,
        given=STALE,
        action="MARK_REVIEWED",
    ),
)


def reads_insurance(actor: Actor) -> bool:
    """Reports, and insurance managers those of insurance (permission matrix: INS only)."""
    return actor.insurance_manager or bool(actor.insurance_of) or reads_some(actor)


QUERIES = (
    audit("reporting"),
    Ask(
        "performanceReport",
        "R31",
        shown=anybody,
        may=lambda actor, _: reads_some(actor) or bool(actor.provider),
        given={"month": "@day last week"},
        select="{ month }",
        for_support=False,
    ),
    Ask(
        "accountHygieneReport",
        "R04 R07 R18",
        shown=anybody,
        may=lambda actor, _: reads_some(actor),
        select="{ dataAsOf }",
        for_support=False,
    ),
    Ask(
        "directoryAccuracyReport",
        "R27 R29",
        shown=anybody,
        may=lambda actor, _: reads_insurance(actor),
        select="{ on }",
        for_support=False,
    ),
    Ask(
        "insuranceReviewReport",
        "R29",
        shown=anybody,
        may=lambda actor, _: actor.insurance_manager or actor.client_admin or actor.reporting_only,
        select="{ kind }",
        for_support=False,
    ),
    Ask("guide", "R30", "guide", shown=reads_guide, for_support=False),
    List(
        "guides",
        "R30",
        "guide",
        lists=own,
        may=lambda actor: actor.client_admin or actor.reporting_only,
        for_support=False,
    ),
    List(
        "myGuides",
        "R30",
        "guide",
        lists=both(own, asked),
        select="{ id }",
        page=False,
        for_support=False,
    ),
    Ask(
        "scorecardRules",
        "R32",
        shown=anybody,
        may=reads_any,
        select="{ measure }",
        for_support=False,
    ),
    Ask(
        "findings",
        "R32",
        shown=anybody,
        may=reads_any,
        select="{ pageInfo { hasNextPage } }",
        for_support=False,
    ),
    Elsewhere("finding", "R32", NO_FINDING),
    Ask(
        "roleChangePreview",
        "R33",
        "office",
        shown=own,
        may=client_admin,
        at="change.officeId",
        given={"change": {"change": "GRANT", "userId": "@own somebody", "role": "OFFICE_STAFF"}},
        select="{ blocked }",
        for_support=False,
    ),
    List("trainings", "R34", "training", lists=reads, may=reads_some, for_support=False),
    List(
        "myTraining",
        "R34",
        "training",
        lists=both(own, to_learn),
        select="{ id }",
        page=False,
        for_support=False,
    ),
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


def sees_todo(actor: Actor, thing: Thing) -> bool:
    """R30, R34: oneself, client admins, and office admins of an office at which the user has a role."""
    return actor.name == thing.name or looks_on(actor, thing) or bool(there_now(actor, thing))


def there_now(actor: Actor, thing: Thing) -> frozenset[str]:
    """The actor's offices at which a user works."""
    return actor.admin_of & {office for role, office in thing.roles if role in WORKING_ROLES}


ENTITIES = (
    Entity("User", "user", "R30", both(own, sees_todo), "unreadGuides"),
    Entity("Organization", "organization", "R32", both(own, looks_on), "unreadGuides"),
    Entity("Office", "office", "R32", reads, "unreadGuides"),
    Entity("Group", "group", "R31", reads, 'progressReport(weekOf: "LAST WEEK") { weekOf }'),
)


HIDDEN = (
    Hidden("guide", "draft", "R30", looks_on, "{ number }"),
    Hidden("guide", "unreadCount", "R30", looks_on),
    Hidden("guide", "readers", "R30", looks_on, "{ edges { node { confirmed } } }"),
)


TABLE = Table(
    verbs=VERBS,
    hidden=HIDDEN,
    elsewhere={
        "Training.findingId": "tests/service/reporting/test_trainings.py: shown to client admins"
    },
    queries=QUERIES,
    entities=ENTITIES,
    references=frozenset({"InsurancePlan", "Provider"}),
    fields=FIELDS["reporting"],
)
