"""Whether two records are one person's, and which NPI is the one that stays (R09, R11)."""

import unicodedata
from dataclasses import dataclass, replace

from kit.errors import Conflict, Denied, Invalid
from services.directory.domain.nouns import NpiStatus, Provider, ProviderState, Settings
from services.directory.domain.profiles import LIVING, clean_reason, require_state


@dataclass(frozen=True, slots=True)
class RightNpi:
    """Which of two NPIs a client admin says is the person's, and how they know: the other one was a slip of the pen."""

    npi: str
    reason: str


def require_mergeable(duplicate: Provider, survivor: Provider) -> None:
    """Two living records, neither of them leaving; the one that stays was approved if the other was."""
    if duplicate.id == survivor.id:
        raise Invalid("These are one record already.", code="SAME_PROVIDER", field="survivorId")
    for one in (duplicate, survivor):
        require_state(one, *LIVING)
    if duplicate.approved_at is not None and survivor.approved_at is None:
        raise Conflict(
            "The one that would stay was never approved, and others know the one that would go.",
            code="PROVIDER_STATE",
            field="survivorId",
            remedy="Merge them the other way round, or approve the one that is to stay first.",
        )


def npis_differ(duplicate: Provider, survivor: Provider) -> bool:
    """Whether both have an NPI and not the same one, but for one that the register has put in the place of the duplicate's."""
    replaced = duplicate.npi_status is NpiStatus.DEACTIVATED and duplicate.npi_replaced_by
    known = {None, duplicate.npi, replaced or None}
    return duplicate.npi is not None and survivor.npi not in known


def require_one_npi(duplicate: Provider, survivor: Provider, right: RightNpi | None) -> None:
    """For two records whose NPIs differ: Conflict DIFFERENT_NPI until somebody says which is right, Invalid NPI_NOT_THEIRS and
    REASON_REQUIRED for what they say, NPI_DEACTIVATED for one that has ended, and TWO_PEOPLE when the register knows both NPIs and
    the records have different names."""
    if not npis_differ(duplicate, survivor):
        return
    if right is None:
        raise Conflict(
            "They have different NPIs, so they are two people, unless one of the NPIs is wrong.",
            code="DIFFERENT_NPI",
            field="survivorId",
            remedy="Look both up in the national register; if it is one person, say which NPI is right (npi, reason).",
        )
    if right.npi not in {duplicate.npi, survivor.npi}:
        raise Invalid(
            "Neither of them has that NPI.",
            code="NPI_NOT_THEIRS",
            field="npi",
            remedy="Give the NPI of one of the two; mend it first (changeProvider) when both are wrong.",
        )
    clean_reason(right.reason)
    _require_one_person(duplicate, survivor)
    _require_standing(duplicate if right.npi == duplicate.npi else survivor)


def _require_one_person(duplicate: Provider, survivor: Provider) -> None:
    """The register has one NPI for each person: two that it knows, under two names, are two people's."""
    known = NpiStatus.UNKNOWN not in {duplicate.npi_status, survivor.npi_status}
    if known and _name(duplicate) != _name(survivor):
        raise Conflict(
            "The national register knows both NPIs, and the names differ: these are two people.",
            code="TWO_PEOPLE",
            field="survivorId",
            remedy="Keep both, and remove the one who has left. If it is one person, mend the name or the NPI that is wrong first.",
        )


def _require_standing(provider: Provider) -> None:
    if provider.npi_status is NpiStatus.DEACTIVATED:
        raise Conflict(
            "The national register has deactivated this NPI.",
            code="NPI_DEACTIVATED",
            field="npi",
            remedy="The other one may be right, or neither: ask the provider.",
        )


def _name(provider: Provider) -> tuple[str, str]:
    """As far as people agree on it: the last name and the first of the first names, without case, accents and signs."""
    first = provider.first_name.split()[:1]
    return _letters(provider.last_name), _letters("".join(first))


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(sign for sign in plain if sign.isalnum())


def require_approved_npi(
    duplicate: Provider, survivor: Provider, right: RightNpi | None, settings: Settings
) -> None:
    """Denied SECOND_APPROVER where two people approve profiles and an approved record would take an NPI that nobody approved."""
    unseen = duplicate.approved_at is None and survivor.state is ProviderState.APPROVED
    taken = right is not None and right.npi == duplicate.npi and npis_differ(duplicate, survivor)
    if settings.second_approver and unseen and taken:
        raise Denied(
            "In this organization somebody else must approve another NPI of an approved profile.",
            code="SECOND_APPROVER",
            remedy="Change the NPI of the one that stays (changeProvider), and merge once that is approved.",
        )


def settled(duplicate: Provider, survivor: Provider, right: RightNpi | None) -> Provider:
    """The survivor with the NPI that holds from now on, in a change that waits for its approval as well: the one that is right,
    otherwise its own, or the duplicate's where it has none."""
    if right is None or not npis_differ(duplicate, survivor):
        return replace(survivor, npi=survivor.npi or duplicate.npi)
    waits = survivor.proposed
    if waits is not None and waits.npi in {duplicate.npi, survivor.npi}:
        waits = replace(waits, npi=right.npi)
    return replace(survivor, npi=right.npi, proposed=waits)
