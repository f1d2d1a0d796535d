"""Directory: providers, offices, placements, groups, suggestions (R06, R09, R11, R15-R20, R22-R24)."""

from __future__ import annotations

from tests.model.fields import FIELDS
from tests.model.groups import GROUPS, SEEN
from tests.model.words import (
    KEY,
    STALE,
    Action,
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
    admin_there,
    any_admin,
    anybody,
    audit,
    both,
    client_admin,
    either,
    is_provider,
    looks_on,
    own,
    own_or_shown,
    support,
)

PLACE = {
    "address": {"line1": "1 A", "city": "Chicago", "region": "IL", "postalCode": "60601"},
    "coordinates": {"latitude": 41.9, "longitude": -87.6},
    "phone": "312-555-0100",
    "timeZone": "Mars/Olympus",
    "goLiveOn": "2100-01-01",
}


def asked_for_by(actor: Actor, thing: Thing) -> bool:
    """R09: an office admin requests a provider record, and keeps it until a client admin approves it."""
    return bool(actor.admin_of) and thing.by == actor.name


def call_centre(actor: Actor, thing: Thing) -> bool:  # noqa: ARG001 - a predicate
    """R10: who is told of changes, and says that they were read."""
    return actor.call_centre


keeps = either(admin_there, asked_for_by)
"""Permission matrix: client admins; office admins those at their own offices and those they asked for."""


def _provider(verb: str, rule: str, may: Predicate, action: str = "", **given: object) -> Verb:
    return Verb(verb, rule, "provider", may=may, given={**STALE, **given}, action=action)


VERBS = (
    Verb(
        "addProvider",
        "R09",
        may=any_admin,
        given={"firstName": " ", "lastName": "X", **KEY},
        then="INVALID",
    ),
    _provider(
        "changeProvider", "R09 R11", either(keeps, is_provider), "CHANGE", firstName="Changed"
    ),
    _provider("submitProvider", "R11", keeps, "SUBMIT"),
    _provider("approveProvider", "R11", client_admin, "APPROVE"),
    _provider("rejectProvider", "R11", client_admin, "REJECT", reason="Not ours"),
    _provider("verifyProvider", "R11", keeps, "VERIFY"),
    Verb("approveProviders", "R11", may=client_admin, given={"providers": []}, then="INVALID"),
    Verb(
        "mergeProviders",
        "R09",
        "provider",
        may=client_admin,
        at="duplicateId",
        given={"survivorId": "@own doctor", "survivorVersion": 1, **STALE},
        action="MERGE",
    ),
    _provider("startOffboarding", "R15", client_admin, "START_OFFBOARDING"),
    _provider("keepProvider", "R15", client_admin, "KEEP"),
    _provider("removeProvider", "R15", client_admin, "REMOVE", token=SEEN),
    _provider("removeWhenEmpty", "R15", client_admin, "REMOVE_WHEN_EMPTY", token=SEEN),
    _provider("callOffRemoval", "R15", client_admin, "CALL_OFF_REMOVAL"),
    Verb("importProviders", "R09", may=client_admin, given={"rows": [], **KEY}, then="INVALID"),
    Verb("noteNpis", "R11", may=client_admin, given={"rows": [], **KEY}, then="INVALID"),
    Verb(
        "keepImportProgress",
        "R09",
        may=client_admin,
        given={"digest": "none", "kind": "NPPES", "state": ""},
        then="INVALID",
    ),
    Verb(
        "importSpecialties",
        "R11",
        may=support,
        given={"rows": []},
        then="INVALID",
        for_support=True,
    ),
    Verb("importZips", "R16", may=support, given={"rows": []}, then="INVALID", for_support=True),
    Verb(
        "addOffice",
        "R16",
        may=client_admin,
        given={"name": "Matrix", **PLACE, **KEY},
        then="UNKNOWN_TIME_ZONE",
    ),
    Verb(
        "closeOffice",
        "R19",
        "office",
        may=client_admin,
        given={"token": SEEN, **STALE},
        action="CLOSE",
    ),
    Verb(
        "changeOffice",
        "R16",
        "office",
        may=client_admin,
        given={"name": "Changed", **STALE},
        action="CHANGE",
    ),
    Verb(
        "attestRoster",
        "R18",
        "office",
        may=admin_there,
        given={"userIds": [], **STALE},
        action="ATTEST_ROSTER",
    ),
    Verb(
        "reopenOffice",
        "R16 R19",
        "office",
        may=client_admin,
        given={"goLiveOn": "2100-01-01", **STALE},
        action="REOPEN",
    ),
    Verb("keepOffice", "R19", "office", may=client_admin, given=STALE, action="KEEP"),
    Verb(
        "addPlacement",
        "R09",
        "office",
        may=admin_there,
        given={"providerId": "@own leaver", **KEY},
        then="NOT_FOUND providerId|OFFICE_CLOSED",
        action="PLACE_PROVIDER",
    ),
    Verb("endPlacement", "R09", "placement", may=admin_there, given=STALE, action="END"),
    Verb(
        "setAcceptingNewPatients",
        "R10",
        "placement",
        may=admin_there,
        given={"accepting": True, **STALE},
        action="SET_ACCEPTING_NEW_PATIENTS",
    ),
    Verb(
        "addGroup",
        "R20",
        may=client_admin,
        given={"name": "Matrix", "officeIds": [], **KEY},
        then="INVALID",
    ),
    *GROUPS,
    Verb(
        "snoozeSuggestion",
        "R20",
        "suggestion",
        may=client_admin,
        given={"until": "2100-01-01", **STALE},
        action="SNOOZE",
    ),
    Verb("dismissSuggestion", "R20", "suggestion", may=client_admin, given=STALE, action="DISMISS"),
    Verb(
        "dismissTask",
        "R06",
        may=anybody,
        given={"taskId": "00000000-0000-0000-0000-000000000000", "reason": "Meant so", **STALE},
        then="NOT_FOUND",
    ),
    Verb(
        "acknowledgeChanges",
        "R10",
        may=call_centre,
        given={"itemIds": []},
        then="INVALID|ChangesAcknowledged",
    ),
    Verb("changeDirectorySettings", "R11 R20", may=client_admin, given=STALE),
)

QUERIES = (
    Ask("provider", "R11", "provider", shown=own_or_shown),
    Ask("office", "R16", "office", shown=own_or_shown),
    Ask("group", "R23", "group", shown=own_or_shown),
    List("providers", "R02", "provider", lists=own, for_support=False),
    List("offices", "R02", "office", lists=own, for_support=False),
    List("groups", "R02", "group", lists=own, for_support=False),
    List(
        "providers",
        "R11",
        "provider",
        lists=lambda _, thing: thing.shown and not thing.removed,
        given={"network": True},
        case="of the network",
    ),
    List(
        "offices",
        "R16",
        "office",
        lists=lambda _, thing: thing.shown and not thing.ended,
        given={"network": True},
        case="of the network",
    ),
    List(
        "groups",
        "R23",
        "group",
        lists=lambda _, thing: thing.shown and not thing.ended,
        given={"network": True},
        case="of the network",
    ),
    List("groupSuggestions", "R20", "suggestion", lists=own, for_support=False),
    Ask(
        "officeClosurePreview",
        "R19",
        "office",
        shown=own,
        may=client_admin,
        at="officeId",
        select="{ token }",
    ),
    Ask(
        "providerRemovalPreview",
        "R12",
        "provider",
        shown=own,
        may=client_admin,
        at="providerId",
        select="{ token }",
    ),
    Ask(
        "groupRemovalPreview",
        "R24",
        "group",
        shown=own,
        may=client_admin,
        at="groupId",
        select="{ token }",
    ),
    Ask(
        "directoryTasks",
        "R06",
        shown=anybody,
        may=any_admin,
        select="{ edges { cursor } }",
        for_support=False,
    ),
    Ask(
        "affiliationFigures",
        "R06",
        shown=anybody,
        may=either(client_admin, looks_on),
        select="{ approved }",
        for_support=False,
    ),
    Ask(
        "importProgress",
        "R09",
        shown=anybody,
        may=client_admin,
        given={"digest": "none", "kind": "NPPES"},
        select="{ state }",
        or_else="nothing",
        for_support=False,
    ),
    audit("directory"),
    Ask(
        "callCentreFeed",
        "R10",
        shown=anybody,
        may=either(call_centre, looks_on),
        select="{ edges { cursor } }",
        for_support=False,
    ),
    Ask("specialties", "R11", shown=anybody, select="{ code }"),
    Ask("directorySettings", "R11 R20", shown=anybody, select="{ version }", for_support=False),
    Ask(
        "suggestReceivers",
        "R28",
        shown=anybody,
        given={"input": {"specialtyCode": "207RC0000X", "first": 1}},
        select="{ on }",
    ),
)

HIDDEN = (
    Hidden("provider", "rejectionReason", "R11", own),
    Hidden("provider", "pendingChange", "R11", own, "{ firstName }"),
    Hidden("provider", "missing", "R11", own),
    Hidden("provider", "gaps", "R11", own),
    Hidden("provider", "email", "R11", own),
    Hidden("office", "readiness", "R16", own, "{ ready }"),
    Hidden("office", "shortLeadTimeReason", "R16", own),
    Hidden("office", "roster", "R18", own, "{ id }"),
    Hidden("office", "referralOwner", "R18", own, "{ id }"),
    Hidden("office", "rosterAttestation", "R18", own, "{ stands }"),
    Hidden("group", "staff", "R23", own, "{ id }"),
)

ACTIONS = (
    Action("provider", "PLACE", "R09", both(own, any_admin)),
    Action("suggestion", "ADD_GROUP", "R20", both(own, client_admin)),
)

ENTITIES = (
    Entity("Provider", "provider", "R11", own_or_shown, "lastName"),
    Entity("Office", "office", "R16", own_or_shown, "name"),
    Entity("Group", "group", "R23", own_or_shown, "name"),
    Entity("Organization", "organization", "R02", own, "providers(first: 1) { edges { cursor } }"),
)


_SUITING = {"specialty_code": "207RC0000X", "first": 1}
RPCS = (
    Rpc(
        "Directory/Receiver",
        frozenset({"referrals"}),
        "who may receive",
        {"office_id": "@office here", "provider_id": "@provider doctor here"},
    ),
    Rpc(
        "Directory/Sender",
        frozenset({"referrals"}),
        "R22: who may send",
        {
            "organization_id": "@organization maple",
            "office_id": "@office here",
            "provider_id": "@provider doctor here",
        },
    ),
    Rpc(
        "Directory/Placements",
        frozenset({"insurance"}),
        "R27: plans where a provider works",
        {"on": "2030-01-01"},
    ),
    Rpc(
        "Directory/Providers",
        frozenset({"identity", "reporting"}),
        "R02: users who are providers; R31: names in files of reports",
        {"organization_id": "@organization maple", "provider_ids": ["@provider doctor here"]},
    ),
    Rpc(
        "Directory/UserGroups",
        frozenset({"identity"}),
        "R07: what a deactivation touches",
        {"organization_id": "@organization maple", "user_id": "@user idle"},
    ),
    Rpc("Directory/Suggest", frozenset({"referrals"}), "R28: who suits", _SUITING, for_user=True),
    Rpc(
        "Directory/Offices",
        frozenset({"identity", "referrals"}),
        "R08: roles at offices there are; and whether one of them works outside of the suite",
        {"organization_id": "@organization maple", "office_ids": ["@office here"]},
    ),
)

TABLE = Table(
    verbs=VERBS,
    queries=QUERIES,
    entities=ENTITIES,
    references=frozenset({"User", "InsurancePlan", "Referral"}),
    hidden=HIDDEN,
    actions=ACTIONS,
    fields=FIELDS["directory"],
    elsewhere={
        "Group.override": "R25: within its organization; tests/service/directory/test_overrides",
        "Provider.awaitedRemoval": "R15: within its organization; tests/service/directory/test_awaited_removals",
    },
    rpcs=RPCS,
)
