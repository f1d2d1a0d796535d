"""Rules of what an office's entry must say: name, address, phone, coordinates."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import isfinite

from kit.errors import Conflict, Invalid
from services.directory.domain.nouns import Address, Office, Point
from services.directory.domain.profiles import MAX_PHONE, MAX_REASON, clean_text

MAX_NAME = 200
MAX_CITY = 100
_POSTAL = re.compile(r"\d{5}(-\d{4})?", re.ASCII)
_REGION = re.compile(r"[A-Z]{2}")
_MOST_LATITUDE, _MOST_LONGITUDE = 90.0, 180.0
_PHONE_DIGITS = 7
_WITH_COUNTRY = 11
POSTAL_DIGITS = 5
MOST_ZIPS = 1000
"""Postal codes of one call of importZips."""


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
    return Address(
        line1=clean_text(address.line1, "line1", MAX_NAME),
        line2=clean_text(address.line2, "line2", MAX_NAME, least=0),
        city=clean_text(address.city, "city", MAX_CITY),
        region=clean_region(address.region),
        postal_code=clean_postal_code(address.postal_code),
    )


def clean_city(city: str) -> str:
    """A city of at most 100 characters, or none."""
    return clean_text(city, "city", MAX_CITY, least=0)


def clean_region(region: str) -> str:
    """A state's two letters, in capitals."""
    cleaned = region.strip().upper()
    if _REGION.fullmatch(cleaned) is None:
        raise Invalid(
            "region has two letters.", field="region", remedy="Use the state's code, such as MA."
        )
    return cleaned


def clean_postal_code(postal_code: str) -> str:
    """Five digits, or nine with a hyphen."""
    cleaned = postal_code.strip()
    if _POSTAL.fullmatch(cleaned) is None:
        raise Invalid(
            "postalCode has five digits, or nine.",
            field="postalCode",
            remedy="Write it like 02139 or 02139-4307.",
        )
    return cleaned


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


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that hinders nothing and should be looked at."""

    code: str
    message: str
    remedy: str


MOST_OFFICES = 5
"""Who works for more than these has too many to answer for (R18)."""


def warnings(office: Office, overloaded: int = 0) -> tuple[Warned, ...]:
    """What should be looked at: NO_GEOCODE when nobody knows where it is, so that senders find it by city and state alone;
    STAFF_OVERLOADED when so many of its roster work for more than five offices (R18)."""
    found = [] if office.point is not None else [_unknown_place(office)]
    if overloaded:
        message = f"{overloaded} of its roster work for more than {MOST_OFFICES} offices."
        remedy = "Let somebody else work for it, or for others of their offices."
        found.append(Warned("STAFF_OVERLOADED", message, remedy))
    return tuple(found)


def _unknown_place(office: Office) -> Warned:
    message = f"Nobody knows where postal code {office.postal_code} is, so the office is found by its city and state alone."
    return Warned("NO_GEOCODE", message, "Give its coordinates with changeOffice.")


def same_address(one: Address, other: Address) -> bool:
    """Whether both are one place as people write it: case, blanks, stops and the last four digits of the postal code aside."""
    return _place(one) == _place(other)


def _place(address: Address) -> tuple[str, str, str]:
    street = "".join(sign for sign in f"{address.line1}{address.line2}" if sign.isalnum())
    return street.casefold(), address.region, address.postal_code[:POSTAL_DIGITS]


def same_phone(one: str, other: str) -> bool:
    """Whether both are one number, written with or without the country's 1."""
    return phone_digits(one) == phone_digits(other)


def phone_digits(phone: str) -> str:
    """The digits of a number, without the country's 1."""
    digits = "".join(sign for sign in phone if sign.isdigit())
    return digits[1:] if len(digits) == _WITH_COUNTRY and digits[0] == "1" else digits


def lookalikes(office: Office, others: Iterable[Office]) -> tuple[Office, ...]:
    """Those of the others that have its address or its phone (R16)."""
    return tuple(
        one
        for one in others
        if one.id != office.id
        and (same_address(one.address, office.address) or same_phone(one.phone, office.phone))
    )


def duplicate(found: Collection[Office]) -> Conflict:
    """The refusal of an office that looks like another one of the organization, until somebody says it is meant (R16)."""
    return Conflict(
        f"Your organization has an office with this address or phone: {', '.join(one.name for one in found)}.",
        code="DUPLICATE_OFFICE",
        field="acknowledgeDuplicate",
        remedy="Use that office, or set acknowledgeDuplicate when this is another one.",
        office_ids=[str(one.id) for one in found],
    )
