"""Prompts of a benchmark: the question, and filler up to a context tier.

Every prompt begins with its own nonce and its own shuffle of mixed material, so that no
prefix cache can answer for the model (measurement.md, section 4).
"""

from __future__ import annotations

import hashlib
import json
import random

from engine.llm.tokens import count_tokens, cut_to_tokens
from engine.samples import SampleKey

_SUBJECTS = "harbour orchard archive bakery railway clinic library foundry vineyard depot".split()
_VERBS = "records counts repairs delivers measures sorts stores inspects plans compares".split()
_OBJECTS = "crates ledgers lamps tickets samples letters engines barrels maps parcels".split()
_WHEN = ["before dawn", "every Tuesday", "in late autumn", "after the audit", "during storms"]
_NAMES = "Ada Bela Chen Dara Emil Fatou Goran Hana Ivo Jun Kofi Lena".split()


def build_prompt(prompt: str, tier: int, key: SampleKey, seed: int) -> str:
    """The user message of one sample: nonce, filler of about `tier` tokens, the question.

    The nonce and the shuffle follow from seed and key, so a run can be repeated exactly.
    With tier 0 there is no filler, and the nonce alone keeps prefix caches out.
    """
    nonce = _nonce(key, seed)
    return prompt_with(nonce, prompt, tier, random.Random(nonce))


def prompt_with(nonce: str, prompt: str, tier: int, shuffle: random.Random) -> str:
    """The same with a given nonce and shuffle, for a load generator that puts in a nonce of
    its own for each request."""
    if tier == 0:
        return f"[{nonce}]\n{prompt}"
    material = _material(shuffle, tier)
    head = f"[{nonce}]\nReference material, in no particular order:\n\n"
    tail = f"\n\nThe material ends here.\n{prompt}"
    room = tier - count_tokens(head) - count_tokens(tail)
    return head + cut_to_tokens(material, max(0, room)) + tail


def _nonce(key: SampleKey, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{key}".encode()).hexdigest()[:16]


def _material(rng: random.Random, tokens: int) -> str:
    """At least `tokens` tokens of prose, code, JSON and tables in random order."""
    kinds = (_prose, _code, _json, _table)
    blocks: list[str] = []
    counted = 0
    while counted < tokens:
        block = rng.choice(kinds)(rng)
        blocks.append(block)
        counted += count_tokens(block)
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
