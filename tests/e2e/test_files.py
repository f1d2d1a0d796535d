"""Z2, Z4: everybody tries every file of the cast's referrals, at the gateway and past it, and tests/model says who has it."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from tests.e2e.matrix import Bench
from tests.e2e.matrix_doors import Doors
from tests.e2e.matrix_files import FILES, got
from tests.gateway.edge.client import request
from tests.model.cast import ACTORS, things
from tests.model.referrals import works
from tests.model.words import Session
from tests.support.files import PDF

REFERRALS = {one.name: one for one in things("referral") if one.name in FILES}
CLOSED = {401, 403, 404}


async def test_everybody_has_the_files_the_rules_say_and_no_others(matrix: Bench) -> None:
    """R14, R26: and what is not theirs answers as what never was."""
    world = matrix.world
    await world.sign_in_anew()
    assert REFERRALS.keys() == FILES.keys()
    wrong = []
    for actor in ACTORS:
        never = await got(world, actor, f"/files/referrals/attachments/{uuid4()}")
        replies = await asyncio.gather(
            *(got(world, actor, world.ids[f"file of {name}"]) for name in FILES)
        )
        for name, reply in zip(FILES, replies, strict=True):
            may = actor.session is Session.FULL and works(actor, REFERRALS[name])
            has = reply.status == 200 and reply.body == PDF
            as_unknown = reply.status in CLOSED and (reply.status, reply.body) == (
                never.status,
                never.body,
            )
            right = has if may else as_unknown
            matrix.judged("files", right, "")
            if not right:
                wrong.append(f"{actor.name} and the file of {name!r}: {reply.status}")
    assert wrong == []


async def test_the_doors_for_files_are_shut_to_who_comes_past_the_gateway(matrix: Bench) -> None:
    """I9."""
    doors = Doors(matrix)
    await matrix.world.sign_in_anew()
    staff = next(one for one in ACTORS if one.name == "staff here")
    base = f"http://127.0.0.1:{matrix.world.system.ports['referrals', 'http']}"
    url = matrix.world.ids["file of to here"].replace("/files/referrals/", "/files/")
    upload = f"{base}/files/{matrix.world.ids['referral to here']}/attachments"
    opened = []
    for what, headers in (await doors.forgeries("referrals", staff)).items():
        for method, at in (("GET", base + url), ("POST", upload)):
            reply = await request(method, at, headers | {"content-type": "application/pdf"}, b"")
            if reply.status not in {401, 403}:
                opened.append(f"{method} for {what}: {reply.status}")
    await doors.close()
    assert opened == []
