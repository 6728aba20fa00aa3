"""The terminal's table."""

from __future__ import annotations

import io

from rich.console import Console

from engine.report import Result, table
from tests.engine.report.builders import at_speed, failed, report, sample


def drawn(results: list[Result]) -> list[str]:
    console = Console(file=io.StringIO(), width=160)
    console.print(table(results))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue().splitlines()


def test_the_fastest_stands_first_with_interval_and_confidence() -> None:
    lines = drawn(
        report([*at_speed("slow", [50.0, 51.0, 52.0]), *at_speed("fast", [180.0, 181.0, 182.0])])
    )
    rows = [line for line in lines if "Demo" in line]
    assert rows[0].lstrip().startswith("fast Demo")
    assert "181.0" in rows[0]
    assert "180.0–182.0" in rows[0]
    assert "max 102" in rows[0]
    assert "3 of 3" in rows[0]
    assert "medium" in rows[0]


def test_failures_and_markup_in_names_are_shown_as_they_are() -> None:
    text = "\n".join(drawn(report([failed("[red]x[/red]")])))
    assert "[red]x[/red]" in text
    assert "0 of 1" in text


def test_the_context_has_a_column_only_when_there_are_several() -> None:
    one = report([sample()])
    two = report([sample(), sample(context_tokens=5_000)], context_tiers=(0, 5_000))
    assert "Context" not in drawn(one)[1]
    assert any(" 5K " in line for line in drawn(two))
