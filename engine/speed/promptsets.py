"""Sets of prompts as files: JSON Lines or CSV in, `PromptItem`s out, and back.

A line of JSON Lines is `{"prompt": "…", "max_tokens": 64}`; a CSV has a heading with
`prompt` and, if wanted, `max_tokens`. Empty lines are skipped. What cannot be read is
refused with its line and the reason: half a set would measure something else.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ValidationError

from engine.specs import PROMPT_MAX_CHARS, PROMPTS_MAX, PROMPTS_MAX_CHARS, PromptItem, explain

_FIELDS = ("prompt", "max_tokens")
# UTF-8 takes up to four bytes a character; keys and quotes come on top.
_MOST_BYTES = 5 * PROMPTS_MAX_CHARS


class PromptSetError(ValueError):
    """Why a file is not a set of prompts; `line` counts from 1, None for the whole file."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason if line is None else f"line {line}: {reason}")
        self.reason, self.line = reason, line


def parse_prompts(data: bytes) -> tuple[PromptItem, ...]:
    """Read a file's bytes; its first character tells JSON Lines ("{") from CSV.

    Raises PromptSetError.
    """
    if len(data) > _MOST_BYTES:
        raise PromptSetError(f"The file is larger than {_MOST_BYTES // 1_000_000} MB.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PromptSetError("This is not UTF-8 text.", line) from None
    rows = _json_rows(text) if text.lstrip().startswith("{") else _csv_rows(text)
    items: list[PromptItem] = []
    for line, row in rows:
        if len(items) == PROMPTS_MAX:
            raise PromptSetError(f"There are more than {PROMPTS_MAX:,} prompts.", line)
        items.append(_item(row, line))
    if not items:
        raise PromptSetError("The file holds no prompts.")
    if sum(len(item.prompt) for item in items) > PROMPTS_MAX_CHARS:
        raise PromptSetError(f"The prompts have more than {PROMPTS_MAX_CHARS:,} characters.")
    return tuple(items)


def to_jsonl(items: Iterable[PromptItem]) -> str:
    """The set as JSON Lines, which `parse_prompts` reads back."""
    rows = (item.model_dump(exclude_none=True) for item in items)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _json_rows(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    # Only \n ends a line: a prompt may hold other line separators, which JSON leaves as they are.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise PromptSetError("This is not a JSON object on one line.", number) from None
        if not isinstance(row, dict):
            raise PromptSetError("This is not a JSON object on one line.", number)
        yield number, row


def _csv_rows(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    # The module's limit for a field is below that of a prompt; it is one for the process.
    csv.field_size_limit(max(csv.field_size_limit(), 2 * PROMPT_MAX_CHARS))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    heading: list[str] | None = None
    start = 1
    try:
        for cells in reader:
            line, start = start, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if heading is None:
                heading = _heading(cells, line)
                continue
            if len(cells) > len(heading):
                raise PromptSetError(
                    f"There are {len(cells)} cells under {len(heading)} headings; a prompt with "
                    "a comma in it stands in double quotes.",
                    line,
                )
            yield line, {n: cell for n, cell in zip(heading, cells, strict=False) if cell.strip()}
    except csv.Error as error:
        raise PromptSetError(f"This is not CSV: {error}.", start) from None


def _heading(cells: list[str], line: int) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    if "prompt" not in names or len(set(names)) < len(names):
        raise PromptSetError("The first line must name the columns: prompt, max_tokens.", line)
    return names


def _item(row: dict[str, Any], line: int) -> PromptItem:
    unknown = [name for name in row if name not in _FIELDS]
    if unknown:
        raise PromptSetError(
            f"{unknown[0][:40]!r} is not known; a prompt has {' and '.join(_FIELDS)}.", line
        )
    try:
        return PromptItem.model_validate(row)
    except ValidationError as error:
        field, sentence = next(iter(explain(error).items()))
        raise PromptSetError(f"{field}: {sentence}", line) from None
