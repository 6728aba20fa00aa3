"""Suites of every shape, for tests that turn them inside out."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

NAMES = st.text("abcdefgh_", min_size=1, max_size=8)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SAID = st.text("some words é☃", min_size=1, max_size=12).filter(str.strip)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False,
        allow_infinity=False) | TEXTS,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(TEXTS, part, max_size=3),
    max_leaves=6,
)  # fmt: skip
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=3)
MATCHERS = st.sampled_from(
    [
        None,
        {"kind": "exact", "trim": False},
        {"kind": "one_of", "values": [1, None, True]},
        {"kind": "fuzzy", "threshold": 1.0},
        {"kind": "regex", "pattern": "a+"},
        {"kind": "numeric", "relative": 0.1},
        {"kind": "set"},
    ]
)
ARGUMENTS = st.fixed_dictionaries(
    {"values": st.lists(VALUES, max_size=2), "match": MATCHERS},
    optional={"optional": st.booleans(), "ignore": st.booleans(), "default_ok": st.booleans()},
)
CALLS = st.fixed_dictionaries(
    {"name": NAMES, "arguments": st.dictionaries(NAMES, ARGUMENTS, max_size=2)},
    optional={"ignore_others": st.booleans()},
)
EXPECTATIONS = st.one_of(
    st.fixed_dictionaries(
        {
            "kind": st.just("calls"),
            "alternatives": st.lists(st.lists(CALLS, min_size=1, max_size=2), min_size=1,
                                     max_size=2),
            "order": st.sampled_from(["any", "strict"]),
        }
    ),
    st.sampled_from([{"kind": "none"}, {"kind": "any"}]),
)  # fmt: skip
CHAINS = st.fixed_dictionaries(
    {
        "turns": st.lists(
            st.fixed_dictionaries({"prompt": SAID, "expect": st.none() | EXPECTATIONS}), max_size=2
        ),
        "state": OBJECTS,
        "mocks": st.lists(
            st.fixed_dictionaries(
                {
                    "tool": NAMES,
                    "responses": st.lists(
                        st.fixed_dictionaries(
                            {"when": OBJECTS, "result": VALUES, "on_call": st.none() | st.just(2)}
                        ),
                        min_size=1,
                        max_size=2,
                    ),
                }
            ),
            max_size=2,
        ),
    }
)
TOOLS = st.fixed_dictionaries(
    {"name": NAMES, "description": TEXTS, "parameters": OBJECTS},
    optional={"strict": st.booleans(), "original": st.none() | OBJECTS},
)
CASES = st.fixed_dictionaries(
    {
        "id": NAMES,
        "prompt": SAID,
        "expect": EXPECTATIONS,
        "chain": st.none() | CHAINS,
        "match": MATCHERS,
        "weight": st.floats(0.5, 10),
    },
    optional={"tags": st.lists(NAMES, max_size=2), "tools": st.just([])},
)


def _distinct(key: str) -> Any:
    return lambda item: item[key]


SUITES = st.fixed_dictionaries(
    {
        "name": SAID,
        "description": TEXTS,
        "tools": st.lists(TOOLS, max_size=3, unique_by=_distinct("name")),
        "cases": st.lists(CASES, max_size=3, unique_by=_distinct("id")),
    }
)
