"""Samples keep their arrival times without loss."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.samples import Arrival, pack_arrivals, unpack_arrivals

ARRIVALS = st.lists(
    st.builds(Arrival, st.integers(-(2**40), 2**62), st.integers(0, 2**32 - 1)), max_size=60
)


@given(ARRIVALS)
def test_packing_loses_nothing(arrivals: list[Arrival]) -> None:
    assert unpack_arrivals(pack_arrivals(tuple(arrivals))) == tuple(arrivals)


def test_a_steady_stream_packs_small() -> None:
    steady = tuple(Arrival(100_000_000 + 10_000_000 * index, 1) for index in range(1000))
    assert len(pack_arrivals(steady)) < 200


@given(ARRIVALS, st.integers(-3, 3))
def test_what_comes_back_behaves_like_the_tuple_it_was(arrivals: list[Arrival], start: int) -> None:
    there, back = tuple(arrivals), unpack_arrivals(pack_arrivals(tuple(arrivals)))
    assert (len(back), tuple(back), hash(back)) == (len(there), there, hash(there))
    assert back[start:] == there[start:]
    assert back == unpack_arrivals(pack_arrivals(back))
    assert back != (*there, Arrival(0, 1))
