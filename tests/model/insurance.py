"""Insurance: payers, plans, participations (R26-R29)."""

from __future__ import annotations

from tests.model.fields import FIELDS
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
    audit,
    both,
    insurance_there,
    looks_on,
    own,
    own_or_shown,
    support,
)

ROW = {"providerId": "@own doctor", "effectiveFrom": "2030-02-02", "effectiveUntil": "2030-02-01"}
"""It would end before it begins."""


COPY = {
    "source": {"providerId": "@own leaver", "officeId": "@own office"},
    "target": {"providerId": "@own doctor"},
    "effectiveFrom": "2030-01-01",
}


def seen(actor: Actor, thing: Thing) -> bool:
    """One's own, and where patients can be seen."""
    return own_or_shown(actor, thing)


def at(office: str) -> Predicate:
    """It is at that office."""
    return lambda _, thing: office in thing.offices


def keeps_plans(actor: Actor, thing: Thing) -> bool:  # noqa: ARG001 - whose it is, is asked before
    """R29: campaigns are opened, handed over and called off by insurance managers of the whole organization and client admins."""
    return actor.insurance_manager or actor.client_admin


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
    Verb("changePayer", "R27", "payer", may=support, sees=anybody, given=STALE, for_support=True),
    Verb(
        "changeInsurancePlan",
        "R27",
        "plan",
        may=support,
        sees=anybody,
        given=STALE,
        for_support=True,
    ),
    Verb(
        "endInsurancePlan",
        "R27",
        "plan",
        may=support,
        sees=anybody,
        given={"endsOn": "2100-01-01", "token": "of another day", **STALE, **KEY},
        then="STALE_VERSION|STALE_PREVIEW|SELF_PAY",
        for_support=True,
    ),
    Verb(
        "copyParticipations",
        "R27",
        "office",
        may=insurance_there,
        at="target.officeId",
        given={**COPY, "planIds": ["@plan plan"], "token": "of another day", **KEY},
        then="INVALID",
    ),
    Verb(
        "declareMajorChange",
        "R29",
        may=keeps_plans,
        given={"reason": " ", "payerIds": [], "planIds": ["@plan plan"], **KEY},
        then="INVALID",
    ),
    Verb("assignCampaign", "R29", "campaign", may=keeps_plans, given=STALE, action="ASSIGN"),
    Verb("callOffCampaign", "R29", "campaign", may=keeps_plans, given=STALE, action="CALL_OFF"),
    Verb(
        "attestCampaignItems",
        "R29",
        "item",
        may=insurance_there,
        at="items.itemId",
        given={"items": [{"token": "of another day"}]},
        then="INVALID|ITEM_SETTLED",
        each="outcomes.problem",
    ),
    Verb(
        "verifyParticipations",
        "R26 R27",
        "participation",
        may=insurance_there,
        at="participations.participationId",
        given={"participations": [dict(STALE)], **KEY},
        each="outcomes.problem",
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


def unverified(actor: Actor, thing: Thing) -> bool:  # noqa: ARG001 - a predicate
    """A payer said it, and nobody has looked since."""
    return thing.name in {"there", "theirs"}


def answers_for(actor: Actor) -> bool:
    """R26: whoever keeps what is accepted, at some office at least, or looks on."""
    watches = actor.insurance_manager or actor.client_admin or actor.reporting_only
    return watches or bool(actor.admin_of | actor.insurance_of)


def answers_there(actor: Actor, thing: Thing) -> bool:
    """The same, for the thing's offices."""
    return own(actor, thing) and (actor.reporting_only or insurance_there(actor, thing))


QUERIES: tuple[Ask | List, ...] = (
    List("payers", "R27", "payer", lists=anybody),
    Ask("payer", "R27", "payer", shown=anybody),
    List("insurancePlans", "R27", "plan", lists=anybody),
    Ask("insurancePlan", "R27", "plan", shown=anybody),
    audit("insurance"),
    Ask(
        "insurancePlanEndPreview",
        "R27",
        "plan",
        shown=anybody,
        may=support,
        at="planId",
        given={"endsOn": "2100-01-01"},
        select="{ token }",
        or_else="SELF_PAY_STAYS",
    ),
    Ask("insurancePlanEndings", "R27", "plan", shown=anybody, may=support, at="planId"),
    Ask(
        "copyParticipationsPreview",
        "R27",
        "office",
        shown=own,
        may=insurance_there,
        at="target.officeId",
        given=COPY,
        select="{ total }",
        for_support=False,
    ),
    Ask("participationCopy", "R27", "copy", shown=own, may=answers_there, for_support=False),
    List(
        "participationCopies",
        "R27",
        "copy",
        lists=answers_there,
        may=answers_for,
        for_support=False,
    ),
    Ask(
        "movesToReview",
        "R19 R27",
        shown=anybody,
        may=lambda actor, _: answers_for(actor),
        select="{ pageInfo { hasNextPage } }",
        for_support=False,
    ),
    Ask(
        "campaign",
        "R29",
        "campaign",
        shown=own,
        may=lambda actor, _: answers_for(actor),
        for_support=False,
    ),
    Ask(
        "campaignEvidence",
        "R29",
        "campaign",
        shown=own,
        may=lambda actor, _: answers_for(actor),
        at="campaignId",
        given={"first": 1},
        select="{ __typename }",
        for_support=False,
    ),
    List(
        "campaigns",
        "R29",
        "campaign",
        lists=own,
        may=answers_for,
        complete=False,
        for_support=False,
    ),
    List(
        "participationsDue",
        "R29",
        "participation",
        lists=both(answers_there, unverified),
        may=answers_for,
        given={"within": 90},
        for_support=False,
    ),
    Ask(
        "planAcceptances",
        "R28",
        shown=anybody,
        given={
            "places": [{"providerId": "@provider doctor here", "officeId": "@office here"}],
            "planIds": ["@plan plan"],
            "on": "2030-01-01",
        },
        select="{ state }",
    ),
    Ask(
        "verificationStanding",
        "R29",
        shown=anybody,
        may=lambda actor, _: answers_for(actor),
        select="{ verified }",
        for_support=False,
    ),
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


def watches_plans(actor: Actor, thing: Thing) -> bool:
    """R26: insurance managers and client admins, who sees what they see, and office admins of the office."""
    return insurance_there(actor, thing) or looks_on(actor, thing)


HIDDEN = (
    Hidden("participation", "lastVerifiedBy", "R27", own, "{ id }"),
    Hidden("participation", "verifications", "R27", own, "{ on }"),
)

ENTITIES = (
    Entity("Office", "office", "R26", both(own, watches_plans), "plansDue"),
    Entity("InsurancePlan", "plan", "R27", anybody, "name"),
    Entity("Payer", "payer", "R27", anybody, "name"),
    Entity(
        "Provider", "provider", "R27", own_or_shown, "participations(first: 1) { edges { cursor } }"
    ),
    Entity(
        "Office", "office", "R27", own_or_shown, "participations(first: 1) { edges { cursor } }"
    ),
)


RPCS = (
    Rpc(
        "Insurance/Accepts",
        frozenset({"referrals"}),
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
        frozenset({"directory", "referrals"}),
        "R28: which of the receivers found accept the plan; R22: whether its payer wants to know who referred",
        {"plan_ids": ["@plan plan"], "on": "2030-01-01"},
    ),
    Rpc(
        "Insurance/Plans",
        frozenset({"reporting"}),
        "R31: names in files of reports",
        {"plan_ids": ["@plan plan"]},
    ),
)

TABLE = Table(
    verbs=VERBS,
    queries=QUERIES,
    entities=ENTITIES,
    references=frozenset({"User"}),
    hidden=HIDDEN,
    fields=FIELDS["insurance"],
    rpcs=RPCS,
)
