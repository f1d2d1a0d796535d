"""The GraphQL-over-HTTP audit, run against the gateway when Node and the audit are at hand."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import orjson
import pytest

from tests.gateway.edge.conftest import World

AUDIT = os.environ.get("GRAPHQL_HTTP_AUDIT", "")
SCRIPT = Path(__file__).parent / "audit.mjs"


@pytest.mark.skipif(
    not AUDIT, reason="GRAPHQL_HTTP_AUDIT names no folder with graphql-http installed"
)
@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
async def test_all_61_audits_are_ok(suite: World) -> None:
    node = await asyncio.create_subprocess_exec(
        "node", SCRIPT, AUDIT, f"{suite.door.base}/graphql", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await node.communicate()
    results = orjson.loads(out)

    assert [one for one in results if one["status"] != "ok"] == []
    assert len(results) == 61
