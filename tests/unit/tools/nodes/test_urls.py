"""URLs of nodes are checked before anything is sent."""

import base64

import httpx
import pytest

from edgewright.tools.errors import InputError, LinkError
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.urls import checked_url, shown_url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://::1:8791", "brackets"),
        ("http://[::1", "brackets"),
        ("http://127.0.0.1:99999", "URL of a node"),
        ("http://127.0.0.1:port", "URL of a node"),
        ("127.0.0.1:8760", "must begin with http://"),
        ("nonsense", "must begin with http://"),
        ("ftp://host", "must begin with http://"),
        ("http://", "names no host"),
        ("http://\x00", "URL of a node"),
        ("", "must begin with http://"),
    ],
)
def test_a_malformed_url_is_a_clear_error(url: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        NodeClient(url)
    assert caught.value.info().code == "invalid_url"


def test_usual_urls_are_accepted() -> None:
    for url in ("http://[::1]:8760/", " https://edge.example/base ", "http://127.0.0.1:1"):
        assert checked_url(url) == url.strip().rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://user:s3cret@edge.example:8761",
        "http://user:s3cret@edge.example:99999",
        "http://user:s3cret@",
        "ftp://user:s3cret@edge.example",
        "http://user:s3cret@::1:8760",
        "http://user:a/s3cret@edge.example",
        "http://user:a#s3cret@edge.example",
        "http://user:a?s3cret@edge.example",
        "http://user:a@s3cret@edge.example",
        "http://user:8760s3cret\n@edge.example",
        "http://s3cret@edge.example",
        "//user:s3cret@edge.example",
        "http://edge.example/v1?key=s3cret&more=s3cret#part",
    ],
)
def test_a_password_in_a_url_is_never_shown(url: str) -> None:
    assert "s3cret" not in shown_url(url)
    assert "edge.example" in shown_url(url) or "edge.example" not in url
    try:
        assert "s3cret" not in NodeClient(url).url
    except InputError as error:
        assert "s3cret" not in error.message


def test_a_url_without_a_password_is_shown_as_it_is() -> None:
    for url in ("http://[::1]:8760", "https://edge.example/a", "models/vit", "a@b", "x?y", ""):
        assert shown_url(url) == url


async def test_a_password_in_a_url_is_sent_to_a_proxy_before_the_node() -> None:
    sent = []

    def respond(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["Authorization"])
        raise httpx.ConnectError("refused")

    client = NodeClient("http://user:s3cret@edge.example", transport=httpx.MockTransport(respond))
    async with client:
        with pytest.raises(LinkError) as caught:
            await client.tools()
    assert sent == ["Basic " + base64.b64encode(b"user:s3cret").decode()]
    assert "s3cret" not in caught.value.message
