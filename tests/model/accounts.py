"""Identity's verbs: who may do what with users, roles and partners (R01-R05, R07, R08)."""

from __future__ import annotations

from tests.model.words import (
    KEY,
    STALE,
    Actor,
    Elsewhere,
    Predicate,
    Thing,
    Verb,
    anybody,
    client_admin,
    either,
    except_for,
    looks_on,
    own,
    support,
)


def own_or_support(actor: Actor, thing: Thing) -> bool:
    """Users and organizations are seen from within, and by support."""
    return actor.support or own(actor, thing)


def outside(actor: Actor, thing: Thing) -> bool:  # noqa: ARG001 - a predicate
    """Support that is in no organization: it names one. Inside, it has that one and no other."""
    return actor.support and not actor.organization


def over(actor: Actor, thing: Thing) -> bool:  # noqa: ARG001 - a predicate
    """It has ended."""
    return thing.ended


def oneself(actor: Actor, thing: Thing) -> bool:
    """The actor is the user."""
    return actor.name == thing.name


def only_staff_there(actor: Actor, thing: Thing) -> bool:
    """R07: whoever is staff of offices that the actor manages, and nothing else."""
    return bool(thing.roles) and all(
        role == "OFFICE_STAFF" and office in actor.admin_of for role, office in thing.roles
    )


def admin_of(*offices: str) -> Predicate:
    """Office admins of one of those offices."""
    return lambda actor, _: bool(actor.admin_of & frozenset(offices))


def admin_of_own_organization(actor: Actor, thing: Thing) -> bool:
    """Client admins and office admins."""
    return own(actor, thing) and (actor.client_admin or bool(actor.admin_of))


def sees_contact(actor: Actor, thing: Thing) -> bool:
    """Admins, and who sees what client admins see."""
    return own(actor, thing) and (looks_on(actor, thing) or bool(actor.admin_of))


manages = either(client_admin, only_staff_there)
"""Permission matrix: client admins, and office admins within their own offices."""


def managed(actor: Actor, thing: Thing) -> bool:
    """R07: client admins bring anybody back; office admins who was staff of their own offices and nothing else."""
    back = bool(thing.had) and all(
        role == "OFFICE_STAFF" and office in actor.admin_of for role, office in thing.had
    )
    return actor.client_admin or back


def unconfirmed(actor: Actor, thing: Thing) -> bool:  # noqa: ARG001 - a predicate
    """Was invited and has not come."""
    return thing.name in {"temporary password", "invited here"}


def revokes_some(actor: Actor, thing: Thing) -> bool:
    """Client admins, and office admins a role of staff at their offices."""
    theirs = any(
        role == "OFFICE_STAFF" and office in actor.admin_of for role, office in thing.roles
    )
    return bool(thing.roles) and (actor.client_admin or theirs)


contact = either(oneself, support, sees_contact)
STAFF_HERE = {"role": "OFFICE_STAFF", "officeId": "@own office"}
STAFF_THERE = {"role": "OFFICE_STAFF", "officeId": "@own other office"}
ADMIN_HERE = {"role": "OFFICE_ADMIN", "officeId": "@own office"}
MANAGER = {"role": "INSURANCE_MANAGER"}
MANAGER_HERE = {"role": "INSURANCE_MANAGER", "officeId": "@own office"}
CENTRE = {"role": "CALL_CENTRE"}


def _roles(verb: str, done: str, given: dict[str, str], may: Predicate, rule: str) -> Verb:
    return Verb(
        verb,
        rule,
        "user",
        may=may,
        given={**given, **STALE},
        then=f"STALE_VERSION|USER_DEACTIVATED|{done}",
        case=f"{given['role']} {given.get('officeId', '')}".strip(),
    )


def _invite(case: str, may: Predicate, *roles: dict[str, str]) -> Verb:
    given = {"email": "@support address", "name": "Somebody", "roles": list(roles), **KEY}
    return Verb("inviteUser", "R03 R08", may=may, given=given, then="BAD_EMAIL", case=case)


ONLY_LOOKS = {"role": "REPORTING_ONLY"}
AS_SUPPORT = {"asSupport": {"organizationId": "@organization of it", "reason": "Asked by mail"}}
DONE = "STALE_VERSION|USER_DEACTIVATED"
NO_REQUEST = {"requestId": "00000000-0000-7000-8000-000000000000"}
NOBODY = {"userId": "00000000-0000-7000-8000-000000000000"}
OWN_ACCOUNT = "about nobody but who asks: tests/service/identity"

ROLES = (
    (STAFF_HERE, either(client_admin, admin_of("here", "theirs")), "R08"),
    (STAFF_THERE, either(client_admin, admin_of("there", "their planned")), "R08"),
    (ADMIN_HERE, client_admin, "R08"),
    (MANAGER, client_admin, "R26"),
    (MANAGER_HERE, client_admin, "R26"),
    (CENTRE, client_admin, "R10"),
    (ONLY_LOOKS, client_admin, "R02"),
)
CLIENT_ADMIN = {"role": "CLIENT_ADMIN"}

VERBS: tuple[Verb | Elsewhere, ...] = (
    Verb(
        "requestSupport",
        "R25",
        may=except_for(support),
        given={"code": "not a code", **KEY},
        then="INVALID",
        of_oneself=True,
    ),
    Verb(
        "changeNoticePreference",
        "R02",
        may=except_for(support),
        given={"kind": "OVERDUE", "delivery": "DAILY_DIGEST"},
        then="NoticePreferenceChanged",
        of_oneself=True,
    ),
    *(
        Verb(name, "R25", may=support, given=given, then="NOT_FOUND", for_support=True)
        for name, given in (
            ("takeSupportRequest", {**NO_REQUEST, **STALE}),
            ("answerSupportRequest", {**NO_REQUEST, **STALE, "done": True, "answer": "Done"}),
        )
    ),
    Verb(
        "breakGlass",
        "R25",
        "organization",
        may=support,
        sees=anybody,
        given={"reason": " ", **KEY},
        then="REASON_REQUIRED",
        for_support=True,
    ),
    Elsewhere(
        "endBreakGlass", "R25", "ends what the session that asks has begun: test_breaking_glass"
    ),
    Elsewhere("signIn", "R05", "opens sessions: test_hostile_callers, tests/service/identity"),
    Elsewhere("refreshSession", "R07", "takes a secret, not an id: tests/service/identity"),
    Elsewhere("confirmAccount", "R04", "takes a secret, not an id: tests/service/identity"),
    Elsewhere("answerSecondFactor", "R02", "finishes signing in: tests/service/identity"),
    Elsewhere("requestNewPassword", "R05", "answers everybody alike: tests/service/identity"),
    Elsewhere("startSingleSignOn", "R03", "begins signing in: tests/service/identity"),
    Elsewhere("finishSingleSignOn", "R03", "finishes signing in: tests/service/identity"),
    Elsewhere("setNewPassword", "R05", "takes a secret, not an id: tests/service/identity"),
    *(
        Elsewhere(name, "R02", OWN_ACCOUNT)
        for name in (
            "startTotp",
            "addTotp",
            "startPasskey",
            "addPasskey",
            "makeRecoveryCodes",
            "renameSecondFactor",
            "removeSecondFactor",
            "startProof",
            "proveIdentity",
        )
    ),
    Elsewhere("signOut", "R07", "ends the session that asks: `signed out` in the cast has done it"),
    Elsewhere("setPassword", "R05", "the one thing of a temporary session: test_matrix"),
    Verb(
        "addOrganization",
        "R01",
        may=support,
        given={
            "name": "Matrix",
            "timeZone": "America/Chicago",
            "clientAdmin": {"email": "@support address", "name": "X"},
            **KEY,
        },
        then="BAD_EMAIL",
        for_support=True,
    ),
    _invite("nobody's role", client_admin),
    _invite("staff here", either(client_admin, admin_of("here", "theirs")), STAFF_HERE),
    _invite("staff there", either(client_admin, admin_of("there", "their planned")), STAFF_THERE),
    _invite("office admin here", client_admin, ADMIN_HERE),
    _invite("client admin", client_admin, {"role": "CLIENT_ADMIN"}),
    Verb("resendInvitation", "R04", "user", may=manages, then="NOT_INVITED|User"),
    Verb(
        "deactivateUser",
        "R07",
        "user",
        may=manages,
        given=STALE,
        then="STALE_VERSION|UserDeactivated",
        action="DEACTIVATE",
    ),
    Verb(
        "deactivateUser",
        "R07",
        "user",
        may=support,
        sees=own_or_support,
        given={**STALE, **AS_SUPPORT},
        then="STALE_VERSION|UserDeactivated",
        case="by support",
        for_support=True,
        action="DEACTIVATE",
    ),
    Verb(
        "reactivateUser",
        "R07",
        "user",
        may=either(manages, managed),
        given={"roles": [], **STALE},
        then="STALE_VERSION|UserReactivated",
        action="REACTIVATE",
    ),
    Verb(
        "reactivateUser",
        "R07",
        "user",
        may=support,
        sees=own_or_support,
        given={"roles": [], **STALE, **AS_SUPPORT},
        then="STALE_VERSION|UserReactivated",
        case="by support",
        for_support=True,
        action="REACTIVATE",
    ),
    Verb(
        "changeUserTitle",
        "R07",
        "user",
        may=manages,
        given={"title": "Matrix", **STALE},
        action="CHANGE_TITLE",
    ),
    Verb(
        "copyRoles",
        "R08",
        "user",
        may=client_admin,
        at="toUserId",
        given={"fromUserId": "@own somebody", "token": "of another day"},
        then="INVALID|USER_DEACTIVATED",
        action="COPY_ROLES",
    ),
    Verb(
        "dismissCandidate",
        "R08",
        "office",
        may=client_admin,
        then="CandidateDismissed|NOT_FOUND officeId",
    ),
    Verb(
        "reportBounce",
        "R03",
        "user",
        may=support,
        sees=own_or_support,
        given=AS_SUPPORT,
        then="NOT_INVITED|User",
        for_support=True,
        action="REPORT_BOUNCE",
    ),
    Verb(
        "resetSecondFactors",
        "R05",
        "user",
        may=support,
        sees=anybody,
        given={"reason": " "},
        then="REASON_REQUIRED",
        for_support=True,
        action="RESET_SECOND_FACTORS",
    ),
    Verb(
        "changeSignInRules",
        "R02",
        may=client_admin,
        given={"secondFactorRequired": True, **STALE},
        then="STALE_VERSION|REASON_REQUIRED",
    ),
    Verb(
        "changeSignInService",
        "R03",
        may=client_admin,
        given={
            "issuer": "https://login.maple.example",
            "clientId": "x",
            "domains": [],
            **STALE,
        },
        then="STALE_VERSION|NOT_FOUND|REASON_REQUIRED",
    ),
    Verb(
        "removeSignInService",
        "R03",
        may=client_admin,
        given=STALE,
        then="NOT_FOUND|REASON_REQUIRED",
    ),
    Verb(
        "verifySignInDomain",
        "R03",
        "organization",
        may=support,
        sees=anybody,
        given={"domain": "maple.example", "reason": " "},
        then="REASON_REQUIRED",
        for_support=True,
    ),
    *(
        Verb(name, rule, may=support, given=given, then="REASON_REQUIRED", for_support=True)
        for name, rule, given in (
            ("rotateSigningKeys", "R05", {"reason": " "}),
            ("endSupportAccount", "R07", {**NOBODY, "reason": " "}),
        )
    ),
    Verb(
        "resetTemporaryPassword",
        "R05",
        "user",
        may=support,
        sees=anybody,
        given={"reason": " "},
        then="REASON_REQUIRED",
        for_support=True,
        action="RESET_TEMPORARY_PASSWORD",
    ),
    *(_roles("grantRole", "RoleGranted", *one) for one in ROLES),
    _roles("grantRole", "RoleGranted", CLIENT_ADMIN, support, "R01"),
    Verb(
        "grantRole",
        "R01",
        "user",
        may=support,
        sees=own_or_support,
        given={**CLIENT_ADMIN, **STALE, **AS_SUPPORT},
        then=f"{DONE}|RoleGranted",
        case="CLIENT_ADMIN by support",
        for_support=True,
    ),
    Verb(
        "revokeRole",
        "R08",
        "user",
        may=support,
        sees=own_or_support,
        given={**MANAGER, **STALE, **AS_SUPPORT},
        then=f"{DONE}|RoleRevoked",
        case="by support",
        for_support=True,
    ),
    _roles("revokeRole", "RoleRevoked", CLIENT_ADMIN, client_admin, "R01"),
    *(_roles("revokeRole", "RoleRevoked", *one) for one in ROLES),
    Verb(
        "addPartner", "R02", may=client_admin, given={"name": "Partner", **KEY}, then="NAME_TAKEN"
    ),
    Verb(
        "removePartner",
        "R02",
        "partner",
        may=client_admin,
        given=STALE,
        then="STALE_VERSION|Partner",
        action="REMOVE",
    ),
)
