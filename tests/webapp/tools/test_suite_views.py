"""Suites in lists and on their page, exported, put away and brought back."""

from __future__ import annotations

import io
import json
import zipfile

from engine.tools.suites import Suite
from tests.webapp.conftest import HTMX, Person
from tests.webapp.tools.builders import stored_suite, suite_data
from webapp.models import SuiteRow, SuiteVersion
from webapp.tools import store


def test_a_new_user_is_offered_the_sample_and_gets_a_copy(alice: Person) -> None:
    page = alice.get("/tools").text
    assert "No suite yet" in page
    assert "Add the sample suite" in page
    answer = alice.post("/tools/suites/sample")
    row = SuiteRow.get()
    assert (answer.status_code, answer.location) == (303, f"/tools/suites/{row.id}")
    assert row.cases >= 50
    assert row.tools >= 10
    assert "No suite yet" not in alice.get("/tools").text


def test_the_list_and_its_twins_say_the_same(alice: Person) -> None:
    row = stored_suite(alice.user, 8)
    page = alice.get("/tools").text
    assert f'href="/tools/suites/{row.id}">Weather and mail</a>' in page
    (data,) = alice.get("/tools/suites.json").get_json()["suites"]
    assert (data["cases"], data["tools"], data["version"]) == (8, 2, 1)
    head, line = alice.get("/tools/suites.csv").text.splitlines()
    assert dict(zip(head.split(","), line.split(","), strict=True))["name"] == "Weather and mail"


def test_cases_are_searched_filtered_and_paged(alice: Person) -> None:
    row = stored_suite(alice.user, 120)
    url = f"/tools/suites/{row.id}"
    page = alice.get(url).text
    assert "120 cases" in page
    assert "page 1 of 3" in page
    found = alice.get(f"{url}?q=anthem+lima", headers=HTMX).text
    assert found.lstrip().startswith('<div id="case-list"')
    assert "parallel_" not in found
    assert "no_call_3<" in found
    assert "30 of 120 cases" in alice.get(f"{url}?category=relevance").text
    assert "No case matches" in alice.get(f"{url}?q=nothing-like-it").text


def test_a_suite_goes_out_as_it_came_in(alice: Person) -> None:
    row = stored_suite(alice.user)
    answer = alice.get(f"/tools/suites/{row.id}.json")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert Suite.model_validate_json(answer.data) == Suite.model_validate(suite_data())
    packed = alice.get(f"/tools/suites/{row.id}/export/bfcl")
    with zipfile.ZipFile(io.BytesIO(packed.data)) as archive:
        assert len(archive.namelist()) >= 2
    tools = json.loads(alice.get(f"/tools/suites/{row.id}/export/openai").data)
    assert [tool["function"]["name"] for tool in tools] == ["get_weather", "send_mail"]
    assert alice.get(f"/tools/suites/{row.id}/export/fax").status_code == 404


def test_cases_that_a_format_cannot_say_are_listed_beside_it(alice: Person) -> None:
    alice.post("/tools/suites/sample")
    packed = alice.get(f"/tools/suites/{SuiteRow.get().id}/export/bfcl").data
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert "chain-invoice: " in archive.read("left-out.txt").decode()
    empty = stored_suite(alice.user, 0, tools=[])
    packed = alice.get(f"/tools/suites/{empty.id}/export/openai").data
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == ["left-out.txt"]


def test_cases_that_cannot_pass_are_shown_with_the_reason(alice: Person) -> None:
    assert "cannot pass" not in alice.get(f"/tools/suites/{stored_suite(alice.user).id}").text
    asked = {"id": "odd", "prompt": "Weather?", "expect": {"kind": "calls", "alternatives": [
        [{"name": "get_weather", "arguments": {"city": {"values": [5]}}}]]}}  # fmt: skip
    row = store.create(alice.user, Suite.model_validate({**suite_data(0), "cases": [asked]}), "")
    page = alice.get(f"/tools/suites/{row.id}").text
    assert "1 case cannot pass by the studio’s rules" in page
    assert f'href="/tools/suites/{row.id}/cases/1">odd</a>: The schema disagrees: city' in page


def test_an_older_version_is_shown_and_brought_back(alice: Person) -> None:
    row = stored_suite(alice.user, 8)
    store.save(row, Suite.model_validate(suite_data(4)), "Fewer cases", 1)
    url = f"/tools/suites/{row.id}"
    assert "Fewer cases" in alice.get(f"{url}?tab=versions").text
    old = alice.get(f"{url}?version=1").text
    assert "This is version 1; version 2 is the latest." in old
    assert "8 cases" in old
    assert alice.get(f"{url}?version=9").status_code == 404
    alice.post(f"{url}/restore?version=1")
    assert SuiteRow.get().number == 3
    assert SuiteRow.get().cases == 8
    assert [one.note for one in store.versions(row)] == ["As in version 1", "Fewer cases", "Made"]


def test_a_deleted_suite_comes_back(alice: Person) -> None:
    row = stored_suite(alice.user)
    answer = alice.post(f"/tools/suites/{row.id}/delete")
    assert answer.location == "/tools"
    page = alice.get("/tools").text
    assert f'data-undo="/tools/suites/{row.id}/undelete"' in page
    assert alice.get(f"/tools/suites/{row.id}").status_code == 404
    assert alice.post(f"/tools/suites/{row.id}/undelete").status_code == 303
    assert alice.get(f"/tools/suites/{row.id}").status_code == 200
    SuiteRow.update(deleted_at=1.0).execute()
    assert alice.post(f"/tools/suites/{row.id}/undelete").status_code == 404


def test_others_see_none_of_it(alice: Person, charlie: Person) -> None:
    row = stored_suite(alice.user)
    assert "Weather" not in charlie.get("/tools").text
    assert charlie.get("/tools/suites.json").get_json() == {"suites": []}
    for url in ("", ".json", "/edit", "/json", "/cases/1", "/tools/1", "/export/bfcl"):
        assert charlie.get(f"/tools/suites/{row.id}{url}").status_code == 404
    assert charlie.post(f"/tools/suites/{row.id}/delete").status_code == 404
    assert SuiteVersion.select().count() == 1
