"""Identity: organizations, users, roles, partners (R01-R05, R07, R08). Its verbs stand in `accounts`."""

from __future__ import annotations

from tests.model.accounts import (
    VERBS,
    admin_of_own_organization,
    contact,
    managed,
    manages,
    only_staff_there,
    outside,
    over,
    own_or_support,
    revokes_some,
    unconfirmed,
)
from tests.model.fields import FIELDS
from tests.model.proofs import PROOFS
from tests.model.words import (
    Action,
    Ask,
    Elsewhere,
    Entity,
    Hidden,
    List,
    Rpc,
    Table,
    anybody,
    audit,
    both,
    client_admin,
    either,
    except_for,
    looks_on,
    own,
    support,
)

QUERIES: tuple[Ask | List | Elsewhere, ...] = (
    Elsewhere("viewer", "R02", "tells whoever asks about themselves: test_hostile_callers"),
    Ask("organization", "R02", "organization", shown=own_or_support),
    Ask(
        "user",
        "R02",
        "user",
        shown=either(own, outside),
        given={"organizationId": "@for support"},
    ),
    Ask(
        "deactivationPreview",
        "R07",
        "user",
        shown=own,
        may=manages,
        at="userId",
        select="{ token }",
        for_support=False,
    ),
    Ask(
        "roleCopyPreview",
        "R08",
        "user",
        shown=own,
        may=client_admin,
        at="toUserId",
        given={"fromUserId": "@own somebody"},
        select="{ token }",
        for_support=False,
    ),
    Ask(
        "officesWithoutAdmin",
        "R08",
        shown=anybody,
        may=looks_on,
        select="{ office { id } }",
        for_support=False,
    ),
    *(
        Ask(
            name,
            "R03",
            shown=anybody,
            may=client_admin,
            select="{ version }",
            for_support=False,
            or_else="nothing",
        )
        for name in ("signInRules", "signInService")
    ),
    Ask("secondFactors", "R02", shown=anybody, select="{ required }"),
    audit("identity"),
    Ask(
        "noticePreferences",
        "R02",
        shown=anybody,
        may=except_for(support),
        select="{ kind }",
        for_support=False,
    ),
    Ask("supportAccounts", "R07", shown=anybody, may=support, select="{ id }"),
    Ask("supportRequests", "R25", shown=anybody, select="{ edges { cursor } }"),
    Ask(
        "supportAccesses",
        "R25",
        shown=anybody,
        may=either(support, looks_on),
        select="{ edges { cursor } }",
    ),
    List(
        "unconfirmedUsers",
        "R04",
        "user",
        lists=both(unconfirmed, own, either(looks_on, only_staff_there)),
        may=lambda actor: actor.client_admin or actor.reporting_only or bool(actor.admin_of),
        for_support=False,
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
    Hidden("user", "invitedAt", "R04", contact),
    Hidden("user", "signedInAt", "R07", contact),
    Hidden(
        "user",
        "proposedRoles",
        "R07",
        either(support, both(own, either(managed, looks_on))),
        "{ role }",
    ),
    Hidden(
        "organization",
        "clientAdminAdvice",
        "R01",
        either(outside, both(own, looks_on)),
        "{ code }",
    ),
)

ACTIONS = (
    Action("organization", "END_BREAK_GLASS", "R25", both(own, support)),
    Action("organization", "BREAK_GLASS", "R25", outside),
    Action("organization", "INVITE_USER", "R03", admin_of_own_organization),
    Action("organization", "DISMISS_CANDIDATE", "R08", both(own, client_admin)),
    Action("organization", "ADD_PARTNER", "R02", both(own, client_admin)),
    Action("organization", "CHANGE_SIGN_IN", "R02", either(support, both(own, client_admin))),
    Action("user", "GRANT_ROLE", "R08", either(support, admin_of_own_organization)),
    Action("user", "REVOKE_ROLE", "R08", either(support, both(own, revokes_some))),
    Action("user", "RESEND_INVITATION", "R04", both(own, manages)),
)

ENTITIES = (
    Entity("Organization", "organization", "R02", anybody, "name"),
    Entity("User", "user", "R02", own, "name"),
)


GATEWAY = frozenset({"gateway"})
RPCS = (
    Rpc("Identity/Introspect", GATEWAY, "sessions end at the gateway"),
    Rpc("Identity/Keys", GATEWAY, "public keys"),
    Rpc("Identity/Time", GATEWAY, "the one clock"),
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
    Rpc(
        "Identity/RolesAt",
        frozenset({"referrals"}),
        "R14: who could see a referral on a day",
        {"organization_id": "@organization maple", "office_ids": ["@office here"]},
    ),
)

TABLE = Table(
    verbs=VERBS,
    queries=QUERIES,
    entities=ENTITIES,
    references=frozenset({"Office", "Group", "Provider"}),
    hidden=HIDDEN,
    actions=ACTIONS,
    fields=FIELDS["identity"],
    elsewhere={
        "SupportRequestAsker.note": "R25: for its writer, client admins and support; tests/unit/identity"
    },
    rpcs=RPCS,
    proofs=PROOFS,
)
