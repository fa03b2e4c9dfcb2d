"""What is too old goes, and then the oldest of what is too much."""

from hypothesis import given
from hypothesis import strategies as st

from edgewright.tools.storage.limits import REMAINING, Stored, surplus

things = st.lists(
    st.builds(
        Stored,
        used_at=st.floats(0, 100),
        name=st.text("abc", min_size=1, max_size=3),
        bytes=st.integers(0, 100),
    ),
    unique_by=lambda each: each.name,
)


@given(things, st.integers(1, 500), st.floats(0, 100), st.sets(st.sampled_from("abc")))
def test_limits_hold_and_what_is_needed_stays(stored, max_bytes, expired_at, needed):
    def is_needed(each):
        return each.name in needed

    removed = surplus(stored, max_bytes=max_bytes, expired_at=expired_at, needed=is_needed)
    kept = [each for each in stored if each not in removed]
    free = [each for each in kept if not is_needed(each)]
    assert not any(is_needed(each) for each in removed)
    assert all(each.used_at >= expired_at for each in free)
    assert removed == sorted(removed)
    if sum(each.bytes for each in stored) > max_bytes:
        assert not free or sum(each.bytes for each in kept) <= REMAINING * max_bytes
    elif kept and removed:
        assert max(removed).used_at < expired_at or not free
