"""The catalog: data that says what it means, and fails loudly where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.demo import catalog as module
from engine.demo.catalog import PLAIN, catalog


def test_the_fast_small_model_is_first_and_never_fails_and_the_flaky_one_is_last() -> None:
    models = list(catalog().models.values())
    assert [model.id for model in models] == ["fast-small", "slow-large", "jittery", "flaky"]
    assert [bool(model.faults) for model in models] == [False, False, False, True]


def test_the_flaky_models_faults_are_scripts_and_leave_most_answers_whole() -> None:
    flaky = catalog().models["flaky"]
    assert set(flaky.faults) <= set(catalog().scripts)
    assert 0.1 < sum(flaky.faults.values()) < 0.4


def test_a_listed_model_is_found_with_no_script() -> None:
    assert catalog().find("jittery") == (catalog().models["jittery"], PLAIN)


def test_a_script_is_found_by_itself_or_on_top_of_a_listed_model() -> None:
    alone = catalog().find("cut")
    on_top = catalog().find("slow-large+cut")
    assert alone is not None
    assert on_top is not None
    assert alone[0].gap_ms == catalog().pace.gap_ms
    assert on_top[0] == catalog().models["slow-large"]
    assert alone[1] == on_top[1] == catalog().scripts["cut"]


@pytest.mark.parametrize("name", ["", "gpt", "script", "+cut", "cut+cut", "slow-large+gpt"])
def test_what_is_neither_is_not_found(name: str) -> None:
    assert catalog().find(name) is None


def test_a_flaky_model_that_plays_a_script_has_no_other_faults() -> None:
    found = catalog().find("flaky+plain")
    assert found is not None
    assert found[0].faults == {}


def test_a_script_may_change_the_gap_of_its_model() -> None:
    found = catalog().find("slow-drip")
    assert found is not None
    assert found[0].gap_ms == 300


def test_a_field_that_does_not_exist_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Path(module.__file__).parent
    models = (here / "models.yaml").read_text(encoding="utf-8")
    (tmp_path / "models.yaml").write_text(models.replace("gap_ms: 5.556", "gap: 5.556"))
    (tmp_path / "scripts.yaml").write_bytes((here / "scripts.yaml").read_bytes())
    monkeypatch.setattr(module, "_HERE", tmp_path)
    with pytest.raises(TypeError, match="gap"):
        catalog.__wrapped__()
