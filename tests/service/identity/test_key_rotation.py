"""Keys that sign access tokens come and go while everybody works (I8)."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from kit.auth import ANONYMOUS
from kit.errors import Unauthenticated
from proto.identity.v1.identity_pb2 import KeysRequest
from services.identity.actions import Means, introspect
from services.identity.actions.tokens import KEY_LIFE, KEYS_TRUSTED
from services.identity.domain import ACCESS_LIFE
from tests.service.identity.asking import PROBLEM, REFRESH
from tests.service.identity.conftest import SUPPORT, Identity, Organization, ask
from tests.support.running import Running, running_service

ROTATE = f"""mutation($input: RotateSigningKeysInput!) {{ rotateSigningKeys(input: $input) {{
    __typename {PROBLEM} ... on SigningKeysRotated {{ kid signsFrom othersEndAt }} }} }}"""
ROTATIONS = 20
CLIENTS = 4
SECOND = timedelta(seconds=1)


async def rotate(identity: Identity, *, at_once: bool = False) -> dict[str, Any]:
    """A rotation by support."""
    said = {"reason": "A drill", "atOnce": at_once}
    return await identity.mutate(ROTATE, said, identity.support)


def kid_of(token: str) -> str:
    """The key a token names."""
    head = token.split(".", maxsplit=1)[0]
    kid: str = orjson.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]
    return kid


class Client:
    """Somebody who works all the time, now with one replica and now with the other."""

    def __init__(self, session: dict[str, Any], replicas: list[Running[Means]]) -> None:
        self._refresh, self._replicas = session["refreshToken"], replicas
        self.tokens = [session["accessToken"]]
        self.wrong: list[str] = []

    async def work(self, now: datetime) -> None:
        """Refresh at one replica; every token that has not ended must be good at both."""
        for replica in self._replicas:
            data = await replica.data(
                REFRESH, {"input": {"refreshToken": self._refresh}}, viewer=ANONYMOUS
            )
            session = data["refreshSession"]
            self._refresh = session["refreshToken"]
            self.tokens.append(session["accessToken"])
        self.tokens = [one for one in self.tokens if ends(one) > now + 5 * SECOND]
        for token in self.tokens:
            for replica in self._replicas:
                try:
                    await introspect(replica.parts.call(), token)
                except Unauthenticated:
                    self.wrong.append(kid_of(token))


def ends(token: str) -> datetime:
    """When a token ends."""
    body = token.split(".")[1]
    claims = orjson.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return datetime.fromtimestamp(claims["exp"], tz=UTC)


async def test_twenty_rotations_under_load_refuse_nobody(
    identity: Identity, here: Organization
) -> None:
    """I8: two replicas, one of which hears of no rotation; every token is good at both until it ends, whichever key signed it."""
    async with running_service(identity.running.service) as other:
        replicas = [identity.running, other]
        address = await identity.running.parts.db.pool.fetchval(
            "SELECT email FROM users WHERE id = $1", here.admin.user_id
        )
        clients = [Client(await identity.sign_in(address), replicas) for _ in range(CLIENTS)]
        kids: set[str] = set()
        for _ in range(ROTATIONS):
            now = identity.running.parts.clock.now()
            done, *_ = await asyncio.gather(rotate(identity), *(one.work(now) for one in clients))
            kids.add(done["kid"])
            await identity.running.advance(KEYS_TRUSTED + SECOND)
            await other.parts.clock.sync()
            now = identity.running.parts.clock.now()
            await asyncio.gather(*(one.work(now) for one in clients))

        assert [one.wrong for one in clients] == [[]] * CLIENTS
        assert len(kids) == ROTATIONS
        assert {kid_of(one.tokens[-1]) for one in clients} == {done["kid"]}
        shown = orjson.loads((await ask(other, "Keys", KeysRequest())).jwks_json)["keys"]
        assert len(shown) <= ACCESS_LIFE / KEYS_TRUSTED + 2


async def signed_by(identity: Identity, kid: str, session: dict[str, Any]) -> str:
    """A token of a key, good for a day as far as it says."""
    parts = identity.running.parts
    sealed = await parts.db.pool.fetchval(
        "SELECT sealed_private_key FROM signing_keys WHERE kid = $1", kid
    )
    key = OKPKey.import_key(orjson.loads(parts.peers.vault.open(sealed)))
    body = session["accessToken"].split(".")[1]
    said = orjson.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    header = {"alg": "Ed25519", "kid": kid, "typ": "at+jwt"}
    claims = said | {"exp": said["exp"] + 86_400}
    return jwt.encode(header, claims, key, algorithms=["Ed25519"])


async def test_a_key_signs_a_minute_after_it_is_shown_and_the_one_before_is_refused_five_minutes_later(
    identity: Identity,
) -> None:
    """I8"""
    session = await identity.sign_in(*SUPPORT)
    before = kid_of(session["accessToken"])
    stolen = await signed_by(identity, before, session)
    done = await rotate(identity)
    shown = orjson.loads((await identity.ask("Keys", KeysRequest())).jwks_json)["keys"]
    assert done["kid"] in {one["kid"] for one in shown}
    assert kid_of((await identity.sign_in(*SUPPORT))["accessToken"]) == before

    await identity.running.advance(KEYS_TRUSTED)
    assert kid_of((await identity.sign_in(*SUPPORT))["accessToken"]) == done["kid"]
    await identity.running.advance(ACCESS_LIFE - 5 * SECOND)
    assert (await identity.viewer(stolen)).support
    await identity.running.advance(5 * SECOND)

    with pytest.raises(Unauthenticated):
        await identity.viewer(stolen)


async def test_a_key_that_has_leaked_is_refused_at_once_and_users_refresh(
    identity: Identity,
) -> None:
    session = await identity.sign_in(*SUPPORT)
    stolen = await signed_by(identity, kid_of(session["accessToken"]), session)

    await rotate(identity, at_once=True)

    for token in (stolen, session["accessToken"]):
        with pytest.raises(Unauthenticated):
            await identity.viewer(token)
    refreshed = await identity.mutate(REFRESH, {"refreshToken": session["refreshToken"]})
    assert (await identity.viewer(refreshed["accessToken"])).support


async def test_a_key_gets_a_successor_after_ninety_days_once_however_many_replicas_there_are(
    identity: Identity,
) -> None:
    newest = (await rotate(identity))["kid"]
    await identity.running.advance(KEY_LIFE)
    async with running_service(identity.running.service) as other:
        await asyncio.gather(identity.jobs(), other.advance(timedelta()))
    rows = await identity.running.parts.db.pool.fetch(
        "SELECT kid, ends_at FROM signing_keys ORDER BY signs_from"
    )

    assert [row["kid"] for row in rows[:-1]] == [newest]
    assert rows[0]["ends_at"] is not None
    assert rows[1]["ends_at"] is None


async def test_only_support_rotates_keys_and_says_why(
    identity: Identity, here: Organization
) -> None:
    by_admin = await identity.mutate(ROTATE, {"reason": "x"}, here.admin)
    silent = await identity.mutate(ROTATE, {"reason": ""}, identity.support)
    kept = await identity.running.parts.db.pool.fetchval(
        "SELECT count(*) FROM support_acts WHERE act = 'ROTATE_SIGNING_KEYS'"
    )

    assert by_admin["code"] == "FORBIDDEN"
    assert silent["code"] == "REASON_REQUIRED"
    assert kept > 0
