"""Refresh tokens at scale (I3): however many come at once there is one live head, and a copy that comes back later ends it all."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from kit.auth import ANONYMOUS
from kit.errors import Unauthenticated
from services.identity.actions import Means
from tests.service.identity.asking import REFRESH
from tests.service.identity.conftest import Identity, Organization
from tests.support.running import Running, running_service

ROUNDS = int(os.environ.get("REFRESH_ROUNDS", "10"))
"""How often; 1000 for the figure of I3, which takes a while."""

AT_MOST = 1.0
"""Seconds in which a family is dead, everywhere."""

AT_ONCE = 100
GRACE = timedelta(seconds=10)


class Replicas:
    """Two of them, and sessions of one user."""

    def __init__(self, identity: Identity, other: Running[Means], email: str) -> None:
        self.identity, self.all, self._email = identity, [identity.running, other], email

    async def session(self) -> dict[str, Any]:
        """A fresh one."""
        return await self.identity.sign_in(self._email)

    async def refresh(self, token: str, at: int = 0) -> dict[str, Any]:
        """What a replica answers."""
        said = {"input": {"refreshToken": token}}
        data = await self.all[at % 2].data(REFRESH, said, viewer=ANONYMOUS)
        found: dict[str, Any] = data["refreshSession"]
        return found

    async def at_once(self, token: str) -> list[dict[str, Any]]:
        """A hundred at the same time, half of them at each."""
        return await asyncio.gather(*(self.refresh(token, n) for n in range(AT_ONCE)))


@pytest.fixture
async def replicas(identity: Identity, here: Organization) -> AsyncIterator[Replicas]:
    """For one test."""
    email = await identity.running.parts.db.pool.fetchval(
        "SELECT email FROM users WHERE id = $1", here.admin.user_id
    )
    async with running_service(identity.running.service) as other:
        yield Replicas(identity, other, email)


async def test_a_hundred_refreshes_of_one_token_at_once_leave_one_live_head(
    replicas: Replicas,
) -> None:
    """I3"""
    for _ in range(ROUNDS):
        first = await replicas.session()
        answers = await replicas.at_once(first["refreshToken"])

        assert len({one["refreshToken"] for one in answers}) == 1
        head = await replicas.refresh(answers[0]["refreshToken"])
        assert head["__typename"] == "SignedIn"


async def test_a_copy_that_comes_back_after_the_grace_ends_the_family_with_the_same_answer(
    replicas: Replicas,
) -> None:
    """I3: also when a hundred come at once, and the head among them. REFRESH_ROUNDS=1000 for all of them."""
    families = []
    for _ in range(ROUNDS):
        first = await replicas.session()
        head = await replicas.refresh(first["refreshToken"])
        families.append((first, head))
    await replicas.identity.running.advance(GRACE)
    await replicas.all[1].parts.clock.sync()

    took: list[float] = []
    for first, head in families:
        begun = time.monotonic()
        first_copy = await replicas.refresh(first["refreshToken"])
        late = await replicas.refresh(head["refreshToken"], 1)
        took.append(time.monotonic() - begun)
        assert (first_copy["code"], late["code"]) == ("SESSION_ENDED",) * 2
        copies = await replicas.at_once(first["refreshToken"])
        assert {one["code"] for one in copies} == {"SESSION_ENDED"}
        for at in range(2):
            late = await replicas.refresh(head["refreshToken"], at)
            assert late["code"] == "SESSION_ENDED"
        with pytest.raises(Unauthenticated):
            await replicas.identity.viewer(head["accessToken"])
    print(f"{len(took)} families dead, the slowest after {max(took):.3f} s")  # noqa: T201 - the figure
    assert max(took) <= AT_MOST


async def test_only_the_direct_predecessor_is_graced(replicas: Replicas) -> None:
    """I3: two steps back is a copy, however soon it comes."""
    first = await replicas.session()
    second = await replicas.refresh(first["refreshToken"])
    third = await replicas.refresh(second["refreshToken"])

    assert (await replicas.refresh(first["refreshToken"]))["code"] == "SESSION_ENDED"
    assert (await replicas.refresh(third["refreshToken"]))["code"] == "SESSION_ENDED"
