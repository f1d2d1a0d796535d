"""Referrals: the only service with patients (R12-R15, R21, R22, R26)."""

from __future__ import annotations

from tests.model.fields import FIELDS
from tests.model.offboarding import CASE, CASES, counts
from tests.model.queues import QUEUES, SUBSCRIPTIONS
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
    admin_there,
    anybody,
    audit,
    client_admin,
    either,
    is_provider,
    looks_on,
    support,
)

WITHIN_MONTHS = "2027-06-01T12:00:00+00:00"


def _works_at(actor: Actor, end: Thing | None) -> bool:
    """Staff and admins of the end's office, staff of its group, and its provider; client admins as such are not (permission
    matrix)."""
    if end is None or end.organization != actor.organization:
        return False
    at_place = end.offices & actor.offices or end.groups & actor.groups
    return bool(at_place) or is_provider(actor, end)


def sends(actor: Actor, thing: Thing) -> bool:
    """The actor works on the sending side."""
    return _works_at(actor, thing)


def receives(actor: Actor, thing: Thing) -> bool:
    """The actor works where the referral is now; not for a provider who was removed from the organization (R14)."""
    return not thing.removed and _works_at(actor, thing.receiver)


def received(actor: Actor, thing: Thing) -> bool:
    """The actor works where the referral was before it went on."""
    return _works_at(actor, thing.past)


sees = either(sends, receives, received)
works = either(sends, receives)


def in_hand(actor: Actor, thing: Thing) -> bool:
    """Of an organization that has part in it: whoever of it does not see it is told why not."""
    ends = [thing, thing.past, None if thing.removed else thing.receiver]
    return any(end is not None and end.organization == actor.organization for end in ends)


def asks_of_then(actor: Actor, thing: Thing) -> bool:
    """To whoever may not ask at all every referral answers alike; to client admins, those their organization ever had part in."""
    ends = (thing, thing.past, thing.receiver)
    part = any(end is not None and end.organization == actor.organization for end in ends)
    return part or not looks_on(actor, thing)


RECEIVER = {"officeId": "@office theirs", "providerId": "@provider their doctor"}
REASON = {"reasonCode": "WRONG_SPECIALTY"}
NEW = {
    "patient": {"givenName": "Jordan", "familyName": "Nobody", "bornOn": "1961-04-12"},
    "specialtyCode": "207RC0000X",
}


def _verb(verb: str, rule: str, may: Predicate, action: str = "", **given: object) -> Verb:
    """A referral's status is changed by its current receiver only, and it is taken back by its sender only."""
    return Verb(verb, rule, "referral", may=may, sees=sees, given={**STALE, **given}, action=action)


def _sending(office: str, may: Predicate) -> tuple[Verb, ...]:
    """In the name of an office; without a provider, which comes out only after it is known who asks."""
    draft = {"sender": {"officeId": f"@office {office}"}, **NEW}
    return tuple(
        Verb(
            name,
            "R22",
            may=may,
            sees=anybody,
            given={"draft": {**draft, "receiver": RECEIVER}, **KEY},
            then="PROVIDER_REQUIRED",
            case=f"from {office}",
        )
        for name in ("createDraft", "sendReferral")
    )


def _as_doctor(may: Predicate) -> tuple[Verb, ...]:
    """In the name of the doctor here, about somebody who is not born yet, which comes out only after it is known who asks."""
    doctor = {"officeId": "@office here", "providerId": "@provider doctor here"}
    nobody_yet = {**NEW["patient"], "bornOn": "2999-01-01"}  # type: ignore[dict-item]
    return tuple(
        Verb(
            name,
            "R22",
            may=may,
            sees=anybody,
            given={
                "draft": {**NEW, "sender": doctor, "patient": nobody_yet, "receiver": RECEIVER},
                **KEY,
            },
            then="INVALID",
            case="as the doctor here",
        )
        for name in ("createDraft", "sendReferral")
    )


def doctor_here(actor: Actor, thing: Thing) -> bool:  # noqa: ARG001 - a predicate
    """Who works at the office here, and whose record as a provider it is."""
    return "here" in actor.offices or actor.provider == "doctor here"


def works_at(office: str) -> Predicate:
    """Staff and admins of that office."""
    return lambda actor, _: office in actor.offices


VERBS = (
    *(
        verb
        for office in ("here", "there", "theirs")
        for verb in _sending(office, works_at(office))
    ),
    *_as_doctor(doctor_here),
    _verb("changeDraft", "R22", sends, "CHANGE_DRAFT", draft={"sender": RECEIVER, **NEW}),
    Verb(
        "sendReferral",
        "R22",
        "referral",
        may=sends,
        sees=sees,
        given={**STALE, **KEY},
        case="a draft",
        action="SEND",
    ),
    _verb("acknowledgeReferral", "R21", receives, "ACKNOWLEDGE"),
    _verb("claimReferral", "R21", receives, "CLAIM", providerId="@own doctor"),
    _verb("scheduleReferral", "R21", receives, "SCHEDULE", at=WITHIN_MONTHS),
    _verb("rescheduleReferral", "R21", receives, "RESCHEDULE", at=WITHIN_MONTHS),
    _verb("cancelAppointment", "R21", receives, "CANCEL_APPOINTMENT"),
    _verb("completeReferral", "R21", receives, "COMPLETE"),
    _verb("reportNoShow", "R21", receives, "REPORT_NO_SHOW", reasonCode="FORGOT"),
    _verb("declineReferral", "R13", receives, "DECLINE", **REASON),
    _verb("cancelReferral", "R13", sends, "CANCEL", reasonCode="RAISED_IN_ERROR"),
    _verb("reassignReferral", "R13", receives, "REASSIGN", receiver=RECEIVER),
    _verb("forwardReferral", "R13", receives, "FORWARD", receiver=RECEIVER),
    _verb("resendReferral", "R13", sends, "RESEND"),
    _verb("changeSender", "R13", sends, "CHANGE_SENDER", sender=RECEIVER),
    _verb("changeAuthorization", "R21", sends, "CHANGE_AUTHORIZATION"),
    _verb("attachOutcome", "R21", receives, "ATTACH_OUTCOME", report="All is well."),
    *(
        Verb(
            "bulkReferrals",
            "R13",
            "referral",
            may=may,
            sees=sees,
            at="items.referralId",
            given={"action": action, "items": [dict(STALE)], **more, **KEY},
            each="items.outcome",
            case=action,
        )
        for action, may, more in (
            ("ACKNOWLEDGE", receives, {}),
            ("DECLINE", receives, REASON),
            ("CANCEL", sends, {"reasonCode": "RAISED_IN_ERROR"}),
        )
    ),
    Verb(
        "renewPatientKey",
        "R02",
        "organization",
        may=support,
        sees=anybody,
        given={"reason": " "},
        then="INVALID",
        for_support=True,
    ),
    Verb(
        "sendMessage",
        "R13",
        "referral",
        may=works,
        sees=sees,
        given={"text": "Please call first.", **KEY},
        then="Referral|NOT_SENT|SIDE_REQUIRED",
    ),
    Verb(
        "readMessages",
        "R13",
        "referral",
        may=works,
        sees=works,
        given={"until": "@own somebody"},
        then="Referral",
        of_oneself=True,
    ),
    Verb(
        "withdrawAttachment",
        "R14",
        "referral",
        may=works,
        sees=sees,
        given={"attachmentId": "@own somebody"},
        then="UNKNOWN_ATTACHMENT",
    ),
    Verb(
        "changeExternalManagement",
        "R18",
        "office",
        may=admin_there,
        given={"externallyManaged": True, **STALE},
    ),
    Verb("changeReferralTargets", "R21", may=client_admin, given=STALE),
    Verb(
        "archiveReferral",
        "R21",
        "referral",
        may=anybody,
        sees=sees,
        then="Referral",
        for_support=True,
    ),
    Verb(
        "unarchiveReferral",
        "R21",
        "referral",
        may=anybody,
        sees=sees,
        then="Referral",
        for_support=True,
    ),
)

QUERIES: tuple[Ask | List, ...] = (
    Ask("referral", "R14", "referral", shown=sees),
    *(
        Ask(
            "openWork",
            "R12",
            kind,
            shown=anybody,
            may=counts,
            at=f"{kind}Id",
            select="{ total }",
            for_support=False,
            case=kind,
        )
        for kind in ("provider", "office", "group")
    ),
    Ask(
        "referralReasons",
        "R13",
        shown=anybody,
        given={"kind": "DECLINE"},
        select="{ code }",
        for_support=False,
    ),
    Ask(
        "explainAccess",
        "R14",
        "referral",
        shown=in_hand,
        at="referralId",
        select="{ sight reasons { code message } actions { action } }",
    ),
    Ask(
        "referralAccess",
        "R14",
        "referral",
        shown=asks_of_then,
        may=looks_on,
        at="referralId",
        given={"on": "2020-01-01T12:00:00+00:00"},
        select="{ could { sight } did { times } }",
        for_support=False,
    ),
    List(
        "patientReferrals",
        "R14 R26",
        "referral",
        lists=works,
        given={"search": {"familyName": "Zelenka", "bornOn": "1961-04-12"}},
        for_support=False,
        case="by name and birth",
    ),
    audit("referrals"),
    *CASES,
    Ask("referralTargets", "R21", shown=anybody, select="{ version }", for_support=False),
    *QUEUES,
)


def counts_its_own(actor: Actor, thing: Thing) -> bool:
    """Numbers are of one's own organization, whatever thing they are asked of."""
    return bool(actor.organization) and counts(actor, thing)


HIDDEN = (
    Hidden("referral", "patient", "R14 R26", works, "{ familyName }"),
    Hidden("referral", "outcomeReport", "R14 R26", works, "{ text }"),
    Hidden("referral", "messages", "R14 R26", works, "(first: 1) { edges { cursor } }"),
    Hidden("referral", "attachments", "R14 R26", works, "{ name url }"),
    Hidden("referral", "suggestedReceivers", "R28", works, "{ on }"),
    Hidden("referral", "history", "R14", works, "{ happened }"),
    Hidden("provider", "openReferralCount", "R12", counts_its_own),
    CASE,
    Hidden("office", "openReferralCount", "R12", counts_its_own),
    Hidden("group", "openReferralCount", "R12", counts_its_own),
)

ENTITIES = (
    Entity("Referral", "referral", "R14", sees, "status"),
    Entity("Provider", "provider", "R12", counts_its_own, "openReferralCount"),
    Entity("Office", "office", "R12", counts_its_own, "openReferralCount"),
    Entity("Group", "group", "R12", counts_its_own, "openReferralCount"),
)


_FENCE = {
    "organization_id": "@organization maple",
    "kind": "PROVIDER",
    "subject_id": "@provider leaver",
}
DIRECTORY = frozenset({"directory"})
RPCS = (
    Rpc("Referrals/RaiseFence", DIRECTORY, "R15: a removal begins", _FENCE),
    Rpc("Referrals/LowerFence", DIRECTORY, "R15: a removal is called off", _FENCE),
    Rpc("Referrals/OpenWork", DIRECTORY, "R12: a preview counts", _FENCE),
    Rpc("Referrals/EndAccess", DIRECTORY, "R14: a provider is gone", _FENCE),
    Rpc(
        "Referrals/HandOver",
        DIRECTORY,
        "R24: a group goes, its work stays",
        {"organization_id": "@organization maple", "group_id": "@group past"},
    ),
    Rpc(
        "Referrals/UserWork",
        frozenset({"identity"}),
        "R07: what a deactivation touches",
        {"organization_id": "@organization maple", "user_id": "@user idle"},
    ),
)

TABLE = Table(
    verbs=VERBS,
    queries=QUERIES,
    subscriptions=SUBSCRIPTIONS,
    entities=ENTITIES,
    references=frozenset({"InsurancePlan", "Organization", "User"}),
    hidden=HIDDEN,
    fields=FIELDS["referrals"],
    rpcs=RPCS,
)
