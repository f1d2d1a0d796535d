"""The search for receivers as GraphQL asks it (R28)."""

from datetime import date
from uuid import UUID

import strawberry

from kit.errors import Invalid
from kit.graphql import MAX_PAGE, described
from kit.ids import parse_id
from services.directory.actions import searching
from services.directory.actions.searching import Search
from services.directory.domain import places
from services.directory.domain.nouns import Point
from services.directory.domain.profiles import clean_text
from services.directory.schema.suggestions import ReceiverSuggestions
from services.directory.schema.words import Info, ids

LONGEST_NAME = 100


@strawberry.input(description="A point on the earth, in degrees.")
class CoordinatesInput:
    """CoordinatesInput."""

    latitude: float
    longitude: float

    def point(self) -> Point:
        """As the domain has it."""
        return Point(self.latitude, self.longitude)


@strawberry.input(
    description="What a sender is looking for: a specialty, a name, or both. Of near, officeId and postalCode at most one."
)
class SuggestReceiversInput:
    """SuggestReceiversInput."""

    specialty_code: str | None = None
    name: str = strawberry.field(
        default="",
        description="Of a provider or a group, as it sounds: a few wrong letters do no harm.",
    )
    plan_id: strawberry.ID | None = strawberry.field(default=None, description="The patient's.")
    plan_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Of a patient with several: one of them is enough."
    )
    near: CoordinatesInput | None = strawberry.field(
        default=None, description="Where the patient is."
    )
    office_id: strawberry.ID | None = strawberry.field(
        default=None, description="Near this office, the sender's for instance."
    )
    postal_code: str | None = strawberry.field(
        default=None,
        description="Near this place; when nobody knows where it is, by city and region.",
    )
    city: str = ""
    region: str = strawberry.field(default="", description="Two-letter state code.")
    on: date | None = strawberry.field(default=None, description="The day of the visit; today.")
    language: str | None = strawberry.field(
        default=None, description="Only providers who speak it, by its code: es."
    )
    only_accepting_new_patients: bool = strawberry.field(
        default=False, description="Leave out the others, who are otherwise labelled."
    )
    include_groups: bool = True
    first: int = strawberry.field(default=20, description="At most so many, 1 to 100.")

    def search(self) -> Search:
        """As the verb takes it."""
        code = (self.specialty_code or "").strip().upper()
        return Search(
            specialty_code=code or None,
            name=clean_text(self.name, "name", LONGEST_NAME, least=0),
            plan_ids=tuple(dict.fromkeys(self._plans())),
            near=self.near.point() if self.near else None,
            office_id=parse_id(self.office_id, "officeId") if self.office_id else None,
            postal_code=self.postal_code,
            city=places.clean_city(self.city),
            region=places.clean_region(self.region) if self.region.strip() else "",
            on=self.on,
            language=self.language.strip().lower() if self.language else None,
            only_accepting=self.only_accepting_new_patients,
            include_groups=self.include_groups,
        )

    def _plans(self) -> tuple[UUID, ...]:
        one = (parse_id(self.plan_id, "planId"),) if self.plan_id else ()
        return (*one, *ids(self.plan_ids, "planIds"))

    def require_sound(self) -> None:
        """Invalid when it asks for too many, or near two places."""
        if not 1 <= self.first <= MAX_PAGE:
            raise Invalid(f"first must be 1 to {MAX_PAGE}.", code="PAGE_SIZE", field="first")
        given = [self.near is not None, self.office_id is not None, self.postal_code is not None]
        if sum(given) > 1:
            raise Invalid("Give one of near, officeId and postalCode.", field="near")


@strawberry.type
class SearchQuery:
    """Who may receive a referral."""

    @described("Who may receive a referral, ranked and explained (R28).")
    async def suggest_receivers(
        self, info: Info, input: SuggestReceiversInput
    ) -> ReceiverSuggestions:
        """Approved providers and ready groups at live offices with staff, on that day."""
        input.require_sound()
        found = await searching.suggest_receivers(info.context.call, input.search(), input.first)
        return ReceiverSuggestions.of(found)
