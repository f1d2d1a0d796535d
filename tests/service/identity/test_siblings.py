"""What siblings ask and say, partners on the real broker, and the settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import nats
import nats.errors
import orjson
import pytest
from nats.aio.client import Client
from starlette.requests import Request

from kit.config import SettingsError
from kit.feed import FEED
from proto.directory.v1.events_pb2 import OfficeClosed
from proto.identity.v1.identity_pb2 import CoverageRequest, KeysRequest, UsersRequest
from services.identity.actions.partners import MOST_PARTNERS
from services.identity.app import build
from tests.service.identity.asking import (
    ADD_PARTNER,
    DEACTIVATE,
    GRANT,
    REMOVE_PARTNER,
    about,
    role,
)
from tests.service.identity.conftest import (
    SUPPORT,
    Identity,
    Organization,
    an_email,
    new_organization,
)
from tests.support.facts import Neighbours, eventually
from tests.support.running import environment
from tests.support.servers import NatsServer


async def coverage(identity: Identity, here: Organization, *offices: UUID) -> list[int]:
    """How many confirmed staff cover each office."""
    request = CoverageRequest(
        organization_id=str(here.id), office_ids=[str(office) for office in offices]
    )
    reply = await identity.ask("Coverage", request)
    assert [one.office_id for one in reply.offices] == [str(office) for office in offices]
    return [one.confirmed_staff for one in reply.offices]


async def test_an_office_is_covered_by_confirmed_active_staff_only(
    identity: Identity, here: Organization
) -> None:
    """R18"""
    other = identity.new_office(here.id)
    await identity.invite(here.admin, an_email(), role("OFFICE_STAFF", here.office))
    before = await coverage(identity, here, here.office, other)
    both = await identity.member(
        here, role("OFFICE_STAFF", here.office), role("OFFICE_ADMIN", here.office)
    )
    staff = await identity.member(here, role("OFFICE_STAFF", here.office))
    during = await coverage(identity, here, here.office, other, uuid4())
    user = await identity.user(staff.user_id, here.admin)
    await identity.mutate(DEACTIVATE, about(user), here.admin)

    assert both.office_admin_of == frozenset({here.office})
    assert before == [0, 0]
    assert during == [2, 0, 0]
    assert await coverage(identity, here, here.office) == [1]


async def test_a_client_admin_covers_an_office_only_as_its_staff(
    identity: Identity, here: Organization
) -> None:
    """R18"""
    before = await coverage(identity, here, here.office)
    admin = await identity.user(here.admin.user_id, here.admin)
    await identity.mutate(GRANT, about(admin, **role("OFFICE_STAFF", here.office)), here.admin)

    assert before == [0]
    assert await coverage(identity, here, here.office) == [1]


async def test_coverage_of_another_organizations_office_is_nothing(
    identity: Identity, here: Organization
) -> None:
    """R02"""
    there = await new_organization(identity, "Hillside Care")
    await identity.member(there, role("OFFICE_STAFF", there.office))

    assert await coverage(identity, here, there.office) == [0]


async def test_users_of_another_organization_are_left_out_like_unknown_ones(
    identity: Identity, here: Organization
) -> None:
    """R02"""
    there = await new_organization(identity, "Hillside Care")
    invited = (await identity.invite(here.admin, an_email()))["user"]["id"]
    asked = [str(here.admin.user_id), invited, str(there.admin.user_id), str(uuid4())]

    reply = await identity.ask("Users", UsersRequest(organization_id=str(here.id), user_ids=asked))

    assert [(one.user_id, one.confirmed, one.active) for one in reply.users] == [
        (asked[0], True, True),
        (asked[1], False, True),
    ]


async def test_grants_lapse_when_their_office_closes_and_none_is_made_after(
    identity: Identity, here: Organization
) -> None:
    """R08"""
    staff = await identity.member(here, role("OFFICE_STAFF", here.office), role("CALL_CENTRE"))
    neighbours = Neighbours(identity.running)
    now = identity.running.parts.clock.now()

    event = await neighbours.say(
        OfficeClosed(office_id=str(here.office)), here.id, "office", here.office, now
    )
    again = await neighbours.repeat(event)

    user = await identity.user(staff.user_id, here.admin)
    assert not again
    assert [one["role"] for one in user["grants"]] == ["CALL_CENTRE"]
    told = [data for name, data in await identity.told(here.id) if name == "user.role_revoked.v1"]
    assert told == [{"userId": user["id"], "role": "OFFICE_STAFF", "officeId": str(here.office)}]
    refused = await identity.mutate(
        GRANT, about(user, **role("OFFICE_STAFF", here.office)), here.admin
    )
    assert refused["code"] == "OFFICE_CLOSED", "though directory still answers LIVE"


async def test_facts_reach_the_stream_in_order(
    identity: Identity, here: Organization, nats_server: NatsServer
) -> None:
    client = await nats.connect(nats_server.url("operator"))
    inbox = await client.jetstream().subscribe(
        f"events.{here.id}.identity.user.>", ordered_consumer=True
    )
    staff = await identity.member(here, role("OFFICE_STAFF", here.office))
    heard: list[tuple[str, str]] = []
    while len(heard) < 6:
        event = orjson.loads((await inbox.next_msg(timeout=10)).data)
        if event["subject"] == str(staff.user_id):
            heard.append((event["type"].split(".")[3], event["sequence"]))
        if heard and heard[-1][0] == "confirmed":
            break
    await client.close()

    assert heard == [("invited", "1"), ("role_granted", "2"), ("confirmed", "3")]


# Partners -------------------------------------------------------------------------------------------------------------


async def add_partner(
    identity: Identity, here: Organization, name: str = "EHR"
) -> dict[str, object]:
    """What adding a partner answers."""
    return await identity.mutate(
        ADD_PARTNER, {"name": name, "idempotencyKey": str(uuid4())}, here.admin
    )


async def silent(_: Exception) -> None:
    """Errors are expected here."""


@asynccontextmanager
async def partner_client(server: NatsServer, seed: str, durable: str) -> AsyncIterator[Client]:
    """A partner's own connection to the broker."""
    client = Client()
    try:
        await client.connect(
            server.address,
            nkeys_seed_str=seed,
            inbox_prefix=f"_INBOX_{durable}".encode(),
            allow_reconnect=False,
            error_cb=silent,
            connect_timeout=2,
        )
        yield client
    finally:
        await client.close()


async def consumer_exists(identity: Identity, durable: str) -> bool:
    """Whether the broker has the consumer."""
    try:
        await identity.running.parts.bus.js.consumer_info(FEED, durable)
    except nats.js.errors.NotFoundError:
        return False
    return True


async def test_a_partner_hears_its_own_organizations_facts_and_no_others(
    identity: Identity, here: Organization, nats_server: NatsServer
) -> None:
    there = await new_organization(identity, "Hillside Care")
    added = await add_partner(identity, here)
    partner, seed = added["partner"], added["seed"]
    assert isinstance(partner, dict)
    assert isinstance(seed, str)
    durable = partner["durable"]
    await eventually(lambda: consumer_exists(identity, durable), bool)
    await identity.invite(there.admin, an_email())

    async with partner_client(nats_server, seed, durable) as client:
        js = client.jetstream(prefix="PARTNER.API")
        inbox = await js.pull_subscribe_bind(durable=durable, stream="EVENTS")
        heard = [orjson.loads(one.data) for one in await inbox.fetch(20, timeout=2)]

    assert heard[0]["type"] == "suite.identity.organization.added.v1"
    assert {one["organizationid"] for one in heard} == {str(here.id)}
    assert "suite.identity.partner.added.v1" in {one["type"] for one in heard}
    assert seed not in str(heard)


async def test_a_removed_partner_is_let_in_no_more_and_its_consumer_is_gone(
    identity: Identity, here: Organization, nats_server: NatsServer
) -> None:
    added = await add_partner(identity, here)
    partner, seed = added["partner"], added["seed"]
    assert isinstance(partner, dict)
    assert isinstance(seed, str)
    await eventually(lambda: consumer_exists(identity, partner["durable"]), bool)
    input_ = {"partnerId": partner["id"], "expectedVersion": partner["version"]}

    stale = await identity.mutate(REMOVE_PARTNER, input_ | {"expectedVersion": 7}, here.admin)
    removed = await identity.mutate(REMOVE_PARTNER, input_, here.admin)
    again = await identity.mutate(REMOVE_PARTNER, input_, here.admin)

    assert stale["code"] == "STALE_VERSION"
    assert partner["allowedActions"] == ["REMOVE"]
    assert (removed["version"], removed["allowedActions"]) == (2, [])
    assert again["version"] == 2
    await eventually(lambda: consumer_exists(identity, partner["durable"]), lambda there: not there)
    with pytest.raises((nats.errors.Error, OSError)):
        async with partner_client(nats_server, seed, partner["durable"]):
            pytest.fail("a removed partner was let in")


async def test_a_consumer_the_broker_has_lost_is_made_again(
    identity: Identity, here: Organization
) -> None:
    added = await add_partner(identity, here)
    partner = added["partner"]
    assert isinstance(partner, dict)
    await eventually(lambda: consumer_exists(identity, partner["durable"]), bool)
    await identity.running.parts.bus.js.delete_consumer(FEED, partner["durable"])

    await identity.running.advance(timedelta())

    assert await consumer_exists(identity, partner["durable"])


async def test_a_seed_is_shown_once_and_kept_nowhere(
    identity: Identity, here: Organization
) -> None:
    input_ = {"name": "EHR", "idempotencyKey": "once"}

    first = await identity.mutate(ADD_PARTNER, input_, here.admin)
    retry = await identity.mutate(ADD_PARTNER, input_, here.admin)
    reused = await identity.mutate(ADD_PARTNER, input_ | {"name": "PMS"}, here.admin)

    assert first["seed"].startswith("SU")
    assert retry["seed"] is None
    assert retry["partner"] == first["partner"]
    assert reused["code"] == "IDEMPOTENCY_KEY_REUSED"
    rows = await identity.running.sql.fetch("SELECT p::text AS row FROM partners p")
    assert not any(first["seed"] in row["row"] for row in rows)


async def test_a_partners_name_is_taken_once_and_only_a_client_admin_adds_one(
    identity: Identity, here: Organization
) -> None:
    member = await identity.member(here, role("OFFICE_ADMIN", here.office))
    there = await new_organization(identity, "Hillside Care")
    first = await add_partner(identity, here, "EHR")
    partner = first["partner"]
    assert isinstance(partner, dict)

    twin = await add_partner(identity, here, "ehr")
    denied = await identity.mutate(ADD_PARTNER, {"name": "X", "idempotencyKey": "x"}, member)
    input_ = {"partnerId": partner["id"], "expectedVersion": 1}
    foreign = await identity.mutate(REMOVE_PARTNER, input_, there.admin)
    unknown = await identity.mutate(
        REMOVE_PARTNER, input_ | {"partnerId": str(uuid4())}, there.admin
    )

    assert (twin["code"], twin["field"]) == ("NAME_TAKEN", "name")
    assert denied["__typename"] == "DeniedProblem"
    assert foreign == unknown
    listed = await identity.running.data("{ partners { name } }", viewer=here.admin)
    assert listed == {"partners": [{"name": "EHR"}]}


async def test_an_organization_has_so_many_partners_and_no_more_until_one_is_removed(
    identity: Identity, here: Organization
) -> None:
    """Each is a consumer of the broker's: they are not made by the thousand."""
    partners = [await add_partner(identity, here, f"System {n}") for n in range(MOST_PARTNERS)]
    over = await add_partner(identity, here, "One more")
    first = partners[0]["partner"]
    assert isinstance(first, dict)
    given = {"partnerId": first["id"], "expectedVersion": 1}
    await identity.mutate(REMOVE_PARTNER, given, here.admin)

    assert over["code"] == "TOO_MANY_PARTNERS"
    assert (await add_partner(identity, here, "One more"))["__typename"] == "PartnerAdded"


# Doors and settings ---------------------------------------------------------------------------------------------------


def test_wrong_settings_are_all_named_and_never_echoed() -> None:
    settings = environment("identity", "mysql://x", "nats://x") | {
        "SMTP_URL": "http://s3cr3t@x",
        "SUPPORT_EMAIL": "nobody",
        "SUPPORT_PASSWORD": "short",
        "MAIL_FROM": "nobody",
    }

    with pytest.raises(SettingsError) as refused:
        build(settings)

    for name in ("DATABASE_URL_IDENTITY", "IDENTITY_SECRET", "DIRECTORY_RPC", "REFERRALS_RPC", "SMTP_URL",
                 "SUPPORT_EMAIL", "SUPPORT_PASSWORD", "MAIL_FROM"):  # fmt: skip
        assert name in str(refused.value)
    assert "s3cr3t" not in str(refused.value)


def test_a_support_account_needs_both_address_and_password() -> None:
    settings = environment("identity", "postgres://x", "nats://x") | {
        "SMTP_URL": "smtp://x",
        "IDENTITY_SECRET": "1d" * 32,
        "DIRECTORY_RPC": "x:1",
        "REFERRALS_RPC": "x:1",
        "SUPPORT_EMAIL": "support@suite.example",
    }

    with pytest.raises(SettingsError):
        build(settings)


async def test_while_directory_is_away_no_office_role_is_given_and_the_others_are(
    identity: Identity, here: Organization
) -> None:
    """R08"""
    email = an_email()
    identity.directory.away = True
    refused = await identity.invite(here.admin, email, role("OFFICE_STAFF", here.office))
    other = await identity.invite(here.admin, an_email(), role("CALL_CENTRE"))
    identity.directory.away = False
    now = await identity.invite(here.admin, email, role("OFFICE_STAFF", here.office))

    assert (refused["__typename"], refused["code"]) == ("UnavailableProblem", "UNAVAILABLE")
    assert other["__typename"] == now["__typename"] == "UserInvited"


async def test_the_public_keys_are_served_over_http(identity: Identity) -> None:
    await identity.viewer((await identity.sign_in(*SUPPORT))["accessToken"])
    (route,) = identity.running.service.routes(lambda: identity.running.parts)

    response = await route.endpoint(Request({"type": "http"}))

    assert route.path == "/.well-known/jwks.json"
    assert response.media_type == "application/jwk-set+json"
    served = orjson.loads(response.body)
    assert served == orjson.loads((await identity.ask("Keys", KeysRequest())).jwks_json)
