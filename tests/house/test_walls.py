"""Row-level security, the second wall: no table with an organization's rows is without it, and nobody steps over it unexplained."""

from __future__ import annotations

import re

import asyncpg
import pytest

from cli.servers.nats_config import SERVICES
from kit.db import migrate
from tests.house.source import ROOT, files, strings, text, tree, where
from tests.support.servers import PostgresServer, as_runtime

WITHOUT = {
    "outbox": "a fact of one organization is told in a transaction of another; only the relay reads it",
    "outbox_sequences": "numbers of the facts above; only telling a fact reads it",
    "outbox_withdrawn": "which of the facts above partners hear no more; only the relay and the feed's keeper read it",
    "inbox_sequences": "how far each aggregate was heard; only the consumer reads it",
    "dead_letters": "what could not be heard; only the consumer and operators read it",
}
"""Tables with an organization's id and no wall, and why."""

HAVE_ORGANIZATION = """
SELECT c.relname AS table, c.relrowsecurity AND c.relforcerowsecurity AS walled,
    (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) AS policies
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND EXISTS (
    SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname ~ '(^|_)organization_id$' AND NOT a.attisdropped)
ORDER BY 1
"""
HALF_WALLED = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND (
    c.relrowsecurity <> c.relforcerowsecurity
    OR c.relrowsecurity <> EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))
"""
VIEWS_OF_THEIR_OWNER = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('v', 'm')
    AND NOT coalesce(c.reloptions, '{}') && ARRAY['security_invoker=true', 'security_invoker=on']
"""
FUNCTIONS_OF_THEIR_OWNER = """
SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = 'public' AND p.prosecdef
"""
OWNED = "SELECT relname FROM pg_class WHERE relowner = current_user::regrole"
POWERS = """
SELECT rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole OR rolreplication
    OR EXISTS (SELECT FROM pg_auth_members WHERE member = pg_roles.oid)
FROM pg_roles WHERE rolname = current_user
"""
OVER = re.compile(r"\.everywhere\(\)|\.for_support\(|\bwiden\(")
REASON = re.compile(r"#\s*whole-suite:\s*\S+")
OF_THE_SESSION = re.compile(
    r"(?:^|;)\s*(?:SET\s+(?!LOCAL\b)|RESET\b|LISTEN\b|UNLISTEN\b|LOAD\b)|\bWITH\s+HOLD\b|\bTEMP(?:ORARY)?\s+TABLE\b"
    r"|\bpg_(?:try_)?advisory_(?:un)?lock|\bset_config\((?![^)]*,\s*true\))"
)
"""SQL that outlives its transaction. Its words are written in capitals."""

BORROWERS = ("kit/outbox.py", "kit/audit/sealer.py", "kit/service.py", "kit/db.py")
"""Who borrows whole connections for locks of the session; the pool cleans those."""

LISTENERS = ("kit/outbox.py", "services/referrals/store/news.py")
NEAR = 3
"""A reason stands at most so many lines above."""


@pytest.mark.parametrize("service", SERVICES)
async def test_every_table_with_an_organization_has_a_wall_or_a_reason(
    postgres: PostgresServer, service: str
) -> None:
    connection = await asyncpg.connect(await _migrated(postgres, service))
    rows = await connection.fetch(HAVE_ORGANIZATION)
    half = await connection.fetch(HALF_WALLED)
    views = await connection.fetch(VIEWS_OF_THEIR_OWNER)
    functions = await connection.fetch(FUNCTIONS_OF_THEIR_OWNER)
    await connection.close()

    open_ = {row["table"] for row in rows if not (row["walled"] and row["policies"])}
    assert open_ - WITHOUT.keys() == set()
    assert open_ >= WITHOUT.keys() & {row["table"] for row in rows}
    assert [row[0] for row in half] == []
    assert [row[0] for row in views] == []
    assert [row[0] for row in functions] == []


@pytest.mark.parametrize("service", SERVICES)
async def test_the_role_a_service_runs_as_owns_nothing_and_is_bound_by_the_walls(
    postgres: PostgresServer, service: str
) -> None:
    connection = await asyncpg.connect(as_runtime(await _migrated(postgres, service)))
    owned = await connection.fetch(OWNED)
    powers = await connection.fetchval(POWERS)
    await connection.close()

    assert [row[0] for row in owned] == []
    assert powers is False


def test_whoever_steps_over_the_wall_says_why() -> None:
    silent = []
    for path in files("services"):
        lines = text(path).splitlines()
        for number, line in enumerate(lines):
            around = "\n".join(lines[max(0, number - NEAR) : number + 1])
            if OVER.search(line) and not REASON.search(around):
                silent.append(f"{where(path)}:{number + 1}")
    assert silent == []


def test_no_statement_outlives_its_transaction() -> None:
    """Z7: the pool lends a connection on as it is after a transaction that ended well, so nothing may be left of one."""
    lasting = [
        where(path, node)
        for path in files("kit", "services")
        if where(path) not in BORROWERS
        for node in strings(tree(path))
        if OF_THE_SESSION.search(node.value)
    ]
    lasting += [
        str(path.relative_to(ROOT))
        for room in ("kit/migrations", "services")
        for path in sorted((ROOT / room).rglob("*.sql"))
        if OF_THE_SESSION.search(path.read_text(encoding="utf-8"))
    ]
    lasting += [
        where(path)
        for path in files("kit", "services")
        if ".add_listener(" in text(path) and where(path) not in LISTENERS
    ]
    assert lasting == []
    assert all("pool.acquire()" in text(ROOT / path) for path in {*BORROWERS, *LISTENERS})


async def _migrated(postgres: PostgresServer, service: str) -> str:
    url = await postgres.database(service)
    await migrate(url, service)
    return url
