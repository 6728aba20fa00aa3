from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.tools.answers import Scored
from engine.tools.trials import Trial, TrialKey, pack_transcript, unpack_transcript

KEY = TrialKey("demo", "fast-small", "weather_1", 0)

_texts = st.text(st.characters(exclude_categories=()), max_size=20)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(_texts, _json, max_size=3))
def test_a_transcript_comes_back_whole_even_with_broken_characters(transcript: dict) -> None:  # type: ignore[type-arg]
    assert unpack_transcript(pack_transcript(transcript)) == transcript


@pytest.mark.parametrize(
    ("trial", "passed"),
    [
        (Trial(KEY, "scored", scored=Scored(passed=True, error_type=None)), True),
        (Trial(KEY, "scored", scored=Scored(passed=False, error_type="no_call")), False),
        (Trial(KEY, "infrastructure", error="timeout"), None),
    ],
)
def test_only_a_scored_trial_passes_or_fails(trial: Trial, passed: bool | None) -> None:
    assert trial.passed is passed
