"""Identity: organizations, users, roles, partners (R01-R05, R07, R08)."""

from __future__ import annotations

from tests.model.words import (
    KEY,
    STALE,
    Action,
    Actor,
    Ask,
    Elsewhere,
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
    client_admin,
    either,
    except_for,
    own,
    support,
)


def own_or_support(actor: Actor, thing: Thing) -> bool:
    """Users and organizations are seen from within, and by support."""
    return actor.support or own(actor, thing)


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


manages = either(client_admin, only_staff_there)
"""Permission matrix: client admins, and office admins within their own offices."""


def revokes_some(actor: Actor, thing: Thing) -> bool:
    """Client admins, and office admins a role of staff at their offices."""
    theirs = any(
        role == "OFFICE_STAFF" and office in actor.admin_of for role, office in thing.roles
    )
    return bool(thing.roles) and (actor.client_admin or theirs)


contact = either(oneself, support, admin_of_own_organization)
STAFF_HERE = {"role": "OFFICE_STAFF", "officeId": "@own office"}
STAFF_THERE = {"role": "OFFICE_STAFF", "officeId": "@own other office"}
ADMIN_HERE = {"role": "OFFICE_ADMIN", "officeId": "@own office"}
MANAGER = {"role": "INSURANCE_MANAGER"}
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


ROLES = (
    (STAFF_HERE, either(client_admin, admin_of("here", "theirs")), "R08"),
    (STAFF_THERE, either(client_admin, admin_of("there", "their planned")), "R08"),
    (ADMIN_HERE, client_admin, "R08"),
    (MANAGER, client_admin, "R26"),
    (CENTRE, client_admin, "R10"),
)

VERBS: tuple[Verb | Elsewhere, ...] = (
    Elsewhere("signIn", "R05", "opens sessions: test_hostile_callers, tests/service/identity"),
    Elsewhere("refreshSession", "R07", "takes a secret, not an id: tests/service/identity"),
    Elsewhere("confirmAccount", "R04", "takes a secret, not an id: tests/service/identity"),
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

QUERIES: tuple[Ask | List | Elsewhere, ...] = (
    Elsewhere("viewer", "R02", "tells whoever asks about themselves: test_hostile_callers"),
    Ask("organization", "R02", "organization", shown=own_or_support),
    Ask(
        "user",
        "R02",
        "user",
        shown=own_or_support,
        given={"organizationId": "@for support"},
    ),
    List("organizations", "R02", "organization", lists=anybody, may=lambda actor: actor.support),
    List(
        "users",
        "R02",
        "user",
        lists=own,
        for_support=False,
        case="of one's own organization",
    ),
    List(
        "partners",
        "R02",
        "partner",
        lists=both(own, except_for(over)),
        may=lambda actor: actor.client_admin,
        select="{ id }",
        page=False,
        for_support=False,
    ),
)

HIDDEN = (
    Hidden("user", "email", "R02", contact),
    Hidden("user", "invitationHoursLeft", "R04", contact),
    Hidden("user", "invitationMail", "R03", contact),
)

ACTIONS = (
    Action("organization", "INVITE_USER", "R03", admin_of_own_organization),
    Action("organization", "ADD_PARTNER", "R02", both(own, client_admin)),
    Action("user", "GRANT_ROLE", "R08", admin_of_own_organization),
    Action("user", "REVOKE_ROLE", "R08", both(own, revokes_some)),
    Action("user", "RESEND_INVITATION", "R04", both(own, manages)),
)

ENTITIES = (
    Entity("Organization", "organization", "R02", anybody, "name"),
    Entity("User", "user", "R02", own, "name"),
)

FIELDS = {
    "Advisory": "code message clientAdmins",
    "Grant": "role office grantedAt",
    "Organization": "id name timeZone addedAt version allowedActions",
    "OrganizationAdded": "organization clientAdmin advisory",
    "OrganizationChoice": "id name",
    "Partner": "id name publicKey durable addedAt removedAt version allowedActions",
    "PartnerAdded": "partner seed",
    "PasswordSet": "userId email",
    "RoleGranted": "user advisory",
    "RoleRevoked": "user advisory",
    "SignedIn": "accessToken expiresAt refreshToken stage sessionEndsAt userId organizationId",
    "SignedOut": "sessionId",
    "TemporaryPasswordReset": "userId",
    "User": "id name version status grants organization allowedActions",
    "UserDeactivated": "user advisory",
    "UserInvited": "user advisory",
    "Viewer": "id name email support user organization allowedActions",
}

EVERYBODY = frozenset({"gateway", "directory", "insurance", "referrals", "reporting"})
RPCS = (
    Rpc("Identity/Introspect", frozenset({"gateway"}), "sessions end at the gateway"),
    Rpc("Identity/Keys", EVERYBODY, "public keys"),
    Rpc("Identity/Time", EVERYBODY, "the one clock"),
    Rpc(
        "Identity/Coverage",
        frozenset({"directory"}),
        "R18: readiness of offices",
        {"organization_id": "@organization maple", "office_ids": ["@office here"]},
    ),
    Rpc(
        "Identity/Users",
        frozenset({"directory"}),
        "R23: staff of groups",
        {"organization_id": "@organization maple", "user_ids": ["@user idle"]},
    ),
)

TABLE = Table(
    verbs=VERBS,
    queries=QUERIES,
    entities=ENTITIES,
    references=frozenset({"Office"}),
    hidden=HIDDEN,
    actions=ACTIONS,
    fields=FIELDS,
    rpcs=RPCS,
)
