"""API keys and scopes."""

import pytest

from edgewright.edge_runtime.config import ApiKey, Scope
from edgewright.edge_runtime.keys import ALL_SCOPES, Caller, KeyRing, digest, new_key
from edgewright.tools.errors import AuthenticationError, ScopeError


def _ring(*scopes: Scope) -> tuple[KeyRing, bytes]:
    key, sha256 = new_key()
    other = ApiKey(name="other", sha256=digest(b"other"), scopes=frozenset({"infer"}))
    mine = ApiKey(name="mine", sha256=sha256, scopes=frozenset(scopes), weight=2.0)
    return KeyRing([other, mine]), b"Bearer " + key.encode()


def test_a_known_key_with_the_scope_passes() -> None:
    ring, presented = _ring("infer", "admin")
    expected = Caller("mine", weight=2.0, scopes=frozenset({"infer", "admin"}))
    assert ring.check(presented, "admin", "10.0.0.1") == expected


def test_a_node_without_keys_asks_for_none() -> None:
    caller = KeyRing([]).check(None, "admin", "10.0.0.1")
    assert caller == Caller("10.0.0.1", scopes=ALL_SCOPES)
    assert {"infer", "artifacts", "train", "admin"} == ALL_SCOPES


@pytest.mark.parametrize("presented", [None, b"", b"Bearer ", b"Basic abc", b"Bearer"])
def test_no_key_is_refused(presented: bytes | None) -> None:
    ring, _ = _ring("infer")
    with pytest.raises(AuthenticationError) as raised:
        ring.check(presented, "infer", "")
    assert raised.value.info().code == "key_missing"


def test_an_unknown_key_is_refused() -> None:
    ring, presented = _ring("infer")
    with pytest.raises(AuthenticationError) as raised:
        ring.check(presented + b"x", "infer", "")
    assert raised.value.info().code == "key_unknown"


def test_a_key_without_the_scope_is_refused() -> None:
    ring, presented = _ring("infer")
    with pytest.raises(ScopeError, match="admin"):
        ring.check(presented, "admin", "")
    caller = ring.check(presented, "infer", "")
    with pytest.raises(ScopeError, match="this key may not train: it needs the scope 'train'"):
        caller.require("train")
    with pytest.raises(ScopeError):
        Caller("whoever").require("infer")
