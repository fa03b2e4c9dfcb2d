"""Cards from manuals: drafted for a person, added by one, and found by whoever runs already."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from edgewright.edge_runtime.keys import digest
from edgewright.tools.cards import CardRegistry
from edgewright.tools.federated.serving.installed import installed_at
from edgewright.tools.library import known_cards

MANUAL = b"""# Weather station WS-2
The sensor measures air temperature and relative humidity.
Measurement range of the temperature: -40 C to 85 C.
Interface: I2C.
"""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))


async def test_a_card_is_drafted_and_added_once_it_is_approved(
    connect: Callable[..., httpx.AsyncClient], session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All requests of all cards would take a minute.
    other = known_cards().get("image-classification")
    few = other.model_copy(update={"demonstrations": other.demonstrations[:6]})
    some = CardRegistry([few])
    monkeypatch.setattr("edgewright.servers.console.cards.known_cards", lambda: some)
    refreshed = []

    async def refresh() -> None:
        refreshed.append(installed_at())

    session.services.refresh = refresh
    client = connect()
    before = installed_at()
    path = "/console/api/cards"
    drafted = await client.post(f"{path}/drafts?name=../<b>.md", content=MANUAL)
    card, facts = drafted.json()["card"], drafted.json()["facts"]
    assert "/" not in drafted.json()["manual"]
    assert "<" not in drafted.json()["manual"]
    assert any("temperature" in fact["quote"] for fact in facts)
    assert card["id"] not in known_cards()
    compared = (await client.post(f"{path}/comparisons", json=card)).json()
    assert compared["card"] == card["id"]
    assert isinstance(compared["passed"], bool)

    added = await client.post(path, json={**card, "title": "Our weather"})
    assert (added.status_code, added.json()["id"]) == (201, card["id"])
    assert known_cards().get(card["id"]).title == "Our weather"
    assert refreshed == [installed_at()] != [before]
    monkeypatch.setattr("edgewright.servers.console.cards.known_cards", known_cards)
    again = await client.post(path, json=card)
    assert again.json()["code"] == "card_exists"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("manual.exe", b"MZ", "unsupported_manual"),
        ("manual.txt", b"\n", "manual_empty"),
        ("manual.txt", b"A chair has four legs.", "nothing_sensed"),
    ],
)
async def test_what_is_no_manual_is_refused(
    connect: Callable[..., httpx.AsyncClient], name: str, content: bytes, code: str
) -> None:
    refused = await connect().post(f"/console/api/cards/drafts?name={name}", content=content)
    assert refused.json()["code"] == code


async def test_adding_needs_the_scope_and_json(connect: Callable[..., httpx.AsyncClient]) -> None:
    keys = [
        {"name": scope, "sha256": digest(scope.encode()), "scopes": [scope]}
        for scope in ("infer", "admin")
    ]
    client = connect(keys=keys)
    for path in ("/console/api/cards", "/console/api/cards/drafts"):
        refused = await client.post(path, headers={"Authorization": "Bearer infer"})
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    admin = {"Authorization": "Bearer admin", "Content-Type": "text/plain"}
    form = await client.post("/console/api/cards", headers=admin, content="{}")
    assert form.json()["code"] == "unsupported_media_type"
