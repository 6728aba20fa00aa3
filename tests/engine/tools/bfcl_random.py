"""Cases of the leaderboard's kind and answers to them, seeded: right ones, and ones with a
fault or two of every sort."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.tools.answers import Answer, Call
from engine.tools.io.bfcl_cases import argument
from engine.tools.io.bfcl_types import to_json_schema
from engine.tools.suites import Case, ExpectCalls, ExpectedCall, Suite, Tool

Json = dict[str, Any]
WORDS = [
    "New York", "new-york", "N.Y.", "Oslo", "it's", 'it"s', "a, b", "A/B*", "x^2", "ab", "1.5",
    "15", "-", "Ünïcode", "", " ", "kWh", "2024-03-05",
]  # fmt: skip
NUMBERS = [0, 1, 2, 15, -3, 10**20]
FLOATS = [0.0, 1.0, 1.5, 15.0, -3.0, 2.0]
SCALARS = ["string", "integer", "float", "boolean", "any"]
CATEGORIES = [
    "simple", "live_simple", "multiple", "live_multiple", "parallel", "parallel_multiple",
    "live_parallel_multiple", "simple_python",
]  # fmt: skip


@dataclass(frozen=True)
class Question:
    """A question as the files have it, and an answer's calls as `{name: arguments}`."""

    category: str
    functions: list[Json]
    truths: list[Json]
    calls: list[Json]

    def case(self, case_id: str = "c") -> tuple[Case, Suite]:
        tools = tuple(
            Tool(
                name=f["name"],
                parameters=to_json_schema(f["parameters"]),
                original=f["parameters"],
            )
            for f in self.functions
        )
        expected = tuple(
            ExpectedCall(name=name, arguments={key: argument(v) for key, v in allowed.items()})
            for truth in self.truths
            for name, allowed in truth.items()
        )
        expect = ExpectCalls(alternatives=(expected,))
        case = Case(id=case_id, prompt="?", expect=expect, tools=tools, category=self.category)
        return case, Suite(name="B", cases=(case,))

    def answer(self) -> Answer:
        return Answer(tuple(Call(name, args) for c in self.calls for name, args in c.items()))


def questions(count: int, seed: int) -> Iterator[Question]:
    rng = random.Random(seed)
    for _ in range(count):
        yield question(rng)


def question(rng: random.Random) -> Question:
    category = rng.choice(CATEGORIES)
    functions = [function(rng, i) for i in range(rng.randint(1, 3))]
    count = rng.randint(1, 4) if "parallel" in category else 1
    chosen = [rng.choice(functions) for _ in range(count)]
    if "simple" in category and rng.random() < 0.9:
        chosen = functions[:1]
    truths = [truth(rng, item) for item in chosen]
    if len(truths) > 1 and rng.random() < 0.3:
        truths[1] = copy.deepcopy(truths[0])
    calls = [taken(rng, item) for item in truths]
    rng.shuffle(calls)
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        calls = faulty(rng, calls)
    return Question(category, functions, truths, calls)


def function(rng: random.Random, index: int) -> Json:
    names = [f"p{i}" for i in range(rng.randint(0, 4))]
    required = [name for name in names if rng.random() < 0.5]
    properties = {name: parameter(rng) for name in names}
    name = rng.choice(["get", "geo.get", "geo_get", "Get"]) + str(index)
    schema = {"type": "dict", "properties": properties, "required": required}
    return {"name": name, "parameters": schema}


def parameter(rng: random.Random) -> Json:
    kind = rng.choice([*SCALARS, "array", "array", "tuple", "dict", "dict"])
    if kind in ("array", "tuple"):
        return {"type": kind, "items": {"type": rng.choice([*SCALARS, "array", "dict", "dict"])}}
    return {"type": kind}


def truth(rng: random.Random, described: Json) -> Json:
    schema = described["parameters"]
    allowed = {
        name: values(rng, schema["properties"][name], name in schema["required"])
        for name in schema["properties"]
        if name in schema["required"] or rng.random() < 0.8
    }
    return {described["name"]: allowed}


def values(rng: random.Random, schema: Json, required: bool) -> list[Any]:
    found = [truth_value(rng, schema) for _ in range(rng.choice([1, 1, 2, 3]))]
    if rng.random() < 0.08:
        return ["", *rng.sample([None, 5, "variable", True, 1.5], 1)]
    if rng.random() < 0.08 and schema["type"] not in ("array", "tuple", "dict"):
        found.insert(0, scalar(rng, rng.choice(SCALARS)))  # a first value of another type
    if rng.random() < (0.1 if required else 0.5):
        found.insert(rng.randint(0, len(found)), "")
    if rng.random() < 0.03:
        return [""]
    return found


def truth_value(rng: random.Random, schema: Json) -> Any:
    """As the truth lists it: keys of objects hold lists of what is allowed."""
    kind = schema["type"]
    if kind == "dict":
        return truth_object(rng)
    if kind in ("array", "tuple"):
        inner = schema["items"]["type"]
        return [
            truth_value(rng, {"type": inner, "items": {"type": "string"}})
            for _ in range(rng.randint(0, 3))
        ]
    return scalar(rng, kind)


def truth_object(rng: random.Random) -> Json:
    return {
        key: [inner(rng) for _ in range(rng.randint(1, 2))] + [""] * (rng.random() < 0.3)
        for key in rng.sample(["a", "b", "c", "d"], rng.randint(0, 3))
    }


def inner(rng: random.Random) -> Any:
    if rng.random() < 0.15:
        return [scalar(rng, "string"), scalar(rng, "integer")]
    if rng.random() < 0.15:
        return {"deep": scalar(rng, "string")}
    return scalar(rng, rng.choice(SCALARS))


def scalar(rng: random.Random, kind: str) -> Any:
    pools: dict[str, list[Any]] = {
        "integer": NUMBERS, "float": [*FLOATS, *NUMBERS[:4]], "boolean": [True, False],
    }  # fmt: skip
    return rng.choice(pools.get(kind, WORDS[:14]))


def taken(rng: random.Random, item: Json) -> Json:
    """A call that takes one allowed value of each argument."""
    [(name, allowed)] = item.items()
    arguments: Json = {}
    for key, choices in allowed.items():
        kept = [choice for choice in choices if choice != ""]
        if kept and ("" not in choices or rng.random() < 0.6):
            arguments[key] = rewritten(rng, instance(rng, rng.choice(kept)))
    return {name: arguments}


def instance(rng: random.Random, value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: rng.choice([c for c in choices if c != ""] or [""])
            for key, choices in value.items()
            if isinstance(choices, list) and ("" not in choices or rng.random() < 0.6)
        }
    if isinstance(value, list):
        return [
            instance(rng, item) if isinstance(item, dict) else copy.deepcopy(item) for item in value
        ]
    return value


def rewritten(rng: random.Random, value: Any) -> Any:
    """The same to these rules, most of the time: other case and punctuation, 1 for 1.0."""
    if isinstance(value, str) and rng.random() < 0.4:
        quoted = value.replace('"', "'")
        return rng.choice([value.upper(), value.replace(" ", ""), f"{value}.", quoted, f"{value}!"])
    if isinstance(value, float) and value.is_integer() and rng.random() < 0.4:
        return int(value)
    if isinstance(value, list):
        return [rewritten(rng, item) for item in value]
    if isinstance(value, dict):
        return {key: rewritten(rng, item) for key, item in value.items()}
    return value


def faulty(rng: random.Random, calls: list[Json]) -> list[Json]:
    """One thing made otherwise."""
    calls = copy.deepcopy(calls)
    if not calls or rng.random() < 0.08:
        more = [*calls, copy.deepcopy(rng.choice(calls or [{"get0": {}}]))]
        return rng.choice([calls[:-1], more])
    place = rng.randrange(len(calls))
    [(name, arguments)] = calls[place].items()
    kind = rng.choice(["name", "drop", "add", "value", "value", "value", "inside", "inside"])
    if kind == "name":
        name = rng.choice([name.upper(), name.replace(".", "_"), name[:-1] + "0", "other"])
    elif kind == "add":
        arguments[rng.choice(["p0", "p1", "p4", "extra"])] = anything(rng)
    elif arguments:
        key = rng.choice(list(arguments))
        if kind == "drop":
            del arguments[key]
        elif kind == "inside":
            arguments[key] = disturbed(rng, arguments[key])
        else:
            arguments[key] = anything(rng)
    calls[place] = {name: arguments}
    return calls


def anything(rng: random.Random) -> Any:
    return rng.choice([
        rng.choice(WORDS), rng.choice(NUMBERS), rng.choice(FLOATS), True, False, None, [], {},
        [rng.choice(WORDS)], [rng.choice(NUMBERS), rng.choice(FLOATS)], {"a": rng.choice(WORDS)},
        [{"a": 1}], [{}], ["", ""], "",
    ])  # fmt: skip


def disturbed(rng: random.Random, value: Any) -> Any:
    """Nearly the same value."""
    if isinstance(value, list):
        return disturbed_list(rng, [*value])
    if isinstance(value, dict):
        return disturbed_object(rng, {**value})
    swaps: list[Any] = [str(value), [value], anything(rng)]
    if isinstance(value, bool):
        swaps += [int(value), not value]
    elif isinstance(value, int):
        swaps += [float(min(value, 10**6)), value + 1, bool(value)]
    elif isinstance(value, float):
        swaps += [int(value), value + 0.5]
    elif isinstance(value, str):
        swaps += [value.swapcase(), value + "x", value.replace(".", ""), value.replace("'", '"')]
    return rng.choice(swaps)


def disturbed_list(rng: random.Random, value: list[Any]) -> list[Any]:
    if not value:
        return [anything(rng)]
    if rng.random() < 0.7:
        place = rng.randrange(len(value))
        value[place] = disturbed(rng, value[place]) if rng.random() < 0.6 else anything(rng)
        return value
    return rng.choice([[*value, copy.deepcopy(value[0])], value[::-1], value[1:]])


def disturbed_object(rng: random.Random, value: Json) -> Json:
    if not value or rng.random() < 0.3:
        return {**value, rng.choice(["a", "b", "e"]): anything(rng)}
    key = rng.choice(list(value))
    if rng.random() < 0.4:
        del value[key]
    else:
        value[key] = disturbed(rng, value[key])
    return value
