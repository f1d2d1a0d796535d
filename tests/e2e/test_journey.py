"""The journey of the demonstration, as a test: every act expects what it says."""

from __future__ import annotations

from cli.demo import ephemeral_system, stage_of
from cli.journey import ACTS, play
from cli.journey.care import PATIENTS
from cli.journey.stage import closing
from cli.mail import Letter, letters

MARK = "notice preferences"
"""Words of mail about work, which tells how much is to be done, and of whom nothing."""


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
        await stage.move(2)
        await stage.postbox.letter(stage.people["B staff"].email, _tells_of_outcomes)
        told_by_mail = [one for one in letters(system.folder.mail) if MARK in one.text]

    said = "\n".join(one.subject + one.text for one in told_by_mail)
    assert [name for name in ("Jordan", *PATIENTS) if name in said] == []
    assert told.acts == [title for title, _ in ACTS]
    assert "Sami Noor can no longer read the provider's referral" in told.steps


def _tells_of_outcomes(letter: Letter) -> bool:
    return MARK in letter.text and "news of" in letter.text
