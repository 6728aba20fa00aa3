from __future__ import annotations

import pytest

from engine.report.numbers import NARROW as N
from tests.engine.report.builders import at_speed, failed, report
from tests.webapp.history.conftest import ladder
from webapp.history import deltas
from webapp.history.comparison import Compared, compare_runs
from webapp.history.deltas import HALF_WIDTH, Table


def found(a: dict[str, list[float]], b: dict[str, list[float]]) -> Compared:
    runs = [report([s for m, v in side.items() for s in at_speed(m, v)]) for side in (a, b)]
    return compare_runs(*runs)


def speed(a: dict[str, list[float]], b: dict[str, list[float]]) -> Table:
    return deltas.tables(found(a, b))[0]


def test_a_row_says_both_sides_the_difference_and_its_certainty() -> None:
    table = speed({"fast": ladder(180)}, {"fast": ladder(200)})
    (row,) = table.rows
    assert (table.title, table.left, table.right) == ("Output speed", "B slower", "B faster")
    assert (row.label, row.provider, row.context) == ("fast", "Demo", "0")
    assert (row.a, row.b, row.difference, row.change) == ("180.0", "200.0", "+20.0", f"+11{N}%")
    assert (row.verdict, row.kind, row.p_value) == ("B faster", "on", "0.005")
    low, high = (float(end) for end in row.interval.split("–"))
    assert 0 < low < 20 < high


def test_a_loss_has_a_true_minus_and_the_other_winner() -> None:
    (row,) = speed({"fast": ladder(200)}, {"fast": ladder(180)}).rows
    assert (row.difference, row.change, row.verdict) == ("−20.0", f"−10{N}%", "A faster")


def test_earlier_is_better_for_the_first_token() -> None:
    a = report(at_speed("m", ladder(9), ladder(100)))
    b = report(at_speed("m", ladder(9), ladder(50)))
    table = deltas.tables(compare_runs(a, b))[1]
    assert (table.title, table.left, table.right) == ("First token", "B earlier", "B later")
    assert (table.rows[0].difference[0], table.rows[0].verdict) == ("−", "B earlier")


@pytest.mark.parametrize(
    ("n", "verdict"), [(8, "not distinguishable"), (3, "too few answers"), (1, "too few answers")]
)
def test_without_a_winner_the_chip_says_why(n: int, verdict: str) -> None:
    (row,) = speed({"m": ladder(100, n)}, {"m": ladder(100.1, n)}).rows
    assert (row.verdict, row.kind) == (verdict, "")


def test_pictures_share_one_axis_on_which_zero_is_the_middle() -> None:
    same = ladder(100, step=0.05)
    rows = speed(
        {"up": ladder(100), "slow": ladder(10), "even": same},
        {"up": ladder(150), "slow": ladder(5), "even": same},
    ).rows
    up, slow, even = (row.picture for row in rows)
    assert up
    assert slow
    assert even
    assert 0 < up.low < up.middle < up.high < HALF_WIDTH
    assert -HALF_WIDTH < slow.low < slow.middle < slow.high < 0
    assert even.low < even.middle == 0 < even.high
    assert up.middle == pytest.approx(-slow.middle, rel=0.02), "half as much and half as much more"


def test_one_answer_has_no_interval_to_draw() -> None:
    (row,) = speed({"m": [100.0]}, {"m": [120.0]}).rows
    assert (row.picture, row.interval, row.difference) == (None, "–", "+20.0")


def test_no_change_at_all_is_drawn_in_the_middle() -> None:
    (row,) = speed({"m": [100.0] * 8}, {"m": [100.0] * 8}).rows
    assert row.picture == (0, 0, 0)
    assert (row.difference, row.change) == ("0", f"0.0{N}%")


def test_what_is_left_out_is_one_line_a_model_and_reason() -> None:
    tiers = (0, 5_000)
    a = report(
        [s for t in tiers for s in at_speed("a", [9.0], context_tokens=t)], context_tiers=tiers
    )
    b = report([failed("b", context_tokens=5_000)], context_tiers=tiers)
    left = deltas.left(compare_runs(a, b))
    assert [(row.label, row.contexts, row.reason) for row in left] == [
        ("a", "0, 5K", "Only in A"),
        ("b", "0, 5K", "Only in B"),
    ]


def test_the_csv_has_every_value_of_the_json() -> None:
    compared = found({"fast": ladder(180)}, {"fast": ladder(200)})
    heading, first, *_ = deltas.to_csv(compared).splitlines()
    row = dict(zip(heading.split(","), first.split(","), strict=True))
    data = compared.lines[0].as_data()
    assert row["a.p50"] == str(data["a"]["p50"])
    assert row["b.ci95.high"] == str(data["b"]["ci95"][1])
    assert row["difference_ci95.low"] == str(data["difference_ci95"][0])
    assert (row["p_value"], row["better"]) == (str(data["p_value"]), "b")
