"""What import-linter cannot see: when something is imported, and that a served page never
brings LiteLLM in (2 s and 160 MB)."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WALK = """
import sys
from pathlib import Path
from tests.webapp.conftest import sign_in
from webapp import create_app, db
from webapp.settings import Settings

app = create_app(Settings(data=Path(sys.argv[1]), secret_key="k" * 32))
visited = 0
with db.connection():
    alice = sign_in(app, "alice@example.org")
    for rule in app.url_map.iter_rules():
        is_socket = rule.websocket or rule.endpoint.endswith("socket")
        if "GET" in rule.methods and not rule.arguments and not is_socket:
            answer = alice.get(rule.rule)
            assert answer.status_code != 500, rule.rule
            visited += 1
print(visited, *sorted({"litellm", "engine.llm"} & set(sys.modules)))
"""


def imports(tree: ast.AST, *, everywhere: bool) -> Iterator[str]:
    """The modules a file imports: when it is imported itself, or `everywhere` in it.

    What stands under TYPE_CHECKING is never run.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        elif everywhere or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imports(node, everywhere=everywhere)


def files(*folders: str) -> list[Path]:
    return [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]


def in_a_new_process(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_litellm_is_imported_inside_functions_only() -> None:
    eager = [
        file
        for file in files("engine", "jobs", "webapp")
        for name in imports(ast.parse(file.read_text()), everywhere=False)
        if name.partition(".")[0] == "litellm"
    ]
    assert eager == []


def test_the_models_know_the_database_and_nothing_else() -> None:
    known = {*sys.stdlib_module_names, "peewee", "playhouse"}
    others = [
        (file, name)
        for file in files("webapp/models")
        for name in imports(ast.parse(file.read_text()), everywhere=True)
        if name != "webapp.db" and not name.startswith("webapp.models")
        if name.partition(".")[0] not in known
    ]
    assert others == []


def test_importing_the_web_package_costs_nothing() -> None:
    code = "import sys, webapp; print(*sorted({'flask', 'peewee', 'pydantic'} & set(sys.modules)))"
    assert in_a_new_process(code) == ""


def test_a_web_process_that_served_every_page_has_no_litellm(tmp_path: Path) -> None:
    visited, *found = in_a_new_process(WALK, str(tmp_path)).split()
    assert int(visited) >= 5
    assert found == []
