"""The example of docs/partners.md runs as it stands there."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

from cli.demo import ephemeral_system, stage_of
from cli.journey import opening
from cli.journey.stage import closing
from tests.e2e.test_journey import Listener

PAGE = Path(__file__).parents[2] / "docs" / "partners.md"


async def test_a_partner_who_copies_the_example_hears_its_organization() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    async with ephemeral_system() as system, closing(stage_of(system, Listener())) as stage:
        await opening.organizations_open(stage)
        added = await stage.people["A admin"].do(
            "addPartner",
            {"name": "Warehouse", "idempotencyKey": stage.key()},
            "... on PartnerAdded { seed partner { durable } }",
        )
        partner = {
            "PARTNER_NATS_URL": stage.nats_url,
            "PARTNER_SEED": added["seed"],
            "PARTNER_DURABLE": added["partner"]["durable"],
        }
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-c", example, env=os.environ | partner, stdout=asyncio.subprocess.PIPE
        )
        assert program.stdout is not None
        try:
            async with asyncio.timeout(30):
                heard = [(await program.stdout.readline()).decode().split() for _ in range(3)]
        finally:
            program.kill()
            await program.wait()

    assert heard[0] == [
        "suite.identity.organization.added.v1",
        stage.ids["A organization"],
        "1",
    ]
    assert all(kind.startswith("suite.identity.") for kind, _, _ in heard)
