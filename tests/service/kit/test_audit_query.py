"""The audit trail as client admins ask for it: who did what to a thing, and what a person did."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest

from kit import audit
from kit.auth import ANONYMOUS, Kind, Viewer, service_viewer
from kit.config import SIBLINGS
from kit.errors import Denied, Unauthenticated
from kit.ids import new_id
from tests.support import ledger, servers
from tests.support.running import Running, environment, running_service
from tests.support.servers import NatsServer

ASK = """
query ($about: ID, $by: ID, $since: DateTime, $until: DateTime, $first: Int, $after: String) {
  ledgerAudit(about: $about, by: $by, since: $since, until: $until, first: $first, after: $after) {
    edges { node {
      id at act kind about fields reason purpose requestId bySupport actor { service user { id } }
    } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
async def running(database_url: str, broker: NatsServer) -> AsyncIterator[Running[Any]]:
    """A ledger."""
    settings = environment(ledger.NAME, database_url, servers.operator_url(broker))
    async with running_service(ledger.build(settings)) as service:
        yield service


def somebody(organization_id: UUID | None = None, **grants: Any) -> Viewer:  # noqa: ANN401 - any field of a viewer
    """A user of an organization."""
    return Viewer(
        kind=Kind.USER, user_id=new_id(), organization_id=organization_id or new_id(), **grants
    )


async def wrote(
    running: Running[Any],
    viewer: Viewer,
    about: UUID,
    hour: int = 0,
    **more: Any,  # noqa: ANN401
) -> None:
    """Somebody changed something, some hours after noon."""
    deed: Any = {"act": "entry.changed", "kind": "entry", "organization_id": viewer.organization_id}
    async with running.parts.db.everywhere().transaction() as tx:
        await audit.record(
            tx, viewer, about=about, at=NOON + timedelta(hours=hour), **(deed | more)
        )


async def asked(running: Running[Any], viewer: Viewer, **given: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """The entries of one page."""
    data = await running.data(ASK, given, viewer=viewer)
    return [edge["node"] for edge in data["ledgerAudit"]["edges"]]


async def test_an_entry_says_who_did_what_to_which_thing_and_why(running: Running[Any]) -> None:
    """A1: as it was written."""
    admin, thing = somebody(), new_id()
    helper = replace(somebody(admin.organization_id), support=True)
    await wrote(running, helper, thing, fields=["name"], reason="asked for")

    (entry,) = await asked(running, admin, about=str(thing))
    assert entry["act"] == "ledger.entry.changed"
    assert entry["actor"] == {"service": None, "user": {"id": str(helper.user_id)}}
    assert (entry["kind"], entry["about"]) == ("entry", str(thing))
    assert (entry["fields"], entry["reason"], entry["bySupport"]) == (["name"], "asked for", True)
    assert entry["at"] == NOON.isoformat()


async def test_what_the_suite_did_by_itself_names_the_service(running: Running[Any]) -> None:
    """A1: a job or a fact that was heard."""
    admin, thing = somebody(), new_id()
    by_itself = service_viewer("ledger")
    await wrote(running, by_itself, thing, organization_id=admin.organization_id)

    (entry,) = await asked(running, admin, about=str(thing))
    assert entry["actor"] == {"service": "ledger", "user": None}


async def test_both_questions_are_answered_newest_first_and_in_pages(
    running: Running[Any],
) -> None:
    """Who did what to X, and what did person Y do."""
    admin, things = somebody(), [new_id(), new_id()]
    other = somebody(admin.organization_id)
    for hour in range(6):
        await wrote(running, (admin, other)[hour % 2], things[hour // 3], hour)

    def hours(entries: list[dict[str, Any]]) -> list[int]:
        return [datetime.fromisoformat(one["at"]).hour - 12 for one in entries]

    assert hours(await asked(running, admin, about=str(things[0]))) == [2, 1, 0]
    assert hours(await asked(running, admin, by=str(other.user_id))) == [5, 3, 1]
    both = {"about": str(things[1]), "by": str(other.user_id)}
    assert hours(await asked(running, admin, **both)) == [5, 3]
    span = {
        "since": (NOON + timedelta(hours=1)).isoformat(),
        "until": (NOON + timedelta(hours=4)).isoformat(),
    }
    assert hours(await asked(running, admin, **span)) == [3, 2, 1]

    seen, after = [], None
    for _ in range(3):
        data = await running.data(ASK, {"first": 2, "after": after}, viewer=admin)
        page = data["ledgerAudit"]
        seen += hours([edge["node"] for edge in page["edges"]])
        after = page["pageInfo"]["endCursor"]
    assert seen == [5, 4, 3, 2, 1, 0]
    assert not page["pageInfo"]["hasNextPage"]


async def test_another_organization_s_ids_answer_as_unknown_ones(running: Running[Any]) -> None:
    """Nothing is told by asking."""
    here, there, thing = somebody(), somebody(), new_id()
    await wrote(running, there, thing)
    for given in ({"about": str(thing)}, {"by": str(there.user_id)}, {"about": str(new_id())}, {}):
        assert await asked(running, here, **given) == []


async def test_matters_of_the_suite_are_no_organization_s(running: Running[Any]) -> None:
    """Also for who acts in none."""
    thing = new_id()
    await wrote(running, somebody(), thing, organization_id=None)
    assert await asked(running, somebody(), about=str(thing)) == []


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"about": "x"}, "INVALID_ID"),
        ({"by": "x"}, "INVALID_ID"),
        ({"since": "2026-03-01T00:00:00"}, "INVALID"),
        ({"first": 101}, "PAGE_SIZE"),
        ({"after": "x"}, "BAD_CURSOR"),
    ],
)
async def test_what_cannot_be_asked_is_said(
    running: Running[Any], given: dict[str, Any], reason: str
) -> None:
    """With the argument that is to blame."""
    answer = await running.gql(ASK, given, viewer=somebody())
    (error,) = answer["errors"]
    assert error["extensions"]["reason"] == reason
    assert error["extensions"]["field"] in given


@pytest.mark.parametrize("service", SIBLINGS)
def test_a_service_s_trail_is_for_its_client_admins_and_for_support_that_acts_there(
    service: str,
) -> None:
    """Each service decides for itself, and all alike."""
    permit = import_module(f"services.{service}.policy").permit_audit
    here = new_id()
    grants: dict[str, Any]
    for grants in ({"client_admin": True}, {"reporting_only": True}, {"support": True}):
        assert permit(somebody(here, **grants)) == here
    office = frozenset({new_id()})
    for grants in (
        {"office_admin_of": office, "office_staff_of": office},
        {"insurance_manager": True, "call_centre": True},
    ):
        with pytest.raises(Denied):
            permit(somebody(here, **grants))
    with pytest.raises(Denied):
        permit(replace(somebody(support=True), organization_id=None))
    for nobody in (ANONYMOUS, service_viewer("directory")):
        with pytest.raises(Unauthenticated):
            permit(nobody)


@pytest.mark.parametrize("service", SIBLINGS)
def test_every_service_has_the_question(service: str) -> None:
    """With the same types, so that the gateway can put them together."""
    sdl = import_module(f"services.{service}.schema").SCHEMA.as_str()
    assert f"  {service}Audit(about: ID" in sdl
    assert "type AuditEntry @shareable" in sdl
