"""The journey of the demonstration, as a test: every act expects what it says."""

from __future__ import annotations

from cli.demo import ephemeral_system, stage_of
from cli.journey import ACTS, play
from cli.journey.stage import closing


class Listener:
    """Keeps what the journey tells."""

    def __init__(self) -> None:
        self.acts: list[str] = []
        self.steps: list[str] = []

    def act(self, title: str) -> None:
        self.acts.append(title)

    def say(self, what: str) -> None:
        self.steps.append(what)


async def test_one_referral_travels_through_every_part_of_the_suite() -> None:
    told = Listener()

    async with ephemeral_system() as system, closing(stage_of(system, told)) as stage:
        await play(stage)

    assert told.acts == [title for title, _ in ACTS]
    assert "Sami Noor can no longer read the provider's referral" in told.steps
