"""Batched reads, each with the policy of every other read: what a viewer may not see is not there."""

from asyncio import gather
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from kit.db import Connection
from kit.graphql import in_order
from services.directory import policy, store
from services.directory.actions import going_live
from services.directory.domain import days, nouns, places
from services.directory.domain.days import Readiness
from services.directory.domain.profiles import Standing
from services.directory.schema.words import Info

T = TypeVar("T")


async def provider(info: Info, provider_id: UUID) -> nouns.Provider | None:
    """The provider, if the viewer may see it; a record that was merged answers as the one in which it was."""
    found = await _load(info, "providers", store.providers.by_ids, provider_id)
    if found and found.merged_into:
        return await provider(info, found.merged_into)
    return found if found and policy.may_see_provider(info.context.call.viewer, found) else None


async def office(info: Info, office_id: UUID) -> nouns.Office | None:
    """The office, if the viewer may see it."""
    found = await _load(info, "offices", store.offices.by_ids, office_id)
    return found if found and policy.may_see_office(info.context.call.viewer, found) else None


async def group(info: Info, group_id: UUID) -> nouns.Group | None:
    """The group, if the viewer may see it."""
    found = await _load(info, "groups", store.groups.by_ids, group_id)
    return found if found and policy.may_see_group(info.context.call.viewer, found) else None


async def providers(info: Info, ids: Iterable[UUID]) -> list[nouns.Provider]:
    """Those of these providers that the viewer may see, in their order."""
    rows = await gather(*(provider(info, one) for one in ids))
    return [row for row in rows if row is not None]


async def offices(info: Info, ids: Iterable[UUID]) -> list[nouns.Office]:
    """Those of these offices that the viewer may see, in their order."""
    rows = await gather(*(office(info, one) for one in ids))
    return [row for row in rows if row is not None]


async def groups(info: Info, ids: Iterable[UUID]) -> list[nouns.Group]:
    """Those of these groups that the viewer may see, in their order."""
    rows = await gather(*(group(info, one) for one in ids))
    return [row for row in rows if row is not None]


async def _load(
    info: Info,
    name: str,
    fetch: Callable[[Connection, Iterable[UUID]], Awaitable[dict[UUID, T]]],
    key: UUID,
) -> T | None:
    """One of many rows that are fetched together. Nobody who is not signed in sees anything."""
    policy.permit_reading(info.context.call.viewer)

    async def load(keys: list[UUID]) -> list[T | None]:
        async with info.context.call.db.reading() as tx:
            return in_order(keys, await fetch(tx, keys))

    found: T | None = await info.context.loader(name, load).load(key)
    return found


async def placements_of_provider(info: Info, provider_id: UUID) -> list[nouns.Placement]:
    """The placements of a provider that the viewer may see, oldest first."""
    rows = await _load(info, "placements of provider", store.placements.of_providers, provider_id)
    return await _visible(info, rows or [])


async def offices_of_provider(info: Info, provider_id: UUID) -> list[nouns.OfficeId]:
    """Where a provider of the viewer's organization works, now or later."""
    rows = await placements_of_provider(info, provider_id)
    places = await gather(*(office(info, row.office_id) for row in rows))
    return [
        row.office_id
        for row, at in zip(rows, places, strict=True)
        if at is not None and row.remains(today(info, at))
    ]


async def approval_needs(
    info: Info, organization_id: nouns.OrganizationId
) -> frozenset[nouns.ApprovalNeed]:
    """What the viewer's organization wants of a profile before it is approved."""

    async def load(ids: list[nouns.OrganizationId]) -> list[frozenset[nouns.ApprovalNeed]]:
        async with info.context.call.db.reading() as tx:
            return [(await store.catalogue.settings_seen(tx, one)).approval_needs for one in ids]

    loader: Any = info.context.loader("approval needs", load)
    needs: frozenset[nouns.ApprovalNeed] = await loader.load(organization_id)
    return needs


async def standing(info: Info, of: nouns.Provider) -> Standing:
    """Where a provider of the viewer's organization stands; providers are asked for together."""

    async def load(ids: list[nouns.ProviderId]) -> list[int]:
        call = info.context.call
        async with call.db.reading() as tx:
            found = await store.heard.plans_listed(
                tx, of.organization_id, ids, call.clock.now().date()
            )
        return [found.get(one, 0) for one in ids]

    loader: Any = info.context.loader(f"plans of {of.organization_id}", load)
    offices, plans = await gather(offices_of_provider(info, of.id), loader.load(of.id))
    return Standing(len(set(offices)), plans)


async def overloaded(info: Info, at: nouns.Office) -> int:
    """How many of the roster of an office of the viewer's organization have too many offices; offices are asked for together."""

    async def load(ids: list[nouns.OfficeId]) -> list[int]:
        async with info.context.call.db.reading() as tx:
            most = places.MOST_OFFICES
            found = await store.heard.overloaded(tx, at.organization_id, ids, most)
        return [found.get(one, 0) for one in ids]

    loader: Any = info.context.loader(f"overloaded of {at.organization_id}", load)
    users: int = await loader.load(at.id)
    return users


async def placements_of_office(info: Info, office_id: UUID) -> list[nouns.Placement]:
    """The placements at an office that the viewer may see, oldest first."""
    rows = await _load(info, "placements of office", store.placements.of_offices, office_id)
    return await _visible(info, rows or [])


async def _visible(info: Info, rows: Sequence[nouns.Placement]) -> list[nouns.Placement]:
    shown = await gather(*(_is_visible(info, row) for row in rows))
    return [row for row, seen in zip(rows, shown, strict=True) if seen]


async def _is_visible(info: Info, row: nouns.Placement) -> bool:
    viewer = info.context.call.viewer
    if policy.is_own(viewer, row.organization_id):
        return True
    at, who = await gather(office(info, row.office_id), provider(info, row.provider_id))
    return (
        at is not None
        and who is not None
        and policy.may_see_placement(viewer, row, who, at, today(info, at))
    )


def today(info: Info, at: nouns.Office) -> date:
    """The day it is at the office."""
    return days.day_at(at, info.context.call.clock.now())


async def groups_of_office(info: Info, office_id: UUID) -> list[nouns.Group]:
    """The groups of an office that the viewer may find."""
    found = await _load(info, "groups of office", store.groups.of_offices, office_id)
    return await _found_groups(info, found)


async def groups_of_provider(info: Info, provider_id: UUID) -> list[nouns.Group]:
    """The groups of a provider that the viewer may find."""
    found = await _load(info, "groups of provider", store.groups.of_providers, provider_id)
    return await _found_groups(info, found)


async def _found_groups(info: Info, ids: Iterable[UUID] | None) -> list[nouns.Group]:
    viewer = info.context.call.viewer
    return [one for one in await groups(info, ids or ()) if policy.may_find_group(viewer, one)]


async def specialties(info: Info, codes: Sequence[str]) -> list[nouns.Specialty]:
    """The specialties with these codes, in their order."""

    async def load(keys: list[str]) -> list[nouns.Specialty | None]:
        async with info.context.call.db.reading() as tx:
            found = await store.catalogue.specialties_by_code(tx, keys)
        return [found.get(key) for key in keys]

    loader: Any = info.context.loader("specialties", load)
    rows: list[nouns.Specialty | None] = await loader.load_many(codes)
    return [row for row in rows if row is not None]


async def readiness(info: Info, at: nouns.Office) -> Readiness:
    """What an office of the viewer's organization has of what it needs; offices are asked for together."""

    async def load(offices: list[nouns.Office]) -> list[Readiness]:
        found = await going_live.readiness(info.context.call, at.organization_id, offices)
        return [found[one.id] for one in offices]

    loader: Any = info.context.loader(f"readiness of {at.organization_id}", load)
    ready: Readiness = await loader.load(at)
    return ready


async def roster(info: Info, at: nouns.Office) -> tuple[nouns.UserId, ...]:
    """Who works for an office of the viewer's organization; offices are asked for together."""

    async def load(ids: list[nouns.OfficeId]) -> list[tuple[nouns.UserId, ...]]:
        async with info.context.call.db.reading() as tx:
            found = await store.heard.rosters(tx, at.organization_id, ids)
        return [found.get(one, ()) for one in ids]

    loader: Any = info.context.loader(f"rosters of {at.organization_id}", load)
    users: tuple[nouns.UserId, ...] = await loader.load(at.id)
    return users
