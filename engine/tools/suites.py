"""Suites: what is asked and what is expected, as one frozen document.

The JSON of this model is the studio's own suite format ("studio.suite/1"); importing,
exporting, the editors and a stored version all build the same object, and validation lives
here and nowhere else. Schemas of tools are looked at in `engine.tools.schemas`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

FORMAT: Literal["studio.suite/1"] = "studio.suite/1"
CASES_MAX = 10_000
TOOLS_MAX = 512
TEXT_MAX = 200_000
ROUNDS_MAX = 20
TRIALS_MAX = 100

Text = Annotated[str, Field(max_length=TEXT_MAX)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Share = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    """Base of all parts: frozen, and unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Tool(Part):
    """A function a model may call. `parameters` is a JSON Schema (2020-12) of an object;
    `original` keeps the schema as it was imported where it had to be mapped (BFCL's types, an
    MCP server's), and rules that speak of the original read it."""

    name: Name
    description: Text = ""
    parameters: dict[str, Any] = Field(default_factory=lambda: {"type": "object"})
    strict: bool = False
    original: dict[str, Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def _unwrapped(cls, data: Any) -> Any:
        """OpenAI's `{"type": "function", "function": {…}}` is read as what it wraps."""
        if isinstance(data, Mapping) and isinstance(data.get("function"), Mapping):
            return dict(data["function"])
        return data

    def as_openai(self) -> dict[str, Any]:
        """The definition as it is sent."""
        function: dict[str, Any] = {
            "name": self.name,
            "description": self.description,
            "parameters": self.parameters,
        }
        if self.strict:
            function["strict"] = True
        return {"type": "function", "function": function}


class Exact(Part):
    """Equal, and of the same type; numbers are equal across int and float. Strings may be
    compared without surrounding space (`trim`) and without case (`fold_case`)."""

    kind: Literal["exact"] = "exact"
    trim: bool = True
    fold_case: bool = False


class OneOf(Part):
    """Any of `values`, compared as `exact` does (the argument's own values count too)."""

    kind: Literal["one_of"] = "one_of"
    values: tuple[Any, ...] = ()


class Fuzzy(Part):
    """rapidfuzz's token-set ratio, 0 to 1, at least `threshold`."""

    kind: Literal["fuzzy"] = "fuzzy"
    threshold: Share = 0.85


class Contains(Part):
    """The value, as text, contains the expected text."""

    kind: Literal["contains"] = "contains"
    fold_case: bool = True


class Regex(Part):
    """The value, as text, matches `pattern` (RE2 syntax, the whole value)."""

    kind: Literal["regex"] = "regex"
    pattern: Annotated[str, Field(min_length=1, max_length=2_000)]


class Numeric(Part):
    """Within `absolute` or within `relative` (a share of the expected value)."""

    kind: Literal["numeric"] = "numeric"
    absolute: Annotated[float, Field(ge=0)] = 0.0
    relative: Annotated[float, Field(ge=0)] = 0.0


class Date(Part):
    """The same instant, however written; without an offset a time is UTC."""

    kind: Literal["date"] = "date"


class SetOf(Part):
    """A list with the same elements in any order, each as often."""

    kind: Literal["set"] = "set"


class ListOf(Part):
    """A list with the same elements in the same order."""

    kind: Literal["list"] = "list"


class Subset(Part):
    """An object that holds at least what is expected, at every depth."""

    kind: Literal["subset"] = "subset"


class Allowed(Part):
    """An object whose keys each hold the list of their allowed values, "" among them where
    the key may be left out (BFCL's form); lists of such objects in the same order."""

    kind: Literal["allowed"] = "allowed"


class Semantic(Part):
    """Cosine of the two texts' embeddings at least `threshold`; asks the evaluation's
    embedding model, or its judge."""

    kind: Literal["semantic"] = "semantic"
    threshold: Share = 0.8


Matcher = Annotated[
    Exact
    | OneOf
    | Fuzzy
    | Contains
    | Regex
    | Numeric
    | Date
    | SetOf
    | ListOf
    | Subset
    | Allowed
    | Semantic,
    Field(discriminator="kind"),
]


class Argument(Part):
    """What an argument must be: one of `values`, as `match` compares (None: as the case says).

    `optional` may be left out; `ignore` may be anything, or absent; `default_ok` may be left
    out when the schema's own default is among the values.
    """

    values: tuple[Any, ...] = ()
    match: Matcher | None = None
    optional: bool = False
    ignore: bool = False
    default_ok: bool = True


class ExpectedCall(Part):
    """A call that is due. Arguments that are not named cost, unless `ignore_others`."""

    name: Name
    arguments: dict[str, Argument] = Field(default_factory=dict)
    ignore_others: bool = False


class ExpectCalls(Part):
    """One of several sets of calls. "strict" order means as listed."""

    kind: Literal["calls"] = "calls"
    alternatives: tuple[Annotated[tuple[ExpectedCall, ...], Field(min_length=1)], ...] = Field(
        min_length=1
    )
    order: Literal["any", "strict"] = "any"


class ExpectNone(Part):
    """No call is due: the tools do not fit the question (irrelevance)."""

    kind: Literal["none"] = "none"


class ExpectAny(Part):
    """Some call is due, whichever (relevance)."""

    kind: Literal["any"] = "any"


class ExpectState(Part):
    """The mock tools' state at the end holds at least `state`; any path there passes."""

    kind: Literal["state"] = "state"
    state: dict[str, Any]


Expect = Annotated[ExpectCalls | ExpectNone | ExpectAny | ExpectState, Field(discriminator="kind")]


class MockResponse(Part):
    """What a mock tool answers, when it applies.

    It applies when every argument of `when` equals the call's, when the state holds
    `when_state`, and, with `on_call`, only to that call of the tool (from 1). The first that
    applies answers. Texts in `result`, `error` and `set_state` may hold `{{args.NAME}}` and
    `{{state.NAME}}` with dotted paths; a text that is one such place alone takes the value
    itself. `error` is given to the model as the tool's failure.
    """

    when: dict[str, Any] = Field(default_factory=dict)
    when_state: dict[str, Any] = Field(default_factory=dict)
    on_call: Annotated[int, Field(ge=1)] | None = None
    result: Any = None
    error: str | None = None
    set_state: dict[str, Any] = Field(default_factory=dict)


class Mock(Part):
    """A declarative stand-in for a tool. No code of a user is ever run."""

    tool: Name
    responses: tuple[MockResponse, ...] = Field(min_length=1)


class ArgumentSource(Part):
    """`argument` of `tool` must be the value at `field` (dotted path) of an earlier answer of
    `from_tool`."""

    tool: Name
    argument: Name
    from_tool: Name
    field: Name


class Turn(Part):
    """A further user message, sent when the model has stopped calling; `expect` is what it
    must call after it, None for nothing in particular."""

    prompt: Annotated[str, Field(min_length=1, max_length=TEXT_MAX)]
    expect: ExpectCalls | ExpectNone | ExpectAny | None = None


class Chain(Part):
    """A conversation over several rounds of calls and mock answers.

    `max_rounds` bounds the model's answers in each turn; `optimal_hops` is the least number
    of calls that does it (None: the number expected).
    """

    turns: tuple[Turn, ...] = ()
    max_rounds: Annotated[int, Field(ge=1, le=ROUNDS_MAX)] = 5
    optimal_hops: Annotated[int, Field(ge=1)] | None = None
    mocks: tuple[Mock, ...] = ()
    state: dict[str, Any] = Field(default_factory=dict)
    sources: tuple[ArgumentSource, ...] = ()


class Case(Part):
    """One question. `messages` (OpenAI's form) take the place of `prompt` where a
    conversation came before. `tools` replace the suite's for this case; `trials` and
    `threshold` (the share of trials that must pass) replace the evaluation's."""

    id: Name
    prompt: Text = ""
    messages: tuple[dict[str, Any], ...] = ()
    expect: Expect
    chain: Chain | None = None
    tools: tuple[Tool, ...] | None = None
    match: Matcher | None = None
    category: Annotated[str, Field(max_length=80)] = ""
    tags: tuple[Annotated[str, Field(max_length=80)], ...] = ()
    weight: Annotated[float, Field(gt=0, le=1_000)] = 1.0
    trials: Annotated[int, Field(ge=1, le=TRIALS_MAX)] | None = None
    threshold: Share | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Case:
        if bool(self.prompt.strip()) == bool(self.messages):
            raise ValueError("give either a prompt or messages")
        if self.expect.kind == "state" and self.chain is None:
            raise ValueError("an end state needs a chain with mock tools that reach it")
        return self

    @property
    def conversation(self) -> list[dict[str, Any]]:
        """What is sent first, without the suite's system prompt."""
        return [dict(m) for m in self.messages] or [{"role": "user", "content": self.prompt}]


class Suite(Part):
    """Tools and cases. `match` is the matcher of arguments that name none."""

    format: Literal["studio.suite/1"] = FORMAT
    name: Annotated[str, Field(min_length=1, max_length=120)]
    description: Text = ""
    system_prompt: Text = ""
    match: Matcher = Field(default_factory=Exact)
    tools: tuple[Tool, ...] = Field(default=(), max_length=TOOLS_MAX)
    cases: tuple[Case, ...] = Field(default=(), max_length=CASES_MAX)

    @model_validator(mode="after")
    def _names_differ(self) -> Suite:
        _all_differ("tools", [tool.name for tool in self.tools])
        _all_differ("cases", [case.id for case in self.cases])
        for case in self.cases:
            _all_differ(f"tools of case {case.id!r}", [tool.name for tool in case.tools or ()])
        return self

    def tools_of(self, case: Case) -> tuple[Tool, ...]:
        """What a case offers the model."""
        return self.tools if case.tools is None else case.tools


def _all_differ(what: str, names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{what}: {name!r} stands there twice; rename or remove one")
        seen.add(name)
