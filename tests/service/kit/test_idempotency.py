"""Retries of creates and sends, on a real database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from kit.auth import Kind, Viewer
from kit.db import Database
from kit.errors import Conflict, Invalid, NotFound, Unauthenticated
from kit.idempotency import BATCH, KEPT, forget, once
from kit.ids import new_id
from tests.support.eventually import eventually
from tests.support.sql import Sql

AT = datetime(2026, 1, 2, tzinfo=UTC)


def user() -> Viewer:
    """Somebody."""
    return Viewer(kind=Kind.USER, user_id=new_id(), organization_id=new_id())


class Maker:
    """Makes things and counts them; waits for `go` when asked to."""

    def __init__(self) -> None:
        self.made: list[UUID] = []
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self) -> UUID:
        await self.go.wait()
        self.made.append(new_id())
        return self.made[-1]


async def send(
    database: Database, viewer: Viewer, make: Maker, *, key: str = "k", request: object = "a"
) -> UUID:
    """One attempt of a client."""
    async with database.on_behalf_of(viewer).transaction() as tx:
        return await once(tx, viewer, key=key, request=request, at=AT, make=make)


async def test_a_retry_gets_the_first_answer_and_does_nothing_again(database: Database) -> None:
    viewer, make = user(), Maker()
    first = await send(database, viewer, make)
    assert await send(database, viewer, make) == first
    assert make.made == [first]


async def test_two_at_once_wait_for_one_another_and_do_the_work_once(database: Database) -> None:
    viewer, make = user(), Maker()
    make.go.clear()
    both = asyncio.gather(*(send(database, viewer, make) for _ in range(2)))
    await eventually(
        lambda: database.pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")
    )
    make.go.set()
    first, second = await both
    assert first == second == make.made[0]
    assert len(make.made) == 1


async def test_the_same_key_with_another_request_is_refused(database: Database) -> None:
    viewer, make = user(), Maker()
    await send(database, viewer, make, request="one patient")
    with pytest.raises(Conflict) as refused:
        await send(database, viewer, make, request="another patient")
    assert refused.value.code == "IDEMPOTENCY_KEY_REUSED"
    assert refused.value.field == "idempotencyKey"
    assert refused.value.remedy


async def test_keys_of_two_users_have_nothing_to_do_with_each_other(database: Database) -> None:
    make = Maker()
    await send(database, user(), make)
    await send(database, user(), make)
    assert len(make.made) == 2


async def test_a_user_of_two_organizations_sends_the_same_key_in_each(database: Database) -> None:
    """What was made in one organization is no answer in another."""
    here, make = user(), Maker()
    there = replace(here, organization_id=new_id())
    answers = [await send(database, viewer, make) for viewer in (here, there, here, there)]
    assert answers == make.made * 2
    assert len(make.made) == 2


async def test_support_who_belong_to_no_organization_retry_as_well(database: Database) -> None:
    support, make = Viewer(kind=Kind.USER, user_id=new_id(), support=True), Maker()
    assert await send(database, support, make) == await send(database, support, make)
    assert len(make.made) == 1


async def test_a_refusal_leaves_no_trace_so_that_the_key_can_be_tried_again(
    database: Database,
) -> None:
    viewer, make = user(), Maker()

    async def refuse() -> UUID:
        raise NotFound("No such provider.")

    with pytest.raises(NotFound):
        async with database.on_behalf_of(viewer).transaction() as tx:
            await once(tx, viewer, key="k", request="a", at=AT, make=refuse)
    assert await Sql(database).fetchval("SELECT count(*) FROM idempotency") == 0
    assert await send(database, viewer, make, request="mended") == make.made[0]


@pytest.mark.parametrize("key", ["", "x" * 201, "zero\0byte"])
async def test_a_key_that_cannot_be_kept_is_invalid(database: Database, key: str) -> None:
    with pytest.raises(Invalid) as refused:
        await send(database, user(), Maker(), key=key)
    assert refused.value.field == "idempotencyKey"


async def test_nobody_may_send_without_signing_in(database: Database) -> None:
    with pytest.raises(Unauthenticated):
        await send(database, Viewer(), Maker())


async def test_an_answer_is_forgotten_after_thirty_days(database: Database) -> None:
    """Until then a retry does nothing; afterwards it does its work again."""
    viewer, make = user(), Maker()
    first = await send(database, viewer, make)
    given: datetime = await Sql(database).fetchval("SELECT answered_at FROM idempotency")
    await forget(database, given + timedelta(days=30) - timedelta(microseconds=1))
    assert await send(database, viewer, make) == first

    await forget(database, given + timedelta(days=30))

    assert await send(database, viewer, make) != first
    assert len(make.made) == 2


async def test_however_much_there_is_to_forget_goes_in_small_steps(database: Database) -> None:
    await Sql(database).execute(
        "INSERT INTO idempotency SELECT gen_random_uuid(), 'k', '', gen_random_uuid(), $1, gen_random_uuid(),"
        " $1::timestamptz + n * interval '1 second' FROM generate_series(1, $2) AS n",
        AT,
        2 * BATCH + 7,
    )

    await forget(database, AT + KEPT + timedelta(seconds=2 * BATCH + 1))

    assert await Sql(database).fetchval("SELECT count(*) FROM idempotency") == 6
