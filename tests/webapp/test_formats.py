"""What templates format beside numbers: times and attributes."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from webapp.formats import html_attributes, when


def test_a_time_is_readable_and_exact() -> None:
    assert when(1_795_442_520.0) == Markup(
        '<time datetime="2026-11-23T14:02:00Z">23 Nov 2026, 14:02 UTC</time>'
    )


def test_a_time_that_is_not_known_is_a_dash() -> None:
    assert when(None) == "–"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, ""),
        ({"min": 1, "inputmode": "numeric"}, ' min="1" inputmode="numeric"'),
        ({"hx_get": "/a?b=1&c=2"}, ' hx-get="/a?b=1&amp;c=2"'),
        ({"autofocus": True, "hidden": False, "title": None, "step": 0}, ' autofocus step="0"'),
        ({"title": '" onload="x'}, ' title="&#34; onload=&#34;x"'),
    ],
)
def test_attributes_are_named_and_escaped(values: dict[str, object], text: str) -> None:
    assert str(html_attributes(values)) == text
