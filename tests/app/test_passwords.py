"""Passwords: Argon2id, beside the event loop, as slow for nobody as for somebody."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Literal

import pytest
from argon2 import PasswordHasher

from app.access.passwords import Argon2Passwords


class Watched(PasswordHasher):
    """Argon2 that counts how often it verified, and where."""

    def __init__(self, memory: int = 8) -> None:
        super().__init__(time_cost=1, memory_cost=memory, parallelism=1)
        self.verified: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.verified.append(threading.current_thread().name)
        return super().verify(hash, password)


@pytest.fixture
def hasher() -> Watched:
    return Watched()


@pytest.fixture
def passwords(hasher: Watched) -> Iterator[Argon2Passwords]:
    made = Argon2Passwords(hasher)
    yield made
    made.close()


async def test_the_right_password_is_verified_in_a_thread_of_its_own(
    passwords: Argon2Passwords, hasher: Watched
) -> None:
    stored = await passwords.hash("correct horse")
    assert stored.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert await passwords.verify("correct horse", stored) is True
    assert await passwords.verify("correct  horse", stored) is False
    assert [name.partition("_")[0] for name in hasher.verified] == ["argon2", "argon2"]


async def test_without_an_account_a_decoy_is_verified(passwords: Argon2Passwords, hasher: Watched) -> None:
    answers = await asyncio.gather(*(passwords.verify("anything", None) for _ in range(3)))
    assert answers == [False, False, False]
    assert len(hasher.verified) == 3


@pytest.mark.parametrize("stored", ["", "not a hash", "$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA"])
async def test_a_broken_hash_is_no_password(passwords: Argon2Passwords, stored: str) -> None:
    assert await passwords.verify("anything", stored) is False


async def test_a_hash_of_weaker_settings_is_replaced(passwords: Argon2Passwords) -> None:
    stored = await passwords.hash("correct horse")
    stronger = Argon2Passwords(Watched(memory=16))
    assert await passwords.replacement("correct horse", stored) is None
    better = await stronger.replacement("correct horse", stored)
    assert better is not None
    assert better.startswith("$argon2id$v=19$m=16,")
    assert await stronger.verify("correct horse", better) is True
    stronger.close()
