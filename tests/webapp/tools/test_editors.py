"""Forms and JSON end in the same check; what is refused stands at its field, nothing is lost."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from engine.tools.samples import sample_suite
from engine.tools.suites import Case
from tests.webapp.conftest import HTMX, Person
from tests.webapp.tools.builders import stored_suite, suite_data
from webapp.models import SuiteRow, SuiteVersion
from webapp.tools import case_form, matchers, store
from webapp.tools.documents import check, document


def typed_in(page: str) -> MultiDict[str, str]:
    """What the form on a page would send, without its buttons."""
    found: MultiDict[str, str] = MultiDict()
    form = page.partition('id="edit-form"')[2].partition("</form>")[0]
    tags = r"<(input)\b([^>]*)>()|<(textarea|select)\b([^>]*)>(.*?)</(?:textarea|select)>"
    for groups in re.findall(tags, form, re.DOTALL):
        tag, attributes, inside = groups[:3] if groups[0] else groups[3:]
        name = re.search(r'\bname="([^"]+)"', attributes)
        value = re.search(r'\bvalue="([^"]*)"', attributes)
        ticked = "checkbox" not in attributes and "radio" not in attributes
        if name is None or not (ticked or " checked" in attributes):
            continue
        text = value[1] if value else ""
        if tag == "textarea":
            text = inside.removeprefix("\n")
        elif tag == "select":
            chosen = re.search(r'value="([^"]*)" selected', inside)
            first = re.search(r'value="([^"]*)"', inside)
            text = (chosen or first)[1]  # type: ignore[index]
        found.add(name[1], unescape(text))
    return found


def content(row: SuiteRow) -> Any:
    return store.latest(SuiteRow.get_by_id(row.id)).content


def errors_in(page: str) -> dict[str, str]:
    """Messages by the field that carries them."""
    return dict(re.findall(r'<span class="err" id="([\w-]+)-err">(.*?)</span>', page, re.DOTALL))


def test_every_case_of_the_sample_goes_through_the_form_unchanged() -> None:
    data = document(sample_suite())
    for one in data["cases"]:
        built, errors = case_form.build(case_form.from_case(one))
        assert errors == {}
        assert Case.model_validate(built) == Case.model_validate(one), one["id"]


def test_saving_a_form_as_it_came_makes_no_version(alice: Person) -> None:
    alice.post("/tools/suites/sample")
    row = SuiteRow.get()
    url = f"/tools/suites/{row.id}"
    for path in (f"{url}/edit", f"{url}/tools/1", f"{url}/cases/1", f"{url}/json"):
        answer = alice.post(path, data=typed_in(alice.get(path).text))
        assert answer.status_code == 303, path
    assert SuiteVersion.select().count() == 1


def test_a_case_is_changed_by_its_form(alice: Person) -> None:
    row = stored_suite(alice.user)
    path = f"/tools/suites/{row.id}/cases/1"
    form = typed_in(alice.get(path).text)
    assert form["a0-c0-g0-values"] == "Oslo"
    form["a0-c0-g0-values"] = 'Oslo\n"12"\n12'
    form["a0-c0-g0-match"], form["a0-c0-g0-setting"] = "fuzzy", "0.9"
    form["trials"] = "5"
    answer = alice.post(path, data=form)
    assert (answer.status_code, answer.location) == (303, f"/tools/suites/{row.id}?tab=cases")
    case = content(row)["cases"][0]
    argument = case["expect"]["alternatives"][0][0]["arguments"]["city"]
    assert argument["values"] == ["Oslo", "12", 12]
    assert argument["match"] == {"kind": "fuzzy", "threshold": 0.9}
    assert case["trials"] == 5
    page = alice.get(answer.location).text
    assert "Saved as version 2." in page, re.findall("toast.*", page)
    assert store.versions(row)[0].note == "simple_1 changed"


def test_what_is_wrong_with_a_case_stands_at_its_field(alice: Person) -> None:
    row = stored_suite(alice.user)
    path = f"/tools/suites/{row.id}/cases/1"
    form = typed_in(alice.get(path).text)
    form["a0-c0-name"] = "get_wether"
    form["trials"] = "1000"
    form["chain"] = "{broken"
    answer = alice.post(path, data=form, headers=HTMX)
    assert answer.status_code == 422
    assert set(errors_in(answer.text)) == {"chain"}
    form["chain"] = ""
    errors = errors_in(alice.post(path, data=form, headers=HTMX).text)
    assert errors["trials"] == "Give a number up to 100."
    form["trials"] = "3"
    answer = alice.post(path, data=form, headers=HTMX)
    assert "the case does not offer it" in errors_in(answer.text)["a0-c0-name"]
    assert 'value="get_wether"' in answer.text
    assert SuiteVersion.select().count() == 1


def test_rows_of_a_case_come_and_go_without_losing_what_is_typed(alice: Person) -> None:
    row = stored_suite(alice.user)
    form = typed_in(alice.get(f"/tools/suites/{row.id}/cases/2").text)
    form["prompt"] = "Half done"
    url = f"/tools/suites/{row.id}/cases/change"
    page = alice.post(url, data={**form.to_dict(), "do": "add a0-c1"}).text
    assert "Half done" in page
    assert 'name="a0-c1-g1-name"' in page
    part = alice.post(url, data={**form.to_dict(), "do": "add"}, headers=HTMX).text
    assert part.count('class="stack alternative"') == 2
    part = alice.post(url, data={**form.to_dict(), "do": "remove a0-c0"}, headers=HTMX).text
    assert 'name="a0-c1-name"' not in part
    assert "Lima" in part
    part = alice.post(url, data={**form.to_dict(), "do": "remove a7-c9"}, headers=HTMX).text
    assert 'name="a0-c1-name"' in part


def test_a_tool_is_added_changed_and_refused(alice: Person) -> None:
    row = stored_suite(alice.user)
    url = f"/tools/suites/{row.id}"
    form = {"name": "get_time", "description": "", "parameters": '{"type": "object"}'}
    alice.post(f"{url}/tools/new", data=form)
    assert [tool["name"] for tool in content(row)["tools"]][-1] == "get_time"
    broken = alice.post(f"{url}/tools/3", data=form | {"parameters": "{"}, headers=HTMX)
    assert "is not JSON" in errors_in(broken.text)["parameters"]
    odd = form | {"parameters": '{"type": "array"}'}
    odd_answer = alice.post(f"{url}/tools/3", data=odd, headers=HTMX)
    assert "arguments have names" in errors_in(odd_answer.text)["parameters"]
    twice = alice.post(f"{url}/tools/3", data=form | {"name": "get_weather"}, headers=HTMX)
    assert "stands there twice" in twice.text
    assert alice.get(f"{url}/tools/9").status_code == 404
    used = alice.post(f"{url}/tools/1/delete")
    assert used.status_code == 409
    assert alice.post(f"{url}/tools/3/delete").status_code == 303
    assert len(content(row)["tools"]) == 2


def test_json_and_forms_refuse_the_same_in_the_same_words(alice: Person) -> None:
    row = stored_suite(alice.user)
    data = suite_data()
    data["cases"][0]["prompt"] = ""
    answer = alice.post(f"/tools/suites/{row.id}/json", data={"text": json.dumps(data)})
    assert answer.status_code == 422
    assert "cases.0</span>: Give either a prompt or messages." in answer.text
    path = f"/tools/suites/{row.id}/cases/1"
    form = typed_in(alice.get(path).text)
    form["prompt"] = ""
    assert "Give either a prompt or messages." in alice.post(path, data=form).text
    assert (
        "Line 1, column 2 is not JSON"
        in alice.post(f"/tools/suites/{row.id}/json", data={"text": "{x"}).text
    )


def test_a_path_has_no_word_that_only_pydantic_knows() -> None:
    data = suite_data()
    bad = {"values": ["x"], "match": {"kind": "fuzzy", "threshold": 7}}
    data["cases"][0]["expect"]["alternatives"][0][0]["arguments"]["city"] = bad
    (problem,) = check(data).problems
    assert problem.path == "cases.0.expect.alternatives.0.0.arguments.city.match.threshold"


def test_an_edit_of_an_old_version_overwrites_nothing(alice: Person) -> None:
    row = stored_suite(alice.user)
    path = f"/tools/suites/{row.id}/edit"
    form = typed_in(alice.get(path).text)
    alice.post(path, data={**form.to_dict(), "name": "Mine"})
    late = alice.post(path, data={**form.to_dict(), "name": "Theirs"}, headers=HTMX)
    assert late.status_code == 409
    assert "version 2 is the latest now" in late.text
    assert content(row)["name"] == "Mine"


@pytest.mark.parametrize(
    "matcher",
    [
        None,
        {"kind": "exact", "fold_case": True},
        {"kind": "one_of", "values": ["a", 1]},
        {"kind": "regex", "pattern": "\\d{4};x"},
        {"kind": "numeric", "absolute": 0.5, "relative": 0.1},
        {"kind": "semantic", "threshold": 0.7},
        {"kind": "date"},
    ],
)
def test_a_matcher_survives_its_line_of_text(matcher: dict[str, Any] | None) -> None:
    assert matchers.read(*matchers.shown(matcher)) == matcher


def test_a_suite_grows_from_nothing(alice: Person) -> None:
    refused = alice.post("/tools/suites/new", data={"name": ""}, headers=HTMX)
    assert (refused.status_code, "name" in errors_in(refused.text)) == (422, True)
    alice.post("/tools/suites/new", data={"name": "Own"})
    row = SuiteRow.get()
    url = f"/tools/suites/{row.id}"
    assert "No tool yet" in alice.get(f"{url}?tab=tools").text
    tool = {"name": "ping", "parameters": '{"type": "object", "properties": {}}'}
    alice.post(f"{url}/tools/new", data=tool)
    case = {"id": "first", "prompt": "Ping.", "kind": "calls", "a0-c0-name": "ping"}
    alice.post(f"{url}/cases/new", data=case)
    alice.post(f"{url}/cases/new", data={"id": "second", "prompt": "Hi.", "kind": "none"})
    assert [one["id"] for one in content(row)["cases"]] == ["first", "second"]
    alice.post(f"{url}/cases/2/delete")
    assert len(content(row)["cases"]) == 1
