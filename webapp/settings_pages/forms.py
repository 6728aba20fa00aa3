"""Forms of the settings pages: typed text in, real types or one sentence a field out.

Each `clean_x` takes the stripped text of field `x` and returns the real type, or raises
`Refused` with the sentence that stands at the field. What was typed is kept, keys excepted.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from engine import litellm_data
from engine.specs import PROMPT_MAX_CHARS
from jobs.targets import model_id_problem
from webapp.models import ModelEntry, Provider
from webapp.settings_pages.fields import Refused, api_key, base_url, price, text, whole_number

NAME_CHARS = 120
ID_CHARS = 200
TOKENS_MAX = 100_000_000
OPENAI = "openai/"
SKIPS_MAX = 40
_PARAMETER = re.compile(r"[A-Za-z_][\w.]{0,59}")


class Form:
    """Base of the forms. After `is_valid()` either `cleaned` holds every field or `errors`
    holds one sentence for each that was refused."""

    names: ClassVar[tuple[str, ...]] = ()
    secret: ClassVar[tuple[str, ...]] = ("api_key",)

    def __init__(self, typed: Mapping[str, str] | None = None) -> None:
        self._typed = {name: (typed or {}).get(name, "") for name in self.names}
        self.errors: dict[str, str] = {}
        self.cleaned: dict[str, Any] = {}

    @property
    def values(self) -> dict[str, str]:
        """What a page may show again: everything but secrets."""
        return {n: "" if n in self.secret else text for n, text in self._typed.items()}

    def is_valid(self) -> bool:
        """Clean every field in order; later ones may look at `cleaned`."""
        for name in self.names:
            try:
                self.cleaned[name] = getattr(self, f"clean_{name}")(self._typed[name].strip())
            except Refused as refused:
                self.errors[name] = str(refused)
        return not self.errors


class KeyForm(Form):
    """The key of a provider."""

    names = ("api_key",)

    def clean_api_key(self, raw: str) -> str:
        return api_key(raw)


class NewProviderForm(Form):
    """A new provider: one that LiteLLM knows or, when `litellm` is left empty, any address
    that speaks OpenAI's format. `base_url` is None for a public address."""

    names: ClassVar[tuple[str, ...]] = ("litellm", "base_url", "name", "api_key")

    def __init__(self, typed: Mapping[str, str] | None, allow_private: bool) -> None:
        super().__init__(typed)
        self._allow_private = allow_private

    @property
    def prefix(self) -> str:
        """LiteLLM's prefix, with its slash."""
        chosen = self.cleaned["litellm"]
        return OPENAI if chosen is None else chosen.prefix

    def clean_litellm(self, raw: str) -> litellm_data.LiteLLMProvider | None:
        if not raw:
            return None
        known = litellm_data.providers()
        named = {item.name.lower(): item for item in known.values()}
        found = known.get(f"{raw.rstrip('/')}/") or named.get(raw.lower())
        if found is None:
            raise Refused("Choose a provider of the list, or leave this empty.")
        return found

    def clean_base_url(self, raw: str) -> str | None:
        if raw:
            return base_url(raw, self._allow_private)
        if "litellm" not in self.cleaned:
            return None  # what was chosen is refused already
        chosen = self.cleaned["litellm"]
        if chosen is None:
            raise Refused("Give the address, or choose a provider.")
        if chosen.needs_base:
            raise Refused(f"{chosen.name} has no public address. Give yours.")
        return None

    def clean_name(self, raw: str) -> str:
        chosen, address = self.cleaned.get("litellm"), self.cleaned.get("base_url")
        fallback = chosen.name if chosen else urlsplit(address or "").netloc
        return text(raw or fallback or "?", NAME_CHARS)

    def clean_api_key(self, raw: str) -> str | None:
        return api_key(raw) if raw else None


class ProviderForm(Form):
    """The name of a provider and, for one of the user's own, its address."""

    names = ("name", "base_url")

    def __init__(
        self, typed: Mapping[str, str] | None, provider: Provider, allow_private: bool
    ) -> None:
        shown = {"name": provider.display_name, "base_url": provider.api_base or ""}
        super().__init__(shown if typed is None else typed)
        self._provider = provider
        self._allow_private = allow_private

    def clean_name(self, raw: str) -> str:
        return text(raw, NAME_CHARS)

    def clean_base_url(self, raw: str) -> str | None:
        if self._provider.origin == "config":
            return None  # config.yaml's address is not the user's to change
        if not raw and self._provider.api_base is None:
            return None
        return base_url(raw, self._allow_private)


class NewModelForm(Form):
    """A model added by hand."""

    names = ("model_id", "display_name")

    def __init__(self, typed: Mapping[str, str] | None, taken: Collection[str] = ()) -> None:
        super().__init__(typed)
        self._taken = taken

    def clean_model_id(self, raw: str) -> str:
        text(raw, ID_CHARS)
        if sentence := model_id_problem(raw):
            raise Refused(sentence)
        if raw in self._taken:
            raise Refused("This provider has that model already.")
        return raw

    def clean_display_name(self, raw: str) -> str:
        return text(raw or self._typed["model_id"].strip() or "x", ID_CHARS)


class ModelForm(Form):
    """What a user may change about a model."""

    names = (
        "display_name",
        "context_window",
        "max_output_tokens",
        "input_cost_per_mtok",
        "output_cost_per_mtok",
        "skip_params",
        "system_prompt",
    )

    def __init__(self, typed: Mapping[str, str] | None, entry: ModelEntry) -> None:
        super().__init__(_shown(entry) if typed is None else typed)
        self._entry = entry

    def clean_display_name(self, raw: str) -> str:
        return text(raw or self._entry.model_id, ID_CHARS)

    def clean_context_window(self, raw: str) -> int | None:
        return whole_number(raw, TOKENS_MAX)

    def clean_max_output_tokens(self, raw: str) -> int | None:
        most, window = whole_number(raw, TOKENS_MAX), self.cleaned.get("context_window")
        if most is not None and window is not None and most > window:
            raise Refused("This is more than the context window.")
        return most

    def clean_input_cost_per_mtok(self, raw: str) -> float | None:
        return price(raw)

    def clean_output_cost_per_mtok(self, raw: str) -> float | None:
        return price(raw)

    def clean_skip_params(self, raw: str) -> list[str]:
        names = list(dict.fromkeys(re.split(r"[\s,;]+", raw))) if raw else []
        if odd := next((name for name in names if name and not _PARAMETER.fullmatch(name)), None):
            raise Refused(f"{odd[:40]!r} is no parameter name. Give names like top_p, stop.")
        if len(names) > SKIPS_MAX:
            raise Refused(f"Give at most {SKIPS_MAX} names.")
        return [name for name in names if name]

    def clean_system_prompt(self, raw: str) -> str:
        if len(raw) > PROMPT_MAX_CHARS:
            raise Refused(f"Keep this to {PROMPT_MAX_CHARS:,} characters or fewer.")
        return raw.replace("\r\n", "\n")


def _shown(entry: ModelEntry) -> dict[str, str]:
    """A model as its form shows it."""
    values = {name: getattr(entry, name) for name in ModelForm.names}
    values["skip_params"] = ", ".join(entry.skip_params)
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.12g}" if isinstance(value, float) else str(value)
