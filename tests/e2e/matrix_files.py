"""Files of the cast's referrals, through the gateway."""

from __future__ import annotations

from urllib.parse import quote

from tests.e2e.matrix_stage import World
from tests.gateway.edge.client import Reply, request
from tests.model.words import Actor
from tests.support.files import PDF

FILES = {
    "to here": "their staff",
    "from here": "staff here",
    "passed on": "staff there",
    "to the leaver": "their staff",
}
"""Which referral has a file, and by whom it was attached."""


async def attach(world: World, by: str, referral: str) -> str:
    """Attach a file; answers its URL."""
    token = await world.stage.people[by].token()
    url = f"{world.system.url}/files/referrals/{world.ids[f'referral {referral}']}/attachments"
    headers = {
        "authorization": f"Bearer {token}",
        "content-type": "application/pdf",
        "x-file-name": quote("Zelenka ECG.pdf"),
        "idempotency-key": world.stage.key(),
    }
    reply = await request("POST", url, headers, PDF)
    assert reply.status == 201, reply.body
    answer: str = reply.json["url"]
    return answer


async def got(world: World, actor: Actor, url: str) -> Reply:
    """What somebody gets who asks for a file."""
    token = await world.token(actor)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return await request("GET", f"{world.system.url}{url}", headers)
