"""The tokens of the look: enough contrast in both themes, and nothing chosen elsewhere."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

CSS = Path(__file__).parents[2] / "static" / "css"
TOKEN = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")
AA_TEXT, AA_GRAPHICS = 4.5, 3.0
GROUNDS = ("bg", "surface", "sunken")
TEXTS = [
    *product(("ink", "muted", "faint", "accent", "bad", "ok", "warn"), GROUNDS),
    *((word, f"{word}-soft") for word in ("ok", "warn", "bad", "accent")),
    ("accent-ink", "accent"),
]
GRAPHICS = list(product((f"d{i}" for i in range(1, 9)), ("bg", "surface")))


def colours(theme: int) -> dict[str, str]:
    return {
        found[1]: found[2 + theme] for found in TOKEN.finditer((CSS / "tokens.css").read_text())
    }


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read_on_every_ground(theme: int) -> None:
    known = colours(theme)

    low = {
        (text, ground): round(found, 2)
        for text, ground in TEXTS
        if (found := contrast(known[text], known[ground])) < AA_TEXT
    }

    assert low == {}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_data_colours_stand_out_from_the_paper(theme: int) -> None:
    known = colours(theme)

    assert {
        pair for pair in GRAPHICS if contrast(known[pair[0]], known[pair[1]]) < AA_GRAPHICS
    } == set()


def test_colours_are_chosen_among_the_tokens_only() -> None:
    for file in sorted(CSS.glob("*.css")):
        if file.name != "tokens.css":
            assert re.search(r"#[0-9a-fA-F]{3,8}\b(?!-)", strip_ids(file)) is None, file.name


def strip_ids(file: Path) -> str:
    """The declarations of a file, without its selectors."""
    return " ".join(re.findall(r":\s[^;{}]+;", file.read_text()))


def test_every_file_a_page_names_is_there(app: Flask, nobody: FlaskClient) -> None:
    page = nobody.get("/").text
    named = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)

    assert len(named) >= 8
    for url in named:
        if "/vendor/" not in url:  # copied by the set-up, from packages
            with nobody.get(url) as answer:
                assert answer.status_code == 200, url


def test_the_layers_are_in_order_before_any_of_them_is_used(nobody: FlaskClient) -> None:
    first = re.search(r"@layer [^{;]+;", (CSS / "tokens.css").read_text())

    assert first is not None
    assert first[0] == "@layer tokens, base, layout, components, pages;"
    page = nobody.get("/").text
    assert page.index("tokens.css") < page.index("base.css") < page.index("components.css")
