"""SQL of payers and plans, which the whole network shares."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.insurance.domain import InsurancePlan, Payer, PayerId, PlanId

_PAYER = """
SELECT p.id, p.name, p.version, p.former_names, p.needs_referring_npi, coalesce((
    SELECT jsonb_agg(jsonb_build_object('system', i.system, 'value', i.value) ORDER BY i.system, i.value)
    FROM payer_identifiers i WHERE i.payer_id = p.id
), '[]') AS identifiers
FROM payers p
"""
_PLAN = """
SELECT id, payer_id, name, product_type, self_pay, effective_from, effective_until, version, former_names, successor_id,
    coalesce((SELECT p.needs_referring_npi FROM payers p WHERE p.id = payer_id), false) AS needs_referring_npi
FROM insurance_plans
"""
_PLAN_SEARCH = """
SELECT i.id, i.payer_id, i.name, i.product_type, i.self_pay, i.effective_from, i.effective_until, i.version,
    i.former_names, i.successor_id, coalesce(p.needs_referring_npi, false) AS needs_referring_npi
FROM insurance_plans i LEFT JOIN payers p ON p.id = i.payer_id
WHERE (strpos(lower(i.name), lower($1)) > 0 OR strpos(lower(p.name), lower($1)) > 0
    OR strpos(lower(array_to_string(i.former_names || p.former_names, chr(10))), lower($1)) > 0)
    AND ($2::uuid IS NULL OR i.payer_id = $2) AND ($3::text IS NULL OR (i.name, i.id) > ($3, $4::uuid))
ORDER BY i.name, i.id LIMIT $5
"""


# any-organization: payers are shared by the whole network
async def add_payer(tx: Connection, payer: Payer, at: datetime) -> None:
    """Keep a new payer with its identifiers."""
    await db.run(
        tx,
        "INSERT INTO payers (id, name, needs_referring_npi, added_at) VALUES ($1, $2, $3, $4)",
        payer.id,
        payer.name,
        payer.needs_referring_npi,
        at,
    )
    await _add_identifiers(tx, payer)


async def _add_identifiers(tx: Connection, payer: Payer) -> None:
    await tx.executemany(
        "INSERT INTO payer_identifiers (system, value, payer_id) VALUES ($1, $2, $3)",
        [(one.system, one.value, payer.id) for one in payer.identifiers],
    )


async def payers_by_id(tx: Connection, ids: Iterable[UUID]) -> dict[UUID, Payer]:
    """The payers with these ids."""  # any-organization: payers are shared by the whole network
    found = await db.many(
        tx, Payer, f"{_PAYER} WHERE p.id = ANY((SELECT $1::uuid[])::uuid[])", list(ids)
    )
    return {payer.id: payer for payer in found}


async def payers(
    tx: Connection, *, text: str, after: tuple[str, UUID] | None, limit: int
) -> list[Payer]:
    """Payers whose name holds the text, by name."""  # any-organization: payers are shared by the whole network
    return await db.many(
        tx,
        Payer,
        f"""{_PAYER} WHERE (strpos(lower(p.name), lower($1)) > 0
            OR strpos(lower(array_to_string(p.former_names, chr(10))), lower($1)) > 0)
            AND ($2::text IS NULL OR (p.name, p.id) > ($2, $3::uuid))
            ORDER BY p.name, p.id LIMIT $4""",
        text,
        *(after or (None, None)),
        limit,
    )


# any-organization: plans are shared by the whole network
async def add_plan(tx: Connection, plan: InsurancePlan, at: datetime) -> None:
    """Keep a new plan."""
    await db.run(
        tx,
        """INSERT INTO insurance_plans
            (id, payer_id, name, product_type, effective_from, effective_until, added_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        plan.id,
        plan.payer_id,
        plan.name,
        plan.product_type,
        plan.effective_from,
        plan.effective_until,
        at,
    )


async def plans_by_id(tx: Connection, ids: Iterable[UUID]) -> dict[UUID, InsurancePlan]:
    """The plans with these ids."""  # any-organization: plans are shared by the whole network
    found = await db.many(
        tx, InsurancePlan, f"{_PLAN} WHERE id = ANY((SELECT $1::uuid[])::uuid[])", list(ids)
    )
    return {plan.id: plan for plan in found}


# any-organization: plans are shared by the whole network
async def hold_plans(tx: Connection, ids: Iterable[UUID]) -> dict[PlanId, InsurancePlan]:
    """The plans with these ids, which nobody ends or renames until the transaction is over."""
    sql = f"{_PLAN} WHERE id = ANY($1) ORDER BY id FOR SHARE"
    return {plan.id: plan for plan in await db.many(tx, InsurancePlan, sql, list(ids))}


# any-organization: plans are shared by the whole network
async def plan_to_change(tx: Connection, plan_id: PlanId) -> InsurancePlan | None:
    """A plan, locked until the transaction is over: whoever is adding participations of it is waited for."""
    return await db.maybe(tx, InsurancePlan, f"{_PLAN} WHERE id = $1 FOR UPDATE", plan_id)


# any-organization: plans are shared by the whole network
async def change_plan(tx: Connection, plan: InsurancePlan) -> None:
    """Keep a plan as it now is; its version counts on."""
    await db.run(
        tx,
        """UPDATE insurance_plans SET name = $2, former_names = $3, product_type = $4, effective_until = $5,
            successor_id = $6, version = version + 1 WHERE id = $1""",
        plan.id,
        plan.name,
        plan.former_names,
        plan.product_type,
        plan.effective_until,
        plan.successor_id,
    )


# any-organization: payers are shared by the whole network
async def hold_payer(tx: Connection, payer_id: PayerId) -> None:
    """Let nobody else change the payer until the transaction is over."""
    await tx.execute("SELECT FROM payers WHERE id = $1 FOR UPDATE", payer_id)


# any-organization: payers are shared by the whole network
async def change_payer(tx: Connection, payer: Payer) -> None:
    """Keep a payer as it now is, with its identifiers; its version counts on."""
    await db.run(
        tx,
        "UPDATE payers SET name = $2, former_names = $3, needs_referring_npi = $4, version = version + 1 WHERE id = $1",
        payer.id,
        payer.name,
        payer.former_names,
        payer.needs_referring_npi,
    )
    await db.run(tx, "DELETE FROM payer_identifiers WHERE payer_id = $1", payer.id)
    await _add_identifiers(tx, payer)


async def plans(
    tx: Connection,
    *,
    text: str,
    payer_id: UUID | None,
    after: tuple[str, UUID] | None,
    limit: int,
) -> list[InsurancePlan]:
    """Plans whose name, or whose payer's name, holds the text, by name."""  # any-organization: shared by the network
    return await db.many(
        tx, InsurancePlan, _PLAN_SEARCH, text, payer_id, *(after or (None, None)), limit
    )
