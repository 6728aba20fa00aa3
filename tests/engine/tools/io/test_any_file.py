"""Whatever a file holds, an import ends with a suite or with a sentence."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.tools.io import FORMATS, ImportProblem, Source, import_suite
from engine.tools.io.studio import lean
from engine.tools.samples import sample_suite

KEYS = st.sampled_from(
    "id question ground_truth function name parameters description type properties required role "
    "content tools messages cases format expect kind alternatives arguments values chain turns "
    "initial_config involved_classes path excluded_function $ref $defs items match pattern".split()
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=6),
    st.sampled_from(
        ["user", "dict", "object", "f(x=1)", "f(", "calls", "none", "studio.suite/1", "simple_0",
         "multi_turn_base_0", "irrelevance_1", "function", "regex", "#/$defs/a"]
    ),
)  # fmt: skip
ANYTHING = st.recursive(
    LEAVES,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(KEYS, part, max_size=5),
    max_leaves=25,
)
SHAPES = st.one_of(
    ANYTHING,
    st.fixed_dictionaries({"id": LEAVES, "question": ANYTHING, "function": ANYTHING}),
    st.fixed_dictionaries(
        {"id": st.just("simple_0"), "question": st.just("x"), "ground_truth": ANYTHING}
    ),
    st.fixed_dictionaries(
        {
            "id": st.just("multi_turn_base_0"),
            "question": st.just([[{"role": "user", "content": "x"}]]),
            "ground_truth": st.lists(st.lists(ANYTHING, max_size=2), max_size=2),
            "involved_classes": ANYTHING,
            "path": ANYTHING,
        }
    ),
    st.fixed_dictionaries({"tools": ANYTHING, "messages": ANYTHING}),
    st.fixed_dictionaries({"name": st.just("s"), "tools": ANYTHING, "cases": ANYTHING}),
)


def ends_well(data: bytes, form: str | None) -> None:
    """Anything but an ImportProblem comes through."""
    with suppress(ImportProblem):
        import_suite([Source("any", data)], form=form, check=True)


@settings(max_examples=40, deadline=None)
@given(st.lists(SHAPES, min_size=1, max_size=3), st.sampled_from([None, *FORMATS]))
def test_any_json_is_a_suite_or_a_sentence(items: list[Any], form: str | None) -> None:
    whole = items[0] if len(items) == 1 else items
    ends_well(json.dumps(whole, indent=1).encode(), form)
    ends_well("\n".join(json.dumps(item) for item in items).encode(), form)


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=60), st.sampled_from([None, *FORMATS]))
def test_any_bytes_are_a_sentence(data: bytes, form: str | None) -> None:
    ends_well(data, form)


def places(part: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in a document."""
    inside = part.items() if isinstance(part, dict) else enumerate(part)
    found = []
    for key, value in inside:
        found.append((*path, key))
        if isinstance(value, dict | list):
            found += places(value, (*path, key))
    return found


SAMPLE = lean(sample_suite())
SMALL = SAMPLE | {"cases": [c for c in SAMPLE["cases"] if c["category"] in ("turns", "state")]}


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(places(SMALL)), ANYTHING)
def test_a_suite_with_one_value_changed_is_a_suite_or_a_sentence(
    path: tuple[Any, ...], value: Any
) -> None:
    changed = copy.deepcopy(SMALL)
    part: Any = changed
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    ends_well(json.dumps(changed).encode(), "studio")
