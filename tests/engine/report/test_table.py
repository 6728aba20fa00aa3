"""The terminal's table."""

from __future__ import annotations

import io

from rich.console import Console

from engine.report import Result, table
from tests.engine.report.builders import at_speed, failed, report, sample, target


def drawn(results: list[Result], width: int = 160) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(table(results))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue().splitlines()


def test_the_fastest_stands_first_with_interval_and_confidence() -> None:
    lines = drawn(
        report([*at_speed("slow", [50.0, 51.0, 52.0]), *at_speed("fast", [180.0, 181.0, 182.0])])
    )
    rows = [line for line in lines if line.lstrip().startswith(("fast", "slow"))]
    assert "Demo" in lines[0]
    assert rows[0].lstrip().startswith("fast")
    assert "181.0" in rows[0]
    assert "180.0–182.0" in rows[0]
    assert "max 102" in rows[0]
    assert "3/3" in rows[0]
    assert "medium" in rows[0]


def test_failures_and_markup_in_names_are_shown_as_they_are() -> None:
    text = "\n".join(drawn(report([failed("[red]x[/red]")])))
    assert "[red]x[/red]" in text
    assert "0/1" in text


def test_context_and_provider_stand_under_the_model_only_where_there_are_several() -> None:
    one = "\n".join(drawn(report([sample()])))
    assert " context" not in one
    targets = [target(), target("other", provider_label="Elsewhere")]
    several = "\n".join(drawn(report([sample()], targets, context_tiers=(0, 5_000))))
    assert "5K context" in several
    assert "Elsewhere" in several


def test_eighty_columns_hold_every_figure_whole() -> None:
    rows = report([*at_speed("a-model-with-a-long-name", [1180.0, 1240.0, 1182.0])])
    text = "\n".join(drawn(rows, width=80))
    assert "…" not in text
    assert "1,180–1,240" in text
    assert "$0.0010" in text
    assert "medium" in text
