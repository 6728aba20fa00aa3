"""`studio tools import` and `export`: files in, files out, and accounts where they are named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.tools import io
from engine.tools.io.studio import dumps
from engine.tools.samples import sample_suite
from engine.tools.suites import Suite
from tests.engine.tools.mcp_servers import RealServer, real_server
from tests.webapp.commands.conftest import Studio
from webapp.commands import tools_import

TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
QUESTION = {
    "id": "simple_0",
    "question": [[{"role": "user", "content": "Weather in Oslo?"}]],
    "function": [{"name": "get_weather", "description": "", "parameters": {
        "type": "dict", "properties": {"city": {"type": "string"}}, "required": ["city"]}}],
}  # fmt: skip
ANSWER = {"id": "simple_0", "ground_truth": [{"get_weather": {"city": ["Oslo", "oslo"]}}]}


@pytest.fixture
def tools(folder: Path) -> Path:
    path = folder / "tools.json"
    path.write_text(json.dumps([TOOL]))
    return path


@pytest.fixture
def bfcl(folder: Path) -> tuple[str, str]:
    (folder / "questions.json").write_text(f"{json.dumps(QUESTION)}\n")
    (folder / "answers.json").write_text(f"{json.dumps(ANSWER)}\n")
    return "questions.json", "answers.json"


@pytest.fixture(scope="module")
def real() -> Iterator[RealServer]:
    with real_server() as server:
        yield server


def test_tools_become_a_suite_on_standard_output(studio: Studio, tools: Path) -> None:
    done = studio("tools", "import", str(tools), "--name", "Mine")
    assert done.exit_code == 0
    suite = Suite.model_validate_json(done.stdout)
    assert (suite.name, [tool.name for tool in suite.tools]) == ("Mine", ["get_weather"])
    assert not Path("data").exists()


def test_bfcl_goes_in_and_out_again(studio: Studio, bfcl: tuple[str, str]) -> None:
    done = studio("tools", "import", *bfcl, "--out", "suite.json")
    assert (done.exit_code, done.stderr) == (0, "Saved suite.json: 1 tools, 1 cases.\n")
    back = studio("tools", "export", "suite.json", "--format", "bfcl", "--out", "there")
    assert back.exit_code == 0
    assert json.loads(Path("there/questions.json").read_text()) == QUESTION
    assert json.loads(Path("there/possible_answers.json").read_text()) == ANSWER


def test_what_a_format_cannot_say_is_named(studio: Studio, folder: Path) -> None:
    Path("sample.json").write_text(dumps(sample_suite()))
    done = studio("tools", "export", "sample.json", "--format", "bfcl", "--out", "there")
    assert done.exit_code == 0
    assert "match-fuzzy: BFCL compares by lists of values; subject is compared" in done.stderr
    assert f"of {len(sample_suite().cases)} cases." in done.stderr


def test_a_suite_is_written_as_it_was_read(studio: Studio, folder: Path) -> None:
    text = dumps(sample_suite())
    Path("sample.json").write_text(text)
    assert studio("tools", "export", "sample.json").stdout == text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"id": "simple_0", "ground_truth": []}\n{', "bad.json, line 2: This is not JSON"),
        ('[{"name": "a", "parameters": {"type": 7}}]', "bad.json, line 1: tools.0.parameters: "),
        ("", "bad.json: The file is empty."),
    ],
)
def test_a_bad_file_is_named_and_nothing_is_written(
    studio: Studio, folder: Path, text: str, sentence: str
) -> None:
    Path("bad.json").write_text(text)
    form = ("--format", "bfcl") if "simple" in text else ()
    done = studio("tools", "import", "bad.json", "--out", "suite.json", *form)
    assert done.exit_code == 1
    assert sentence in done.stderr
    assert not Path("suite.json").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("import",), "Give files to import, or --mcp"),
        (("import", "{tools}", "--mcp", "http://h/mcp"), "Give files to import, or --mcp"),
        (("import", "{tools}", "--out", "a", "--user", "b@example.org"), "not both"),
        (("import", "--mcp", "http://h/mcp", "--header", "nonsense"), "'NAME: VALUE'"),
        (("export", "nowhere.json"), "There is no file nowhere.json"),
    ],
)
def test_what_makes_no_sense_is_refused(
    studio: Studio, tools: Path, words: tuple[str, ...], sentence: str
) -> None:
    done = studio("tools", *(word.format(tools=tools) for word in words))
    assert done.exit_code == 2
    assert sentence in done.stderr


def test_the_terminal_knows_every_format() -> None:
    assert tuple(io.FORMATS) == tools_import.FORMATS


def test_two_files_need_a_folder(studio: Studio, bfcl: tuple[str, str]) -> None:
    studio("tools", "import", *bfcl, "--out", "suite.json")
    done = studio("tools", "export", "suite.json", "--format", "bfcl")
    assert done.exit_code == 2
    assert "questions.json and possible_answers.json): give --out a folder" in done.stderr


def test_a_suite_is_stored_for_an_account_and_comes_out_again(
    studio: Studio, tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_DATA", "data")
    for email in ("alice@example.org", "charlie@example.org"):
        studio("user", "create", "--email", email, "--password", "long enough to be safe")
    stored = studio("tools", "import", str(tools), "--name", "Mine", "--user", "Alice@example.org")
    assert "“Mine” is suite 1 of alice@example.org: 1 tools, 0 cases." in stored.stderr
    assert stored.exit_code == 0
    out = studio("tools", "export", "1", "--user", "alice@example.org", "--format", "openai")
    assert json.loads(out.stdout)[0]["function"]["name"] == "get_weather"
    other = studio("tools", "export", "1", "--user", "charlie@example.org")
    assert (other.exit_code, "has no suite 1" in other.stderr) == (1, True)
    nobody = studio("tools", "import", str(tools), "--user", "bob@example.org")
    assert (nobody.exit_code, "no account 'bob@example.org'" in nobody.stderr) == (1, True)


def test_an_mcp_server_becomes_a_suite_with_cases(
    studio: Studio, folder: Path, real: RealServer
) -> None:
    url = f"{real.base}/mcp"
    done = studio("tools", "import", "--mcp", url, "--pick", "lookup_2,lookup_9")
    suite = Suite.model_validate_json(done.stdout)
    assert (suite.name, [tool.name for tool in suite.tools]) == (
        "library",
        ["lookup_2", "lookup_9"],
    )
    assert [case.id for case in suite.cases] == ["call-lookup_2", "call-lookup_9", "no-call"]
    bare = studio("tools", "import", "--mcp", url, "--no-starters", "--name", "Bare")
    assert Suite.model_validate_json(bare.stdout).cases == ()
    assert studio("tools", "import", "--mcp", f"{url}x").exit_code == 1
