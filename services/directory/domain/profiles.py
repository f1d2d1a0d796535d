"""Rules of a provider's profile: NPI, completeness, approval (R09, R11)."""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kit.errors import Conflict, Denied, Invalid
from services.directory.domain.awaited import awaiting
from services.directory.domain.nouns import (
    ApprovalNeed,
    NpiStatus,
    Profile,
    Provider,
    ProviderState,
    Settings,
    UserId,
)

MAX_PERSON_NAME = 100
MAX_SPECIALTIES = 15
"""As many as the national register keeps for a person."""

MAX_CREDENTIAL = 100
MAX_PHONE = 40
MAX_REASON = 500
MAX_LANGUAGES = 20
MAX_EMAIL = 254
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+", re.ASCII)
VERIFIED_FOR = timedelta(days=90)
"""How long a profile counts as right after somebody has looked at it."""

_NPI_DIGITS = 10
_PREFIX = "80840"
_CHANGEABLE = frozenset({ProviderState.DRAFT, ProviderState.SUBMITTED, ProviderState.REJECTED})
LIVING = (*sorted(_CHANGEABLE), ProviderState.APPROVED)
"""The states of a provider who is neither leaving nor gone."""


def npi_is_valid(npi: str) -> bool:
    """Ten digits, the first 1 or 2, and the Luhn check digit over 80840 and the ten. Says nothing about deactivation."""
    if len(npi) != _NPI_DIGITS or not npi.isascii() or not npi.isdigit() or npi[0] not in "12":
        return False
    return _luhn(_PREFIX + npi) % 10 == 0


def _luhn(digits: str) -> int:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 * (doubled > 9)  # noqa: PLR2004 - Luhn casts out nines
    return total


def clean_text(text: str, field: str, most: int, *, least: int = 1) -> str:
    """The text with single blanks, `least` to `most` characters; Invalid naming `field` otherwise."""
    cleaned = " ".join(text.split())
    if not least <= len(cleaned) <= most or not cleaned.isprintable():
        raise Invalid(
            f"{field} must have {least} to {most} printable characters.",
            field=field,
            remedy="Give a shorter text." if len(cleaned) > most else "Give the text.",
        )
    return cleaned


def clean_reason(text: str) -> str:
    """Why somebody does something, for the record; Invalid REASON_REQUIRED when there is none."""
    if not text.strip():
        raise Invalid(
            "Say why.", code="REASON_REQUIRED", field="reason", remedy="It is kept on the record."
        )
    return clean_text(text, "reason", MAX_REASON)


def clean_npi(npi: str | None) -> str | None:
    """The NPI, or None for none; Invalid NPI_INVALID when its form or check digit is wrong."""
    cleaned = (npi or "").strip()
    if not cleaned:
        return None
    if not npi_is_valid(cleaned):
        raise Invalid(
            "This is not an NPI: it has ten digits, begins with 1 or 2, and its last digit checks the others.",
            code="NPI_INVALID",
            field="npi",
            remedy="Compare it with the provider's entry in the national register.",
        )
    return cleaned


def clean_profile(profile: Profile, known: Callable[[str], bool]) -> Profile:
    """The profile, cleaned. `known` tells which specialty codes exist; an unknown one is Invalid UNKNOWN_SPECIALTY."""
    codes = tuple(code.strip().upper() for code in profile.specialty_codes)
    if len(codes) > MAX_SPECIALTIES or len(set(codes)) != len(codes):
        raise Invalid(
            f"Give at most {MAX_SPECIALTIES} specialties, each once.", field="specialtyCodes"
        )
    if unknown := [code for code in codes if not known(code)]:
        raise Invalid(
            f"There is no specialty {unknown[0]!r}.",
            code="UNKNOWN_SPECIALTY",
            field="specialtyCodes",
            remedy="Choose from the query specialties.",
        )
    return Profile(
        first_name=clean_text(profile.first_name, "firstName", MAX_PERSON_NAME),
        last_name=clean_text(profile.last_name, "lastName", MAX_PERSON_NAME),
        npi=clean_npi(profile.npi),
        credential=clean_text(profile.credential, "credential", MAX_CREDENTIAL, least=0),
        phone=clean_text(profile.phone, "phone", MAX_PHONE, least=0),
        specialty_codes=codes,
        languages=clean_languages(profile.languages),
        gender=profile.gender,
        email=clean_email(profile.email),
    )


def clean_languages(languages: Iterable[str]) -> tuple[str, ...]:
    """Codes of ISO 639 in small letters, each once; Invalid BAD_LANGUAGE otherwise."""
    codes = tuple(dict.fromkeys(one.strip().lower() for one in languages))
    if len(codes) > MAX_LANGUAGES or not all(_LANGUAGE.fullmatch(one) for one in codes):
        raise Invalid(
            f"Give at most {MAX_LANGUAGES} languages by their codes.",
            code="BAD_LANGUAGE",
            field="languages",
            remedy="Use ISO 639 codes such as en, es or yue.",
        )
    return codes


def clean_email(email: str) -> str:
    """An address of mail, or none."""
    cleaned = email.strip()
    if cleaned and (len(cleaned) > MAX_EMAIL or _EMAIL.fullmatch(cleaned) is None):
        raise Invalid(
            "This is no e-mail address.", code="BAD_EMAIL", field="email", remedy="Leave it out."
        )
    return cleaned


@dataclass(frozen=True, slots=True)
class Standing:
    """At how many offices a provider works, now or later, and how many plans are listed as accepted."""

    offices: int = 0
    plans: int = 0


NOWHERE = Standing()


def missing(
    profile: Profile, needs: Collection[ApprovalNeed] = (), standing: Standing = NOWHERE
) -> tuple[str, ...]:
    """Without what a profile cannot be approved (R11), as the client spells it; `needs` is what its organization wants besides."""
    wanted: dict[str, object] = {"npi": profile.npi, "specialtyCodes": profile.specialty_codes}
    besides = {
        ApprovalNeed.PHONE: ("phone", profile.phone),
        ApprovalNeed.OFFICE: ("offices", standing.offices),
        ApprovalNeed.PLANS: ("plans", standing.plans),
    }
    wanted |= dict(given for need, given in besides.items() if need in needs)
    return tuple(field for field, given in wanted.items() if not given)


def gaps(profile: Profile, standing: Standing) -> tuple[str, ...]:
    """All that a profile should have and this one has not, whether it hinders an approval or not (R11)."""
    return missing(profile, tuple(ApprovalNeed), standing)


def require_complete(
    profile: Profile, needs: Collection[ApprovalNeed] = (), standing: Standing = NOWHERE
) -> None:
    """Conflict INCOMPLETE with what is missing (R11)."""
    if fields := missing(profile, needs, standing):
        raise Conflict(
            f"The profile is not complete: {', '.join(fields)}.",
            code="INCOMPLETE",
            field=fields[0],
            remedy="Add what is missing (changeProvider, addPlacement, addParticipation), then approve.",
            missing=list(fields),
        )


def require_active_npi(provider: Provider, profile: Profile) -> None:
    """Conflict NPI_DEACTIVATED when the national register has ended the NPI that is to hold (R11)."""
    if provider.npi_status is NpiStatus.DEACTIVATED and profile.npi == provider.npi:
        raise Conflict(
            "The national register has deactivated this NPI.",
            code="NPI_DEACTIVATED",
            field="npi",
            remedy="Give the NPI that replaced it, or ask the provider.",
        )


def reverify_due(provider: Provider, now: datetime) -> bool:
    """Whether nobody has looked at an approved profile for 90 days (R11)."""
    looked = provider.verified_at or provider.approved_at
    approved = provider.state is ProviderState.APPROVED
    return approved and looked is not None and looked <= now - VERIFIED_FOR


def require_state(provider: Provider, *allowed: ProviderState) -> None:
    """Conflict PROVIDER_STATE unless the provider is in one of the states."""
    if provider.state not in allowed:
        raise Conflict(
            f"The provider is {provider.state.lower()}.",
            code="PROVIDER_STATE",
            remedy=f"This needs a provider that is {' or '.join(s.lower() for s in allowed)}.",
        )


def removed(provider: Provider) -> Provider:
    """The provider once it has left for good."""
    left = replace(
        provider,
        state=ProviderState.REMOVED,
        fence=None,
        offboarding=False,
        ends_placements=False,
        state_before=None,
        proposed=None,
        proposed_by=None,
    )
    return awaiting(left, None)


def require_submittable(provider: Provider) -> None:
    """A draft, or one that was rejected, can be submitted."""
    require_state(provider, ProviderState.DRAFT, ProviderState.REJECTED)


def require_decidable(provider: Provider) -> None:
    """There must be something to decide: a submitted provider, or a proposed change of an approved one who is not leaving."""
    waits = provider.proposed is not None
    require_state(provider, ProviderState.APPROVED if waits else ProviderState.SUBMITTED)


def require_other_approver(provider: Provider, approver: UserId, settings: Settings) -> None:
    """Denied SECOND_APPROVER when the organization wants two people, and this one submitted it (R11)."""
    asked = provider.submitted_by if provider.proposed is None else provider.proposed_by
    if settings.second_approver and approver == asked:
        raise Denied(
            "In this organization somebody else must approve what you submitted.",
            code="SECOND_APPROVER",
            remedy="Ask another client admin.",
        )


def waits_for_approval(provider: Provider, settings: Settings, *, may_approve: bool) -> bool:
    """Whether a change only becomes a proposal: old values of an approved profile hold until the change is approved (R11)."""
    if provider.state in _CHANGEABLE:
        return False
    require_state(provider, ProviderState.APPROVED, *_CHANGEABLE)
    return settings.second_approver or not may_approve
