"""Guides: written, published, read, and asked for anew (R30)."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from kit.auth import Viewer
from tests.service.reporting.conftest import Clinic, Reporting
from tests.service.reporting.people import Somebody, flags, office, placement, staff, team

SEEN = """... on Guide { id kind state version unread acknowledgedAt unreadCount allowedActions
    published { number title text html roles offices publishedAt } draft { number title text }
    readers(first: 100) { edges { node { user { id } offices { id } confirmed unread readNumber readAt } } } }"""
PROBLEM = "... on Problem { code message field remedy }"


async def do(reporting: Reporting, verb: str, given: dict[str, Any], viewer: Viewer) -> Any:  # noqa: ANN401 - JSON
    """What a mutation answers."""
    kind = f"{verb[0].upper()}{verb[1:]}Input"
    query = (
        f"mutation($input: {kind}!) {{ {verb}(input: $input) {{ __typename {SEEN} {PROBLEM} }} }}"
    )
    return (await reporting.running.data(query, {"input": given}, viewer=viewer))[verb]


async def written(clinic: Clinic, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of the input
    """A draft for all office staff."""
    given = {
        "kind": "RECEIVING",
        "title": "How we receive",
        "text": "Answer within *seven* days.",
        "roles": ["OFFICE_STAFF"],
        "idempotencyKey": uuid4().hex,
        **more,
    }
    told: dict[str, Any] = await do(clinic.reporting, "addGuide", given, clinic.admin)
    assert told["__typename"] == "Guide", told
    return told


async def change(clinic: Clinic, verb: str, guide: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of the input
    """Do a verb to a guide as it was seen."""
    given = {"guideId": guide["id"], "expectedVersion": guide["version"], **more}
    told: dict[str, Any] = await do(clinic.reporting, verb, given, clinic.admin)
    return told


async def published(clinic: Clinic, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of the input
    """A guide that is asked to be read."""
    return await change(clinic, "publishGuide", await written(clinic, **more))


async def acknowledge(
    reporting: Reporting, guide: dict[str, Any], by: Viewer, number: int = 1
) -> dict[str, Any]:
    given = {"guideId": guide["id"], "number": number}
    told: dict[str, Any] = await do(reporting, "acknowledgeGuide", given, by)
    return told


async def mine(reporting: Reporting, by: Viewer, *, unread: bool = False) -> list[dict[str, Any]]:
    query = f"query($unread: Boolean!) {{ myGuides(unreadOnly: $unread) {{ {SEEN} }} }}"
    told: list[dict[str, Any]] = (
        await reporting.running.data(query, {"unread": unread}, viewer=by)
    )["myGuides"]
    return told


async def look(clinic: Clinic, guide: dict[str, Any], by: Viewer | None = None) -> Any:  # noqa: ANN401 - JSON
    query = f"query($id: ID!) {{ guide(id: $id) {{ {SEEN} }} }}"
    asked = {"id": guide["id"]}
    data = await clinic.reporting.running.data(query, asked, viewer=by or clinic.admin)
    return data["guide"]


async def test_publishing_a_guide_asks_every_member_of_staff_and_acknowledging_is_recorded(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R30: unread count = staff count; acknowledged, it is one less."""
    people = [await staff(clinic) for _ in range(3)]

    guide = await published(clinic)

    assert (guide["state"], guide["unreadCount"]) == ("PUBLISHED", 3)
    told = await acknowledge(reporting, guide, people[0].viewer)
    assert told["acknowledgedAt"] is not None
    assert (told["unread"], told["unreadCount"], told["readers"]) == (False, None, None)
    seen = await look(clinic, guide)
    assert seen["unreadCount"] == 2
    readers = {one["node"]["user"]["id"]: one["node"] for one in seen["readers"]["edges"]}
    assert readers.keys() == {str(one.user_id) for one in people}
    read = readers[str(people[0].user_id)]
    assert (read["unread"], read["readNumber"]) == (False, 1)
    assert read["offices"] == [{"id": str(clinic.office_id)}]


async def test_a_new_version_asks_again_who_read_the_one_before(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R30"""
    reader = await staff(clinic)
    guide = await published(clinic)
    await acknowledge(reporting, guide, reader.viewer)

    drafted = await change(clinic, "changeGuide", guide, text="Answer within three days.")
    still = await mine(reporting, reader.viewer, unread=True)
    again = await change(clinic, "publishGuide", drafted)

    assert (drafted["draft"]["number"], drafted["published"]["number"]) == (2, 1)
    assert drafted["published"]["text"] == "Answer within *seven* days."
    assert still == []
    assert (again["draft"], again["published"]["number"], again["unreadCount"]) == (None, 2, 1)
    (asked,) = await mine(reporting, reader.viewer, unread=True)
    assert asked["published"]["text"] == "Answer within three days."
    late = await acknowledge(reporting, guide, reader.viewer, number=1)
    assert (late["code"], late["field"]) == ("NEWER_VERSION", "number")
    assert (await acknowledge(reporting, guide, reader.viewer, number=2))["unread"] is False


async def test_who_is_hired_later_is_asked_by_themselves_and_who_goes_is_not_any_more(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R30: a new hire is included automatically: with the role, and once they have confirmed."""
    guide = await published(clinic)
    assert guide["unreadCount"] == 0

    hired = await (await Somebody(clinic).invited()).granted("OFFICE_STAFF")
    expected = await look(clinic, guide)
    await hired.confirmed()

    assert (expected["unreadCount"], len(expected["readers"]["edges"])) == (0, 1)
    assert (await look(clinic, guide))["unreadCount"] == 1
    assert [one["id"] for one in await mine(reporting, hired.viewer)] == [guide["id"]]
    await hired.revoked("OFFICE_STAFF")
    assert (await look(clinic, guide))["unreadCount"] == 0
    await hired.granted("OFFICE_STAFF")
    await hired.deactivated()
    assert (await look(clinic, guide))["readers"]["edges"] == []
    await hired.back()
    assert (await look(clinic, guide))["readers"]["edges"] == []
    await hired.granted("OFFICE_STAFF")
    assert (await look(clinic, guide))["unreadCount"] == 1


async def test_a_guide_is_for_its_roles_and_for_offices_that_send_or_receive(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R30: audience by role and by what an office does; who works for a group counts as staff of its offices."""
    sends, receives, both, unknown = [uuid4() for _ in range(4)]
    for one in (sends, receives, both):
        await office(clinic, office_id=one)
    emergency = await clinic.group("Emergency", office_id=sends)
    await flags(clinic, emergency, sends=True, receives=False)
    await flags(
        clinic, await clinic.group("Clinic", office_id=receives), sends=False, receives=True
    )
    await placement(clinic, both)
    people = {one: await staff(clinic, one) for one in (sends, receives, both, unknown)}
    admin = await (await Somebody(clinic).confirmed()).granted("OFFICE_ADMIN", sends)
    nurse = await Somebody(clinic).confirmed()
    await team(clinic, emergency, nurse)

    sending = await published(clinic, kind="SENDING", offices="SENDING")
    receiving = await published(clinic, offices="RECEIVING")
    admins = await published(clinic, roles=["OFFICE_ADMIN"])

    async def asked(one: Somebody) -> set[str]:
        return {guide["id"] for guide in await mine(reporting, one.viewer)}

    assert await asked(people[sends]) == await asked(nurse) == {sending["id"]}
    assert await asked(people[receives]) == {receiving["id"]}
    assert await asked(people[both]) == {sending["id"], receiving["id"]}
    assert await asked(people[unknown]) == {sending["id"], receiving["id"]}
    assert await asked(admin) == {admins["id"]}


async def test_a_withdrawn_guide_is_asked_of_nobody_and_can_be_published_anew(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R30"""
    reader = await staff(clinic)
    guide = await published(clinic)

    gone = await change(clinic, "withdrawGuide", guide)

    assert (gone["state"], gone["unreadCount"]) == ("WITHDRAWN", 0)
    assert gone["allowedActions"] == ["CHANGE"]
    assert await mine(reporting, reader.viewer) == []
    assert await look(clinic, guide, reader.viewer) is None
    refused = await acknowledge(reporting, guide, reader.viewer)
    assert refused["__typename"] == "DeniedProblem"
    twice = await change(clinic, "withdrawGuide", gone)
    assert twice["code"] == "GUIDE_NOT_PUBLISHED"
    nothing = await change(clinic, "publishGuide", gone)
    assert nothing["code"] == "NOTHING_TO_PUBLISH"
    drafted = await change(clinic, "changeGuide", gone, title="Back again")
    assert (await change(clinic, "publishGuide", drafted))["unreadCount"] == 1


async def test_what_a_guide_says_runs_nowhere(clinic: Clinic) -> None:
    """R30: Markdown is kept as text, and shown as HTML in which nothing of the writer's own is a tag or runs."""
    text = """# Hello <script>alert(1)</script>
<img src=x onerror=alert(1)>
[run](javascript:alert(1)) [data](data:text/html;base64,PHNjcmlwdD4=) [fine](https://a.example "x\\" onclick=\\"y")
![seen](https://tracker.example/p.png)

```"><script>
</code><script>alert(1)</script>
```"""
    await staff(clinic)
    guide = await published(clinic, text=text)

    assert guide["published"]["text"] == text
    html = guide["published"]["html"]
    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html
    assert 'href="data' not in html
    assert " onclick=" not in html.replace("&quot;", "")[: html.find("title=")]
    assert '<a href="https://a.example"' in html
    assert "<h1>Hello &lt;script&gt;" in html


async def test_who_may_do_what_with_a_guide(reporting: Reporting, clinic: Clinic) -> None:
    """R30: client admins write; who is asked reads; nobody else knows of it."""
    reader, other = await staff(clinic), await Somebody(clinic).confirmed()
    draft = await written(clinic)
    stranger = Clinic(reporting).admin

    assert draft["allowedActions"] == ["CHANGE", "PUBLISH"]
    for who in (reader.viewer, clinic.staff(reporting_only=False, insurance_manager=True)):
        given = {"guideId": draft["id"], "expectedVersion": 1}
        refused = await do(reporting, "publishGuide", given, who)
        assert refused["__typename"] == "DeniedProblem"
        assert await look(clinic, draft, who) is None
    given = {"guideId": draft["id"], "expectedVersion": 1}
    assert (await do(reporting, "publishGuide", given, stranger))["code"] == "NOT_FOUND"
    assert await look(clinic, draft, stranger) is None
    only_looks = clinic.staff(reporting_only=True)
    assert (await look(clinic, draft, only_looks))["allowedActions"] == []
    assert (await do(reporting, "publishGuide", given, only_looks))["code"] == "REPORTING_ONLY"

    guide = await change(clinic, "publishGuide", draft)
    seen = await look(clinic, guide, reader.viewer)
    assert (seen["allowedActions"], seen["draft"]) == (["ACKNOWLEDGE"], None)
    assert await look(clinic, guide, other.viewer) is None
    assert (await acknowledge(reporting, guide, other.viewer))["code"] == "FORBIDDEN"
    assert (await acknowledge(reporting, guide, stranger))["code"] == "NOT_FOUND"


async def test_two_who_publish_at_once_publish_once(clinic: Clinic) -> None:
    """R30"""
    draft = await written(clinic)

    told = await asyncio.gather(*(change(clinic, "publishGuide", draft) for _ in range(4)))

    assert sorted(one["__typename"] for one in told) == ["Guide", *["StaleVersionProblem"] * 3]


async def test_a_guide_needs_a_title_a_text_and_readers(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R30"""
    given = {"kind": "SENDING", "title": "T", "text": "t", "roles": ["OFFICE_STAFF"]}
    for wrong, field, code in (
        ({"title": " "}, "title", "INVALID"),
        ({"title": "a\nb"}, "title", "INVALID"),
        ({"text": "\n"}, "text", "INVALID"),
        ({"text": "x" * 50_001}, "text", "INVALID"),
        ({"roles": []}, "roles", "NO_READERS"),
    ):
        asked = {**given, **wrong, "idempotencyKey": uuid4().hex}
        told = await do(reporting, "addGuide", asked, clinic.admin)
        assert (told["field"], told["code"]) == (field, code)


async def test_adding_twice_with_one_key_adds_once(clinic: Clinic) -> None:
    """R30"""
    key = uuid4().hex

    first, again = [await written(clinic, idempotencyKey=key) for _ in range(2)]

    assert first["id"] == again["id"]
