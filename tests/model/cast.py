"""Who tries, and what there is to see: two organizations, as facts."""

from __future__ import annotations

from collections.abc import Iterator

from tests.model.words import WORKING_ROLES, Actor, Session, Thing

MAPLE, NORTH = "maple", "north"
HERE, THERE, THEIRS = frozenset({"here"}), frozenset({"there"}), frozenset({"theirs"})
TEAM = frozenset({"team"})

ACTORS = (
    Actor("anonymous", session=Session.NONE),
    Actor("temporary password", MAPLE, Session.SET_PASSWORD, client_admin=True),
    Actor("deactivated", MAPLE, Session.ENDED, staff_of=HERE),
    Actor("signed out", MAPLE, Session.ENDED, client_admin=True),
    Actor("staff here", MAPLE, staff_of=HERE),
    Actor("staff there", MAPLE, staff_of=THERE),
    Actor("admin here", MAPLE, admin_of=HERE),
    Actor("client admin", MAPLE, client_admin=True),
    Actor("client admin with a queue", MAPLE, client_admin=True, staff_of=HERE),
    Actor("reporting only", MAPLE, reporting_only=True),
    Actor("insurance manager", MAPLE, insurance_manager=True),
    Actor("insurance manager here", MAPLE, insurance_of=HERE),
    Actor("call centre", MAPLE, call_centre=True),
    Actor("group staff", MAPLE, groups=TEAM),
    Actor("provider", MAPLE, provider="doctor here"),
    Actor("idle", MAPLE),
    Actor("guest", MAPLE),
    Actor("their staff", NORTH, staff_of=THEIRS),
    Actor("their office admin", NORTH, admin_of=THEIRS),
    Actor("their client admin", NORTH, client_admin=True),
    Actor("their insurance manager", NORTH, insurance_manager=True),
    Actor("support", support=True),
    Actor("support inside", MAPLE, support=True, client_admin=True),
)
"""`provider` is a user whose record as a provider is the doctor here. `support inside` has broken the glass of maple, where it acts as client admins do. `guest` is client admin of north and works for maple with no role. Who is deactivated or signed out shows a token that was good;
who has a temporary password was invited and has not confirmed."""

NOT_YET = {
    "second factor": "a session that waits for one, or must add one: tests/service/identity judges what it reaches",
    "partner": "signs in to NATS, not to the gateway: tests/service/identity and test_partner_example",
}
"""What the rules say of actors and the matrix cannot try, each with the reason."""

OWN_PARTS = ("gateway", "identity", "directory", "insurance", "referrals", "reporting")
"""Our own services as actors: they ask RPCs; see each table's `rpcs`."""


def _user(
    name: str, *roles: tuple[str, str], organization: str = MAPLE, ended: bool = False
) -> Thing:
    offices = frozenset(office for role, office in roles if role in WORKING_ROLES)
    return Thing("user", name, organization, offices, roles=frozenset(roles), ended=ended)


USERS = (
    _user("staff here", ("OFFICE_STAFF", "here")),
    _user("second staff here", ("OFFICE_STAFF", "here")),
    _user("staff there", ("OFFICE_STAFF", "there")),
    _user("admin here", ("OFFICE_ADMIN", "here")),
    _user("client admin", ("CLIENT_ADMIN", "")),
    _user("insurance manager", ("INSURANCE_MANAGER", "")),
    _user("insurance manager here", ("INSURANCE_MANAGER", "here")),
    _user("client admin with a queue", ("CLIENT_ADMIN", ""), ("OFFICE_STAFF", "here")),
    _user("call centre", ("CALL_CENTRE", "")),
    _user("signed out", ("CLIENT_ADMIN", "")),
    _user("group staff"),
    _user("idle"),
    _user("closed"),
    _user("invited here", ("OFFICE_STAFF", "here")),
    _user("temporary password", ("CLIENT_ADMIN", "")),
    _user("reporting only", ("REPORTING_ONLY", "")),
    _user("provider", ("PROVIDER", "")),
    Thing(
        "user", "deactivated", MAPLE, HERE, ended=True, had=frozenset({("OFFICE_STAFF", "here")})
    ),
    _user("their staff", ("OFFICE_STAFF", "theirs"), organization=NORTH),
    _user("their office admin", ("OFFICE_ADMIN", "theirs"), organization=NORTH),
    _user("their client admin", ("CLIENT_ADMIN", ""), organization=NORTH),
    _user("their insurance manager", ("INSURANCE_MANAGER", ""), organization=NORTH),
    _user("their idle", organization=NORTH),
)

SOME = frozenset(
    {
        "staff here",
        "staff there",
        "admin here",
        "client admin",
        "idle",
        "invited here",
        "temporary password",
        "deactivated",
        "their staff",
        "their client admin",
    }
)
"""Enough users for every case of every verb: one of each sort."""

OFFICES = (
    Thing("office", "here", MAPLE, HERE, shown=True),
    Thing("office", "there", MAPLE, THERE, shown=True),
    Thing("office", "planned", MAPLE, frozenset({"planned"})),
    Thing("office", "closed", MAPLE, frozenset({"closed"}), shown=True, ended=True),
    Thing("office", "theirs", NORTH, THEIRS, shown=True),
    Thing("office", "their planned", NORTH, frozenset({"their planned"})),
)

PROVIDERS = (
    Thing("provider", "doctor here", MAPLE, HERE, shown=True),
    Thing("provider", "doctor there", MAPLE, THERE, shown=True),
    Thing("provider", "draft", MAPLE, by="client admin"),
    Thing("provider", "requested", MAPLE, by="admin here"),
    Thing("provider", "leaver", MAPLE, shown=True, removed=True),
    Thing("provider", "their doctor", NORTH, THEIRS, shown=True),
    Thing("provider", "their draft", NORTH, by="their client admin"),
)

GROUPS = (
    Thing("group", "team", MAPLE, HERE, TEAM, shown=True),
    Thing("group", "bare", MAPLE, THERE, frozenset({"bare"})),
    Thing("group", "past", MAPLE, HERE, shown=True, ended=True),
    Thing("group", "their team", NORTH, THEIRS, frozenset({"their team"}), shown=True),
    Thing("group", "their bare", NORTH, THEIRS, frozenset({"their bare"})),
)

PLACEMENTS = (
    Thing("placement", "here", MAPLE, HERE, shown=True),
    Thing("placement", "there", MAPLE, THERE, shown=True),
    Thing("placement", "planned", MAPLE, frozenset({"planned"})),
    Thing("placement", "leaver", MAPLE, HERE, ended=True, removed=True),
    Thing("placement", "theirs", NORTH, THEIRS, shown=True),
    Thing("placement", "their planned", NORTH, frozenset({"their planned"})),
)

PARTICIPATIONS = (
    Thing("participation", "here", MAPLE, HERE, shown=True),
    Thing("participation", "there", MAPLE, THERE, shown=True),
    Thing("participation", "planned", MAPLE, frozenset({"planned"})),
    Thing("participation", "ended", MAPLE, HERE, shown=True, ended=True),
    Thing("participation", "theirs", NORTH, THEIRS, shown=True),
    Thing("participation", "their planned", NORTH, frozenset({"their planned"})),
)


def _end(
    organization: str,
    offices: frozenset[str],
    groups: frozenset[str] = frozenset(),
    provider: str = "",
) -> Thing:
    return Thing("end", "", organization, offices, groups, provider=provider)


_FROM_THEM = {"organization": NORTH, "offices": THEIRS, "provider": "their doctor"}
_DOCTOR_HERE = _end(MAPLE, HERE, provider="doctor here")
_DOCTOR_THERE = _end(MAPLE, THERE, provider="doctor there")
_THEIR_DOCTOR = _end(NORTH, THEIRS, provider="their doctor")
REFERRALS = (
    Thing("referral", "to here", **_FROM_THEM, receiver=_DOCTOR_HERE),  # type: ignore[arg-type]
    Thing("referral", "to there", **_FROM_THEM, receiver=_DOCTOR_THERE),  # type: ignore[arg-type]
    Thing("referral", "to the team", **_FROM_THEM, receiver=_end(MAPLE, HERE, TEAM)),  # type: ignore[arg-type]
    Thing("referral", "from here", MAPLE, HERE, provider="doctor here", receiver=_THEIR_DOCTOR),
    Thing("referral", "draft there", MAPLE, THERE, provider="doctor there"),
    Thing("referral", "their draft", **_FROM_THEM),  # type: ignore[arg-type]
    Thing("referral", "within", MAPLE, THERE, provider="doctor there", receiver=_DOCTOR_HERE),
    Thing(
        "referral",
        "passed on",
        MAPLE,
        THERE,
        provider="doctor there",
        receiver=_THEIR_DOCTOR,
        past=_DOCTOR_HERE,
    ),
    Thing("referral", "cancelled", **_FROM_THEM, receiver=_DOCTOR_HERE, ended=True),  # type: ignore[arg-type]
    Thing("referral", "finished", **_FROM_THEM, receiver=_DOCTOR_HERE),  # type: ignore[arg-type]
    Thing(
        "referral",
        "to the leaver",
        **_FROM_THEM,
        receiver=_end(MAPLE, HERE, provider="leaver"),
        removed=True,
    ),  # type: ignore[arg-type]
)
"""The organization, offices and provider of a referral are its sender's."""

ORGANIZATIONS = (
    Thing("organization", "maple", MAPLE, shown=True),
    Thing("organization", "north", NORTH, shown=True),
)
PARTNERS = (
    Thing("partner", "partner", MAPLE),
    Thing("partner", "removed", MAPLE, ended=True),
    Thing("partner", "theirs", NORTH),
)
PLANS = (Thing("plan", "plan", "", shown=True), Thing("plan", "self-pay", "", shown=True))
PAYERS = (Thing("payer", "payer", "", shown=True),)
CAMPAIGNS = (Thing("campaign", "maple", MAPLE), Thing("campaign", "north", NORTH))
ITEMS = (
    Thing("item", "here", MAPLE, HERE),
    Thing("item", "there", MAPLE, THERE),
    Thing("item", "theirs", NORTH, THEIRS),
)
REPORTS = (
    Thing("report", "team", MAPLE, HERE, TEAM),
    Thing("report", "their team", NORTH, THEIRS, frozenset({"their team"})),
)
GUIDES = (
    Thing("guide", "for staff", MAPLE, shown=True),
    Thing("guide", "draft", MAPLE),
    Thing("guide", "theirs", NORTH, shown=True),
)
"""Those that are shown are published, for office staff everywhere."""

TRAININGS = (
    Thing("training", "here", MAPLE, HERE, TEAM),
    Thing("training", "theirs", NORTH, THEIRS, frozenset({"their team"})),
)
"""For whoever worked at these offices, or for a group there, when it was assigned."""

THINGS = (
    *USERS, *OFFICES, *PROVIDERS, *GROUPS, *PLACEMENTS, *PARTICIPATIONS, *REFERRALS, *ORGANIZATIONS, *PARTNERS, *PLANS,
    *PAYERS, *REPORTS, *CAMPAIGNS, *ITEMS, *GUIDES,
    *TRAININGS,
)  # fmt: skip


def things(kind: str) -> Iterator[Thing]:
    """Everything of a kind."""
    return (one for one in THINGS if one.kind == kind)
