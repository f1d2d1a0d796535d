"""The audit trail: what is written, how it is chained, and that every kind of tampering is found (A2, A3, A8)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from kit.audit.chain import FIRST
from kit.audit.checkpoints import Checkpoint, signing_key
from kit.audit.verify import Wrong
from kit.db import Database
from kit.ids import new_id
from tests.service.kit.trails import KEY, SERVICE, Trail, enter, trail
from tests.support.ledger import ORGANIZATION, write
from tests.support.servers import PostgresServer


@pytest.fixture
async def here(
    database: Database, database_url: str, postgres: PostgresServer, tmp_path: Path
) -> AsyncIterator[Trail]:
    """The trail of the ledger's database."""
    name = urlsplit(database_url).path.removeprefix("/")
    async with trail(database, postgres.server.url(name), tmp_path) as made:
        yield made


# Writing --------------------------------------------------------------------------------------------------------------


async def test_a_fact_writes_down_who_made_it_true_and_nothing_of_what_it_says(here: Trail) -> None:
    """A1: who, what, when, about what; never a value."""
    account = new_id()
    await write(here.database, account)

    (row,) = await here.superuser.fetch("SELECT * FROM audit_entries")
    assert (row["act"], row["kind"], row["about"]) == ("provider.added", "provider", account)
    assert (row["service"], row["user_id"], row["organization_id"]) == (SERVICE, None, ORGANIZATION)


async def test_what_is_rolled_back_was_never_done(here: Trail) -> None:
    """A8: no entry without its change."""
    with suppress(RuntimeError):
        async with here.database.transaction() as tx:
            await enter(tx)
            raise RuntimeError
    await here.write()

    assert len(await here.superuser.fetch("SELECT FROM audit_entries")) == 1


@pytest.mark.parametrize("table", ["audit_entries", "audit_chain"])
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET entry = entry", "DELETE FROM {}", "TRUNCATE {}"]
)
async def test_nobody_changes_or_deletes_what_is_in_the_trail(
    here: Trail, table: str, statement: str
) -> None:
    """A2: not even the owner of the tables, by accident or in haste."""
    await here.grow(1)
    column = "reason" if table == "audit_entries" else "hash"
    doing = statement.format(table).replace("entry", column)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only ever added to"):
        await here.superuser.execute(doing)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await here.database.pool.execute(doing)

    assert (await here.report()).sound


# Chaining -------------------------------------------------------------------------------------------------------------


async def test_each_hash_is_of_the_hash_before_it_and_the_entry_in_its_canonical_form(
    here: Trail,
) -> None:
    """A2: the form is fixed for the years the trail is kept."""
    await here.superuser.execute(
        "INSERT INTO audit_entries VALUES ('00000000-0000-7000-8000-000000000001', '2026-02-28 23:59:59.5+00',"
        " '2026-03-01 01:00:00+01', NULL, '00000000-0000-7000-8000-000000000002', NULL, '', true, 'user.reset', 'user', NULL,"
        " '{name,e_mail}', 'asked, \"twice\" ☎', '', 'r1')"
    )
    await here.superuser.execute(
        "INSERT INTO audit_unsealed VALUES ('00000000-0000-7000-8000-000000000001')"
    )
    await here.seal()

    canonical = (
        '{"about":null,"act":"user.reset","at":1772323199500000,"fields":["name","e_mail"],'
        '"id":"00000000-0000-7000-8000-000000000001","kind":"user","organization_id":null,"purpose":"",'
        '"reason":"asked, \\"twice\\" ☎","recorded_at":1772323200000000,"request":"r1","service":"","session_id":null,'
        '"support":true,"user_id":"00000000-0000-7000-8000-000000000002"}'
    )
    (link,) = await here.superuser.fetch("SELECT * FROM audit_chain")
    assert link["hash"] == sha256(FIRST + canonical.encode()).digest()


async def test_two_hundred_changes_at_once_have_one_entry_each_in_a_chain_without_gaps(
    here: Trail,
) -> None:
    """A8: exactly one entry for each change, whoever was faster."""
    written = await asyncio.gather(*(here.write() for _ in range(200)))
    await here.seal()

    about = await here.superuser.fetch("SELECT about FROM audit_entries")
    assert sorted(row["about"] for row in about) == sorted(one for (one,) in written)
    links = await here.superuser.fetch("SELECT sequence FROM audit_chain ORDER BY sequence")
    assert [row["sequence"] for row in links] == list(range(1, 201))
    assert (await here.report()).sound


async def test_a_change_that_commits_late_is_sealed_after_those_that_overtook_it(
    here: Trail, database_url: str
) -> None:
    """A8: nothing is skipped because its id is older than what was sealed before it."""
    slow = await asyncpg.connect(database_url)
    late = slow.transaction()
    await late.start()
    await slow.execute(
        "INSERT INTO audit_entries SELECT '00000000-0000-7000-8000-000000000001', now(), now(), NULL, NULL, NULL, '', false,"
        " 'a.b', 'a', NULL, '{}', '', '', ''"
    )
    await slow.execute("INSERT INTO audit_unsealed VALUES ('00000000-0000-7000-8000-000000000001')")
    await here.grow(3)
    await late.commit()
    await slow.close()
    await here.grow(2)

    assert (await here.report()).sound
    assert (await here.report()).links == 6


async def test_a_sealer_that_dies_in_its_work_leaves_it_to_the_next(
    here: Trail, database_url: str
) -> None:
    """A8: a batch is sealed whole or not at all."""
    await here.write(5)
    dying = await asyncpg.connect(database_url)
    await dying.transaction().start()
    await here.sealer.seal(dying)
    dying.terminate()
    await here.seal()

    report = await here.report()
    assert (report.sound, report.links) == (True, 5)


async def test_of_two_sealers_one_seals_and_the_other_takes_over(here: Trail) -> None:
    """A8: replicas do not put an entry into the chain twice."""
    sealing = [asyncio.create_task(here.sealer.run()) for _ in range(2)]
    try:
        await here.write(20)
        await _sealed(here, 20)
        leader = await here.superuser.fetchval(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = $1"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            0x75646974,  # the lower half of the sealer's key
        )
        await here.superuser.execute("SELECT pg_terminate_backend($1)", leader)
        await here.write(20)
        await _sealed(here, 40)
    finally:
        for one in sealing:
            one.cancel()
        await asyncio.gather(*sealing, return_exceptions=True)

    assert (await here.report()).sound


async def _sealed(here: Trail, count: int) -> None:
    async with asyncio.timeout(20):
        while await here.superuser.fetchval("SELECT count(*) FROM audit_chain") < count:
            await asyncio.sleep(0.05)


# Tampering ------------------------------------------------------------------------------------------------------------


async def test_a_trail_that_nobody_touched_is_sound(here: Trail) -> None:
    """A2: no false alarm."""
    await here.grow(30)
    await here.grow(30)

    report = await here.report()
    assert (report.sound, report.links, report.checkpoints) == (True, 60, {"file": 2})


@pytest.mark.parametrize(
    "change",
    [
        "reason = 'nothing'",
        "user_id = gen_random_uuid()",
        "at = at + interval '1 microsecond'",
        "fields = '{x}'",
        "support = NOT support",
        "organization_id = NULL",
    ],
)
async def test_a_changed_entry_is_found(here: Trail, change: str) -> None:
    """A2: whatever of it was changed."""
    await here.grow(9)
    await here.tamper(
        f"UPDATE audit_entries SET {change} WHERE id = (SELECT entry_id FROM audit_chain WHERE sequence = 5)"  # noqa: S608
    )

    assert await here.wrong() == [(Wrong.CHANGED, 5)]


async def test_an_entry_deleted_from_the_middle_is_found(here: Trail) -> None:
    """A2: with its link left or taken."""
    await here.grow(9)
    await here.tamper(
        "DELETE FROM audit_entries WHERE id = (SELECT entry_id FROM audit_chain WHERE sequence = 5)"
    )
    assert await here.wrong() == [(Wrong.DELETED, 5)]

    await here.tamper("DELETE FROM audit_chain WHERE sequence = 5")
    assert await here.wrong() == [(Wrong.GAP, 5)]


async def test_an_entry_deleted_before_it_was_sealed_is_found(here: Trail) -> None:
    """A2: the time until the sealer comes is no hole."""
    await here.write()
    await here.tamper("DELETE FROM audit_entries")

    assert await here.wrong() == [(Wrong.DELETED, None)]


async def test_an_entry_put_in_by_hand_is_found(here: Trail) -> None:
    """A2: and so is one that was put into the chain as well."""
    await here.grow(3)
    await here.tamper(
        "INSERT INTO audit_entries SELECT gen_random_uuid(), at, recorded_at, organization_id, user_id, session_id, service,"
        " support, act, kind, about, fields, reason, purpose, request FROM audit_entries LIMIT 1"
    )
    assert await here.wrong() == [(Wrong.INSERTED, None)]

    await here.tamper(
        "INSERT INTO audit_chain SELECT 4, id, sha256(id::text::bytea) FROM audit_entries e"
        " WHERE NOT EXISTS (SELECT FROM audit_chain WHERE entry_id = e.id)"
    )
    assert await here.wrong() == [(Wrong.CHANGED, 4)]


async def test_entries_that_change_places_are_found(here: Trail) -> None:
    """A2: the order is part of what is vouched for."""
    await here.grow(4)
    await here.tamper(
        "WITH gone AS (DELETE FROM audit_chain WHERE sequence IN (2, 3) RETURNING *)"
        " INSERT INTO audit_chain SELECT 5 + sequence, entry_id, hash FROM gone"
    )
    await here.tamper("UPDATE audit_chain SET sequence = 10 - sequence WHERE sequence > 5")

    assert await here.wrong() == [(Wrong.CHANGED, 2), (Wrong.CHANGED, 3), (Wrong.CHANGED, 4)]


async def test_a_tail_cut_off_is_found_by_the_checkpoint(here: Trail) -> None:
    """A2: the rows that are left are in perfect order."""
    await here.grow(9)
    await here.tamper(
        "DELETE FROM audit_entries WHERE id IN (SELECT entry_id FROM audit_chain WHERE sequence > 6)"
    )
    await here.tamper("DELETE FROM audit_chain WHERE sequence > 6")

    assert await here.wrong() == [(Wrong.CUT, 7)]


async def test_an_older_copy_that_was_gone_on_with_is_found(here: Trail) -> None:
    """A2: a restored snapshot whose chain has grown past the checkpoints of the lost time."""
    await here.grow(5)
    await here.grow(4)
    await here.tamper(
        "DELETE FROM audit_entries WHERE id IN (SELECT entry_id FROM audit_chain WHERE sequence > 5)"
    )
    await here.tamper("DELETE FROM audit_chain WHERE sequence > 5")
    await here.write(10)
    await here.seal()

    assert await here.wrong() == [(Wrong.REWRITTEN, 9)]


async def test_a_restore_that_is_known_is_told_and_not_held_against_the_trail(here: Trail) -> None:
    """A2: what is lost is lost; everything since is vouched for."""
    await here.grow(5)
    await here.grow(4)
    await here.tamper(
        "DELETE FROM audit_entries WHERE id IN (SELECT entry_id FROM audit_chain WHERE sequence > 5)"
    )
    await here.tamper("DELETE FROM audit_chain WHERE sequence > 5")
    restored_at = await here.superuser.fetchval("SELECT clock_timestamp()")
    lost = await here.report(restored_at)
    await here.grow(10)
    since = await here.report(restored_at)
    assert [(one.sound, one.forgiven) for one in (lost, since)] == [(True, 1), (True, 1)]

    await here.tamper("DELETE FROM audit_chain WHERE sequence > 12")
    assert (Wrong.CUT, 13) in [
        (one.wrong, one.sequence) for one in (await here.report(restored_at)).findings
    ]


async def test_a_chain_made_anew_in_full_is_found(here: Trail) -> None:
    """A2: somebody who knows how it is made changes an entry and everything after it."""
    await here.grow(9)
    await here.tamper("UPDATE audit_entries SET reason = 'nothing'")
    await here.tamper("INSERT INTO audit_unsealed SELECT entry_id FROM audit_chain")
    await here.tamper("DELETE FROM audit_chain")
    await here.seal()

    assert await here.wrong() == [(Wrong.REWRITTEN, 9)]


async def test_a_checkpoint_that_was_not_signed_is_found(here: Trail) -> None:
    """A2: neither another key nor another number passes."""
    await here.grow(3)
    other = Checkpoint(SERVICE, 3, bytes(32), datetime.now(UTC))
    await here.file.add(other.signed(signing_key(b"x" * 32, SERVICE)))
    (genuine, _) = here.file.lines()
    await here.file.add(genuine.strip().replace(b'"sequence":3', b'"sequence":4'))
    await here.file.add(b"not even JSON")
    await here.file.add(Checkpoint("directory", 3, bytes(32), other.at).signed(KEY))

    assert await here.wrong() == [(Wrong.FORGED, None)] * 4


async def test_checkpoints_that_were_taken_away_are_missed(here: Trail) -> None:
    """A2: without them a chain proves nothing."""
    await here.grow(3)
    await here.tamper("UPDATE audit_entries SET recorded_at = recorded_at - interval '10 minutes'")
    await here.tamper("INSERT INTO audit_unsealed SELECT entry_id FROM audit_chain")
    await here.tamper("DELETE FROM audit_chain")
    await here.seal()
    here.file.path.unlink()

    assert await here.wrong() == [(Wrong.NOT_WRITTEN_DOWN, 0)]


async def test_entries_that_wait_too_long_for_the_sealer_are_told(here: Trail) -> None:
    """A2: what is not sealed is not protected."""
    await here.write(2)
    assert await here.wrong() == []

    await here.tamper("UPDATE audit_entries SET recorded_at = recorded_at - interval '1 minute'")
    assert await here.wrong() == [(Wrong.UNSEALED, None)] * 2


# Writing the head down ------------------------------------------------------------------------------------------------


async def test_the_head_is_written_down_once_and_again_when_it_moved(here: Trail) -> None:
    """A2: a quiet service writes nothing."""
    await here.write_down()
    assert list(here.file.lines()) == []
    await here.grow(2)
    await here.write_down()
    assert len(list(here.file.lines())) == 1
    await here.grow(1)
    assert len(list(here.file.lines())) == 2
