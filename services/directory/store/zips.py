"""Rows of postal codes: where each is."""

from collections.abc import Collection
from dataclasses import dataclass

from kit import db
from kit.db import Connection


@dataclass(frozen=True, slots=True)
class Zip:
    """The middle of a postal code; city and state where the table says them."""

    postal_code: str
    latitude: float
    longitude: float
    city: str = ""
    region: str = ""


async def find(tx: Connection, postal_code: str) -> Zip | None:
    """Where the postal code is."""  # any-organization: postal codes belong to the whole network
    return await db.maybe(tx, Zip, "SELECT * FROM zips WHERE postal_code = $1", postal_code[:5])


async def keep(tx: Connection, rows: Collection[Zip]) -> int:
    """Keep these, in place of what was known of them; answers how many are new or other than before."""  # any-organization: postal codes belong to the whole network
    return await db.run(
        tx,
        """INSERT INTO zips AS z SELECT * FROM unnest($1::text[], $2::float8[], $3::float8[], $4::text[], $5::text[])
                AS given (postal_code, latitude, longitude, city, region) ORDER BY postal_code
            ON CONFLICT (postal_code) DO UPDATE SET (latitude, longitude, city, region)
                = (excluded.latitude, excluded.longitude, excluded.city, excluded.region)
            WHERE (z.latitude, z.longitude, z.city, z.region)
                IS DISTINCT FROM (excluded.latitude, excluded.longitude, excluded.city, excluded.region)""",
        [one.postal_code for one in rows],
        [one.latitude for one in rows],
        [one.longitude for one in rows],
        [one.city for one in rows],
        [one.region for one in rows],
    )


async def locate_offices(tx: Connection, postal_codes: Collection[str]) -> int:
    """Let the offices of these codes stand in the middle of them, unless somebody gave them a point; answers how many moved."""  # any-organization: what is known of a code holds for every office there
    return await db.run(
        tx,
        """UPDATE offices o SET latitude = z.latitude, longitude = z.longitude, located_by = 'POSTAL_CODE'
            FROM zips z WHERE z.postal_code = left(o.postal_code, 5) AND z.postal_code = ANY($1)
                AND o.located_by IS DISTINCT FROM 'GIVEN'
                AND (o.latitude, o.longitude) IS DISTINCT FROM (z.latitude, z.longitude)""",
        list(postal_codes),
    )
