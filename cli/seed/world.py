"""The demo world as data: who and what there is, the same for every seed number. Nobody and nothing in it is real.

Two marks say so: the names of both organizations end in "(Sample)", and every provider's credential in "(sample)". NPIs are
valid by their check digit and are the lowest there can be, 1000000004 upward; addresses of mail end in .example, and telephone
numbers are from 555-0100 to 555-0199, which are kept for stories.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import count

CARDIOLOGY, DERMATOLOGY, EMERGENCY = "207RC0000X", "207N00000X", "207P00000X"
FAMILY, NEUROLOGY, ORTHOPAEDICS = "207Q00000X", "2084N0400X", "207X00000X"

ZONE = "America/Chicago"
CITIES = {"Minneapolis": "554", "Saint Paul": "551"}

CLIENT_ADMIN, OFFICE_ADMIN, OFFICE_STAFF = "CLIENT_ADMIN", "OFFICE_ADMIN", "OFFICE_STAFF"
INSURANCE_MANAGER, CALL_CENTRE, PROVIDER = "INSURANCE_MANAGER", "CALL_CENTRE", "PROVIDER"


@dataclass(frozen=True)
class User:
    """Somebody who signs in, with one role; at the offices named, if it is a role at offices; of a provider the one whose NPI it
    is."""

    name: str
    email: str
    role: str
    offices: tuple[str, ...] = ()
    npi: str = ""

    @property
    def workplaces(self) -> tuple[str, ...]:
        """The offices at which the user works: an insurance manager of some offices works at none of them."""
        return self.offices if self.role in {OFFICE_ADMIN, OFFICE_STAFF} else ()


@dataclass(frozen=True)
class Office:
    """A place where care is given."""

    name: str
    street: str
    city: str
    postal_code: str
    point: tuple[float, float]
    phone: str


@dataclass(frozen=True)
class Provider:
    """A person who gives care, at one office or more: the first one has them from its first day."""

    first_name: str
    last_name: str
    npi: str
    credential: str
    phone: str
    specialty: str
    offices: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """Providers of one specialty at these offices."""

    name: str
    offices: tuple[str, ...]
    specialty: str
    may_send: bool
    may_receive: bool


@dataclass(frozen=True)
class Organization:
    """A customer. Its first user is its first client admin."""

    name: str
    users: tuple[User, ...]
    offices: tuple[Office, ...]
    providers: tuple[Provider, ...]
    groups: tuple[Group, ...]

    @property
    def staff(self) -> tuple[User, ...]:
        """Its office staff."""
        return tuple(user for user in self.users if user.role == OFFICE_STAFF)

    def members(self, group: Group) -> tuple[Provider, ...]:
        """Who is in a group."""
        return tuple(
            one
            for one in self.providers
            if one.specialty == group.specialty and one.offices[0] in group.offices
        )


@dataclass(frozen=True)
class Plan:
    """A product of a payer."""

    payer: str
    name: str
    product_type: str


@dataclass(frozen=True)
class World:
    """All of it. `accepted` has the names of the plans a provider accepts, by NPI and name of office."""

    organizations: tuple[Organization, ...]
    plans: tuple[Plan, ...]
    accepted: dict[tuple[str, str], tuple[str, ...]]

    @property
    def payers(self) -> tuple[str, ...]:
        """The payers' names."""
        return tuple(dict.fromkeys(plan.payer for plan in self.plans))


# Who there is ---------------------------------------------------------------------------------------------------------

_HARBOR, _CEDAR = "North Harbor Health (Sample)", "Cedar Valley Clinics (Sample)"

HEART, NERVES = "North Harbor Heart Center", "North Harbor Brain and Nerve Center"
BONES, EMERGENCIES = "North Harbor Bone and Joint", "North Harbor Hospital, Emergency"
LINDEN, COMO = "Cedar Valley Family Medicine, Linden", "Cedar Valley Family Medicine, Como"
SKIN, SPECIALISTS = "Cedar Valley Skin Clinic", "Cedar Valley Specialists"

_OFFICES = {
    _HARBOR: (
        (HEART, "1420 Larkspur Avenue", "Minneapolis", "04", (44.9712, -93.2610)),
        (NERVES, "88 Millrace Street", "Minneapolis", "01", (44.9838, -93.2543)),
        (BONES, "3105 Orchard Avenue South", "Minneapolis", "08", (44.9478, -93.2880)),
        (EMERGENCIES, "500 Harbor Drive", "Minneapolis", "15", (44.9733, -93.2635)),
    ),
    _CEDAR: (
        (LINDEN, "2712 Upton Court", "Minneapolis", "10", (44.9246, -93.3148)),
        (COMO, "1190 Lakeview Street", "Saint Paul", "08", (44.9801, -93.1502)),
        (SKIN, "615 Granary Avenue", "Saint Paul", "05", (44.9405, -93.1387)),
        (SPECIALISTS, "240 Cathedral Place", "Saint Paul", "02", (44.9446, -93.1093)),
    ),
}
_PROVIDERS = {
    _HARBOR: (
        (CARDIOLOGY, 4, (HEART,)),
        (NEUROLOGY, 4, (NERVES,)),
        (ORTHOPAEDICS, 3, (BONES,)),
        (EMERGENCY, 4, (EMERGENCIES,)),
    ),
    _CEDAR: (
        (FAMILY, 4, (LINDEN,)),
        (FAMILY, 4, (COMO,)),
        (DERMATOLOGY, 3, (SKIN,)),
        (DERMATOLOGY, 1, (SKIN, LINDEN)),
        (CARDIOLOGY, 1, (SPECIALISTS, COMO)),
        (CARDIOLOGY, 1, (SPECIALISTS,)),
        (ORTHOPAEDICS, 1, (SPECIALISTS,)),
    ),
}
_GROUPS = {
    _HARBOR: (
        Group("North Harbor Cardiology", (HEART,), CARDIOLOGY, may_send=False, may_receive=True),
        Group("North Harbor Neurology", (NERVES,), NEUROLOGY, may_send=False, may_receive=True),
        Group(
            "North Harbor Emergency Department",
            (EMERGENCIES,),
            EMERGENCY,
            may_send=True,
            may_receive=False,
        ),
    ),
    _CEDAR: (
        Group("Cedar Valley Dermatology", (SKIN,), DERMATOLOGY, may_send=False, may_receive=True),
        Group(
            "Cedar Valley Family Medicine", (LINDEN, COMO), FAMILY, may_send=True, may_receive=True
        ),
    ),
}
_USERS = {
    _HARBOR: (
        "northharbor.example",
        ("Amara Lindqvist", "Dorian Feld", "Noor Castellan", "Petra Ashgrove", "Ilse Marwick"),
        ("Tobin Reyes-Hart", "Rhea Lundqvist-Bell"),
    ),
    _CEDAR: (
        "cedarvalley.example",
        ("Bastian Okoro", "Wren Halloway", "Mika Sorensen", "Odalys Brandt", "Jun Tremblay"),
        ("Safiya Corwin", "Eskil Marchetti"),
    ),
}
_FIRST_NAMES = (
    "Ada Bram Celeste Dario Edda Farid Greta Hollis Ines Jasper Kaia Leander Mirela Niall Oona Paolo Quilla Rufus Sanna"
    " Teodor Una Viggo Wanda Xanthe Yusuf Zelda Aurel Britta Cosmo Delphine"
)
_LAST_NAMES = (
    "Abelard Brightwater Corrigan Dunmore Eastgate Fairweather Garnet Hawksley Ivarsson Juniper Kestrel Lockhart"
    " Merriweather Northcott Oakhurst Pemberton Quillfeather Ravenscroft Silverlake Thistlewood Underhill Valebrook"
    " Westerling Yarrow Zephyrine Ambrosi Bellweather Cloverfield Drummond Elderwood"
)
_PLANS = (
    Plan("Loon Lake Health Plan", "Loon Lake Open PPO", "COMMPPO"),
    Plan("Loon Lake Health Plan", "Loon Lake Care HMO", "COMMHMO"),
    Plan("Loon Lake Health Plan", "Loon Lake Saver", "COMMHDHP"),
    Plan("Prairie Lantern Mutual", "Lantern Choice PPO", "COMMPPO"),
    Plan("Prairie Lantern Mutual", "Lantern Exclusive", "COMMEPO"),
    Plan("Prairie Lantern Mutual", "Lantern Senior Advantage", "MEDIADV"),
    Plan("Granite Bluff Assurance", "Granite Point of Service", "COMMPOS"),
    Plan("Granite Bluff Assurance", "Granite Marketplace Silver", "QHP"),
    Plan("Twin Rivers Community Health", "Twin Rivers Community", "MEDIHMO"),
    Plan("Twin Rivers Community Health", "Twin Rivers Marketplace Bronze", "QHP"),
    Plan("Birchbark Benefit Society", "Birchbark Classic PPO", "COMMPPO"),
    Plan("Birchbark Benefit Society", "Birchbark Senior HMO", "MEDIADVHMO"),
)


def check_digit(nine: str) -> str:
    """The NPI of nine digits: with the Luhn check digit over 80840 and the nine."""
    total = 0
    for place, digit in enumerate(reversed("80840" + nine)):
        doubled = int(digit) * (2 - place % 2)
        total += doubled // 10 + doubled % 10
    return f"{nine}{-total % 10}"


def build(number: int) -> World:
    """The world of a seed number."""
    chance = random.Random(number)  # noqa: S311 - a story, not a secret
    first, last = _FIRST_NAMES.split(), _LAST_NAMES.split()
    chance.shuffle(first)
    chance.shuffle(last)
    people = list(zip(first, last, strict=True))
    serial, phones = count(100_000_000), count(100)
    organizations = tuple(_organization(name, people, serial, phones) for name in _OFFICES)
    accepted = {
        (provider.npi, office): _accepted(chance)
        for organization in organizations
        for provider in organization.providers
        for office in provider.offices
        if provider.specialty != EMERGENCY
    }
    return World(organizations, _PLANS, accepted)


def _accepted(chance: random.Random) -> tuple[str, ...]:
    return tuple(plan.name for plan in chance.sample(_PLANS, chance.randint(3, 7)))


def _organization(
    name: str, people: list[tuple[str, str]], serial: count[int], phones: count[int]
) -> Organization:
    offices = tuple(
        Office(office, street, city, f"{CITIES[city]}{end}", point, _phone(phones))
        for office, street, city, end, point in _OFFICES[name]
    )
    providers = tuple(
        _provider(people.pop(), f"{next(serial)}", _phone(phones), specialty, at)
        for specialty, many, at in _PROVIDERS[name]
        for _ in range(many)
    )
    return Organization(name, _users(name, providers[0]), offices, providers, _GROUPS[name])


def _phone(phones: count[int]) -> str:
    return f"612-555-0{next(phones)}"


def _provider(
    name: tuple[str, str], nine: str, phone: str, specialty: str, offices: tuple[str, ...]
) -> Provider:
    degree = "DO" if int(nine) % 4 == 0 else "MD"
    return Provider(*name, check_digit(nine), f"{degree} (sample)", phone, specialty, offices)


def _users(organization: str, doctor: Provider) -> tuple[User, ...]:
    domain, (admin, office_admin, staff, insurance, calls), (second, keeper) = _USERS[organization]
    offices = tuple(office[0] for office in _OFFICES[organization])

    def user(name: str, role: str, at: tuple[str, ...] = (), npi: str = "") -> User:
        return User(name, f"{name.lower().replace(' ', '.')}@{domain}", role, at, npi)

    return (
        user(admin, CLIENT_ADMIN),
        user(office_admin, OFFICE_ADMIN, offices[:2]),
        user(staff, OFFICE_STAFF, offices),
        user(insurance, INSURANCE_MANAGER),
        user(calls, CALL_CENTRE),
        user(second, OFFICE_STAFF, offices[2:]),
        user(keeper, INSURANCE_MANAGER, offices[:1]),
        user(f"{doctor.first_name} {doctor.last_name}", PROVIDER, npi=doctor.npi),
    )
