"""Insurance: payers, plans, participations (R26-R29)."""

from __future__ import annotations

from tests.model.words import (
    KEY,
    STALE,
    Actor,
    Ask,
    Entity,
    Hidden,
    List,
    Predicate,
    Rpc,
    Table,
    Thing,
    Verb,
    anybody,
    both,
    insurance_there,
    own,
    own_or_shown,
    support,
)

ROW = {"providerId": "@own doctor", "effectiveFrom": "2030-02-02", "effectiveUntil": "2030-02-01"}
"""It would end before it begins."""


def seen(actor: Actor, thing: Thing) -> bool:
    """One's own, and where patients can be seen; support reads all."""
    return actor.support or own_or_shown(actor, thing)


def at(office: str) -> Predicate:
    """It is at that office."""
    return lambda _, thing: office in thing.offices


VERBS = (
    Verb(
        "addPayer",
        "R27",
        may=support,
        given={"name": " ", **KEY},
        then="INVALID",
        for_support=True,
    ),
    Verb(
        "addInsurancePlan",
        "R27",
        "payer",
        may=support,
        sees=anybody,
        given={"name": " ", "productType": "MEDI", "effectiveFrom": "2020-01-01", **KEY},
        then="INVALID",
        for_support=True,
    ),
    Verb(
        "addParticipation",
        "R26 R27",
        "office",
        may=insurance_there,
        given={**ROW, "planId": "@plan plan", **KEY},
        then="EMPTY_PERIOD",
    ),
    Verb(
        "addParticipations",
        "R26 R27",
        "office",
        may=insurance_there,
        given={**ROW, "planIds": ["@plan plan"], **KEY},
        then="EMPTY_PERIOD",
    ),
    Verb(
        "endParticipation",
        "R26 R27",
        "participation",
        may=insurance_there,
        given={"effectiveUntil": "2030-01-01", **STALE},
        action="END",
    ),
    Verb(
        "verifyParticipation",
        "R26 R27",
        "participation",
        may=insurance_there,
        given=STALE,
        action="VERIFY",
    ),
)

QUERIES: tuple[Ask | List, ...] = (
    List("payers", "R27", "payer", lists=anybody),
    Ask("payer", "R27", "payer", shown=anybody),
    List("insurancePlans", "R27", "plan", lists=anybody),
    Ask("insurancePlan", "R27", "plan", shown=anybody),
    List("participations", "R27", "participation", lists=own, for_support=False, case="own"),
    *(
        List(
            "participations",
            "R27",
            "participation",
            lists=both(seen, at(office)),
            given={"officeId": f"@office {office}"},
            case=f"at {office}",
        )
        for office in ("here", "there", "planned", "theirs", "their planned")
    ),
)

HIDDEN = (Hidden("participation", "lastVerifiedBy", "R27", own, "{ id }"),)

ENTITIES = (
    Entity("InsurancePlan", "plan", "R27", anybody, "name"),
    Entity("Payer", "payer", "R27", anybody, "name"),
    Entity("Provider", "provider", "R27", anybody, "participations(first: 1) { edges { cursor } }"),
    Entity("Office", "office", "R27", anybody, "participations(first: 1) { edges { cursor } }"),
)

FIELDS = {
    "InsurancePlan": "id name productType selfPay effectiveFrom effectiveUntil version payer",
    "Office": "id participations",
    "Participation": "id effectiveFrom effectiveUntil source lastVerifiedOn version provider office plan"
    " allowedActions",
    "ParticipationsAdded": "participations",
    "Payer": "id name identifiers version",
    "PayerIdentifier": "system value",
    "PlanProblem": "planId code message remedy participationId",
    "Provider": "id participations",
}

RPCS = (
    Rpc(
        "Insurance/Accepts",
        frozenset({"referrals", "directory"}),
        "R28: whether the receiver accepts the plan",
        {
            "office_id": "@office here",
            "plan_id": "@plan plan",
            "on": "2030-01-01",
            "provider_ids": ["@provider doctor here"],
        },
    ),
    Rpc(
        "Insurance/AcceptsMany",
        frozenset({"directory"}),
        "R28: which of the receivers found accept the plan",
        {"plan_ids": ["@plan plan"], "on": "2030-01-01"},
    ),
)

TABLE = Table(
    verbs=VERBS,
    queries=QUERIES,
    entities=ENTITIES,
    references=frozenset({"User"}),
    hidden=HIDDEN,
    fields=FIELDS,
    rpcs=RPCS,
)
