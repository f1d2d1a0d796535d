"""The end of support accounts: by a colleague, and by ninety days. These tests move the clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from kit.auth import Viewer
from kit.errors import Unauthenticated
from services.identity import actions
from services.identity.actions import Support
from tests.service.identity.asking import ADD_PARTNER, GRANT, PROBLEM, REFRESH, about, role
from tests.service.identity.conftest import SUPPORT, Identity, Organization, an_email
from tests.support.eventually import eventually

FIELDS = "id email endedAt endedBecause allowedActions"
END = f"mutation($input: EndSupportAccountInput!) {{ endSupportAccount(input: $input) {{ __typename {PROBLEM} ... on SupportAccount {{ {FIELDS} }} }} }}"
BREAK = (
    f"mutation($input: BreakGlassInput!) {{ breakGlass(input: $input) {{ __typename {PROBLEM} }} }}"
)
DAY = timedelta(days=1)
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture(autouse=True)
async def time_back(identity: Identity) -> AsyncIterator[None]:
    """Let the next test begin in the present."""
    yield
    await identity.running.set_time(identity.running.parts.clock.real())


class Colleague:
    """Another support account, made as operators make one."""

    def __init__(self, identity: Identity) -> None:
        self._identity, self.email = identity, an_email()
        self.signed_in: dict[str, Any] = {}

    async def made(self) -> Colleague:
        call = self._identity.running.parts.call()
        wanted = Support(self.email, SUPPORT[1])
        assert await actions.ensure_support(
            replace(call, peers=replace(call.peers, support=wanted))
        )
        return self

    async def viewer(self) -> Viewer:
        """In a new session."""
        self.signed_in = await self._identity.sign_in(self.email, SUPPORT[1])
        return await self._identity.viewer(self.signed_in["accessToken"])


async def waiting(identity: Identity, many: int, but: asyncio.Task[Any] | None = None) -> bool:
    """Whether so many wait for somebody who holds what they need, or this one is done already."""
    found = await identity.running.sql.fetchval(WAITS)
    return bool(found == many or (but is not None and but.done()))


async def end(
    identity: Identity, by: Viewer, user_id: object, why: str = "Left."
) -> dict[str, Any]:
    return await identity.mutate(END, {"userId": str(user_id), "reason": why}, by)


async def anew(identity: Identity) -> Viewer:
    """The first account in a new session."""
    return await identity.viewer((await identity.sign_in(*SUPPORT))["accessToken"])


async def test_a_colleague_ends_a_support_account_and_everything_it_has_open(
    identity: Identity, here: Organization
) -> None:
    """R07, R25: sessions, and being inside, end at once; it is written down with the reason."""
    colleague = await Colleague(identity).made()
    leaver = await colleague.viewer()
    given = {"organizationId": str(here.id), "reason": "Ticket 7", "idempotencyKey": str(uuid4())}
    await identity.mutate(BREAK, given, leaver)
    inside = await identity.viewer(colleague.signed_in["accessToken"])
    silent = await end(identity, await anew(identity), leaver.user_id, " ")

    done = await end(identity, await anew(identity), leaver.user_id, "Ticket 8")
    twice = await end(identity, await anew(identity), leaver.user_id, "Ticket 8")

    assert inside.organization_id == here.id
    assert silent["code"] == "REASON_REQUIRED"
    assert (done["endedBecause"], done["allowedActions"]) == ("ENDED", [])
    assert twice == done
    with pytest.raises(Unauthenticated):
        await identity.viewer(colleague.signed_in["accessToken"])
    again = await identity.mutate(REFRESH, {"refreshToken": colleague.signed_in["refreshToken"]})
    assert again["code"] == "SESSION_ENDED"
    assert (await identity.sign_in(colleague.email, SUPPORT[1]))["code"] == "ACCOUNT_DEACTIVATED"
    told = [name for name, _ in await identity.told(here.id)]
    assert told.count("user.support_access_ended.v1") == 1
    suite = [(name, data) for name, data in await identity.told(UUID(int=0))]
    mine = [name for name, data in suite if data.get("userId") == str(leaver.user_id)]
    assert mine[-2:] == ["user.support_account_ended.v1", "user.sessions_revoked.v1"]
    kept = await identity.running.sql.fetchval(
        "SELECT act || ': ' || reason FROM support_acts WHERE user_id = $1", leaver.user_id
    )
    assert kept == "END_SUPPORT_ACCOUNT: Ticket 8"
    await identity.jobs()
    assert "has ended" in identity.mailbox.to(colleague.email)[-1]
    assert colleague.email in identity.mailbox.to(SUPPORT[0])[-1]


async def test_who_goes_inside_while_the_account_ends_is_outside_again(
    identity: Identity, here: Organization
) -> None:
    """R07, R25: and neither of the two fails because it waits for the other."""
    leaver = await (await Colleague(identity).made()).viewer()
    colleague, db = await anew(identity), identity.running.parts.db.everywhere()
    given = {"organizationId": str(here.id), "reason": "Ticket 7", "idempotencyKey": str(uuid4())}
    async with db.transaction() as held:
        await held.execute("SELECT FROM organizations WHERE id = $1 FOR UPDATE", here.id)
        entering = asyncio.create_task(identity.mutate(BREAK, given, leaver))
        await eventually(lambda: waiting(identity, 1))
        ending = asyncio.create_task(end(identity, colleague, leaver.user_id))
        await eventually(lambda: waiting(identity, 2))

    assert (await entering)["__typename"] == "SupportAccess"
    assert (await ending)["endedBecause"] == "ENDED"
    left = "SELECT count(*) FROM support_accesses WHERE user_id = $1 AND ended_at IS NULL"
    assert await identity.running.sql.fetchval(left, leaver.user_id) == 0


async def test_keys_of_partners_that_support_has_seen_end_with_it(
    identity: Identity, here: Organization
) -> None:
    """R07: four hours inside an organization leave no key behind; the client admins are told, and keep their own."""
    colleague = await Colleague(identity).made()
    leaver = await colleague.viewer()
    given = {"organizationId": str(here.id), "reason": "Ticket 7", "idempotencyKey": str(uuid4())}
    await identity.mutate(BREAK, given, leaver)
    inside = await identity.viewer(colleague.signed_in["accessToken"])
    for name, by in (("EHR", inside), ("Billing", here.admin)):
        await identity.mutate(ADD_PARTNER, {"name": name, "idempotencyKey": str(uuid4())}, by)

    done = await end(identity, await anew(identity), leaver.user_id)
    left = await identity.running.data("{ partners { name } }", viewer=here.admin)
    await identity.jobs()

    assert done["__typename"] == "SupportAccount", done
    assert [one["name"] for one in left["partners"]] == ["Billing"]
    address = (await identity.user(here.admin.user_id, here.admin))["email"]
    assert ": EHR." in identity.mailbox.to(address)[-1]


async def test_a_key_that_is_made_while_the_account_ends_ends_with_it(
    identity: Identity, here: Organization
) -> None:
    """R07: whoever comes first."""
    colleague = await Colleague(identity).made()
    leaver = await colleague.viewer()
    given = {"organizationId": str(here.id), "reason": "Ticket 7", "idempotencyKey": str(uuid4())}
    await identity.mutate(BREAK, given, leaver)
    inside = await identity.viewer(colleague.signed_in["accessToken"])
    by, held = await anew(identity), identity.running.parts.db.everywhere().transaction()
    wanted = {"name": "EHR", "idempotencyKey": str(uuid4())}

    async with held as tx:
        key = f"{inside.user_id}:{here.id}:{wanted['idempotencyKey']}"
        await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", key)
        adding = asyncio.create_task(identity.mutate(ADD_PARTNER, wanted, inside))
        await eventually(lambda: waiting(identity, 1))
        ending = asyncio.create_task(end(identity, by, leaver.user_id))
        await eventually(lambda: waiting(identity, 2, ending))
    await asyncio.gather(adding, ending)
    left = await identity.running.data("{ partners { name } }", viewer=here.admin)

    assert left["partners"] == []


async def test_who_was_support_a_moment_ago_does_nothing_in_support_s_name(
    identity: Identity, here: Organization
) -> None:
    """R07: the rows decide, not the viewer that the gateway signed just before."""
    leaver = await (await Colleague(identity).made()).viewer()
    user = await identity.user(here.admin.user_id, here.admin)
    given = about(user, **role("CALL_CENTRE"))
    given["asSupport"] = {"organizationId": str(here.id), "reason": "Ticket 7"}
    await end(identity, await anew(identity), leaver.user_id)
    answer = await identity.running.gql(GRANT, {"input": given}, viewer=leaver)

    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_the_last_support_account_stays_also_when_two_end_each_other(
    identity: Identity,
) -> None:
    """R07: somebody can always help."""
    first = await anew(identity)
    alone = await end(identity, first, first.user_id)
    for _ in range(3):
        colleague = await (await Colleague(identity).made()).viewer()
        answers = await asyncio.gather(
            end(identity, first, colleague.user_id), end(identity, colleague, first.user_id)
        )
        done = [one for one in answers if one["__typename"] == "SupportAccount"]
        assert len(done) == 1, answers
        live = await identity.running.sql.fetchval("SELECT count(*) FROM users WHERE support")
        assert live == 1
        await support_back(identity)
        first = await anew(identity)

    assert alone["code"] == "LAST_SUPPORT_ACCOUNT"


async def support_back(identity: Identity) -> None:
    """The first account is the one that is left, whoever won."""
    sql = identity.running.sql
    first = await sql.fetchval("SELECT id FROM users WHERE email = $1", SUPPORT[0])
    await sql.execute("UPDATE users SET support = id = $1 WHERE support OR id = $1", first)
    await sql.execute(
        "UPDATE support_accounts SET ended_at = CASE WHEN user_id = $1 THEN NULL ELSE coalesce(ended_at, now()) END,"
        " ended_because = CASE WHEN user_id = $1 THEN NULL ELSE coalesce(ended_because, 'ENDED') END",
        first,
    )


async def test_ninety_days_without_sign_in_end_a_support_account_and_never_the_last(
    identity: Identity,
) -> None:
    """R07: warned a fortnight before, as everybody is."""
    colleague = await Colleague(identity).made()
    await colleague.viewer()
    await anew(identity)
    await identity.running.advance(75 * DAY)
    early = len(identity.mailbox.to(colleague.email))
    await identity.running.advance(DAY + DAY / 24)
    await identity.jobs()
    warned = identity.mailbox.to(colleague.email)[early:]
    await anew(identity)
    await identity.running.advance(14 * DAY)
    listed = "{ supportAccounts { email endedBecause } }"
    data = await identity.running.data(listed, viewer=await anew(identity))
    states = {one["email"]: one["endedBecause"] for one in data["supportAccounts"]}
    for _ in range(3):
        await identity.running.advance(80 * DAY)

    assert len(warned) == 1
    assert "sign in before then" in warned[0]
    assert (states[colleague.email], states[SUPPORT[0]]) == ("INACTIVE", None)
    assert (await identity.sign_in(*SUPPORT))["__typename"] == "SignedIn", "the last one stays"


async def test_an_account_that_has_ended_is_not_made_anew_by_the_settings(
    identity: Identity,
) -> None:
    """R07: whoever starts the suite with the old setting brings nobody back."""
    colleague = await Colleague(identity).made()
    leaver = await colleague.viewer()
    await end(identity, await anew(identity), leaver.user_id)
    call = identity.running.parts.call()
    wanted = Support(colleague.email, SUPPORT[1])

    made = await actions.ensure_support(replace(call, peers=replace(call.peers, support=wanted)))

    async def refused() -> bool:
        answer = await identity.sign_in(colleague.email, SUPPORT[1])
        return answer.get("code") == "ACCOUNT_DEACTIVATED"

    assert made is False
    await eventually(refused)


async def test_only_support_sees_and_ends_support_accounts(
    identity: Identity, here: Organization
) -> None:
    """R02"""
    colleague = await (await Colleague(identity).made()).viewer()
    refused = await end(identity, here.admin, colleague.user_id)
    unknown = await end(identity, await anew(identity), here.admin.user_id)
    hidden = await identity.running.gql("{ supportAccounts { id } }", viewer=here.admin)

    assert refused["code"] == "FORBIDDEN"
    assert unknown["__typename"] == "NotFoundProblem"
    assert hidden["errors"][0]["extensions"]["code"] == "FORBIDDEN"
