"""Where things are: points, how far they are apart, and the squares of the earth in which the search looks."""

from math import asin, ceil, cos, floor, pi, radians, sin, sqrt

from services.directory.domain.nouns import Place, Point

EARTH_KM = 6371.0
SQUARES = 10
"""Squares of a degree along each side: what `cell_of` in the database numbers, 3600 to a band."""

BAND = 360 * SQUARES
_BANDS = 180 * SQUARES
_EVERYWHERE = (-(2**31), 2**31 - 1)
_KM_A_DEGREE = EARTH_KM * pi / 180
_LETTERS = 128

RINGS_KM: tuple[float | None, ...] = (50.0, 200.0, 800.0, None)
"""How far the search looks, until somebody is found; None: everywhere."""


def distance_km(one: Point, other: Point) -> float:
    """The great-circle distance."""
    lat1, lat2 = radians(one.latitude), radians(other.latitude)
    lon = radians(other.longitude - one.longitude)
    chord = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin(lon / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(chord)))


def same_city(one: Place, other: Place) -> bool:
    """Whether both are in one city of one state."""
    return (
        same_region(one, other)
        and bool(one.city)
        and one.city.strip().casefold() == other.city.strip().casefold()
    )


def same_region(one: Place, other: Place) -> bool:
    """Whether both are in one state."""
    return bool(one.region) and one.region == other.region


def cells(place: Place, km: float | None) -> list[tuple[int, int]]:
    """The numbers of the squares that are within so many kilometres of the place, first and last of each row of them; with those
    of the state's offices that stand at no known point. Everywhere when there is no point, or no limit."""
    if place.point is None or km is None:
        return [_EVERYWHERE]
    found = [] if not place.region else [(_of_region(place.region), _of_region(place.region))]
    return found + [
        span for band in _bands(place.point, km) for span in _spans(band, place.point, km)
    ]


def _of_region(region: str) -> int:
    return -(ord(region[0]) * _LETTERS + ord(region[1]))


def _bands(point: Point, km: float) -> range:
    high, low = point.latitude + km / _KM_A_DEGREE, point.latitude - km / _KM_A_DEGREE
    first = max(0, floor((low + 90) * SQUARES))
    return range(first, min(_BANDS, floor((high + 90) * SQUARES)) + 1)


def _spans(band: int, point: Point, km: float) -> list[tuple[int, int]]:
    """The squares of one band; two spans where they go on at the other side of the date line."""
    widest = max(abs(band / SQUARES - 90), abs((band + 1) / SQUARES - 90), abs(point.latitude))
    squares = ceil(SQUARES * km / (_KM_A_DEGREE * max(cos(radians(min(widest, 90.0))), 1e-6)))
    start = band * BAND
    if 2 * squares + 1 >= BAND:
        return [(start, start + BAND - 1)]
    middle = min(floor((point.longitude + 180) * SQUARES), BAND - 1)
    first, last = middle - squares, middle + squares
    if first < 0:
        return [(start, start + last), (start + first + BAND, start + BAND - 1)]
    if last >= BAND:
        return [(start + first, start + BAND - 1), (start, start + last - BAND)]
    return [(start + first, start + last)]
