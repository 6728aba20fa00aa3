"""Specs: one frozen object says everything about a piece of work.

The browser form, the command line, a stored job and "run again" all build the same
object, and validation lives here and nowhere else. `explain` turns pydantic's errors
into one sentence a field.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

PROMPT_MAX_CHARS = 500_000
RUNS_MAX = 1_000
MAX_TOKENS_MAX = 128_000
TIER_MAX = 2_000_000
TARGETS_MAX = 64
LEVEL_MAX = 2_048
LOAD_REQUESTS_MAX = 100_000
PROMPTS_MAX = 1_000
PROMPTS_MAX_CHARS = 5_000_000
# The bodies of a load run exist before its clock starts: prompts times their context tokens.
LOAD_BODIES_MAX_TOKENS = 5_000_000
DEFAULT_PROMPT = "Explain recursion to a new programmer, with one short example."


class Spec(BaseModel):
    """Base of all specs: frozen, and unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class TargetRef(Spec):
    """A model of a provider, named by the keys its owner sees; carries no secret."""

    provider: str = Field(min_length=1, max_length=80)
    model: str = Field(min_length=1, max_length=200)

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


class LoadSpec(Spec):
    """How hard a load benchmark presses: one level after another on each target.

    A closed loop keeps `levels` streams open at once; an open loop sends `levels` requests
    a second, evenly ("constant") or at random ("poisson"), whatever the answers do. A level
    ends with `requests` or after `duration_s` seconds, whichever is first. `ramp_s` spreads
    the start of a closed loop. A sweep ends early when a level adds less than 5 % of
    throughput (`stop_at_saturation`). The SLO fields are milliseconds, None is no limit.
    """

    arrivals: Literal["closed", "constant", "poisson"] = "closed"
    levels: tuple[Annotated[float, Field(gt=0, le=LEVEL_MAX)], ...] = Field(
        min_length=1, max_length=16
    )
    requests: int | None = Field(default=None, ge=1, le=LOAD_REQUESTS_MAX)
    duration_s: float | None = Field(default=None, gt=0, le=3_600)
    ramp_s: float = Field(default=0, ge=0, le=600)
    stop_at_saturation: bool = True
    slo_ttft_ms: float | None = Field(default=None, gt=0)
    slo_tpot_ms: float | None = Field(default=None, gt=0)
    slo_e2e_ms: float | None = Field(default=None, gt=0)

    @field_validator("levels")
    @classmethod
    def _whole_streams(cls, value: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        if info.data.get("arrivals") == "closed" and any(level % 1 for level in value):
            raise ValueError("Give whole numbers of streams")
        return value

    @field_validator("ramp_s")
    @classmethod
    def _ramp_is_for_streams(cls, value: float, info: ValidationInfo) -> float:
        """A rate has its own schedule, whatever a form still holds from before."""
        return value if info.data.get("arrivals") == "closed" else 0


class PromptItem(Spec):
    """One prompt of a set; `max_tokens` None means the benchmark's."""

    prompt: str = Field(min_length=1, max_length=PROMPT_MAX_CHARS)
    max_tokens: int | None = Field(default=None, ge=1, le=MAX_TOKENS_MAX)


class SyntheticSpec(Spec):
    """Lengths in tokens drawn from normal distributions, at least 1: what goes in is filler,
    what comes out is limited to the drawn length."""

    input_mean: int = Field(ge=1, le=TIER_MAX)
    input_std: int = Field(default=0, ge=0, le=TIER_MAX)
    output_mean: int = Field(ge=1, le=MAX_TOKENS_MAX)
    output_std: int = Field(default=0, ge=0, le=MAX_TOKENS_MAX)


class BenchmarkSpec(Spec):
    """One speed benchmark: targets x context tiers x runs, or x load levels.

    Without `load` it is sequential: one request at a time to each provider, `runs` to each
    target and tier. With `load` the levels take the place of the runs.
    Units: `max_tokens` and `context_tiers` in tokens, `timeout_s` in seconds.
    `temperature` None means the provider's default. `seed` fixes order, lengths and filler.

    What is asked is `prompt`, or in its place the set `prompts` (round-robin in an order that
    the seed decides, the same for every target) or filler of `synthetic` lengths. `cache`
    "cold" begins every prompt with a nonce of its own; "warm" repeats one prefix after a
    request that primes it. `fixed_output` asks for answers of exactly `max_tokens` where the
    endpoint can. `recall` hides a fact in the filler of each context size above 0 and asks
    for it. `budget_usd` ends the run when so much was spent; what is open then still counts.
    """

    kind: Literal["benchmark"] = "benchmark"
    name: str = Field(default="", max_length=120)
    targets: tuple[TargetRef, ...] = Field(min_length=1, max_length=TARGETS_MAX)
    prompt: str = Field(default=DEFAULT_PROMPT, min_length=1, max_length=PROMPT_MAX_CHARS)
    runs: int = Field(default=3, ge=1, le=RUNS_MAX)
    warmup: int = Field(default=1, ge=0, le=5)
    max_tokens: int = Field(default=512, ge=1, le=MAX_TOKENS_MAX)
    temperature: float | None = Field(default=0.7, ge=0, le=2)
    context_tiers: tuple[Annotated[int, Field(ge=0, le=TIER_MAX)], ...] = Field(
        default=(0,), min_length=1, max_length=16
    )
    timeout_s: float = Field(default=120, ge=1, le=3_600)
    retries: int = Field(default=2, ge=0, le=10)
    seed: int = Field(default=1, ge=0, le=2**31 - 1)
    prompts: tuple[PromptItem, ...] = Field(default=(), max_length=PROMPTS_MAX)
    synthetic: SyntheticSpec | None = None
    cache: Literal["cold", "warm"] = "cold"
    fixed_output: bool = False
    recall: bool = False
    budget_usd: float | None = Field(default=None, gt=0, le=1_000_000)
    load: LoadSpec | None = None

    @field_validator("targets")
    @classmethod
    def _targets_differ(cls, value: tuple[TargetRef, ...]) -> tuple[TargetRef, ...]:
        return tuple(dict.fromkeys(value))

    @field_validator("context_tiers")
    @classmethod
    def _tiers_sorted(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(value)))

    @field_validator("prompts")
    @classmethod
    def _prompts_fit(cls, value: tuple[PromptItem, ...]) -> tuple[PromptItem, ...]:
        if sum(len(item.prompt) for item in value) > PROMPTS_MAX_CHARS:
            raise ValueError(f"keep the set to {PROMPTS_MAX_CHARS:,} characters or fewer")
        return value

    @field_validator("synthetic")
    @classmethod
    def _lengths_stand_alone(
        cls, value: SyntheticSpec | None, info: ValidationInfo
    ) -> SyntheticSpec | None:
        if value and info.data.get("prompts"):
            raise ValueError("synthetic lengths and a set of prompts exclude each other")
        if value and any(info.data.get("context_tiers", ())):
            raise ValueError("synthetic lengths take the place of context sizes: choose 0 only")
        return value

    @field_validator("recall")
    @classmethod
    def _recall_has_filler(cls, value: bool, info: ValidationInfo) -> bool:
        if value and not any(info.data.get("context_tiers", (1,))):
            raise ValueError("the fact is hidden in filler: choose a context size above 0")
        return value

    @field_validator("load")
    @classmethod
    def _bodies_fit(cls, value: LoadSpec | None, info: ValidationInfo) -> LoadSpec | None:
        prompts, tier = info.data.get("prompts", ()), max(info.data.get("context_tiers", (0,)))
        if value and len(prompts) * tier > LOAD_BODIES_MAX_TOKENS:
            raise ValueError(
                f"{len(prompts):,} prompts with {tier:,} tokens of context each are too much for "
                "a load run: take fewer prompts or a smaller context size"
            )
        return value


# What an evaluation sets itself, or what is not part of a request.
_NOT_PARAMS = frozenset(
    "api_base api_key base_url messages model n stream stream_options tool_choice tools".split()
)


class ToolWeights(Spec):
    """What parts count of a case's overall score, and what a chain pays for detours."""

    selection: float = Field(default=0.6, ge=0, le=1)
    arguments: float = Field(default=0.4, ge=0, le=1)
    repeat_penalty: float = Field(default=0.10, ge=0, le=1)
    detour_penalty: float = Field(default=0.10, ge=0, le=1)


class ToolEvalSpec(Spec):
    """One tool-calling evaluation: the cases of a suite version x targets x trials.

    `suite` is the id of the stored, immutable suite version, None where the suite is given
    beside the spec (command line). `cases` names some of its cases, empty for all. A case
    passes when at least `threshold` of its trials pass. `count_recovered` scores calls that a
    model wrote as plain text. `tool_choice` "named" forces the first tool a case expects, where
    it expects one. `params` are further provider parameters in LiteLLM's names;
    `embedding` and `judge` are asked by semantic matchers. Units as in `BenchmarkSpec`.
    """

    kind: Literal["tool_eval"] = "tool_eval"
    name: str = Field(default="", max_length=120)
    suite: int | None = Field(default=None, ge=1)
    targets: tuple[TargetRef, ...] = Field(min_length=1, max_length=TARGETS_MAX)
    cases: tuple[str, ...] = ()
    trials: int = Field(default=1, ge=1, le=100)
    threshold: float = Field(default=1.0, gt=0, le=1)
    mode: Literal["studio", "bfcl", "schema", "state"] = "studio"
    tool_choice: Literal["auto", "required", "none", "named"] = "auto"
    count_recovered: bool = False
    weights: ToolWeights = ToolWeights()
    max_tokens: int = Field(default=1_024, ge=1, le=MAX_TOKENS_MAX)
    temperature: float | None = Field(default=0.0, ge=0, le=2)
    params: dict[str, Any] = Field(default_factory=dict)
    timeout_s: float = Field(default=120, ge=1, le=3_600)
    retries: int = Field(default=2, ge=0, le=10)
    concurrency: int = Field(default=4, ge=1, le=64)
    seed: int = Field(default=1, ge=0, le=2**31 - 1)
    embedding: TargetRef | None = None
    judge: TargetRef | None = None

    @field_validator("targets")
    @classmethod
    def _targets_differ(cls, value: tuple[TargetRef, ...]) -> tuple[TargetRef, ...]:
        return tuple(dict.fromkeys(value))

    @field_validator("params")
    @classmethod
    def _params_are_free(cls, value: dict[str, Any]) -> dict[str, Any]:
        body = value.get("extra_body")
        names = {*value, *(body if isinstance(body, dict) else ())}
        if taken := sorted(_NOT_PARAMS & names):
            raise ValueError(f"{' and '.join(taken)} cannot be given here; the evaluation sets it")
        return value


class KeyTestSpec(Spec):
    """One tiny request that shows whether the key of a provider works."""

    kind: Literal["key_test"] = "key_test"
    provider: str = Field(min_length=1, max_length=80)


class ModelListSpec(Spec):
    """Ask a provider which models it has."""

    kind: Literal["model_list"] = "model_list"
    provider: str = Field(min_length=1, max_length=80)


class McpListSpec(Spec):
    """List the tools of an MCP server: at `url`, or one that `mcp_commands` of config.yaml
    allows to be started (`command`, its key).

    `sealed_headers` are the request's headers, encrypted by `jobs.mcp_access.seal`: they may
    be secrets, and a spec is stored with its job.
    """

    kind: Literal["mcp_list"] = "mcp_list"
    url: str = Field(default="", max_length=2_000)
    transport: Literal["auto", "http", "sse"] = "auto"
    sealed_headers: str = Field(default="", max_length=60_000, repr=False)
    command: str = Field(default="", max_length=80)

    @model_validator(mode="after")
    def _one_server(self) -> McpListSpec:
        if bool(self.url) == bool(self.command):
            raise ValueError("give either a URL or a command")
        return self


SPECS: dict[str, type[Spec]] = {
    "benchmark": BenchmarkSpec,
    "tool_eval": ToolEvalSpec,
    "key_test": KeyTestSpec,
    "model_list": ModelListSpec,
    "mcp_list": McpListSpec,
}


def load_spec(data: dict[str, Any]) -> Spec:
    """Build the spec a stored job carries; raises KeyError for an unknown kind and
    pydantic.ValidationError for bad fields."""
    return SPECS[data["kind"]].model_validate(data)


def explain(error: ValidationError) -> dict[str, str]:
    """One sentence for each field that was refused, keyed by the field's path.

    A path is the field's name, with `.index` parts for list items (`targets.0.model`).
    The first message of a field wins.
    """
    sentences: dict[str, str] = {}
    items = [(".".join(str(part) for part in item["loc"]), item) for item in error.errors()]
    for path, item in items:
        if item["type"] == "too_short" and any(p.startswith(f"{path}.") for p, _ in items):
            continue  # it is short only because its items were refused
        sentences.setdefault(path, _sentence(item["type"], item.get("ctx", {}), item["msg"], path))
    return sentences


_KINDS = {
    "missing": "Fill this in.",
    "extra_forbidden": "This field is not known.",
    "int_parsing": "Give a whole number.",
    "int_from_float": "Give a whole number.",
    "int_type": "Give a whole number.",
    "float_parsing": "Give a number.",
    "float_type": "Give a number.",
    "finite_number": "Give a number.",
    "string_type": "Give text.",
    "string_unicode": "Give valid Unicode text.",
    "tuple_type": "Give a list.",
    "bool_parsing": "Say yes or no.",
    "bool_type": "Say yes or no.",
}
_NAMES = {
    "targets": "Choose at least one model.",
    "prompt": "Write a prompt.",
    "context_tiers": "Choose at least one context size.",
    "load.levels": "Give at least one level.",
}


def _sentence(kind: str, ctx: dict[str, Any], message: str, path: str) -> str:
    if kind in _KINDS:
        return _KINDS[kind]
    if kind == "value_error":
        message = str(ctx["error"])
    if kind in ("greater_than", "greater_than_equal", "less_than_equal"):
        return _range_sentence(path, ctx)
    if kind in ("too_short", "string_too_short"):
        return _NAMES.get(path, "Fill this in.")
    if kind == "too_long":
        return f"Choose at most {ctx['max_length']:,}."
    if kind == "string_too_long":
        return f"Keep this to {ctx['max_length']:,} characters or fewer."
    return message[:1].upper() + message[1:].rstrip(".") + "."


_PARTS: dict[str, type[Spec]] = {"load": LoadSpec, "synthetic": SyntheticSpec}


def _range_sentence(path: str, ctx: dict[str, Any]) -> str:
    if "gt" in ctx:
        return f"Give a number above {ctx['gt']:g}."
    low, high = _bounds(path)
    if low is not None and high is not None:
        return f"Give a number from {low:,} to {high:,}."
    limit = ctx["ge"] if "ge" in ctx else ctx["le"]
    shown = int(limit) if limit % 1 == 0 else limit
    return f"Give a number {'from' if 'ge' in ctx else 'up to'} {shown:,}."


def _bounds(path: str) -> tuple[float | None, float | None]:
    name, _, rest = path.partition(".")
    if name == "context_tiers":
        return 0, TIER_MAX
    if name == "prompts":
        return 1, MAX_TOKENS_MAX
    part = _PARTS.get(name, BenchmarkSpec)
    field = part.model_fields.get(rest.partition(".")[0] if name in _PARTS else name)
    metadata = field.metadata if field else []
    low = next((m.ge for m in metadata if hasattr(m, "ge")), None)
    high = next((m.le for m in metadata if hasattr(m, "le")), None)
    return low, high
