"""Partner systems: the key they prove themselves with, and their consumer on the stream of facts."""

import logging
import secrets
from dataclasses import dataclass, field, replace
from uuid import UUID

import nkeys  # type: ignore[import-untyped]

from kit import idempotency, outbox
from kit.bus import BUS_AWAY, Bus
from kit.db import Database
from kit.errors import Conflict, NotFound
from kit.ids import new_id
from kit.partners import ensure_partner_consumer, partner_consumers, remove_partner_consumer
from proto.identity.v1.events_pb2 import PartnerAdded, PartnerRemoved
from services.identity import policy, store
from services.identity.actions.means import Call
from services.identity.actions.within import Work, organization_work
from services.identity.domain import Partner, PartnerId, UserId

log = logging.getLogger(__name__)

SEED_BYTES = 32
MOST_PARTNERS = 50
"""Each is a consumer of the broker's; nobody has more systems that listen, and whoever stole a session makes no thousand keys."""


@dataclass(frozen=True, slots=True)
class NewPartner:
    """A partner, and the secret half of its key when it was made just now: it is kept nowhere."""

    partner: Partner
    seed: str | None = field(repr=False)


async def add_partner(call: Call, name: str, *, key: str) -> NewPartner:
    """Let a partner system hear the organization's facts. The seed is in this answer and in no other, a retry's included."""
    policy.permit_partners(call.viewer)
    seed = nkeys.encode_seed(secrets.token_bytes(SEED_BYTES), nkeys.PREFIX_BYTE_USER)
    public_key = nkeys.from_seed(seed).public_key.decode()
    async with organization_work(call) as work:
        policy.permit_partners(work.viewer)
        new = Partner(
            PartnerId(new_id()), work.organization.id, name, public_key, work.now, None, 1
        )

        async def make() -> UUID:
            await _add(work, new)
            return new.id

        made = await idempotency.once(
            work.tx,
            call.viewer,
            key=key,
            request=("addPartner", name),
            at=work.now,
            make=make,
        )
        known = await _partner(work, PartnerId(made))
    return NewPartner(known, seed.decode() if known.id == new.id else None)


async def _add(work: Work, partner: Partner) -> None:
    if len(await store.partners_of(work.tx, work.organization.id)) >= MOST_PARTNERS:
        raise Conflict(
            f"An organization has at most {MOST_PARTNERS} partners.",
            code="TOO_MANY_PARTNERS",
            remedy="Remove one that does not listen any more.",
        )
    if await store.name_taken(work.tx, work.organization.id, partner.name):
        raise Conflict(
            "There is a partner of this name.",
            code="NAME_TAKEN",
            field="name",
            remedy="Choose another name, or remove that partner first.",
        )
    await store.add_partner(work.tx, partner, work.granter)
    fact = PartnerAdded(partner_id=str(partner.id), public_key=partner.public_key)
    await _tell(work, fact, partner)


async def end_partners(work: Work, user_id: UserId) -> list[Partner]:
    """Whoever leaves has seen the seeds of the partners they added: those keys work no more (R07). Answers whose those were."""
    seen = await store.partners_added_by(work.tx, work.organization.id, user_id)
    return [await _remove(work, partner) for partner in seen]


async def _remove(work: Work, partner: Partner) -> Partner:
    removed = replace(partner, removed_at=work.now, version=partner.version + 1)
    await store.remove_partner(work.tx, removed, work.by)
    await _tell(work, PartnerRemoved(partner_id=str(partner.id)), removed)
    return removed


async def remove_partner(call: Call, partner_id: PartnerId, expected_version: int) -> Partner:
    """A partner's key and consumer work no more. Doing it twice changes nothing."""
    policy.permit_partners(call.viewer)
    async with organization_work(call) as work:
        policy.permit_partners(work.viewer)
        partner = await _partner(work, partner_id)
        if partner.removed_at is not None:
            return partner
        partner.require_version(expected_version)
        return await _remove(work, partner)


async def _partner(work: Work, partner_id: PartnerId) -> Partner:
    found = await store.partner(work.tx, work.organization.id, partner_id, lock=True)
    if found is None:
        raise NotFound("There is no such partner.", field="partnerId")
    return found


async def _tell(work: Work, fact: PartnerAdded | PartnerRemoved, partner: Partner) -> None:
    await outbox.record(
        work.tx,
        fact,
        organization_id=partner.organization_id,
        aggregate="partner",
        aggregate_id=partner.id,
        at=work.now,
        by=work.viewer,
    )


async def keep_consumer(bus: Bus, partner: Partner) -> None:
    """Make the broker's consumer fit the partner: its organization's facts from the first on, or gone once it was removed."""
    if partner.removed_at is None:
        await ensure_partner_consumer(bus, partner.durable, f"events.{partner.organization_id}.>")
    else:
        await remove_partner_consumer(bus, partner.durable)


async def keep_consumers(database: Database, bus: Bus) -> None:
    """The same for every partner whose consumer is not as it should be: a feed that was made anew has none."""
    async with database.reading() as tx:
        partners = await store.all_partners(tx)
    if not partners or not bus.connected:
        return
    try:
        known = await partner_consumers(bus)
        for partner in partners:
            if (partner.removed_at is None) != (partner.durable in known):
                await keep_consumer(bus, partner)
    except BUS_AWAY as error:
        log.warning("partners' consumers wait", extra={"because": type(error).__name__})


async def find_partner(database: Database, public_key: str) -> Partner | None:
    """Whoever signs in to the broker with this key; None when nobody is known by it, or not any more."""
    async with database.reading() as tx:
        return await store.partner_by_key(tx, public_key)
