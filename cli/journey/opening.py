"""Acts 1 and 2: organizations and their staff."""

from __future__ import annotations

from cli.journey.stage import ZONE, Stage
from cli.network import Person
from cli.network.people import temporary_password

LAKESIDE, RIVERBEND = "Lakeside Heart Clinic", "Riverbend Family Practice"
DOMAIN = {LAKESIDE: "lakeside.example", RIVERBEND: "riverbend.example"}


async def organizations_open(stage: Stage) -> None:
    """Support opens both organizations; their first client admins confirm from the mail."""
    for organization, role, name in (
        (LAKESIDE, "A admin", "Alma Reyes"),
        (RIVERBEND, "B admin", "Bruno Keller"),
    ):
        email = address(name, organization)
        given = {
            "name": organization,
            "timeZone": ZONE,
            "clientAdmin": {"email": email, "name": name},
            "idempotencyKey": stage.key(),
        }
        wanted = "... on OrganizationAdded { organization { id } clientAdmin { id } }"
        added = await stage.support.do("addOrganization", given, wanted)
        stage.ids[f"{role[0]} organization"] = added["organization"]["id"]
        stage.say(f"support opened {organization}")
        await _temporary_password_opens_nothing(stage, name, email)
        await stage.confirmed(role, name, email)


async def _temporary_password_opens_nothing(stage: Stage, name: str, email: str) -> None:
    """A temporary password leads to a new password and nowhere else (R05)."""
    letter = await stage.postbox.letter(email)
    person = Person(stage.client, name, email, temporary_password(letter))
    wanted = "... on SignedIn { stage }"
    given = {"email": email, "password": person.password}
    session = await stage.client.do("signIn", given, wanted)
    stage.expect(session["stage"] == "SET_PASSWORD", f"a temporary password gave {session}")


async def staff_confirm(stage: Stage) -> None:
    """Each client admin invites staff, who confirm."""
    for organization, admin, staff in (
        (
            LAKESIDE,
            "A admin",
            (
                ("A office admin", "Olga Brandt"),
                ("A staff", "Sami Noor"),
                ("A second staff", "Tess Moreau"),
                ("A insurance manager", "Ines Duarte"),
            ),
        ),
        (RIVERBEND, "B admin", (("B staff", "Ben Okafor"),)),
    ):
        for role, name in staff:
            given = {
                "email": address(name, organization),
                "name": name,
                "roles": [{"role": "INSURANCE_MANAGER"}] if "insurance" in role else [],
                "idempotencyKey": stage.key(),
            }
            await stage.people[admin].do("inviteUser", given, "... on UserInvited { user { id } }")
            await stage.confirmed(role, name, given["email"])  # type: ignore[arg-type]


def address(name: str, organization: str) -> str:
    """A made-up e-mail address."""
    return f"{name.lower().replace(' ', '.')}@{DOMAIN[organization]}"


async def grant(stage: Stage, admin: str, whom: str, role: str, office: str) -> None:
    """A client admin gives somebody a role at an office."""
    person, by = stage.people[whom], stage.people[admin]
    query = "query($id: ID!) { user(id: $id) { version } }"
    version = (await by.ask(query, id=person.user_id))["user"]["version"]
    given = {
        "userId": person.user_id,
        "role": role,
        "officeId": stage.ids[office],
        "expectedVersion": version,
    }
    await by.do("grantRole", given, "... on RoleGranted { user { id } }")
    stage.say(f"{by.name} made {person.name} {role.replace('_', ' ').lower()} there")
