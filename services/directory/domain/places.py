"""Rules of what an office's entry must say: name, address, phone, coordinates."""

import re
from math import isfinite

from kit.errors import Invalid
from services.directory.domain.nouns import Address, Point
from services.directory.domain.profiles import MAX_PHONE, MAX_REASON, clean_text

MAX_NAME = 200
MAX_CITY = 100
_POSTAL = re.compile(r"\d{5}(-\d{4})?", re.ASCII)
_REGION = re.compile(r"[A-Z]{2}")
_MOST_LATITUDE, _MOST_LONGITUDE = 90.0, 180.0
_PHONE_DIGITS = 7


def clean_name(name: str) -> str:
    """A name with single blanks, 1 to 200 characters."""
    return clean_text(name, "name", MAX_NAME)


def clean_reason(reason: str | None) -> str | None:
    """A reason of at most 500 characters; None when there is none."""
    if reason is None or not reason.strip():
        return None
    return clean_text(reason, "reason", MAX_REASON)


def clean_phone(phone: str) -> str:
    """A phone number with at least seven digits."""
    cleaned = clean_text(phone, "phone", MAX_PHONE)
    if sum(sign.isdigit() for sign in cleaned) < _PHONE_DIGITS:
        raise Invalid(
            f"A phone number has at least {_PHONE_DIGITS} digits.",
            field="phone",
            remedy="Give the number with its area code.",
        )
    return cleaned


def clean_address(address: Address) -> Address:
    """An address with a two-letter region and a postal code of five or nine digits."""
    region, postal = address.region.strip().upper(), address.postal_code.strip()
    if _REGION.fullmatch(region) is None:
        raise Invalid(
            "region has two letters.", field="region", remedy="Use the state's code, such as MA."
        )
    if _POSTAL.fullmatch(postal) is None:
        raise Invalid(
            "postalCode has five digits, or nine.",
            field="postalCode",
            remedy="Write it like 02139 or 02139-4307.",
        )
    return Address(
        line1=clean_text(address.line1, "line1", MAX_NAME),
        line2=clean_text(address.line2, "line2", MAX_NAME, least=0),
        city=clean_text(address.city, "city", MAX_CITY),
        region=region,
        postal_code=postal,
    )


def clean_point(point: Point) -> Point:
    """Coordinates that exist."""
    for value, most, field in (
        (point.latitude, _MOST_LATITUDE, "latitude"),
        (point.longitude, _MOST_LONGITUDE, "longitude"),
    ):
        if not isfinite(value) or abs(value) > most:
            raise Invalid(
                f"{field} must be {-most:.0f} to {most:.0f} degrees.",
                code="BAD_COORDINATES",
                field=field,
                remedy="Give decimal degrees.",
            )
    return point
