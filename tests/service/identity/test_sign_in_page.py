"""docs/sign-in.md does what it says: its documents are the ones that are run here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from kit.auth import ANONYMOUS, Viewer
from services.identity.schema import SCHEMA
from tests.service.identity.asking import role
from tests.service.identity.conftest import PASSWORD, Identity, Organization, an_email
from tests.service.identity.proving import App
from tests.service.identity.signing_on import office_with
from tests.support.authenticator import Authenticator
from tests.support.sign_in_service import sign_in_service

PAGE = (Path(__file__).parents[3] / "docs" / "sign-in.md").read_text(encoding="utf-8")
DOCUMENTS = {
    found[2]: found[1]
    for found in re.finditer(r"```graphql\n((?:mutation|query) (\w+).*?)```", PAGE, re.DOTALL)
}


async def run(
    identity: Identity, document: str, viewer: Viewer = ANONYMOUS, **said: object
) -> dict[str, Any]:
    """What a document of the page answers."""
    return await identity.mutate(DOCUMENTS[document], said or None, viewer)


async def test_the_page_signs_in_with_a_second_factor(
    identity: Identity, here: Organization
) -> None:
    email = an_email()
    await identity.invite(here.admin, email, role("OFFICE_STAFF", here.office))
    await identity.confirm_by_link(email)
    first = await run(identity, "SignIn", email=email, password=PASSWORD)
    viewer = await identity.viewer(first["accessToken"])
    assert (await run(identity, "StartProof", viewer))["challenge"] is None
    assert (await run(identity, "Prove", viewer, password=PASSWORD))["until"]
    started = await run(identity, "StartTotp", viewer)
    app = App(started["secret"])
    added = await run(identity, "AddTotp", viewer, name="Phone", code=app.code(identity, later=-1))
    assert len(added["recoveryCodes"]) == 10

    begun = await run(identity, "SignIn", email=email, password=PASSWORD)
    waiting = await identity.viewer(begun["accessToken"])
    done = await run(identity, "Answer", waiting, code=app.code(identity))

    assert begun["stage"] == "SECOND_FACTOR"
    assert begun["challenge"]["kinds"] == ["TOTP"]
    assert done["stage"] == "FULL"


async def test_the_page_signs_in_with_a_passkey(identity: Identity, here: Organization) -> None:
    email, key = an_email(), Authenticator()
    await identity.invite(here.admin, email, role("OFFICE_STAFF", here.office))
    viewer = await identity.confirm(email)
    started = await run(identity, "StartPasskey", viewer)
    await run(identity, "AddPasskey", viewer, name="Key", credential=key.create(started["options"]))

    begun = await run(identity, "SignIn", email=email, password=PASSWORD)
    waiting = await identity.viewer(begun["accessToken"])
    said = key.get(begun["challenge"]["passkeyOptions"])

    assert (await run(identity, "Answer", waiting, passkey=said))["stage"] == "FULL"


async def test_the_page_signs_in_at_a_sign_in_service(
    identity: Identity, here: Organization
) -> None:
    async with sign_in_service() as service:
        office = await office_with(identity, here, service)
        started = await run(identity, "StartSingleSignOn", email=office.email)
        back = service.visit(started["url"])
        done = await run(identity, "FinishSingleSignOn", **back, secret=started["secret"])

    assert done["stage"] == "FULL"


def test_every_name_on_the_page_is_one_of_the_schemas() -> None:
    words = set(re.findall(r"`([a-z]+[A-Z]\w+)`", PAGE)) - {"toJSON", "sessionStorage"}
    schema = SCHEMA.as_str()

    assert sorted(word for word in words if not re.search(rf"\b{word}\b", schema)) == []
