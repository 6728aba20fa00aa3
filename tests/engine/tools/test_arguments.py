from __future__ import annotations

from typing import Any

import pytest

from engine.tools.arguments import read_arguments


@pytest.mark.parametrize(
    ("raw", "arguments"),
    [
        ('{"city": "Oslo", "days": 3}', {"city": "Oslo", "days": 3}),
        ("", {}),
        (" \n", {}),
        ('{"text": "' + "[" * 500 + '"}', {"text": "[" * 500}),
    ],
)
def test_an_object_is_read(raw: str, arguments: dict[str, Any]) -> None:
    assert read_arguments(raw) == arguments


@pytest.mark.parametrize(
    "raw",
    [
        '{"city": "Oslo"',
        "null",
        '["Oslo"]',
        '"{}"',
        '{"x": NaN}',
        '{"x": -Infinity}',
        '{"x": 1e999}',
        '{"x": ' + "9" * 5_000 + "}",
        '{"a":' * 100 + "1" + "}" * 100,
        "[" * 100_000,
    ],
)
def test_whatever_else_is_malformed(raw: str) -> None:
    assert read_arguments(raw) is None
