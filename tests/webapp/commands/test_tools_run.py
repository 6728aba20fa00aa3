"""`studio tools run`: a suite and models in, results and an exit code out, in any folder."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.tools.builders import calls, case, suite
from tests.engine.tools.faulty import CALL, SILENCE, WORDS, Fate, Faulty, faulty_server
from tests.helpers import eventually
from tests.webapp.commands.conftest import Studio

PLACES = suite(
    *(
        case(f"w{n}", calls(("get_weather", {"city": f"p{n}"})), prompt=f"Rain in p{n}?")
        for n in range(4)
    ),
    case("quiet", {"kind": "none"}, prompt="Just saying p9?", threshold=0.5, trials=2),
)


@pytest.fixture
def suite_file(folder: Path) -> str:
    (folder / "suite.json").write_text(PLACES.model_dump_json())
    return "suite.json"


def fate(prompt: str, times: int) -> Fate:
    """Right everywhere, but of two trials of the quiet case the first calls a tool."""
    return WORDS if prompt.startswith("Just") and times else CALL


@pytest.fixture
def endpoint() -> Iterator[Faulty]:
    with faulty_server(fate) as server:
        yield server


def at(server: Faulty) -> tuple[str, ...]:
    return ("--base-url", server.base_url, "--model-id", "m", "--concurrency", "1")


def test_every_threshold_met_is_exit_0_and_one_document(
    studio: Studio, suite_file: str, endpoint: Faulty, folder: Path
) -> None:
    done = studio("tools", "run", "--suite", suite_file, *at(endpoint), "--json", "-")

    assert done.exit_code == 0, done.stderr
    data: dict[str, Any] = json.loads(done.stdout)
    assert data["schema"] == "studio.tools/1"
    assert data["suite"] == {"name": "A suite", "cases": 5, "tools": 2}
    assert data["environment"]["spec"]["kind"] == "tool_eval"
    [result] = data["results"]
    assert (result["model"], result["met"], result["cases"]) == ("m", True, {"total": 5, "met": 5})
    assert (result["scored"], result["passed"], result["infrastructure"]) == (6, 5, {})
    assert result["errors"] == {"unneeded_call": 1}
    assert result["flaky"] == ["quiet"]
    assert [row["case"] for row in result["trials"]] == ["w0", "w1", "w2", "w3", "quiet", "quiet"]
    assert result["trials"][0]["calls"] == [{"name": "get_weather", "arguments": {"city": "p0"}}]
    assert [m["role"] for m in result["trials"][0]["messages"]] == ["user", "assistant"]
    assert [p.name for p in folder.iterdir()] == [suite_file], "nothing else is written"


def test_a_missed_threshold_is_exit_1_and_named(
    studio: Studio, suite_file: str, endpoint: Faulty
) -> None:
    strict = PLACES.model_copy(update={"cases": PLACES.cases[:4]})
    wrong = strict.cases[0].model_copy(update={"prompt": "Rain in nowhere?"})
    Path(suite_file).write_text(
        strict.model_copy(update={"cases": (wrong, *strict.cases[1:])}).model_dump_json()
    )
    done = studio("tools", "run", "--suite", suite_file, *at(endpoint), "--json", "out.json")

    assert done.exit_code == 1
    assert "3 of 4" in done.stdout
    assert "m, w0: wrong_value: city:" in done.stdout
    assert json.loads(Path("out.json").read_text())["results"][0]["missed"] == ["w0"]


def test_the_threshold_is_the_share_of_trials_that_must_pass(
    studio: Studio, suite_file: str
) -> None:
    def every_other(_: str, times: int) -> Fate:
        return CALL if times % 2 else WORDS

    run = ("tools", "run", "--suite", suite_file, "--case", "w1", "--case", "w2", "--trials", "4")
    with faulty_server(every_other) as server:
        assert studio(*run, *at(server), "--threshold", "0.5").exit_code == 0
        assert studio(*run, *at(server), "--threshold", "0.6").exit_code == 1
    assert server.asked == {"Rain in p1?": 8, "Rain in p2?": 8}


def test_a_case_that_could_not_be_asked_misses_its_threshold(
    studio: Studio, suite_file: str
) -> None:
    with faulty_server(lambda *_: 500) as server:
        done = studio("tools", "run", "--suite", suite_file, "--case", "w1", *at(server))
    assert done.exit_code == 1
    assert "w1: no trial could be scored." in done.stdout
    assert "1 × The provider failed (HTTP 500): Planned 500." in done.stdout


def test_demo_models_need_nothing(studio: Studio, suite_file: str, folder: Path) -> None:
    """Also where a config.yaml of one's own knows no demo provider."""
    (folder / "config.yaml").write_text("providers: {}\n")
    run = ("tools", "run", "--suite", suite_file, "--case", "w1", "--max-tokens", "64")
    done = studio(*run, "--target", "demo/plain", "--json", "-")
    [result] = json.loads(done.stdout)["results"]
    assert (result["provider"], result["simulated"], result["scored"]) == ("demo", True, 1)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--suite", "none.json", "--target", "demo/plain"), "none.json cannot be read"),
        (("--suite", "bad.json", "--target", "demo/plain"), "bad.json"),
        (("--suite", "suite.json"), "Say which model to ask"),
        (("--suite", "suite.json", "--target", "demo"), "is not PROVIDER/MODEL"),
        (("--suite", "suite.json", "--target", "nobody/m"), "no provider 'nobody'"),
        (("--suite", "suite.json", "--target", "openai/nothing"), "no model 'nothing'"),
        (("--suite", "suite.json", "--target", "demo/plain", "--case", "x"), "no case 'x'"),
        (("--suite", "suite.json", "--target", "demo/plain", "--threshold", "0"), "--threshold"),
        (("--suite", "suite.json", "--target", "demo/plain", "--trials", "0"), "--trials"),
        (("--suite", "suite.json", "--target", "demo/plain", "--base-url", "http://h"), "leave"),
    ],
)
def test_what_makes_no_sense_is_exit_2_with_a_sentence(
    studio: Studio, suite_file: str, words: tuple[str, ...], sentence: str
) -> None:
    Path("bad.json").write_text('{"format": "studio.suite/1", "name": "x", "tools": [{}]}')
    done = studio("tools", "run", *words)
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert done.stdout == ""


def test_ctrl_c_shows_what_was_scored_and_is_exit_130(studio: Studio, suite_file: str) -> None:
    with faulty_server(lambda prompt, _: CALL if "p1" in prompt else SILENCE) as server:

        def interrupt() -> None:
            eventually(lambda: len(server.asked) == 5 and server.open == 0, 20)
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        run = ("tools", "run", "--suite", suite_file, "--json", "-")
        done = studio(*run, *at(server)[:4], "--concurrency", "8")
        thread.join()

    assert done.exit_code == 130
    [result] = json.loads(done.stdout)["results"]
    assert result["passed"] == 1
    assert result["incomplete"] == 5
    assert "Stopped before the end" in done.stderr
