"""Facts as they were heard, and the tables that are made of them alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection

PROJECTIONS = (
    "organizations",
    "groups",
    "referral_changes",
    "referrals",
    "standings",
    "moments",
    "deeds",
    "people",
    "person_roles",
    "offices",
    "placements",
    "profiles",
    "group_teams",
    "participations",
    "campaigns",
    "decline_comments",
    "drafts",
)
"""The tables that facts alone make: replaying all facts makes the same rows."""

_SIDE_EFFECTS = ("report_doubts", "scorecard_doubts")
"""What replaying would touch besides, and must not."""

LONG = 3600.0
"""Seconds that a statement over a whole table may take."""


@dataclass(frozen=True, slots=True)
class KeptFact:
    """A fact with its place in the order in which facts were heard."""

    id: int
    organization_id: UUID
    aggregate_id: UUID
    sequence: int
    event_id: UUID
    at: datetime
    kind: str
    body: bytes


async def keep(tx: Connection, fact: KeptFact) -> None:
    """Keep a fact; its place in the order is given here."""  # any-organization: the fact's own
    await db.run(
        tx,
        """INSERT INTO facts (organization_id, aggregate_id, sequence, event_id, at, kind, body)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (event_id) DO NOTHING""",
        fact.organization_id,
        fact.aggregate_id,
        fact.sequence,
        fact.event_id,
        fact.at,
        fact.kind,
        fact.body,
    )


async def kept(tx: Connection, after: int, until: int, limit: int) -> list[KeptFact]:
    """The next facts up to a place, in their order."""  # any-organization: an operator makes all of it again
    return await db.many(
        tx,
        KeptFact,
        "SELECT * FROM public.facts WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3",
        after,
        until,
        limit,
    )


async def count(tx: Connection) -> int:
    """How many facts are kept."""  # any-organization: an operator makes all of it again
    found: int = await db.value(tx, "SELECT count(*) FROM public.facts")
    return found


async def from_the_first(tx: Connection) -> bool:
    """Whether every fact that was heard is among them."""  # any-organization: of the database
    whole: bool = await db.value(tx, "SELECT from_the_first FROM public.facts_kept")
    return whole


# Rebuilding: the tables are made again in a schema of their own, beside those that serve ------------------------------------


async def begin_rebuilding(tx: Connection) -> None:
    """Empty tables beside those that serve."""
    await tx.execute("DROP SCHEMA IF EXISTS rebuilding CASCADE")
    await tx.execute("CREATE SCHEMA rebuilding")
    for table in (*PROJECTIONS, *_SIDE_EFFECTS):
        await tx.execute(f"CREATE TABLE rebuilding.{table} (LIKE public.{table} INCLUDING ALL)")


async def work_beside(tx: Connection) -> None:
    """Let the rest of this transaction write to the tables beside."""
    await tx.execute("SET LOCAL search_path = rebuilding, public")


async def stop_hearing(tx: Connection) -> int:
    """Let no fact be applied until this transaction is over; answers the place of the last. A fact gets its place before it is
    committed: only when none is under way, none before the last can come any more."""  # any-organization: of all of them
    await tx.execute("LOCK TABLE public.facts IN SHARE ROW EXCLUSIVE MODE", timeout=LONG)
    last: int = await db.value(tx, "SELECT coalesce(max(id), 0) FROM public.facts")
    return last


async def put_in_place(tx: Connection) -> dict[str, int]:
    """Make the tables that serve the same as those beside, row by row, and forget these; answers how many rows differed in each.

    Whoever reads meanwhile sees them as they were. Reports and scorecards made from what was wrong are in doubt.
    """
    await tx.execute("SET LOCAL search_path = public")
    changed = {table: await _put_in_place(tx, table) for table in PROJECTIONS}
    await tx.execute("DROP SCHEMA rebuilding CASCADE")
    if any(changed.values()):
        await tx.execute(
            "INSERT INTO report_doubts SELECT id, organization_id FROM published_reports ON CONFLICT DO NOTHING"
        )
        await tx.execute(
            "INSERT INTO scorecard_doubts SELECT organization_id, week_of FROM scorecard_weeks ON CONFLICT DO NOTHING"
        )
    return changed


def _same(columns: Sequence[db.Row]) -> str:
    """Whether a row is the same in both tables. What is never null is compared with =: rows are found by nothing else, and each
    would be compared with every other."""
    equal = (f"t.{name} = r.{name}" for name, never_null in columns if never_null)
    alike = (
        f"t.{name} IS NOT DISTINCT FROM r.{name}" for name, never_null in columns if not never_null
    )
    return " AND ".join((*equal, *alike))


async def _put_in_place(tx: Connection, table: str) -> int:
    """Rows of `table` that the other one has not go, unless one with the same key comes in their place."""  # any-organization: an operator makes all of it again
    keys = await tx.fetch(
        """SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
            WHERE i.indrelid = $1::regclass AND i.indisprimary""",
        f"public.{table}",
    )
    key = [row[0] for row in keys]
    columns = await tx.fetch(
        "SELECT attname, attnotnull FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped",
        f"public.{table}",
    )
    names = [row["attname"] for row in columns]
    compared = _same([row for row in columns if row["attname"] in (key or names)])
    clash = f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET " if key else ""
    clash += ", ".join(f"{one} = excluded.{one}" for one in names) if key else ""
    listed = ", ".join(names)
    await tx.execute(f"ALTER TABLE public.{table} DISABLE TRIGGER USER")
    gone = await tx.execute(
        f"DELETE FROM public.{table} t WHERE NOT EXISTS (SELECT FROM rebuilding.{table} r WHERE {compared})",  # noqa: S608 - names of ours
        timeout=LONG,
    )
    came = await tx.execute(
        f"""INSERT INTO public.{table} ({listed}) SELECT {listed} FROM (
                SELECT {listed} FROM rebuilding.{table} EXCEPT SELECT {listed} FROM public.{table}) AS r {clash}""",  # noqa: S608 - names of ours
        timeout=LONG,
    )
    await tx.execute(f"ALTER TABLE public.{table} ENABLE TRIGGER USER")
    return sum(int(tag.rpartition(" ")[2]) for tag in (gone, came))
