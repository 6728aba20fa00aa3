"""Which models the form lists, and what ticking a provider changes."""

from __future__ import annotations

from dataclasses import replace

from tests.webapp.benchmark.builders import TARGETS
from webapp.benchmark import choices

FAST, SLOW, _ = TARGETS
KEYLESS = replace(FAST, provider="openai", model="gpt", label="GPT", provider_label="OpenAI",
                  problem="OpenAI has no key. Add one in Settings → API keys.")  # fmt: skip
EVERY = (FAST, SLOW, KEYLESS)


def shown(search: str = "", ticked: frozenset[str] = frozenset()) -> dict[str, list[str]]:
    found = choices.groups(EVERY, ticked, search)
    return {group.key: [choice.value for choice in group.choices] for group in found}


def test_models_stand_under_their_provider_in_the_users_order() -> None:
    assert shown() == {"demo": ["demo/fast-small", "demo/slow-large"], "openai": ["openai/gpt"]}


def test_search_matches_names_and_providers_with_all_words() -> None:
    assert shown("FAST") == {"demo": ["demo/fast-small"]}
    assert shown("openai") == {"openai": ["openai/gpt"]}
    assert shown("demo large") == {"demo": ["demo/slow-large"]}
    assert shown("nothing like it") == {}


def test_what_is_ticked_stays_in_sight_while_searching() -> None:
    assert shown("gpt", frozenset({"demo/slow-large"})) == {
        "demo": ["demo/slow-large"],
        "openai": ["openai/gpt"],
    }


def test_a_provider_without_a_key_says_so_once() -> None:
    demo, openai = choices.groups(EVERY, ())
    assert demo.problem is None
    assert openai.problem == KEYLESS.problem


def test_select_all_ticks_what_is_shown_and_can_be_asked() -> None:
    ticked = frozenset({"hub/kept"})
    found = choices.groups(EVERY, ticked, "fast")
    assert choices.tick(ticked, found, {"demo": True}) == {"hub/kept", "demo/fast-small"}
    every = choices.groups(EVERY, ticked)
    assert choices.tick(ticked, every, {"openai": True}) == ticked


def test_select_none_leaves_other_providers_alone() -> None:
    ticked = frozenset({"demo/fast-small", "demo/slow-large", "hub/kept"})
    assert choices.tick(ticked, choices.groups(EVERY, ticked), {"demo": False}) == {"hub/kept"}
