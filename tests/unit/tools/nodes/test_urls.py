"""URLs of nodes are checked before anything is sent."""

import pytest

from edgewright.tools.errors import InputError
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.urls import checked_url


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
