"""Sets of prompts: read whole, or refused with a line and a reason."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.specs import PROMPTS_MAX, PromptItem
from engine.speed.promptsets import PromptSetError, parse_prompts, to_jsonl

PROMPTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(
    lambda text: text.strip()
)
ITEMS = st.lists(
    st.builds(PromptItem, prompt=PROMPTS, max_tokens=st.none() | st.integers(1, 128_000)),
    min_size=1,
    max_size=6,
).map(tuple)


@given(ITEMS)
def test_a_set_written_as_json_lines_is_read_back(items: tuple[PromptItem, ...]) -> None:
    assert parse_prompts(to_jsonl(items).encode()) == items


@given(ITEMS, st.sampled_from(["\r\n", "\n"]))
def test_a_set_written_by_a_spreadsheet_is_read_back(
    items: tuple[PromptItem, ...], ending: str
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=ending, quoting=csv.QUOTE_ALL)
    writer.writerow(["Prompt", "max_tokens"])
    writer.writerows([item.prompt, item.max_tokens or ""] for item in items)
    assert parse_prompts(b"\xef\xbb\xbf" + text.getvalue().encode()) == items


@settings(max_examples=300)
@given(
    st.binary(max_size=80)
    | st.text(max_size=80).map(lambda text: ("{" + text).encode(errors="replace"))
)
def test_any_other_bytes_are_a_set_or_refused_in_a_sentence(data: bytes) -> None:
    refused: PromptSetError | None = None
    try:
        assert parse_prompts(data)
    except PromptSetError as error:
        refused = error
    if refused:
        assert refused.reason.endswith(".")
        assert refused.line is None or 1 <= refused.line <= len(data.splitlines()) + 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("", "The file holds no prompts."),
        ("prompt\n", "The file holds no prompts."),
        ('{"prompt": "a"}\n\n{"prompt": 5}', "line 3: prompt: Give text."),
        ('{"prompt": "a"}\n["b"]', "line 2: This is not a JSON object on one line."),
        ('{"prompt": "a"\n', "line 1: This is not a JSON object on one line."),
        ('{"prompt": "a", "max_token": 5}', "line 1: 'max_token' is not known"),
        ('{"prompt": "a", "max_tokens": 0}', "line 1: max_tokens: Give a number from 1"),
        ('{"prompt": "\\ud800"}', "line 1: prompt: Give valid Unicode text."),
        ("question\nwhy?", "line 1: The first line must name the columns: prompt, max_tokens."),
        ("prompt,prompt\na,b", "line 1: The first line must name the columns"),
        ("prompt\na\nHello, you", "line 3: There are 2 cells under 1 headings"),
        ('prompt,max_tokens\n"a\nb",5\n,7', "line 4: prompt: Fill this in."),
        ('prompt,max_tokens\n"a\nb",5\nc,many', "line 4: max_tokens: Give a whole number."),
        ('prompt\n"a"b', "line 2: This is not CSV"),
        ("prompt\n" + "a\n" * (PROMPTS_MAX + 1), f"line {PROMPTS_MAX + 2}: There are more than"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_line(data: str, said: str) -> None:
    with pytest.raises(PromptSetError) as caught:
        parse_prompts(data.encode())
    assert str(caught.value).startswith(said)


def test_other_encodings_are_refused_where_they_begin() -> None:
    with pytest.raises(PromptSetError, match=r"line 2: This is not UTF-8 text\."):
        parse_prompts("prompt\nGrüße".encode("latin-1"))


def test_a_prompt_as_long_as_may_be_fits_into_a_cell() -> None:
    (item,) = parse_prompts(b"prompt\n" + b"x" * 400_000)
    assert len(item.prompt) == 400_000
