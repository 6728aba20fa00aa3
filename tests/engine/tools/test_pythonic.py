from __future__ import annotations

from typing import Any

import pytest

from engine.tools.pythonic import read_python_calls


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[f(a=1, b="x"), g.h()]', [("f", {"a": 1, "b": "x"}), ("g.h", {})]),
        ("f(a=-1.5)", [("f", {"a": -1.5})]),
        ("(f(), g(a=None))", [("f", {}), ("g", {"a": None})]),
        (
            'f(a=[1, {"k": null}], b=true, c=(1, 2))',
            [("f", {"a": [1, {"k": None}], "b": True, "c": [1, 2]})],
        ),
        (r'f(pattern="\d+\\w\n")', [("f", {"pattern": "\\d+\\w\n"})]),
    ],
)
def test_calls_with_literals_are_read(text: str, found: list[tuple[str, Any]]) -> None:
    assert read_python_calls(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "f('Oslo')",
        "f(a=b)",
        "f(a=open('x'))",
        "f(**{})",
        "f(a={1, 2})",
        "f(a=b'x')",
        "f(a=1e999)",
        "f(a=...)",
        f"f(a={'b+' * 900}b)",
    ],
)
def test_a_call_whose_arguments_are_no_named_literals_is_malformed(text: str) -> None:
    assert read_python_calls(text) == [("f", None)]


@pytest.mark.parametrize(
    "text",
    ["", "hello (", "[1]", "[f(), 1]", "f()()", "lambda: f()", "f(" * 3_000, "f(" + "1" * 30_000],
)
def test_anything_else_is_no_call(text: str) -> None:
    assert read_python_calls(text) is None


def test_text_is_never_run() -> None:
    assert read_python_calls("__import__('os').system('touch /tmp/pwned')") is None
