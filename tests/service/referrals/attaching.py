"""What the tests of attachments ask, over the service's own HTTP door, in the words of the gateway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest

from kit.auth import Viewer, sign_viewer
from services.referrals.actions import pieces
from services.referrals.actions.peers import Call
from tests.gateway.edge.client import Reply, request
from tests.service.referrals.asking import PROBLEM, Answer, at, do, draft
from tests.service.referrals.conftest import Referrals, World
from tests.support.files import PDF
from tests.support.object_store import SmallStore
from tests.support.running import VIEWER_KEY

TOLD = "attachments { id name mediaType size side attachedAt url by { id } allowedActions } mayAttachAs"
LOOK = f"query ($id: ID!) {{ referral(id: $id) {{ {TOLD} }} }}"
WITHDRAW = f"""
mutation ($input: WithdrawAttachmentInput!) {{
  withdrawAttachment(input: $input) {{ __typename ... on Referral {{ {TOLD} }} {PROBLEM} }}
}}
"""
BOTH_STORES = pytest.mark.parametrize(
    "object_store", ["postgres", "s3"], indirect=True, scope="module"
)
"""Marks a module whose tests are run with files in the database, and with files in an object store."""

LARGE = b"%PDF-1.7\n" + bytes(range(256)) * 3000 + b"\n%%EOF\n"
"""Three pieces of a file, none like another."""


@dataclass
class Door:
    """The service's HTTP door."""

    base: str
    referrals: Referrals

    def signed(self, viewer: Viewer | None, audience: str = "referrals") -> dict[str, str]:
        """The headers the gateway sends."""
        if viewer is None:
            return {}
        key, clock = bytes.fromhex(VIEWER_KEY), self.referrals.running.parts.clock
        return {"x-viewer": sign_viewer(viewer, audience=audience, key=key, at=clock.real())}

    async def attach(
        self,
        viewer: Viewer | None,
        referral: Answer,
        contents: bytes = PDF,
        name: str = "canary-name.pdf",
        **other: str,
    ) -> Reply:
        """Upload a file."""
        sent = self.signed(viewer) | {
            "content-type": other.pop("type", "application/pdf"),
            "x-file-name": quote(name),
            "idempotency-key": other.pop("key", str(uuid4())),
        }
        side = f"?side={other['side']}" if "side" in other else ""
        url = f"{self.base}/files/{referral['id']}/attachments{side}"
        return await request("POST", url, sent, contents)

    async def attached(self, viewer: Viewer, referral: Answer, **other: Any) -> str:  # noqa: ANN401 - as `attach`
        """Upload a file that is taken; answers its id."""
        reply = await self.attach(viewer, referral, **other)
        assert reply.status == 201, reply.body
        id_: str = reply.json["id"]
        assert reply.json["url"] == f"/files/referrals/attachments/{id_}"
        return id_

    async def get(self, viewer: Viewer | None, id_: str) -> Reply:
        """Download one."""
        return await request("GET", f"{self.base}/files/attachments/{id_}", self.signed(viewer))


async def look(world: World, viewer: Viewer, referral: Answer) -> Answer | None:
    """A referral's attachments as the viewer sees them."""
    data = await world.service.running.data(LOOK, {"id": referral["id"]}, viewer=viewer)
    answer: Answer | None = data["referral"]
    return answer


async def names(world: World, viewer: Viewer, referral: Answer) -> list[str]:
    """What the attachments are called that a viewer sees."""
    found = await look(world, viewer, referral)
    return [one["name"] for one in (found or {"attachments": []})["attachments"]]


async def withdraw(world: World, viewer: Viewer, referral: Answer, id_: str) -> Answer:
    """Take one back."""
    given = {"referralId": referral["id"], "attachmentId": id_}
    data = await world.service.running.data(WITHDRAW, {"input": given}, viewer=viewer)
    answer: Answer = data["withdrawAttachment"]
    return answer


async def drafted(world: World) -> Answer:
    """A draft of the sender to the receiver."""
    written = draft(world.sender, at(world.receiver))
    return await do(
        world, "createDraft", world.sender.staff, idempotencyKey=str(uuid4()), draft=written
    )


def why(reply: Reply) -> str:
    """The reason a request was refused for."""
    reason: str = reply.json["errors"][0]["extensions"]["reason"]
    return reason


async def leftovers(world: World, referral: Answer) -> int:
    """Pieces and rows that belong to nothing that was kept."""
    found: int = await world.service.running.sql.fetchval(
        "SELECT (SELECT count(*) FROM attachments WHERE referral_id = $1 AND kept_at IS NULL)"
        " + (SELECT count(*) FROM attachment_pieces p WHERE referral_id = $1 AND NOT EXISTS (SELECT FROM attachments a"
        " WHERE a.id = p.attachment_id AND a.kept_at IS NOT NULL))",
        referral["id"],
    )
    return found


async def remove(world: World, organization_id: UUID, provider_id: UUID) -> None:
    """R14: the provider is removed from the organization."""
    await world.service.running.sql.execute(
        "INSERT INTO removed_providers VALUES ($1, $2, now())", organization_id, provider_id
    )


def domain_id(id_: str) -> Any:  # noqa: ANN401 - a NewType of the service
    """An attachment's id."""
    return UUID(id_)


async def boxes_of(world: World, store: SmallStore | None, id_: str) -> list[bytes]:
    """A file's pieces as they lie there."""
    rows = await world.service.running.sql.fetch(
        "SELECT box, object FROM attachment_pieces WHERE attachment_id = $1 ORDER BY number",
        UUID(id_),
    )
    if store is None:
        return [row["box"] for row in rows]
    assert {row["box"] for row in rows} == {None}
    return [store.contents(row["object"]) for row in rows]


async def require_nothing_astray(referrals: Referrals, store: SmallStore | None) -> None:
    """What no row names goes from the store, and whatever it was asked was signed by us."""
    if store is None:
        return
    assert store.disbelieved == []
    store.well()
    await pieces.drop_loose(referrals.running.parts.call())
    rows = await referrals.running.sql.fetch("SELECT object FROM attachment_pieces")
    assert store.names <= {str(row["object"]) for row in rows}


def jobs(world: World) -> Call:
    """A call of the service's jobs."""
    return world.service.running.parts.call()


async def objects_of(world: World, id_: str) -> list[str]:
    """Where a file's pieces lie, in order."""
    rows = await world.service.running.sql.fetch(
        "SELECT object FROM attachment_pieces WHERE attachment_id = $1 ORDER BY number", UUID(id_)
    )
    return [str(row["object"]) for row in rows]
