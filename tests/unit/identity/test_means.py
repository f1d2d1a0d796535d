"""Hashing and sealing."""

import asyncio

import argon2
import pytest

from kit.errors import RateLimited
from services.identity.actions.means import LONGEST_QUEUE, Hasher, Vault


async def test_a_password_is_hashed_with_the_figures_of_owasp() -> None:
    hashed = await Hasher().hash("seven herons cross the wide estuary")

    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_without_a_hash_every_password_is_wrong() -> None:
    hasher = Hasher()
    hashed = await hasher.hash("right")

    assert await hasher.right("right", hashed)
    assert not await hasher.right("wrong", hashed)
    assert not await hasher.right("right", None)


def test_a_hash_of_other_parameters_is_outdated() -> None:
    older = argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("x")

    assert Hasher().outdated(older)


async def test_more_than_a_queue_full_are_told_to_come_back() -> None:
    hasher = Hasher()

    answers = await asyncio.gather(
        *(hasher.right("x", None) for _ in range(LONGEST_QUEUE + 5)), return_exceptions=True
    )

    refused = [one for one in answers if isinstance(one, RateLimited)]
    assert len(refused) == 5
    assert refused[0].details["retry_after_seconds"] == 2
    assert not await hasher.right("x", None), "the queue is free again"


def test_what_is_sealed_is_opened_with_the_same_secret_only() -> None:
    sealed = Vault(b"1" * 32).seal(b"hidden")

    assert Vault(b"1" * 32).open(sealed) == b"hidden"
    for vault, text in ((Vault(b"2" * 32), sealed), (Vault(b"1" * 32), sealed + "x")):
        with pytest.raises(RuntimeError):
            vault.open(text)
