"""Acts 14, 15 and 17: a deactivated account, the weekly report, and the partner."""

from __future__ import annotations

from typing import Any

import nats
import nats.errors
import nats.js.errors
import orjson

from cli.journey.care import PATIENTS, QUEUE
from cli.journey.stage import Live, Stage
from cli.network.client import AnswerError

REPORT = """
query($group: ID!, $week: Date!) {
  groupProgressReport(groupId: $group, weekOf: $week) {
    weekOf dataAsOf
    figures { received { count } forwardedOut { count } closing { count } opening { count } reconciles }
  }
}"""
QUIET = 0.5
"""Seconds without another fact after which the partner has heard everything."""


async def staff_is_deactivated(stage: Stage) -> None:
    """The session of a deactivated account dies at once, and so does its live query (R07)."""
    admin, leaver = stage.people["A admin"], stage.people["A second staff"]
    live = await stage.watch("leaver's queue", QUEUE, leaver, officeId=stage.ids["A office"])
    query = "query($id: ID!) { user(id: $id) { version } }"
    version = (await admin.ask(query, id=leaver.user_id))["user"]["version"]
    given = {"userId": leaver.user_id, "expectedVersion": version}
    token = await leaver.token()
    await admin.do("deactivateUser", given, "... on UserDeactivated { user { status } }")
    stage.say(f"{admin.name} deactivated {leaver.name}")

    async def code() -> str:
        try:
            await stage.client.ask_with(token, "{ viewer { user { id } } }")
        except AnswerError as error:
            return error.code
        return "OK"

    await stage.eventually("the session dies", code, lambda told: told == "UNAUTHENTICATED")
    await live.until("the live query ends", _over)
    stage.say(f"{leaver.name}'s session and live query are over")


def _over(live: Live) -> bool:
    return live.ended or any("errors" in told for told in live.told)


async def report_is_right(stage: Stage) -> None:
    """The group received one referral this week and forwarded it: nothing is left, and the numbers add up (R31)."""
    admin = stage.people["A admin"]
    sent_on = stage.sent_on
    wanted = {"group": stage.ids["group"], "week": sent_on.isoformat()}

    async def figures() -> dict[str, Any]:
        report = (await admin.ask(REPORT, **wanted))["groupProgressReport"]
        return {} if report is None else _counts(report["figures"])

    expected = {"opening": 0, "received": 1, "forwardedOut": 1, "closing": 0, "reconciles": True}
    told = await stage.eventually("the report", figures, lambda seen: seen == expected)
    stage.say(f"the group's week of {sent_on}: {told}")


def _counts(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: one["count"] if isinstance(one, dict) else one for name, one in figures.items()}


async def partner_heard(stage: Stage) -> None:
    """A partner of one organization hears its facts in order, none of the other's, nothing of patients, and nothing that was lost with
    the provider who has left (R14)."""
    await stage.move(2)
    admin = stage.people["A admin"]
    given = {"name": "Lakeside data warehouse", "idempotencyKey": stage.key()}
    added = await admin.do(
        "addPartner", given, "... on PartnerAdded { seed partner { id durable } }"
    )
    stage.say(f"{admin.name} gave the partner its credentials")
    facts = await _listen(stage, added["seed"], added["partner"])
    stage.expect(bool(facts), "the partner heard nothing")
    foreign = [s for s, _ in facts if not s.startswith(f"events.{stage.ids['A organization']}.")]
    stage.expect(not foreign, f"facts of another organization: {foreign}")
    _expect_order(stage, [event for _, event in facts])
    text = orjson.dumps([event for _, event in facts]).decode()
    leaked = [name for name in PATIENTS if name in text]
    stage.expect(not leaked, f"a patient's name travelled in a fact: {leaked}")
    stage.say(
        f"the partner heard {len(facts)} facts of its organization, in order, no patient in them"
    )
    heard = {event["subject"] for _, event in facts}
    stage.expect(stage.ids["kept referral"] in heard, "the reassigned referral was not told")
    stage.expect(stage.ids["finished referral"] not in heard, "what was lost was told")
    stage.say("and nothing of the referral that left with the provider")


async def _listen(stage: Stage, seed: str, partner: dict[str, str]) -> list[tuple[str, Any]]:
    """Everything the partner's own consumer has for it."""
    inbox = f"_INBOX_partner_{partner['id']}"
    client = await stage.eventually(
        "the partner signs in", lambda: _connect(stage.nats_url, seed, inbox), bool
    )
    try:
        subscription = await client.jetstream().pull_subscribe_bind(
            durable=partner["durable"], stream="EVENTS"
        )
        first = await stage.eventually("a first fact", lambda: _fetch(subscription), bool)
        return first + await _rest(subscription)
    finally:
        await client.close()


async def _rest(subscription: Any) -> list[tuple[str, Any]]:  # noqa: ANN401 - nats has no public name
    facts: list[tuple[str, Any]] = []
    while more := await _fetch(subscription):
        facts += more
    return facts


async def _fetch(subscription: Any) -> list[tuple[str, Any]]:  # noqa: ANN401 - nats has no public name
    """The next facts. None yet, or no consumer yet (it is made a moment after the credentials): nothing."""
    try:
        messages = await subscription.fetch(100, timeout=QUIET)
    except (TimeoutError, nats.js.errors.ServiceUnavailableError):
        return []
    for message in messages:
        await message.ack()
    return [(message.subject, orjson.loads(message.data)) for message in messages]


async def _connect(url: str, seed: str, inbox: str) -> Any:  # noqa: ANN401 - nats has no public name
    async def quiet(_: Exception) -> None:
        """What goes wrong is raised where it happens."""

    try:
        return await nats.connect(
            url,
            nkeys_seed_str=seed,
            inbox_prefix=inbox.encode(),
            allow_reconnect=False,
            error_cb=quiet,
        )
    except (nats.errors.Error, OSError):
        return None


def _expect_order(stage: Stage, events: list[dict[str, Any]]) -> None:
    last: dict[str, int] = {}
    for event in events:
        subject, sequence = event["subject"], int(event["sequence"])
        stage.expect(sequence == last.get(subject, 0) + 1, f"out of order: {event}")
        last[subject] = sequence
