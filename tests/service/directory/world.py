"""A running directory with a small identity and a small referrals beside it, and an organization to act in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from kit.auth import Kind, Viewer
from kit.rpc import Peer
from proto.directory.v1.directory_pb2_grpc import DirectoryStub
from proto.identity.v1 import events_pb2 as identity_facts
from services.directory.actions import going_live
from services.directory.actions.peers import Peers
from tests.service.directory.siblings import SmallIdentity, SmallReferrals
from tests.support.facts import Neighbours
from tests.support.running import Running

ZONE = "America/New_York"
CARDIOLOGY = "207RC0000X"
FAMILY = "207Q00000X"
BOSTON = {"latitude": 42.36, "longitude": -71.06}


@dataclass
class Directory:
    """The service under test and its neighbours."""

    running: Running[Peers]
    identity: SmallIdentity
    referrals: SmallReferrals
    neighbours: Neighbours
    peer: Peer
    stub: DirectoryStub
    askers: dict[str, Peer]
    npis: int = 0
    people: int = 0
    doors: int = 0

    def npi(self) -> str:
        """A valid NPI nobody has yet."""
        self.npis += 1
        return with_check_digit(f"1{self.npis:08d}")

    def today(self) -> date:
        """The day it is at the offices of these tests."""
        return self.running.parts.clock.today(ZoneInfo(ZONE))

    async def facts(self, aggregate_id: str) -> list[str]:
        """The verbs told of a thing, in order."""
        rows = await self.running.sql.fetch(
            "SELECT subject FROM outbox WHERE aggregate_id = $1 ORDER BY id", UUID(aggregate_id)
        )
        return [row["subject"].rsplit(".", 1)[1] for row in rows]

    async def go_live(self) -> None:
        """Do what the go-live job does."""
        await going_live.advance_offices(self.running.parts.call())


def with_check_digit(nine: str) -> str:
    """Nine digits made an NPI."""
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(nine)]
    total = 24 + sum(each - 9 * (each > 9) for each in doubled)
    return f"{nine}{-total % 10}"


PREVIEWS = {
    "removeProvider": ("providerRemovalPreview", "providerId", False),
    "removeWhenEmpty": ("providerRemovalPreview", "providerId", False),
    "removeGroup": ("groupRemovalPreview", "groupId", False),
    "closeOffice": ("officeClosurePreview", "officeId", True),
}
PROVIDER = (
    "__typename ... on Provider { id state version name npi allowedActions }"
    " ... on Problem { code message field remedy } ... on StaleVersionProblem { currentVersion }"
)
OFFICE = "__typename ... on Office { id state version name goLiveOn } ... on Problem { code message field remedy }"
PLACEMENT = (
    "__typename ... on Placement { id state version effectiveFrom effectiveUntil acceptingNewPatients }"
    " ... on Problem { code message field remedy }"
)
GROUP = (
    "__typename ... on Group { id state version name } ... on Problem { code message field remedy }"
)
IN_THE_WAY = (
    " ... on InTheWayProblem { total officeIds referrals { referralId side officeId }"
    " byOffice { officeId referralIds } }"
)
ITEMS = " ... on ItemsRefusedProblem { items { id field code message } }"


@dataclass
class Organization:
    """An organization with a client admin."""

    directory: Directory
    id: UUID = field(default_factory=uuid4)
    admin: Viewer = field(init=False)

    def __post_init__(self) -> None:
        self.admin = Viewer(
            kind=Kind.USER, user_id=uuid4(), organization_id=self.id, client_admin=True
        )

    def somebody(self, **grants: Any) -> Viewer:  # noqa: ANN401 - any field of a viewer
        """Somebody else of the organization."""
        return replace(self.admin, user_id=uuid4(), **({"client_admin": False} | grants))

    async def do(
        self, verb: str, kind: str, fields: str, given: dict[str, Any], viewer: Viewer | None = None
    ) -> dict[str, Any]:
        """Do a mutation and answer what it answered. What wants the token of a preview is given the one of now."""
        if verb in PREVIEWS and "token" not in given:
            given = {**given, "token": await self.token(verb, given)}
        query = f"mutation($input: {kind}!) {{ {verb}(input: $input) {{ {fields} }} }}"
        data = await self.directory.running.data(
            query, {"input": given}, viewer=viewer or self.admin
        )
        answer: dict[str, Any] = data[verb]
        return answer

    async def token(self, verb: str, given: dict[str, Any]) -> str:
        """What the preview of a verb gives the client admin now; of none when there is none to be seen."""
        preview, kind, own = PREVIEWS[verb]
        args = f"{kind}: $id" + (", closesOn: $on" if own else "")
        query = f"query($id: ID!{', $on: Date' if own else ''}) {{ {preview}({args}) {{ token }} }}"
        variables = {"id": given[kind]} | ({"on": given.get("closesOn")} if own else {})
        answer = await self.directory.running.gql(query, variables, viewer=self.admin)
        seen = (answer.get("data") or {}).get(preview)
        return str(seen["token"]) if seen else "nothing-0"

    async def ask(self, query: str, viewer: Viewer | None = None, **variables: Any) -> Any:  # noqa: ANN401
        """Ask a query and answer its data."""
        return await self.directory.running.data(query, variables, viewer=viewer or self.admin)

    async def add_provider(self, viewer: Viewer | None = None, **given: Any) -> dict[str, Any]:  # noqa: ANN401
        """Add a provider, a cardiologist unless said otherwise."""
        self.directory.people += 1
        profile = {
            "idempotencyKey": str(uuid4()),
            "firstName": "Sam",
            "lastName": f"Sample{self.directory.people:04d}",
            "npi": self.directory.npi(),
            "specialtyCodes": [CARDIOLOGY],
        }
        fields = PROVIDER + " ... on DuplicateNpiProblem { providerId }"
        return await self.do("addProvider", "AddProviderInput", fields, profile | given, viewer)

    async def approved(self, **given: Any) -> dict[str, Any]:  # noqa: ANN401
        """An approved provider."""
        added = await self.add_provider(submit=True, **given)
        assert added["__typename"] == "Provider", added
        return await self.versioned("approveProvider", added)

    async def versioned(
        self,
        verb: str,
        provider: dict[str, Any],
        viewer: Viewer | None = None,
        **more: Any,  # noqa: ANN401 - what else the verb takes
    ) -> dict[str, Any]:
        """A verb that takes a provider as it was seen."""
        given = {"providerId": provider["id"], "expectedVersion": provider["version"], **more}
        fields = PROVIDER
        kind = "ProviderVersionInput"
        if verb in {"removeProvider", "removeWhenEmpty"}:
            kind = "RemoveProviderInput"
            fields += " ... on StalePreviewProblem { moved }"
        if verb == "removeProvider":
            fields += IN_THE_WAY
        if verb == "approveProvider":
            fields += " ... on IncompleteProblem { missing }"
        return await self.do(verb, kind, fields, given, viewer)

    async def add_office(self, viewer: Viewer | None = None, **given: Any) -> dict[str, Any]:  # noqa: ANN401
        """Add an office, in eight days unless said otherwise."""
        self.directory.doors += 1
        entry = {
            "idempotencyKey": str(uuid4()),
            "name": f"Office {uuid4().hex[:8]}",
            "address": {
                "line1": f"{self.directory.doors} Sample Street",
                "city": "Boston",
                "region": "MA",
                "postalCode": "02139",
            },
            "coordinates": BOSTON,
            "phone": f"617 555 {self.directory.doors:04d}",
            "timeZone": ZONE,
            "goLiveOn": str(self.directory.today() + timedelta(days=8)),
        }
        fields = OFFICE + ITEMS + " ... on LeadTimeShortProblem { daysUntilGoLive }"
        fields += " ... on DuplicateOfficeProblem { officeIds }"
        return await self.do("addOffice", "AddOfficeInput", fields, entry | given, viewer)

    async def live_office(self, *providers: dict[str, Any], **given: Any) -> dict[str, Any]:  # noqa: ANN401
        """An office that is live, with a confirmed user and these providers."""
        soon = {
            "goLiveOn": str(self.directory.today()),
            "acknowledgeShortLeadTime": True,
            "reason": "Opens today.",
            "providerIds": [one["id"] for one in providers],
            "groupOnly": not providers,
        }
        office = await self.add_office(**(soon | given))
        assert office["__typename"] == "Office", office
        await self.staff(office["id"])
        await self.directory.go_live()
        data = await self.ask(
            "query($id: ID!) { office(id: $id) { id state version } }", id=office["id"]
        )
        assert data["office"]["state"] == "LIVE"
        return dict(data["office"])

    async def staff(self, office_id: str, *, attested: bool = True) -> str:
        """A confirmed user for an office, as identity tells it and answers for it; and the roster is attested anew."""
        identity = self.directory.identity
        identity.covered[office_id] = 1
        user = await self.user()
        identity.works.setdefault(user, set()).add(office_id)
        granted = identity_facts.RoleGranted(user_id=user, role="OFFICE_STAFF", office_id=office_id)
        await self.hear(granted, user)
        await self.hear(identity_facts.UserConfirmed(user_id=user), user)
        if attested:
            answer = await self.attest(office_id)
            assert answer["__typename"] == "Office", answer
        return user

    async def hear(self, fact: Any, user: str) -> tuple[str, bytes]:  # noqa: ANN401 - any fact of a user
        """Let directory hear a fact of a user."""
        said, now = self.directory.neighbours, self.directory.running.parts.clock.now()
        return await said.say(fact, self.id, "user", UUID(user), now)

    async def attest(
        self, office_id: str, viewer: Viewer | None = None, users: list[str] | None = None
    ) -> dict[str, Any]:
        """Attest the roster of an office as it stands, unless others are named."""
        query = "query($id: ID!) { office(id: $id) { version roster { id } } }"
        office = (await self.ask(query, id=office_id))["office"]
        named = [one["id"] for one in office["roster"]] if users is None else users
        given = {"officeId": office_id, "expectedVersion": office["version"], "userIds": named}
        fields = OFFICE + ITEMS + " ... on RosterDiffersProblem { userIds }"
        return await self.do("attestRoster", "AttestRosterInput", fields, given, viewer)

    async def user(self, *, confirmed: bool = True, active: bool = True) -> str:
        """A user whom identity knows."""
        user = str(uuid4())
        self.directory.identity.known[user] = (str(self.id), confirmed, active)
        return user

    async def place(
        self,
        provider: dict[str, Any],
        office: dict[str, Any],
        viewer: Viewer | None = None,
        **given: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Place a provider at an office."""
        asked = {
            "idempotencyKey": str(uuid4()),
            "providerId": provider["id"],
            "officeId": office["id"],
        }
        return await self.do("addPlacement", "AddPlacementInput", PLACEMENT, asked | given, viewer)

    async def end_placements(self, provider: dict[str, Any]) -> None:
        """End every placement of a provider today."""
        data = await self.ask(
            "query($id: ID!) { provider(id: $id) { placements { id version state } } }",
            id=provider["id"],
        )
        for one in data["provider"]["placements"]:
            if one["state"] != "ENDED":
                given = {"placementId": one["id"], "expectedVersion": one["version"]}
                ended = await self.do("endPlacement", "EndPlacementInput", PLACEMENT, given)
                assert ended["__typename"] == "Placement", ended

    async def add_group(self, viewer: Viewer | None = None, **given: Any) -> dict[str, Any]:  # noqa: ANN401
        """Add a group."""
        asked = {"idempotencyKey": str(uuid4()), "name": f"Group {uuid4().hex[:8]}"}
        return await self.do("addGroup", "AddGroupInput", GROUP + ITEMS, asked | given, viewer)

    async def provider(self, provider_id: str, viewer: Viewer | None = None) -> Any:  # noqa: ANN401
        """A provider as a viewer sees it."""
        query = """query($id: ID!) { provider(id: $id) {
            id state version npi specialties { code } placements { id state office { id } }
            missing rejectionReason pendingChange { specialtyCodes } allowedActions } }"""
        return (await self.ask(query, viewer, id=provider_id))["provider"]

    async def suggestions(self, office_id: str) -> list[dict[str, Any]]:
        """The open group suggestions at an office."""
        data = await self.ask(
            """query($id: ID!) { groupSuggestions(officeId: $id) { edges { node {
                id version classification specialty { code } providers { id } allowedActions } } } }""",
            id=office_id,
        )
        return [edge["node"] for edge in data["groupSuggestions"]["edges"]]
