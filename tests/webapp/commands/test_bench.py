"""`studio bench` from the outside: exit codes, what stands where, what is never touched."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import pytest

from engine.demo.process import DemoServer
from tests.hostile import Hostile, hostile_server
from tests.webapp.commands.conftest import Studio

BRIEF = ("--runs", "2", "--max-tokens", "6", "--no-warmup")


@pytest.fixture
def running_demo(folder: Path, demo: DemoServer, monkeypatch: pytest.MonkeyPatch) -> DemoServer:
    """A demo provider that answers where the configuration expects it."""
    monkeypatch.setenv("DEMO_PORT", str(demo.port))
    return demo


def refuse_constants(name: str) -> Any:
    raise AssertionError(f"{name} is not JSON")


def strict(text: str) -> Any:
    return json.loads(text, parse_constant=refuse_constants)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.usefixtures("running_demo")
def test_the_demo_provider_is_measured_shown_and_saved(studio: Studio, folder: Path) -> None:
    done = studio("bench", "--provider", "demo", "--model", "fast", *BRIEF)
    assert done.exit_code == 0, done.output
    assert "fast-small writes" in done.stdout
    assert "2/2" in done.stdout
    (saved,) = (folder / "results").iterdir()
    assert saved.name.endswith("Z.json")
    assert f"Saved results/{saved.name}" in done.stderr
    assert strict(saved.read_text())["schema"] == "studio.bench/1"
    assert [path.name for path in folder.iterdir()] == ["results"]


@pytest.mark.usefixtures("running_demo")
def test_with_json_on_standard_output_nothing_else_stands_there(
    studio: Studio, folder: Path
) -> None:
    words = ("bench", "--provider", "demo", "--model", "fast", *BRIEF, "--json", "-", "--no-save")
    done = studio(*words)
    assert done.exit_code == 0, done.output
    document = strict(done.stdout)
    assert document["environment"]["spec"]["max_tokens"] == 6
    (row,) = document["results"]
    assert (row["provider"], row["model"]) == ("demo", "fast-small")
    assert row["requests"] == {"ok": 2, "failed": 0, "incomplete": 0}
    assert row["tokens"]["output"] == 12
    assert row["tokens"]["source"] == "usage"
    assert row["cost_usd"] > 0
    assert row["ttft_ms"]["n"] == 2
    assert "fast-small" in done.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("running_demo")
def test_json_goes_to_a_file_and_the_table_stays_on_standard_output(
    studio: Studio, folder: Path
) -> None:
    words = ("bench", "--model", "fast-small", *BRIEF, "--json", "out.json", "--no-save")
    done = studio(*words)
    assert done.exit_code == 0, done.output
    assert "fast-small writes" in done.stdout
    assert strict((folder / "out.json").read_text())["results"]


def test_an_endpoint_needs_no_configuration_and_gets_a_placeholder_key(
    studio: Studio, folder: Path, demo: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "config.yaml").write_text("this: is: no: config")
    (folder / ".env").write_text("STUDIO_DATA=./elsewhere\nOPENAI_API_KEY=sk-from-dotenv-123456\n")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-environment-123456")
    words = ("bench", "--base-url", demo.base_url, "--model-id", "fast-small", *BRIEF)
    done = studio(*words, "--json", "-", "--no-save", "--verbose")
    assert done.exit_code == 0, done.output
    assert strict(done.stdout)["results"][0]["provider"] == f"127.0.0.1:{demo.port}"
    assert "sk-from" not in done.output
    assert {path.name for path in folder.iterdir()} == {"config.yaml", ".env"}


def test_a_demo_provider_that_does_not_run_is_started_for_the_duration(
    studio: Studio, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_PORT", str(free_port()))
    done = studio("bench", "--model", "fast-small", *BRIEF, "--no-save", "--json", "-")
    assert done.exit_code == 0, done.output
    assert strict(done.stdout)["results"][0]["requests"]["ok"] == 2


def test_what_fails_gives_exit_code_1_and_its_reason_once(studio: Studio) -> None:
    address = f"http://127.0.0.1:{free_port()}/v1"
    done = studio("bench", "--base-url", address, "--model-id", "m", *BRIEF, "--no-save")
    assert done.exit_code == 1
    assert "None of 2 requests succeeded: Nothing answers at 127.0.0.1" in done.stdout
    assert done.stdout.count("Nothing answers") == 1


def test_a_missing_key_is_named_with_its_variable(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    done = studio("bench", "--provider", "anthropic", "--model", "haiku-4-5", *BRIEF, "--no-save")
    assert done.exit_code == 1
    assert "set ANTHROPIC_API_KEY in the environment" in done.stdout


def test_the_named_key_is_sent_and_never_shown(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "a-secret-of-alice-42")
    with hostile_server() as server:
        server.answer(
            "/v1/chat/completions", {"error": {"message": "bad a-secret-of-alice-42"}}, 401
        )
        words = ("bench", "--base-url", f"{server.url}/v1", "--model-id", "m", "--no-warmup")
        done = studio(*words, "--runs", "1", "--api-key-env", "MY_KEY", "--verbose", "--json", "-")
        assert sent_keys(server) == {"Bearer a-secret-of-alice-42"}
    assert done.exit_code == 1
    assert "a-secret-of-alice-42" not in done.output
    assert f"POST {server.url}/v1/chat/completions" in done.stderr
    assert "auth: " in done.stderr
    (row,) = strict(done.stdout)["results"]
    assert row["errors"] == {"auth": 1}


def sent_keys(server: Hostile) -> set[str]:
    return {headers.get("authorization", "") for _, headers in server.seen}


NOWHERE = ("--base-url", "http://127.0.0.1:9/v1", "--model-id", "m")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "studio bench --provider demo"),
        (("--provider", "nobody"), "No configured model matches --provider nobody."),
        (("--base-url", "http://x/v1"), "add --model-id NAME"),
        (("--model-id", "m"), "add --base-url URL"),
        (("--base-url", "x", "--model-id", "m"), "give an address such as"),
        ((*NOWHERE, "--provider", "demo"), "leave --base-url out"),
        ((*NOWHERE, "--api-key-env", "NOT_SET"), "NOT_SET, which is not set"),
        (("--provider", "demo", "--api-key-env", "X"), "goes with --base-url"),
        ((*NOWHERE, "--runs", "10000"), "--runs: Give a number from 1 to 1,000."),
        ((*NOWHERE, "--max-tokens", "0"), "--max-tokens: Give a number from 1 to 128,000."),
        ((*NOWHERE, "--runs", "many"), "Invalid value for '--runs'"),
        ((*NOWHERE, "--temperature", "9"), "--temperature: Give a number from 0 to 2."),
        ((*NOWHERE, "--timeout", "0"), "--timeout: Give a number from 1 to 3,600."),
        ((*NOWHERE, "--prompt", " "), "--prompt: Write a prompt."),
        ((*NOWHERE, "--prompt", "x" * 500_001), "--prompt: Keep this to 500,000 characters"),
        ((*NOWHERE, "--context-tiers", "0,a"), "tokens separated by commas"),
        ((*NOWHERE, "--context-tiers", ","), "--context-tiers: Choose at least one"),
        ((*NOWHERE, "--requests", "4"), "--requests: give --concurrency or --rate with it"),
        ((*NOWHERE, "--concurrency", "4", "--rate", "2"), "exclude each other"),
        ((*NOWHERE, "--concurrency", "0"), "--concurrency or --rate: Give a number above 0."),
        ((*NOWHERE, "--concurrency", "many"), "give numbers separated by commas"),
        ((*NOWHERE, "--concurrency", "2.5"), "--concurrency: give whole numbers"),
        ((*NOWHERE, "--concurrency", "2", "--arrivals", "poisson"), "--concurrency has no rate"),
        ((*NOWHERE, "--concurrency", "2", "--runs", "5"), "a load level takes --requests"),
        ((*NOWHERE, "--rate", "1", "--duration", "0"), "--duration: Give a number above 0."),
        ((*NOWHERE, "--temperature", "warm"), "give a number or 'default'"),
        ((*NOWHERE, "--synthetic", "100"), "such as 1000:200,128"),
        ((*NOWHERE, "--synthetic", "0,5"), "--synthetic: Give a number from 1 to 2,000,000."),
        ((*NOWHERE, "--synthetic", "9,5", "--context-tiers", "9"), "take the place of context"),
        ((*NOWHERE, "--recall"), "--recall: The fact is hidden in filler"),
        ((*NOWHERE, "--budget", "0"), "--budget: Give a number above 0."),
        ((*NOWHERE, "--cache", "hot"), "Invalid value for '--cache'"),
        ((*NOWHERE, "--prompts", "absent.csv"), "--prompts: absent.csv cannot be read"),
        ((*NOWHERE, "--prompt", "a", "--synthetic", "9,5"), "--prompt and --synthetic exclude"),
        ((*NOWHERE, "--prompt", "a", "--prompts", "b.csv"), "--prompt and --prompts exclude"),
        ((*NOWHERE, "--warmup", "2", "--no-warmup"), "--warmup and --no-warmup exclude each other"),
        ((*NOWHERE, "--rate", "2", "--ramp", "3"), "--ramp opens the streams of --concurrency"),
        (("--base-url", "http://127.0.0.1:99999/v1", "--model-id", "m"), "give an address such as"),
        (("--base-url", "http://[::1/v1", "--model-id", "m"), "give an address such as"),
        (("--server", "http://studio"), "--server: this version has no API"),
        (("--token", "t"), "--token: this version has no API"),
        (("--server", "http://s", "--api-key-env", "X"), "exclude each other"),
        ((*NOWHERE, "--json", "absent/out.json"), "absent/out.json cannot be written"),
        (("--provider", "demo", "--config", "absent.yaml"), "absent.yaml cannot be read"),
    ],
)
def test_what_makes_no_sense_gives_exit_code_2_and_one_clear_sentence(
    studio: Studio, folder: Path, words: tuple[str, ...], sentence: str
) -> None:
    done = studio("bench", *words)
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert done.stdout == ""
    assert list(folder.iterdir()) == []


def test_a_demo_port_that_is_none_is_refused(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_PORT", "demo")
    done = studio("bench", "--provider", "demo")
    assert done.exit_code == 2
    assert "DEMO_PORT is 'demo'" in done.stderr


def test_a_mistake_in_config_yaml_is_named_before_anything_is_asked(
    studio: Studio, folder: Path
) -> None:
    (folder / "config.yaml").write_text("providers:\n  demo:\n    modles: []\n")
    done = studio("bench", "--provider", "demo")
    assert done.exit_code == 2
    assert "config.yaml, line 3: providers.demo.modles is not known" in done.stderr


def test_thousands_may_be_written_with_a_k(studio: Studio, demo: DemoServer) -> None:
    endpoint = ("--base-url", demo.base_url, "--model-id", "fast-small")
    done = studio("bench", *endpoint, *BRIEF, "--context-tiers", "0,1K", "--json", "-", "--no-save")
    assert [row["context_tokens"] for row in strict(done.stdout)["results"]] == [0, 1000]


@pytest.mark.usefixtures("running_demo")
def test_a_size_above_the_window_is_skipped_with_a_sentence(studio: Studio) -> None:
    words = ("bench", "--model", "slow-large", *BRIEF, "--context-tiers", "0,50000", "--no-save")
    done = studio(*words)
    assert done.exit_code == 0, done.output
    assert "slow-large is skipped at 50,000 tokens" in done.stderr


@pytest.mark.usefixtures("running_demo")
def test_a_set_of_prompts_with_recall_stands_in_the_json(studio: Studio, folder: Path) -> None:
    (folder / "set.csv").write_text('prompt,max_tokens\nWhy?,14\n"Say when, and where.",12\n')
    done = studio("bench", "--model", "fast-small", "--prompts", "set.csv", "--recall",
                  "--context-tiers", "800", "--no-warmup", "--no-save", "--json", "-")  # fmt: skip
    assert done.exit_code == 0, done.output
    document = strict(done.stdout)
    assert document["environment"]["spec"]["prompts"][1]["prompt"] == "Say when, and where."
    (row,) = document["results"]
    assert sorted(entry["prompt_index"] for entry in row["samples"]) == [0, 1]
    assert row["requests"]["ok"] == 2
    assert (row["recall"]["share"], row["recall"]["n"]) == (1, 2)


@pytest.mark.usefixtures("running_demo")
def test_a_budget_ends_a_run_in_good_order(studio: Studio) -> None:
    words = ("bench", "--model", "fast-small", *BRIEF[2:], "--runs", "9", "--budget", "0.000001")
    done = studio(*words, "--no-save", "--json", "-")
    assert done.exit_code == 0, done.output
    assert "The budget of $0.000001 is spent" in done.stderr
    assert "8 requests were not sent" in done.stderr
    assert strict(done.stdout)["results"][0]["requests"]["ok"] == 1


def start(*words: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from webapp.cli import main; main()", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(lines: IO[str] | None, words: str, times: int) -> None:
    assert lines is not None
    for line in lines:
        times -= words in line
        if times == 0:
            return
    raise AssertionError(f"{words!r} was not said")


def test_ctrl_c_shows_and_writes_what_was_measured_so_far(folder: Path, demo: DemoServer) -> None:
    endpoint = ("--base-url", demo.base_url, "--model-id", "fast-small")
    words = ("bench", *endpoint, "--runs", "900", "--max-tokens", "10", "--json", "-", "--verbose")
    with start(*words, folder=folder) as child:
        wait_for(child.stderr, "complete after", 4)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=20)
    assert child.returncode == 130
    assert "Stopped before the end; what was measured so far:" in err
    (row,) = strict(out)["results"]
    assert 3 <= row["requests"]["ok"] < 900
    assert row["ttft_ms"]["n"] == row["requests"]["ok"]
    assert len(list((folder / "results").iterdir())) == 1


def test_help_builds_no_application_and_imports_nothing_heavy(folder: Path) -> None:
    code = (
        "import sys; from webapp.cli import cli; cli.main(['--help'], standalone_mode=False);"
        "print(*{'litellm', 'numpy', 'scipy', 'peewee', 'webapp.areas'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "Measure speed and first token of models." in done.stdout
    assert done.stdout.splitlines()[-1] == ""
    assert list(folder.iterdir()) == []
