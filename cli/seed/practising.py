"""Best practice in the demo world: each organization has a guide to sending and one to receiving."""

from __future__ import annotations

from cli.network import Person
from cli.seed.building import Site, together
from cli.seed.world import World

SENDING = """## Before you send

1. Choose a receiver **for the patient's plan**; otherwise say why.
2. Say what you want to know, and until when.

Send drafts within three days. Look at *requires review* every morning: what was declined is yours again."""
RECEIVING = """## When something comes

| what | until when |
|---|---|
| acknowledge it, or decline it | within 7 days |
| an appointment | within 14 days |
| report what came of it | on the day after |

If you decline, **write why**: the sender reads it, and can do better."""
GUIDES = (
    ("SENDING", "How we send", SENDING),
    ("RECEIVING", "How we receive", RECEIVING),
)


def deeds_of(world: World) -> int:
    """How many things this does, for the bar."""
    return 2 * len(GUIDES) * len(world.organizations)


async def publish(site: Site, world: World) -> None:
    """Publish the guides; what was published before stays as it is."""
    admins = [(one.name, site.people[one.users[0].email]) for one in world.organizations]
    await together(
        *(_publish(site, name, admin, guide) for name, admin in admins for guide in GUIDES)
    )


async def _publish(site: Site, name: str, admin: Person, guide: tuple[str, str, str]) -> None:
    kind, title, text = guide
    given = {
        "kind": kind,
        "offices": kind,
        "title": title,
        "text": text,
        "roles": ["OFFICE_STAFF", "OFFICE_ADMIN"],
    }
    wanted = "... on Guide { id state version }"
    made = await site.make(admin, "addGuide", f"{name}-{kind}", given, wanted)
    if made["state"] == "DRAFT":
        order = {"guideId": made["id"], "expectedVersion": made["version"]}
        await site.do(admin, "publishGuide", order, wanted)
