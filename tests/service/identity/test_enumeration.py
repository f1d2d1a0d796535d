"""What an outsider learns about who has an account (I5), and how many guesses they get (I6): nothing, and few."""

import os
import time
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import orjson
import pytest

from kit.auth import ANONYMOUS
from kit.logs import client_address
from tests.service.identity.asking import (
    CONFIRM,
    NEW_PASSWORD,
    REQUEST_PASSWORD,
    SIGN_IN,
    role,
)
from tests.service.identity.conftest import (
    PASSWORD,
    Identity,
    Organization,
    an_email,
    new_organization,
)

NAMES = int(os.environ.get("ENUMERATION_NAMES", "25"))
"""How many known and how many unknown names are asked for; 2000 for the whole measurement (a quarter of an hour)."""

GUESSES = int(os.environ.get("BRUTE_FORCE_GUESSES", "400"))
"""How many guesses are made; 10000 for the whole measurement."""

Ask = Callable[[str], Awaitable[bytes]]


async def known_names(identity: Identity, here: Organization, count: int) -> list[str]:
    """Addresses that have confirmed accounts, made without a mail each."""
    email = an_email()
    await identity.invite(here.admin, email, role("OFFICE_STAFF", here.office))
    await identity.confirm_by_link(email)
    found = [f"known-{n}-{email}" for n in range(count)]
    await identity.running.sql.execute(
        "WITH made AS (INSERT INTO users (id, email, email_key, name, password_hash, confirmed_at, added_at)"
        " SELECT gen_random_uuid(), new, new, 'Sam', u.password_hash, u.confirmed_at, u.added_at"
        " FROM users u, unnest($2::text[]) AS new WHERE u.email = $1 RETURNING id)"
        " INSERT INTO memberships (id, organization_id, user_id, added_at)"
        " SELECT gen_random_uuid(), $3, id, now() FROM made",
        email,
        found,
        here.id,
    )
    return found


async def invited_names(identity: Identity, here: Organization, count: int) -> list[str]:
    """Addresses that were invited and have not confirmed: a first password waits for each."""
    found = await known_names(identity, here, count)
    await identity.running.sql.execute(
        "WITH firsts AS (UPDATE users u SET password_hash = NULL, confirmed_at = NULL FROM users old"
        " WHERE u.id = old.id AND u.email = ANY($1) RETURNING u.id, old.password_hash)"
        " INSERT INTO temporary_passwords (user_id, password_hash, link_hash, issued_at, expires_at)"
        " SELECT id, password_hash, sha256(id::text::bytea), now(), now() + interval '48 hours' FROM firsts",
        found,
    )
    return found


NAMED = {"confirmed": known_names, "invited": invited_names}


async def bytes_of(identity: Identity, document: str, given: dict[str, Any]) -> bytes:
    """The answer as it would leave."""
    answer = await identity.running.gql(document, {"input": given}, viewer=ANONYMOUS)
    return orjson.dumps(answer)


def endpoints(identity: Identity) -> dict[str, Ask]:
    """Every door that takes a name and is open to anybody."""
    return {
        "signIn": lambda name: bytes_of(
            identity, SIGN_IN, {"email": name, "password": "a wrong one, surely"}
        ),
        "requestNewPassword": lambda name: bytes_of(identity, REQUEST_PASSWORD, {"email": name}),
    }


def auc(ones: list[float], others: list[float]) -> float:
    """How well the times tell the two apart: 0.5 is not at all."""
    ranked = sorted([(one, 1) for one in ones] + [(other, 0) for other in others])
    ranks = sum(rank for rank, (_, is_one) in enumerate(ranked, 1) if is_one)
    return (ranks - len(ones) * (len(ones) + 1) / 2) / (len(ones) * len(others))


@pytest.mark.parametrize("who", NAMED)
@pytest.mark.parametrize("door", ["signIn", "requestNewPassword"])
async def test_known_and_unknown_names_get_the_same_bytes_in_the_same_time(
    identity: Identity, here: Organization, door: str, who: str
) -> None:
    """R05, I5: interleaved. With ENUMERATION_NAMES=2000 the times are judged as well: AUC within 0.5 +/- 0.05."""
    known = await NAMED[who](identity, here, NAMES)
    unknown = [f"un{one}" for one in known]
    ask, order = endpoints(identity)[door], Random(5)  # noqa: S311 - only an order
    answers: dict[bool, set[bytes]] = {True: set(), False: set()}
    times: dict[bool, list[float]] = {True: [], False: []}
    names = [(one, True) for one in known] + [(one, False) for one in unknown]
    order.shuffle(names)

    for name, exists in names:
        before = time.perf_counter()
        answers[exists].add(await ask(name))
        times[exists].append(time.perf_counter() - before)

    told = auc(times[True], times[False])
    print(f"{door}: {NAMES} {who} and as many unknown names, timing AUC {told:.3f}")  # noqa: T201 - the figure
    assert answers[True] == answers[False]
    assert len(answers[True]) == 1
    if NAMES >= 1000:
        assert abs(told - 0.5) <= 0.05


async def test_links_that_never_were_and_links_of_nobody_get_the_same_bytes(
    identity: Identity,
) -> None:
    """I5: confirm and set a new password."""
    for document in (CONFIRM, NEW_PASSWORD):
        answers = {
            await bytes_of(identity, document, {"token": token, "newPassword": PASSWORD})
            for token in ("x" * 43, "y" * 43, "", "\0", "z" * 10_000)
        }
        assert len(answers) == 1


async def test_inviting_somebody_known_elsewhere_tells_nothing_of_it(
    identity: Identity, here: Organization
) -> None:
    """I5, R02: only what the organization itself sees: a user who is confirmed, or not yet."""
    elsewhere = await known_names(identity, here, 1)
    there = await new_organization(identity, "Hillside Care")

    first = await identity.invite(there.admin, elsewhere[0], name="Sam Poe")
    second = await identity.invite(there.admin, an_email(), name="Sam Poe")

    assert first["__typename"] == second["__typename"] == "UserInvited"
    assert first["user"]["organization"] == second["user"]["organization"]


async def test_thousands_of_guesses_from_everywhere_are_hardly_any(
    identity: Identity, here: Organization
) -> None:
    """R05, I6: of 10,000 guesses from as many sources at most 100 are looked at, and the true user stays in from where they are
    known. BRUTE_FORCE_GUESSES=10000 for all of them."""
    (email,) = await known_names(identity, here, 1)

    async def from_source(source: str, password: str) -> str:
        mark = client_address.set(source)
        try:
            answer = await identity.sign_in(email, password)
        finally:
            client_address.reset(mark)
        return str(answer.get("code", answer["__typename"]))

    home = await from_source("192.0.2.77", PASSWORD)
    codes = [
        await from_source(f"127.{n >> 16}.{n >> 8 & 255}.{n & 255}", f"guess number {n} of many")
        for n in range(GUESSES)
    ]
    still = await from_source("192.0.2.77", PASSWORD)

    looked_at = codes.count("BAD_CREDENTIALS")
    print(f"{GUESSES} guesses, {looked_at} looked at")  # noqa: T201 - the figure
    assert home == still == "SignedIn"
    assert set(codes) <= {"BAD_CREDENTIALS", "RATE_LIMITED"}
    assert 1 <= looked_at <= 100
