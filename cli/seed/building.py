"""How the demo world is put in place: organizations, their people, offices, providers, groups, plans; all through the gateway.

Everything can be asked for twice: creates carry keys made from the world, and the rest looks first. So a world that was
interrupted is finished by making it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from cli.mail import Letter, letters
from cli.network import Client, Person, Refused
from cli.network.people import link_token
from cli.seed.notes import Notes
from cli.seed.world import (
    CLIENT_ADMIN,
    INSURANCE_MANAGER,
    ZONE,
    Group,
    Office,
    Organization,
    Plan,
    Provider,
    User,
    World,
)
from cli.trouble import Trouble

T = TypeVar("T")
AT_ONCE = 8
"""So many things are asked for at the same time: enough for two cores."""

PATIENCE = 20.0
GLANCE = 0.1
_PROVIDERS = "{ providers(first: 100) { edges { node { id npi state version } } } }"
_OFFICES = "{ offices(first: 100) { edges { node { state readiness { ready } } } } }"


async def together(*work: Coroutine[Any, Any, Any]) -> None:
    """Do several things at the same time; when one fails none goes on, for the clock is about to be moved."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass
class Site:
    """The world while it is being made. `ids` knows what was made by its name, or its NPI within the organization."""

    client: Client
    support: Person
    mail: Path
    notes: Notes
    key: str
    told: Callable[[], None]
    ids: dict[str, str] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def do(self, by: Person, verb: str, given: dict[str, Any], wanted: str) -> dict[str, Any]:
        """Do a verb when there is a turn."""
        async with self._turns:
            done = await by.do(verb, given, wanted)
        self.told()
        return done

    async def make(
        self, by: Person, verb: str, name: str, given: dict[str, Any], wanted: str
    ) -> dict[str, Any]:
        """Make something once: the key follows its name."""
        key = f"{self.key}-{verb}-{name}"
        return await self.do(by, verb, given | {"idempotencyKey": key}, wanted)

    async def at(self, moment: datetime, *people: Person) -> None:
        """Go to a moment; whoever acts there signs in, because sessions of another time are over."""
        await self.client.set_offset(moment - datetime.now(UTC))
        await together(*(person.sign_in() for person in people))

    async def eventually(
        self, what: str, ask: Callable[[], Awaitable[T]], holds: Callable[[T], bool]
    ) -> T:
        """Ask until the answer holds: facts take a moment to arrive."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while not holds(answer := await ask()):
            if asyncio.get_running_loop().time() > deadline:
                raise Trouble(f"{what} did not come true within {PATIENCE:.0f} s.")
            await asyncio.sleep(GLANCE)
        return answer


def deeds_of(world: World) -> int:
    """How many things putting this world in place does, for the bar."""
    per_organization = sum(
        1 + 2 * len(one.users) + 2 * len(one.offices) + len(one.groups)
        for one in world.organizations
    )
    approvals_and_places = sum(
        len(provider.offices) for one in world.organizations for provider in one.providers
    )
    catalogue = len(world.payers) + len(world.plans) + len(world.accepted)
    return 1 + catalogue + per_organization + approvals_and_places


async def build(site: Site, world: World) -> None:
    """Put everything in place, and let a week pass until every office is live."""
    await site.at(site.notes.setup(), site.support)
    await together(_catalogue(site, world), *(_open(site, one) for one in world.organizations))
    await _confirm(site, [one.users[0] for one in world.organizations])
    await together(*(_furnish(site, one) for one in world.organizations))
    staff = [user for one in world.organizations for user in one.users[1:]]
    await _confirm(site, staff)
    await together(*(_complete(site, world, one) for one in world.organizations))
    await _go_live(site, world)


# Support's part -------------------------------------------------------------------------------------------------------


async def _catalogue(site: Site, world: World) -> None:
    async def payer(name: str) -> None:
        made = await site.make(
            site.support, "addPayer", name, {"name": name}, "... on Payer { id }"
        )
        site.ids[name] = made["id"]
        plans = (plan for plan in world.plans if plan.payer == name)
        await together(*(_add_plan(site, plan) for plan in plans))

    await together(_postal_codes(site, world), *(payer(name) for name in world.payers))


async def _postal_codes(site: Site, world: World) -> None:
    """Where the postal codes of the offices are, so that people can look near them; a sample, as everything here."""
    found = {
        office.postal_code: {
            "postalCode": office.postal_code,
            "latitude": office.point[0],
            "longitude": office.point[1],
            "city": office.city,
            "region": "MN",
        }
        for one in world.organizations
        for office in one.offices
    }
    rows = {"rows": list(found.values())}
    await site.do(site.support, "importZips", rows, "... on ImportedZips { changed }")


async def _add_plan(site: Site, plan: Plan) -> None:
    given = {
        "payerId": site.ids[plan.payer],
        "name": plan.name,
        "productType": plan.product_type,
        "effectiveFrom": f"{site.notes.today.year - 2}-01-01",
    }
    wanted = "... on InsurancePlan { id }"
    made = await site.make(site.support, "addInsurancePlan", plan.name, given, wanted)
    site.ids[plan.name] = made["id"]


async def _open(site: Site, organization: Organization) -> None:
    admin = organization.users[0]
    given = {
        "name": organization.name,
        "timeZone": ZONE,
        "clientAdmin": {"email": admin.email, "name": admin.name},
    }
    wanted = "... on OrganizationAdded { organization { id } clientAdmin { id } }"
    made = await site.make(site.support, "addOrganization", organization.name, given, wanted)
    site.ids[organization.name] = made["organization"]["id"]
    site.ids[admin.email] = made["clientAdmin"]["id"]


# People ---------------------------------------------------------------------------------------------------------------


async def _confirm(site: Site, users: Iterable[User]) -> None:
    """Each follows the link in the mail and sets a password."""
    found = await _mail(site, {user.email for user in users})
    for user in users:
        password = site.notes.password(user.email)
        site.people[user.email] = Person(site.client, user.name, user.email, password)
    await together(
        *(_set_password(site, site.people[user.email], found[user.email]) for user in users)
    )
    await together(*(site.people[user.email].sign_in() for user in users if _acts(user)))


def _acts(user: User) -> bool:
    return user.role in {CLIENT_ADMIN, INSURANCE_MANAGER}


async def _mail(site: Site, wanted: set[str]) -> dict[str, Letter]:
    """The newest invitation of each. Setting the clock makes the post go out at once."""
    await site.client.set_offset(site.notes.setup() - datetime.now(UTC))

    async def arrived() -> dict[str, Letter]:
        everything = await asyncio.to_thread(letters, site.mail)
        return {letter.to.lower(): letter for letter in everything if "#token=" in letter.text}

    return await site.eventually(
        "The invitations' arrival in the mail folder", arrived, lambda found: wanted <= found.keys()
    )


async def _set_password(site: Site, person: Person, letter: Letter) -> None:
    given = {"token": link_token(letter), "newPassword": person.password}
    try:
        await site.client.do("confirmAccount", given, "... on PasswordSet { userId }")
    except Refused as refusal:
        if refusal.code != "TOKEN_CONSUMED":
            raise
    site.told()


async def _invite(site: Site, admin: Person, user: User) -> None:
    roles = [{"role": user.role, "officeId": site.ids[office]} for office in user.offices]
    if user.npi:
        roles = [{"role": user.role, "providerId": site.ids[user.npi]}]
    given = {"email": user.email, "name": user.name, "roles": roles or [{"role": user.role}]}
    wanted = "... on UserInvited { user { id } }"
    made = await site.make(admin, "inviteUser", user.email, given, wanted)
    site.ids[user.email] = made["user"]["id"]


# A client admin's part ------------------------------------------------------------------------------------------------


async def _furnish(site: Site, organization: Organization) -> None:
    """Providers, offices, and everybody who is invited."""
    admin = site.people[organization.users[0].email]
    await _add_providers(site, admin, organization)
    await together(
        _approve(site, admin, organization),
        *(_add_office(site, admin, organization, one) for one in organization.offices),
    )
    await together(*(_invite(site, admin, user) for user in organization.users[1:]))


async def _add_providers(site: Site, admin: Person, organization: Organization) -> None:
    rows = [_profile(provider) for provider in organization.providers]
    wanted = "... on ImportedProviders { rows { providerId } }"
    given = {"rows": rows, "submit": True}
    made = await site.make(admin, "importProviders", organization.name, given, wanted)
    for provider, row in zip(organization.providers, made["rows"], strict=True):
        site.ids[provider.npi] = row["providerId"]


def _profile(provider: Provider) -> dict[str, Any]:
    return {
        "firstName": provider.first_name,
        "lastName": provider.last_name,
        "npi": provider.npi,
        "credential": provider.credential,
        "phone": provider.phone,
        "specialtyCodes": [provider.specialty],
    }


async def _approve(site: Site, admin: Person, organization: Organization) -> None:
    found = [edge["node"] for edge in (await admin.ask(_PROVIDERS))["providers"]["edges"]]
    ours = {provider.npi for provider in organization.providers}
    waiting = [one for one in found if one["state"] == "SUBMITTED" and one["npi"] in ours]
    await together(
        *(
            site.do(
                admin,
                "approveProvider",
                {"providerId": one["id"], "expectedVersion": one["version"]},
                "... on Provider { id }",
            )
            for one in waiting
        )
    )


async def _add_office(
    site: Site, admin: Person, organization: Organization, office: Office
) -> None:
    at_first = [one for one in organization.providers if one.offices[0] == office.name]
    given = {
        "name": office.name,
        "address": {
            "line1": office.street,
            "city": office.city,
            "region": "MN",
            "postalCode": office.postal_code,
        },
        "coordinates": {"latitude": office.point[0], "longitude": office.point[1]},
        "phone": office.phone,
        "timeZone": ZONE,
        "goLiveOn": site.notes.live_on.isoformat(),
        "providerIds": [site.ids[one.npi] for one in at_first],
    }
    made = await site.make(admin, "addOffice", office.name, given, "... on Office { id }")
    site.ids[office.name] = made["id"]


async def _complete(site: Site, world: World, organization: Organization) -> None:
    """Second offices, groups, and who accepts which plan."""
    admin = site.people[organization.users[0].email]
    second = [(one, office) for one in organization.providers for office in one.offices[1:]]
    await together(*(_place(site, admin, one, office) for one, office in second))
    groups = (_add_group(site, admin, organization, one) for one in organization.groups)
    rosters = (_attest(site, admin, organization, one) for one in organization.offices)
    await together(_accept_plans(site, world, organization), *groups, *rosters)


async def _attest(site: Site, admin: Person, organization: Organization, office: Office) -> None:
    """Who works at an office, which waits for that (R18)."""
    query = "query($id: ID!) { office(id: $id) { version } }"
    seen = (await admin.ask(query, id=site.ids[office.name]))["office"]
    staff = [site.ids[one.email] for one in organization.users if office.name in one.workplaces]
    given = {
        "officeId": site.ids[office.name],
        "expectedVersion": seen["version"],
        "userIds": staff,
    }
    await site.do(admin, "attestRoster", given, "... on Office { id }")


async def _place(site: Site, admin: Person, provider: Provider, office: str) -> None:
    given = {"providerId": site.ids[provider.npi], "officeId": site.ids[office]}
    name = f"{provider.npi}-{office}"
    await site.make(admin, "addPlacement", name, given, "... on Placement { id }")


async def _add_group(site: Site, admin: Person, organization: Organization, group: Group) -> None:
    given = {
        "name": group.name,
        "officeIds": [site.ids[office] for office in group.offices],
        "providerIds": [site.ids[one.npi] for one in organization.members(group)],
        "staffUserIds": [site.ids[one.email] for one in organization.staff],
        "maySend": group.may_send,
        "mayReceive": group.may_receive,
    }
    made = await site.make(admin, "addGroup", group.name, given, "... on Group { id }")
    site.ids[group.name] = made["id"]


async def _accept_plans(site: Site, world: World, organization: Organization) -> None:
    (manager,) = (
        one for one in organization.users if one.role == INSURANCE_MANAGER and not one.offices
    )
    person = site.people[manager.email]
    ours = {office.name for office in organization.offices}
    since = site.notes.live_on.isoformat()

    async def accept(npi: str, office: str, plans: Iterable[str]) -> None:
        given = {
            "providerId": site.ids[npi],
            "officeId": site.ids[office],
            "planIds": [site.ids[plan] for plan in plans],
            "effectiveFrom": since,
        }
        wanted = "... on ParticipationsAdded { participations { id } }"
        await site.make(person, "addParticipations", f"{npi}-{office}", given, wanted)

    places = [(*place, plans) for place, plans in world.accepted.items() if place[1] in ours]
    await together(*(accept(*place) for place in places))


async def _go_live(site: Site, world: World) -> None:
    """Directory hears in facts that staff have confirmed; moving the clock then makes it look at every office."""
    admins = [site.people[one.users[0].email] for one in world.organizations]
    await _until_offices(site, admins, "are ready", lambda office: office["readiness"]["ready"])
    await site.at(site.notes.steps()[0] - timedelta(hours=1), *admins)
    await _until_offices(site, admins, "are live", lambda office: office["state"] == "LIVE")


async def _until_offices(
    site: Site, admins: Iterable[Person], what: str, holds: Callable[[dict[str, Any]], bool]
) -> None:
    for admin in admins:
        ask = partial(admin.ask, _OFFICES)
        await site.eventually(
            f"That all offices {what}",
            ask,
            lambda answer: all(holds(edge["node"]) for edge in answer["offices"]["edges"]),
        )
