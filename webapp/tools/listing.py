"""What the page of a suite lists: cases with search, category and pages; tools; versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from engine.tools.notes import suite_notes
from webapp.models import SuiteRow, SuiteVersion
from webapp.tools import store

PAGE_SIZE = 50
NOTED_MAX = 1_000
KINDS = {"calls": "calls", "none": "no call", "any": "any call", "state": "end state"}


class CaseLine(NamedTuple):
    """A case in the list; `place` counts from 1 in the suite."""

    place: int
    id: str
    prompt: str
    expected: str
    category: str


def context(
    row: SuiteRow, shown: SuiteVersion, tab: str, args: Mapping[str, str]
) -> dict[str, Any]:
    """What the templates of a tab need."""
    content = shown.content
    found: dict[str, Any] = {"content": content, "old": shown.number != row.number}
    if tab == "versions":
        return found | {"versions": store.versions(row)}
    if tab == "tools":
        return found
    q, category = args.get("q", "").strip(), args.get("category", "")
    lines = [line(place, case) for place, case in enumerate(content.get("cases", ()), 1)]
    chosen = [one for one in lines if _fits(one, q.lower().split(), category)]
    last = max(1, -(-len(chosen) // PAGE_SIZE))
    page = min(max(1, _number(args.get("page", ""))), last)
    return found | {
        "lines": chosen[(page - 1) * PAGE_SIZE : page * PAGE_SIZE],
        "matching": len(chosen),
        "total": len(lines),
        "q": q,
        "category": category,
        "categories": sorted(Counter(one.category for one in lines if one.category).items()),
        "page": page,
        "last": last,
    }


class Noted(NamedTuple):
    """A case that no answer passes by the studio's rules, and why."""

    place: int
    id: str
    sentence: str


def noted(shown: SuiteVersion) -> list[Noted]:
    """Such cases of a suite that is small enough to be looked at for a page."""
    if len(shown.content.get("cases", ())) > NOTED_MAX:
        return []
    suite = store.suite_of(shown)
    found: dict[int, Noted] = {}
    for path, sentence in suite_notes(suite).items():
        index = int(path.split(".")[1])
        found.setdefault(index, Noted(index + 1, suite.cases[index].id, sentence))
    return list(found.values())


def line(place: int, case: Mapping[str, Any]) -> CaseLine:
    """A case as one line."""
    return CaseLine(place, case["id"], asked(case), expected(case), case.get("category", ""))


def asked(case: Mapping[str, Any]) -> str:
    """What a case asks: its prompt, or the last thing the user says in it."""
    if case.get("prompt"):
        return str(case["prompt"])
    said = [m.get("content") for m in case.get("messages", ()) if m.get("role") == "user"]
    return str(said[-1]) if said else ""


def expected(case: Mapping[str, Any]) -> str:
    """What a case expects, in a few words: "get_weather, get_time", "no call"."""
    expect = case["expect"]
    if expect["kind"] != "calls":
        return KINDS[expect["kind"]]
    first, *others = expect["alternatives"]
    names = ", ".join(call["name"] for call in first)
    return f"{names} (or {len(others)} other)" if others else names


def _fits(one: CaseLine, words: list[str], category: str) -> bool:
    text = f"{one.id} {one.prompt} {one.expected}".lower()
    return (not category or one.category == category) and all(word in text for word in words)


def _number(text: str) -> int:
    return int(text[:9]) if text.isascii() and text.isdecimal() else 1
