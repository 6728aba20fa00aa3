"""The documents say what the code does: settings, flags, targets of make, links, locks."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import pytest
import yaml

from scripts import plain_lock, vendor
from webapp.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
LOCKS = [*sorted(ROOT.glob("*.lock")), ROOT / "package-lock.json", ROOT / ".npmrc"]
SETTING = re.compile(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", re.MULTILINE)


class Asked(dict[str, str]):
    """An environment that notes which variables were asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.names.add(name)
        return super().get(name, default)


@pytest.fixture
def settings_read(tmp_path: Path) -> set[str]:
    """Every variable that the settings read."""
    env = Asked({"STUDIO_DATA": str(tmp_path)})
    Settings.from_env(env)
    env["ADMIN_PASSWORD"], env["ADMIN_EMAIL"] = "long enough to be safe", "bob@example.org"
    Settings.from_env(env)
    return env.names


def provider_keys() -> set[str]:
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    keys = {provider.get("api_key_env") for provider in config["providers"].values()}
    return keys - {None}


def documented() -> set[str]:
    """The settings that have a row in docs/settings.md."""
    rows = re.findall(r"^\| (`[A-Z].*?) \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}


def test_every_setting_stands_in_the_example_and_in_the_document(settings_read: set[str]) -> None:
    example = {name for name, _ in SETTING.findall((ROOT / ".env.example").read_text())}
    assert example - provider_keys() == settings_read
    assert documented() == settings_read


def test_the_example_shows_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = dict(SETTING.findall((ROOT / ".env.example").read_text()))
    assert shown["PORT"] == "8501"
    first = Settings.from_env({})  # makes the secrets
    assert Settings.from_env(shown) == replace(first, notices=())


def test_the_document_shows_the_defaults() -> None:
    text = (ROOT / "docs/settings.md").read_text()
    shown = dict(SETTING.findall((ROOT / ".env.example").read_text()))
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| `([^`]+)` \|", text, re.MULTILINE))
    assert rows
    assert {name: shown[name] for name in rows} == rows


def commands() -> Iterator[tuple[str, click.Command]]:
    """Each command of `studio` that is our own, with its words."""
    from webapp.cli import cli

    pending: list[tuple[str, click.Command]] = [("studio", cli)]
    while pending:
        words, command = pending.pop()
        if not (command.callback or cli).__module__.startswith("flask"):
            yield words, command
        if isinstance(command, click.Group):
            pending += [(f"{words} {name}", sub) for name, sub in command.commands.items()]


def flags(command: click.Command) -> set[str]:
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    return {flag for option in options for flag in option.opts if flag.startswith("--")}


def test_every_flag_of_the_command_line_is_documented() -> None:
    text = "\n".join(document.read_text() for document in DOCUMENTS)
    missing = {
        f"{words} {flag}"
        for words, command in commands()
        for flag in flags(command) - {"--help"}
        if not re.search(rf"{flag}\b", text)
    }
    assert missing == set()


def test_every_flag_in_the_table_of_bench_exists() -> None:
    known = next(flags(command) for words, command in commands() if words == "studio bench")
    section = (ROOT / "README.md").read_text().split("## Command line")[1]
    table = section.split("| command |")[0]
    assert set(re.findall(r"--[a-z][a-z0-9-]+", table)) - known == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_is_shown_exists_with_its_flags(document: Path) -> None:
    known = {words: flags(command) | {"--help"} for words, command in commands() if " " in words}
    shown = re.findall(r"\bstudio [a-z-]+[^`\n]*", document.read_text())
    for line in shown:
        words = max((w for w in known if f"{line} ".startswith(f"{w} ")), key=len, default=line)
        assert words in known, line
        assert set(re.findall(r"--[a-z][a-z0-9-]+", line)) <= known[words], line


def test_every_target_of_make_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in [*DOCUMENTS, ROOT / ".ci" / "run"]:
        named = re.findall(r"(?:^\s*|`)make ([a-z]+)", document.read_text(), re.MULTILINE)
        assert set(named) <= targets, document.name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text()):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_no_lock_holds_an_address(lock: Path) -> None:
    assert not re.search(r"https?:|://", lock.read_text())


def test_addresses_are_taken_out_of_a_fresh_lock_and_nothing_else_is() -> None:
    entry = {"version": "1.0.0", "integrity": "sha512-x", "license": "MIT"}
    added = {"funding": {"url": "address"}, "resolved": "address"}
    fresh = {"lockfileVersion": 3, "packages": {"node_modules/a": {**entry, **added}}}
    assert plain_lock.plain(fresh) == {"lockfileVersion": 3, "packages": {"node_modules/a": entry}}


def test_browser_packages_are_pinned_exactly_and_the_lock_agrees() -> None:
    package = json.loads((ROOT / "package.json").read_text())
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    pins = {**package["dependencies"], **package["devDependencies"]}
    assert pins == {name: locked[f"node_modules/{name}"]["version"] for name in pins}


def test_python_pins_stand_in_the_lock() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = set(
        re.findall(r"^([\w.-]+==[^\s;]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    )
    exact = {pin.partition(";")[0].strip() for pin in project["dependencies"] if "==" in pin}
    assert exact <= locked


def test_every_vendored_file_a_page_names_is_copied() -> None:
    pages = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "static").glob("*s/**/*.[cj]s*")]
    named = {name for page in pages for name in re.findall(r"vendor/([\w.-]+\w)", page.read_text())}
    assert named
    assert named <= {Path(file).name for file in vendor.FILES.values()}
