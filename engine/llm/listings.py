"""Where a provider lists its models and how the answer is read; the facts are data, in
`listings.yaml`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from pydantic import BaseModel, ConfigDict

from engine import litellm_data
from engine.targets import PLACEHOLDER_KEY, ProviderAccess

# Longest id and name that are taken over, in characters.
ID_CHARS = 200


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FoundModel(_Data):
    """A model that a list names. Window and output in tokens, None when not said;
    `mode` is what LiteLLM's map says it does ("chat", "embedding" ...), None if unknown."""

    id: str
    name: str
    context_window: int | None = None
    max_output_tokens: int | None = None
    mode: str | None = None


class Next(_Data):
    """How the following page is asked for."""

    cursor: str
    param: str
    more: str = ""


class Listing(_Data):
    """One block of `listings.yaml`; its head explains the fields."""

    base: str | None = None
    trim: tuple[str, ...] = ()
    path: str
    auth: str = "bearer"
    headers: dict[str, str] = {}
    items: str
    id: tuple[str, ...]
    strip: str = ""
    name: tuple[str, ...]
    window: tuple[str, ...]
    output: tuple[str, ...]
    keep: dict[str, str | bool] = {}
    next: Next | None = None
    checks_key: bool = False

    def url(self, access: ProviderAccess) -> str | None:
        """The address of the list, None when the provider has none that is known."""
        base = access.api_base or self.base or litellm_data.base_of(access.prefix)
        if base is None:
            return None
        base = base.rstrip("/")
        for ending in self.trim:
            base = base.removesuffix(ending)
        return base + self.path

    def request_headers(self, access: ProviderAccess) -> dict[str, str]:
        """The headers of the request; they hold the key and are never logged."""
        key = access.api_key or PLACEHOLDER_KEY
        name, value = ("authorization", f"Bearer {key}")
        if self.auth != "bearer":
            name, value = self.auth, key
        return {**self.headers, name: value}

    def following(self, url: str, answer: Any) -> str | None:
        """The URL of the next page, None after the last one."""
        if self.next is None or not isinstance(answer, dict):
            return None
        cursor = answer.get(self.next.cursor)
        if not isinstance(cursor, str) or not cursor:
            return None
        if self.next.more and not answer.get(self.next.more):
            return None
        return f"{url}{'&' if '?' in url else '?'}{self.next.param}={quote(cursor, safe='')}"

    def models(self, answer: Any) -> list[FoundModel] | None:
        """The models an answer names, None when it is not a model list at all."""
        items = answer.get(self.items) if isinstance(answer, dict) and self.items else answer
        if not isinstance(items, list) or (items and not isinstance(items[0], dict)):
            return None
        return list(self._read(items))

    def _read(self, items: list[Any]) -> Iterator[FoundModel]:
        for item in items:
            if not isinstance(item, dict) or not self._kept(item):
                continue
            name = _text(item, self.id).removeprefix(self.strip)
            if name and len(name) <= ID_CHARS:
                yield FoundModel(
                    id=name,
                    name=_text(item, self.name)[:ID_CHARS] or name,
                    context_window=_tokens(item, self.window),
                    max_output_tokens=_tokens(item, self.output),
                )

    def _kept(self, item: dict[str, Any]) -> bool:
        for path, wanted in self.keep.items():
            found = _at(item, path)
            if isinstance(found, list) and wanted not in found:
                return False
            if not isinstance(found, list) and found is not None and found != wanted:
                return False
        return True


def listing_of(prefix: str) -> Listing:
    """The listing of a provider prefix ("openai/"); the OpenAI way when it has no block."""
    return _listings().get(prefix.rstrip("/")) or _listings()[""]


@lru_cache(maxsize=1)
def _listings() -> dict[str, Listing]:
    data = yaml.safe_load(Path(__file__).with_name("listings.yaml").read_text(encoding="utf-8"))
    blocks = {"": {}, **data["providers"]}
    return {
        name: Listing.model_validate({**data["default"], **block}) for name, block in blocks.items()
    }


def _at(item: dict[str, Any], path: str) -> Any:
    found: Any = item
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _text(item: dict[str, Any], paths: tuple[str, ...]) -> str:
    """The first of `paths` that holds printable text, else ""."""
    for path in paths:
        found = _at(item, path)
        if isinstance(found, str) and (text := found.strip()) and text.isprintable():
            return text
    return ""


def _tokens(item: dict[str, Any], paths: tuple[str, ...]) -> int | None:
    for path in paths:
        found = _at(item, path)
        if isinstance(found, int) and not isinstance(found, bool) and 0 < found < 10**9:
            return found
    return None
