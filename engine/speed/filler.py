"""Prompts of a benchmark: the question, and filler up to a context tier.

Every prompt begins with its own nonce and its own shuffle of mixed material, so that no
prefix cache can answer for the model (measurement.md, section 4).
"""

from __future__ import annotations

import json
import random

from engine.llm.tokens import ESTIMATE, Encoding, count_tokens, cut_to_tokens
from engine.speed.recall import Fact

_SUBJECTS = "harbour orchard archive bakery railway clinic library foundry vineyard depot".split()
_VERBS = "records counts repairs delivers measures sorts stores inspects plans compares".split()
_OBJECTS = "crates ledgers lamps tickets samples letters engines barrels maps parcels".split()
_WHEN = ["before dawn", "every Tuesday", "in late autumn", "after the audit", "during storms"]
_NAMES = "Ada Bela Chen Dara Emil Fatou Goran Hana Ivo Jun Kofi Lena".split()


# Up to this size a token or two of rounding is made good by cutting once more.
_EXACT_TOKENS = 2_000


def prompt_with(
    nonce: str,
    prompt: str,
    tier: int,
    shuffle: random.Random,
    encoding: Encoding = ESTIMATE,
    fact: Fact | None = None,
) -> str:
    """A user message of `tier` tokens: nonce, filler in the order of `shuffle`, and `prompt`.

    With tier 0 there is no filler, and the nonce alone keeps prefix caches out. A `fact` is
    hidden in the filler and asked for before the prompt.
    """
    if tier == 0:
        return f"[{nonce}]\n{prompt}"
    asked = f"{fact.question}\n{prompt}" if fact else prompt
    return _filled(
        f"[{nonce}]\nReference material, in no particular order:\n\n",
        f"\n\nThe material ends here.\n{asked}",
        tier,
        shuffle,
        encoding,
        fact,
    )


def synthetic_prompt(
    nonce: str, tokens: int, shuffle: random.Random, encoding: Encoding = ESTIMATE
) -> str:
    """A user message of `tokens` tokens that asks for a long text; never shorter than its
    nonce."""
    return _filled(f"[{nonce}]\n", "\n\nGo on in this style.", tokens, shuffle, encoding, None)


def _filled(
    head: str,
    tail: str,
    tokens: int,
    shuffle: random.Random,
    encoding: Encoding,
    fact: Fact | None,
) -> str:
    hidden = f"\n\n{fact.statement}\n\n" if fact else ""
    around = count_tokens(head + tail + hidden, encoding)
    room = max(0, tokens - around)
    material = _material(shuffle, room, encoding)

    def filled(room: int) -> str:
        text = cut_to_tokens(material, max(0, room), encoding)
        return head + (_hide(text, hidden, fact.depth) if fact else text) + tail

    whole = filled(room)
    if room and tokens <= _EXACT_TOKENS:
        whole = filled(room + tokens - count_tokens(whole, encoding))
    return whole


def _hide(material: str, hidden: str, depth: float) -> str:
    """`hidden` between two blocks of the material, or two words of a short one."""
    at = int(depth * len(material))
    found = next((i for sep in ("\n\n", " ") if (i := material.find(sep, at)) >= 0), at)
    return material[:found] + hidden + material[found:].lstrip()


def _material(rng: random.Random, tokens: int, encoding: Encoding) -> str:
    """At least `tokens` tokens of prose, code, JSON and tables in random order."""
    kinds = (_prose, _code, _json, _table)
    blocks: list[str] = []
    counted = 0
    while counted < tokens:
        block = rng.choice(kinds)(rng)
        blocks.append(block)
        counted += count_tokens(block, encoding)
    return "\n\n".join(blocks)


def _sentence(rng: random.Random) -> str:
    return (
        f"The {rng.choice(_SUBJECTS)} {rng.choice(_VERBS)} {rng.randint(2, 990)} "
        f"{rng.choice(_OBJECTS)} {rng.choice(_WHEN)}, says {rng.choice(_NAMES)}."
    )


def _prose(rng: random.Random) -> str:
    return " ".join(_sentence(rng) for _ in range(rng.randint(4, 9)))


def _code(rng: random.Random) -> str:
    name = f"{rng.choice(_VERBS)}_{rng.choice(_OBJECTS)}"
    lines = [f"def {name}(stock, limit={rng.randint(3, 80)}):", "    total = 0"]
    lines += [
        f"    total += stock.get({rng.choice(_OBJECTS)!r}, {rng.randint(0, 9)}) "
        f"* {rng.randint(2, 19)}"
        for _ in range(rng.randint(2, 5))
    ]
    return "\n".join([*lines, "    return min(total, limit)"])


def _json(rng: random.Random) -> str:
    rows = [
        {"id": rng.randint(1000, 9999), "owner": rng.choice(_NAMES), "item": rng.choice(_OBJECTS)}
        for _ in range(rng.randint(3, 6))
    ]
    return json.dumps({"place": rng.choice(_SUBJECTS), "rows": rows})


def _table(rng: random.Random) -> str:
    lines = ["| place | item | count |", "|---|---|---|"]
    lines += [
        f"| {rng.choice(_SUBJECTS)} | {rng.choice(_OBJECTS)} | {rng.randint(1, 5000)} |"
        for _ in range(rng.randint(3, 7))
    ]
    return "\n".join(lines)
