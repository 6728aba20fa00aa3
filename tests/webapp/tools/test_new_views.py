"""Suites from files, from pasted text and from an MCP server."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from engine.specs import McpListSpec
from engine.tools.suites import Suite
from jobs.mcp_access import server_of
from tests.webapp.conftest import HTMX, Person
from tests.webapp.tools.builders import MAIL, WEATHER, suite_data
from webapp.models import Job, SuiteRow
from webapp.settings import Settings
from webapp.tools import store


def test_a_pasted_suite_is_imported(alice: Person) -> None:
    text = json.dumps(suite_data(3))
    answer = alice.post("/tools/suites/import", data={"text": text, "suite_name": "Mine"})
    row = SuiteRow.get()
    assert answer.location == f"/tools/suites/{row.id}"
    assert (row.name, row.cases) == ("Mine", 3)
    assert store.versions(row)[0].note == "Imported: Studio (JSON)"


def test_files_are_imported_whatever_their_format(alice: Person) -> None:
    tools = json.dumps([{"type": "function", "function": WEATHER}]).encode()
    alice.post("/tools/suites/import", data={"file": (io.BytesIO(tools), "tools.json")})
    assert SuiteRow.get().tools == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Choose a file, or paste its text."),
        ("{broken", "Nothing was imported."),
        ('{"name": "x", "tools": [], "cases": [{"id": 1}]}', "cases"),
        (json.dumps(suite_data(2) | {"tools": [WEATHER, WEATHER]}), "stands there twice"),
        (json.dumps(suite_data(1) | {"tools": [MAIL]}), "the case does not offer it"),
    ],
)
def test_a_failed_import_says_why_keeps_the_text_and_writes_nothing(
    alice: Person, text: str, said: str
) -> None:
    answer = alice.post("/tools/suites/import", data={"text": text}, headers=HTMX)
    assert answer.status_code == 422
    assert said in answer.text
    assert SuiteRow.select().count() == 0
    assert alice.post("/tools/suites/import", data={"text": text}).status_code == 422


def listing(alice: Person, **fields: Any) -> Job:
    """The job of a listing that was asked for."""
    data = {"url": "https://mcp.example/mcp", **fields}
    answer = alice.post("/tools/mcp", data=data)
    job: Job = Job.get()
    assert answer.location == f"/tools/mcp/{job.id}"
    return job


def test_tools_of_a_server_become_a_suite_in_two_clicks(alice: Person, settings: Settings) -> None:
    job = listing(alice, headers="Authorization: Bearer abc")
    spec = McpListSpec.model_validate(job.spec)
    assert "abc" not in json.dumps(job.spec)
    assert server_of(spec, settings).headers == {"Authorization": "Bearer abc"}  # type: ignore[union-attr]
    assert "is asked for its tools" in alice.get(f"/tools/mcp/{job.id}").text
    early = alice.post(f"/tools/mcp/{job.id}", data={"tool": "send_mail"}, headers=HTMX)
    assert early.status_code == 409
    result = {"tools": [WEATHER, MAIL], "transport": "http", "duration_ms": 12.0}
    Job.update(state="done", result=result).execute()
    page = alice.get(f"/tools/mcp/{job.id}", headers=HTMX).text
    assert 'value="send_mail" checked' in page
    answer = alice.post(f"/tools/mcp/{job.id}", data={"tool": "send_mail", "starters": "1"})
    row = SuiteRow.get()
    assert answer.location == f"/tools/suites/{row.id}"
    assert (row.name, row.tools, row.cases) == ("mcp.example", 1, 2)


def test_a_server_that_fails_says_so(alice: Person) -> None:
    job = listing(alice)
    Job.update(state="failed", error="mcp.example does not answer.").execute()
    assert "mcp.example does not answer." in alice.get(f"/tools/mcp/{job.id}").text
    assert alice.post(f"/tools/mcp/{job.id}", data={"tool": "x"}, headers=HTMX).status_code == 409


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"url": "ftp://x"}, "url"),
        ({"url": "http://[x"}, "url"),
        ({"headers": "no colon"}, "headers"),
        ({"headers": "Host: evil"}, "headers"),
    ],
)
def test_what_cannot_be_asked_is_refused(alice: Person, fields: dict[str, str], field: str) -> None:
    data = {"url": "https://mcp.example/mcp", **fields}
    answer = alice.post("/tools/mcp", data=data, headers=HTMX)
    assert answer.status_code == 422
    assert f'id="{field}-err"' in answer.text
    assert Job.select().count() == 0


def test_a_listing_is_its_owners(alice: Person, charlie: Person) -> None:
    job = listing(alice)
    assert charlie.get(f"/tools/mcp/{job.id}").status_code == 404
    Job.update(kind="key_test").execute()
    assert alice.get(f"/tools/mcp/{job.id}").status_code == 404


def test_what_went_out_as_bfcl_comes_in_again_as_its_two_files(alice: Person) -> None:
    row = store.create(alice.user, Suite.model_validate(suite_data(8)), "Made")
    packed = alice.get(f"/tools/suites/{row.id}/export/bfcl").data
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        parts = [(io.BytesIO(archive.read(name)), name) for name in archive.namelist()]
    answer = alice.post("/tools/suites/import", data={"file": parts, "suite_name": "Again"})
    assert answer.status_code == 303
    again = SuiteRow.get(SuiteRow.name == "Again")
    assert (again.cases, again.tools) != (0, 0)
    assert store.versions(again)[0].note.startswith("Imported: BFCL")
