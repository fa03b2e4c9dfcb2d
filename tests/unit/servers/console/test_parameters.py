"""Parameters of the query, and numbers in headers, that are not what a route expects."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

Connect = Callable[..., httpx.AsyncClient]


@pytest.mark.parametrize("after", ["abc", "-1", "1.5", "", "1" * 5000, "2000000000"])
@pytest.mark.parametrize("kind", ["requests", "trainings"])
async def test_a_parameter_that_is_no_number_of_events_is_a_problem(
    connect: Connect, kind: str, after: str
) -> None:
    refused = await connect().get(f"/console/api/{kind}/0/events", params={"after": after})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_parameter")
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["detail"].startswith("after: ")


async def test_a_parameter_that_is_missing_is_a_problem(connect: Connect) -> None:
    refused = await connect().post("/console/api/cards/drafts", content=b"manual")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_parameter")


@pytest.mark.parametrize("last", ["abc", "-1", "9" * 5000])
async def test_an_event_id_of_elsewhere_begins_at_the_beginning(
    connect: Connect, last: str
) -> None:
    client = connect()
    asked = (await client.post("/console/api/requests", json={"text": "what?"})).json()
    path = f"/console/api/requests/{asked['exchange']['id']}/events"
    events = await client.get(path, headers={"Last-Event-ID": last})
    assert events.text.startswith("id: 1\n")
