"""Where an office is: coordinates that somebody gave win; without them, the middle of its postal code, if that is known."""

from collections.abc import Collection
from dataclasses import replace

from kit.db import Connection
from kit.errors import Invalid
from services.directory import policy, store
from services.directory.actions import auditing
from services.directory.actions.peers import Call
from services.directory.domain import places
from services.directory.domain.nouns import Address, LocatedBy, Office, Point
from services.directory.store.zips import Zip


def placed(office: Office, point: Point | None) -> Office:
    """The office at the point that was given, or where it was when none was."""
    if point is None:
        return office
    at = places.clean_point(point)
    return replace(office, latitude=at.latitude, longitude=at.longitude, located_by=LocatedBy.GIVEN)


def moved(office: Office, address: Address) -> Office:
    """The office on its way to another postal code: the middle of the old one is no place for it any more, nor is a point that was
    given for another address."""
    if office.postal_code[: places.POSTAL_DIGITS] == address.postal_code[: places.POSTAL_DIGITS]:
        return office
    return replace(office, latitude=None, longitude=None, located_by=None)


async def located(tx: Connection, office: Office) -> Office:
    """The office at the middle of its postal code, unless it has a point; it stays without one when nobody knows the code."""
    if office.located_by is not None:
        return office
    found = await store.zips.find(tx, office.postal_code)
    if found is None:
        return office
    return replace(
        office,
        latitude=found.latitude,
        longitude=found.longitude,
        located_by=LocatedBy.POSTAL_CODE,
    )


async def import_zips(call: Call, rows: Collection[Zip]) -> tuple[int, int]:
    """Keep where postal codes are, for the whole network: support only. Answers how many are new or changed, and how many
    offices stand elsewhere for it; given coordinates stay."""
    policy.permit_support(call.viewer)
    if not 1 <= len(rows) <= places.MOST_ZIPS:
        raise Invalid(
            f"Give 1 to {places.MOST_ZIPS} rows.",
            field="rows",
            remedy="Split a longer list over calls.",
        )
    cleaned = {one.postal_code: one for one in map(_cleaned, rows)}
    # whole-suite: offices of every organization stand where their postal codes are
    async with call.db.for_support(call.viewer).transaction() as tx:
        await auditing.note_shared(tx, call, "postal_codes")
        changed = await store.zips.keep(tx, list(cleaned.values()))
        moved_offices = await store.zips.locate_offices(tx, list(cleaned))
    return changed, moved_offices


def _cleaned(row: Zip) -> Zip:
    point = places.clean_point(Point(row.latitude, row.longitude))
    return Zip(
        postal_code=places.clean_postal_code(row.postal_code)[: places.POSTAL_DIGITS],
        latitude=point.latitude,
        longitude=point.longitude,
        city=places.clean_city(row.city),
        region=places.clean_region(row.region) if row.region.strip() else "",
    )
