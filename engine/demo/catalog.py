"""The demo's models and scripts, read from models.yaml and scripts.yaml."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Stall:
    """A gap is lengthened with this chance, by `low_ms` to `high_ms`."""

    chance: float = 0.0
    low_ms: float = 0.0
    high_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Model:
    """One model's character; models.yaml says what each field means."""

    id: str
    first_token_ms: float
    ms_per_1k_input: float
    first_token_jitter: float
    capacity: int
    gap_ms: float
    gap_jitter: float
    window: int
    max_output: int
    answer_tokens: tuple[int, int]
    usage: bool
    caches_prefixes: bool
    skill: float
    stall: Stall = Stall()
    recall_tokens: int | None = None
    faults: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Script:
    """How the wire departs from a plain answer. `*_after` are shares of the answer's tokens.

    `status` answers an error (with `every_other`, only the first, third ... time a key asks);
    `page` answers 200 with something that is not a completion; `ending` stops the answer
    there by closing the connection, with an error event, or by sending nothing more;
    `role_ms` sends the role by itself that early; `chunk_tokens` bundles; `recut` moves the
    borders of writes off the borders of events; `finish_delay_ms` holds back finish, usage
    and [DONE].
    """

    id: str = "plain"
    status: int = 200
    retry_after_s: int | None = None
    every_other: bool = False
    page: Literal["html", "error"] | None = None
    ending: Literal["done", "cut", "hang", "error"] = "done"
    ending_after: float = 1.0
    malformed_after: float | None = None
    empty: bool = False
    usage: Literal["asked", "never", "every"] = "asked"
    done: bool = True
    role_ms: float | None = None
    keepalive: bool = False
    chunk_tokens: tuple[int, int] = (1, 1)
    reasoning_tokens: int = 0
    tool_call: bool = False
    recut: Literal["utf8", "anywhere"] | None = None
    text: str | None = None
    finish_delay_ms: float = 0.0
    gzip: bool = False
    gap_ms: float | None = None

    @property
    def spoils(self) -> bool:
        """Whether the answer is not what was asked for, though it may end in good order."""
        return self.empty or self.malformed_after is not None or self.ending != "done"


PLAIN = Script()


class Catalog(NamedTuple):
    """`models` in listed order; `pace` is the model that plays a script asked for by name."""

    models: dict[str, Model]
    scripts: dict[str, Script]
    pace: Model

    def find(self, model_id: str) -> tuple[Model, Script] | None:
        """What a request's model id means: a model, a script, or "model+script"."""
        name, _, script_id = model_id.partition("+")
        script = self.scripts.get(script_id or name)
        if name in self.models and not script_id:
            return self.models[name], PLAIN
        if script is None or (script_id and name not in self.models):
            return None
        # Who asks for a script gets it, and no fault by chance instead.
        model = replace(self.models[name], faults={}) if script_id else replace(self.pace, id=name)
        if script.gap_ms is not None:
            model = replace(model, gap_ms=script.gap_ms)
        return model, script


@lru_cache(maxsize=1)
def catalog() -> Catalog:
    """The shipped catalog; TypeError names a field that does not exist."""
    listed = _read("models.yaml")
    scripted = _read("scripts.yaml")
    return Catalog(
        models={name: _model(name, fields) for name, fields in listed.items()},
        scripts={name: _script(name, fields) for name, fields in scripted["scripts"].items()},
        pace=_model("script", scripted["pace"]),
    )


def _read(name: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((_HERE / name).read_text(encoding="utf-8"))
    return data


def _model(name: str, fields: dict[str, Any]) -> Model:
    stall = fields.get("stall")
    return Model(
        **fields
        | {
            "id": name,
            "answer_tokens": tuple(fields["answer_tokens"]),
            "stall": Stall(stall["chance"], *stall["ms"]) if stall else Stall(),
        }
    )


def _script(name: str, fields: dict[str, Any]) -> Script:
    chunk_tokens = tuple(fields.get("chunk_tokens", (1, 1)))
    return Script(**fields | {"id": name, "chunk_tokens": chunk_tokens})
