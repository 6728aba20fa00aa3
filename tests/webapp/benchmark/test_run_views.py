"""A run's page, its twins, and what can be done with it."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from typing import Any

import pytest

from engine.report import numbers
from engine.speed.promptsets import parse_prompts
from engine.stats import confidence_label, describe
from engine.targets import Target
from jobs.timing import UNDO_S
from tests.webapp.benchmark.builders import TARGETS, stored_run
from tests.webapp.conftest import HTMX, Person
from webapp.models import Job, Run, SampleRow

FLAKY = Target("demo", "flaky", "openai/flaky", label="flaky", provider_label="Demo (simulated)",
               context_window=65_536, simulated=True)  # fmt: skip


def rows_of(page: str) -> list[dict[str, str]]:
    """The results table as the page shows it: a row's cells by the name of their column."""
    body = re.findall(r'<table class="results">.*?<tbody>(.*?)</tbody>', page, re.DOTALL)[0]
    found = []
    for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL):
        cells = dict(re.findall(r'data-cell="(\w+)">(.*?)</td>', row, re.DOTALL))
        label = re.findall(r"</span>([^<]*?)\s*(?:<|$)", row, re.DOTALL)[0]
        chip = re.findall(r'<td><span class="chip \w+">(\w+)</span></td>', row)
        found.append(cells | {"model": label, "confidence": chip[0] if chip else "–"})
    return found


def said_of(result: dict[str, Any]) -> dict[str, str]:
    """What the page must say of one result of the JSON document."""
    speed, first = result["output_tps"], result["ttft_ms"]
    interval = tuple(speed["ci95"])
    requests = result["requests"]
    total = sum(requests.values())
    enough = first["n"] >= 20
    tail = numbers.ms(first["p95" if enough else "max"])
    cost = result["cost_usd"]
    samples = [sample["output_tps"] for sample in result["samples"] if sample["ok"]]
    return {
        "model": result["label"],
        "context": numbers.tier(result["context_tokens"]),
        "output": numbers.measured(speed["p50"], interval),
        "interval": numbers.measured_span(speed["p50"], interval),
        "first": numbers.ms(first["p50"]),
        "p95": tail if enough or not first["n"] else f"max {tail}",
        "between": numbers.ms(result["itl_ms"]["mean"]),
        "runs": str(total) if requests["ok"] == total else f"{requests['ok']} of {total}",
        "cost": "–" if cost is None else numbers.usd(cost / requests["ok"]).removeprefix("$"),
        "confidence": confidence_label(describe(samples)) if samples else "–",
    }


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"context_tiers": (0, 1000, 50_000), "runs": 4},
        {"targets": (*TARGETS, FLAKY), "runs": 21},
        {"runs": 1, "warmup": 0},
        {"done": 0, "state": "failed"},
    ],
)
def test_page_json_and_csv_agree_on_every_cell(alice: Person, fields: dict[str, Any]) -> None:
    run = stored_run(alice.user, **fields)
    shown = rows_of(alice.get(f"/benchmark/{run.id}").text)
    document = alice.get(f"/benchmark/{run.id}.json").get_json()
    lines = list(csv.DictReader(io.StringIO(alice.get(f"/benchmark/{run.id}.csv").text)))
    assert len(shown) == len(document["results"]) == len(lines)
    expected = [said_of(result) for result in document["results"]]
    for row in shown:
        (match,) = (e for e in expected if all(e[key] == row[key] for key in row))
        assert set(row) >= set(match) - {"context"}
    for result, line in zip(document["results"], lines, strict=True):
        assert line["label"] == result["label"]
        for metric in ("output_tps", "ttft_ms", "itl_ms", "e2e_ms", "tpot_ms"):
            for name in ("mean", "p50", "p95", "max", "n"):
                assert line[f"{metric}.{name}"] == _text(result[metric][name])
            low, high = result[metric]["ci95"]
            assert (line[f"{metric}.ci95.low"], line[f"{metric}.ci95.high"]) == (
                _text(low),
                _text(high),
            )
        assert line["cost_usd"] == _text(result["cost_usd"])


def _text(value: object) -> str:
    return "" if value is None else str(value)


def test_the_json_twin_is_the_document_of_the_command_line(alice: Person) -> None:
    document = alice.get(f"/benchmark/{stored_run(alice.user).id}.json").get_json()
    assert document["schema"] == "studio.bench/1"
    assert {"environment", "results"} <= set(document)
    assert len(document["results"][0]["samples"]) == 10


def test_the_parts_stand_in_the_order_of_every_report(alice: Person) -> None:
    page = alice.get(f"/benchmark/{stored_run(alice.user).id}").text
    parts = ["run-state", "run-progress", "run-verdict", "run-cards", 'data-chart="speed"',
             "run-charts", "run-results", "run-notices", "run-samples", 'id="command"']  # fmt: skip
    assert [page.index(part) for part in parts] == sorted(page.index(part) for part in parts)
    assert re.search(r"<b>fast-small is the fastest: 181\.\d\u202ftokens/s", page)


def test_chart_data_arrives_in_a_hidden_element_and_nothing_is_inline(alice: Person) -> None:
    page = alice.get(f"/benchmark/{stored_run(alice.user).id}").text
    text = re.findall(r'<div id="run-charts" data-chart-data hidden>(.*?)</div>', page, re.DOTALL)[
        0
    ]
    data = json.loads(text)
    assert set(data) == {"speed", "first_token", "tradeoff", "ecdf_first", "ecdf_answer"}
    canvases = re.findall(r'<canvas data-chart="(\w+)" role="img" aria-label="([^"]+)"', page)
    assert dict(canvases) == {k: v["label"] for k, v in data.items()}
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r'\s(style|on\w+)="', page)


def test_markup_in_names_is_text_everywhere(alice: Person) -> None:
    nasty = '<img src=x onerror="alert(1)">'
    evil = Target("demo", "fast-small", "openai/x", label=nasty, provider_label=nasty)
    run = stored_run(alice.user, (evil, TARGETS[1]), name=nasty)
    Run.update(notices=[{"code": "x", "text": nasty, "target": None}]).execute()
    for url in (f"/benchmark/{run.id}", f"/benchmark/{run.id}?rename=1", "/benchmark", "/history"):
        page = alice.get(url).text
        assert "&lt;img src=x" in page
        assert "<img src=x" not in page


def test_missing_token_counts_are_said_once(alice: Person) -> None:
    run = stored_run(alice.user)
    SampleRow.update(tokens_source="estimate").execute()
    said = "fast-small reports no token usage; its counts are estimates."
    Run.update(notices=[{"code": "no_usage", "text": said, "target": None}]).execute()
    page = alice.get(f"/benchmark/{run.id}").text
    assert "No token usage was reported" in page
    assert said not in page


def test_a_running_page_follows_its_topic_and_shows_how_far_it_is(alice: Person) -> None:
    run = stored_run(alice.user, state="running", done=14)
    page = alice.get(f"/benchmark/{run.id}").text
    assert f"/live?topic=run:{run.id}" in page
    assert re.search(
        r"14 of 33 requests, about \d+ s left\. \$[\d.]+ of at most \$[\d.]+ spent\.", page
    )
    assert re.findall(r'<progress value="(\d+)" max="(\d+)" aria-label="All requests"', page) == [
        ("14", "33")
    ]
    assert f'formaction="/jobs/{run.job_id}/cancel"' in page
    assert "So far fast-small is ahead" in page
    assert "Latest requests" in page
    assert "?sort=" not in page


def test_an_ended_page_follows_nothing(alice: Person) -> None:
    assert "topic=run" not in alice.get(f"/benchmark/{stored_run(alice.user).id}").text


def test_failures_are_counted_while_they_happen(alice: Person) -> None:
    run = stored_run(alice.user, (*TARGETS, FLAKY), state="running", done=20)
    failed = Job.get().failed
    assert failed
    assert f"20 of 44 requests, {failed} failed" in alice.get(f"/benchmark/{run.id}").text


def test_a_waiting_run_reserves_the_room_of_what_will_come(alice: Person) -> None:
    run = stored_run(alice.user, state="queued", done=0)
    page = alice.get(f"/benchmark/{run.id}").text
    assert "Waiting for a free worker." in page
    assert page.count("0 of 11") == 3
    assert [row["output"] for row in rows_of(page)] == ["–"] * 3
    assert len(re.findall(r"<canvas", page)) == 5


def test_a_run_that_waits_for_others_says_when_it_starts(alice: Person) -> None:
    stored_run(alice.user, age_s=5_000)
    now = time.time()
    for _ in range(2):
        job = {"started_at": now - 50, "total": 33, "done": 5}
        stored_run(alice.user, state="running", done=5, job=job)
    run = stored_run(alice.user, state="queued", done=0)
    page = alice.get(f"/benchmark/{run.id}").text
    assert re.search(r"Waiting for your other jobs to end\. It starts by itself, in about \d", page)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("interrupted", "Interrupted"),
        ("cancelled", "Cancelled"),
        ("failed", "This benchmark failed"),
    ],
)
def test_what_ended_early_says_how_far_it_came_and_can_go_on(
    alice: Person, state: str, words: str
) -> None:
    why = {} if state == "cancelled" else {"error": "The worker <stopped>."}
    run = stored_run(alice.user, state=state, done=12, job=why)
    page = alice.get(f"/benchmark/{run.id}").text
    assert f"{words} after 12 of 33 requests." in page
    assert ("The worker &lt;stopped&gt;." if why else "What was measured is kept") in page
    answer = alice.post(f"/benchmark/{run.id}/resume")
    assert (answer.status_code, answer.location) == (303, f"/benchmark/{run.id}")
    assert Job.get_by_id(run.job_id).state == "queued"


def test_what_is_done_cannot_be_resumed(alice: Person) -> None:
    run = stored_run(alice.user)
    assert "Resume" not in alice.get(f"/benchmark/{run.id}").text
    assert alice.post(f"/benchmark/{run.id}/resume").status_code == 409


def test_a_failed_request_shows_its_sentence(alice: Person) -> None:
    run = stored_run(alice.user, (FLAKY,), runs=8)
    page = alice.get(f"/benchmark/{run.id}").text
    assert "The provider answered 500: internal error. Try again later." in page
    assert '<span class="chip bad">server error</span>' in page


def test_the_table_sorts_by_real_links(alice: Person) -> None:
    run = stored_run(alice.user)
    url = f"/benchmark/{run.id}"
    names = [row["model"] for row in rows_of(alice.get(url).text)]
    assert names == ["fast-small", "jittery", "slow-large"]
    page = alice.get(f"{url}?sort=first&dir=desc").text
    assert [row["model"] for row in rows_of(page)] == ["slow-large", "jittery", "fast-small"]
    assert re.search(r'aria-sort="descending"[^>]*><a href="[^"]*sort=first&amp;dir=asc', page)
    assert rows_of(alice.get(f"{url}?sort=nonsense").text)[0]["model"] == "fast-small"


def test_every_request_is_there_page_by_page(alice: Person) -> None:
    run = stored_run(alice.user, runs=20)
    url = f"/benchmark/{run.id}"
    seen = []
    for number in (1, 2, 3):
        page = alice.get(f"{url}?page={number}").text
        seen += re.findall(r'<td class="outcome">', page)
        assert f"Page {number} of 3" in page
    assert len(seen) == 63
    assert alice.get(f"{url}?page=99").status_code == 200
    assert alice.get(f"{url}?page=-1").status_code == 200


def test_a_runs_command_is_on_its_page(alice: Person) -> None:
    page = alice.get(f"/benchmark/{stored_run(alice.user).id}").text
    assert "studio bench --provider demo --model fast-small,slow-large,jittery --runs 10" in page


def test_a_run_is_renamed_in_place(alice: Person) -> None:
    run = stored_run(alice.user)
    url = f"/benchmark/{run.id}/name"
    assert "<form" in alice.get(f"{url}?rename=1", headers=HTMX).text
    answer = alice.post(url, data={"name": "  New <name> "}, headers=HTMX)
    assert "<h1>New &lt;name&gt;</h1>" in answer.text
    assert "<html" not in answer.text
    assert (Run.get().name, Job.get().title) == ("New <name>", "New <name>")
    plain = alice.post(url, data={"name": "Again"})
    assert (plain.status_code, plain.location) == (303, f"/benchmark/{run.id}")


def test_a_name_that_is_too_long_is_kept_and_refused(alice: Person) -> None:
    run = stored_run(alice.user)
    for headers in (HTMX, {}):
        answer = alice.post(f"/benchmark/{run.id}/name", data={"name": "y" * 121}, headers=headers)
        assert answer.status_code == 422
        assert "Keep this to 120 characters or fewer." in answer.text
        assert "y" * 121 in answer.text
    assert Run.get().name == "Recursion, three models"


def test_an_empty_name_is_made_from_the_models(alice: Person) -> None:
    run = stored_run(alice.user)
    alice.post(f"/benchmark/{run.id}/name", data={"name": " "})
    assert Run.get().name == "fast-small, slow-large and jittery"


def test_a_deleted_run_is_gone_and_can_be_brought_back(alice: Person) -> None:
    run = stored_run(alice.user)
    answer = alice.post(f"/benchmark/{run.id}/delete")
    assert (answer.status_code, answer.location) == (303, "/history")
    page = alice.get("/history").text
    assert f'data-undo="/benchmark/{run.id}/undelete"' in page
    assert alice.get(f"/benchmark/{run.id}").status_code == 404
    assert alice.get(f"/benchmark/{run.id}.json").status_code == 404
    back = alice.post(f"/benchmark/{run.id}/undelete")
    assert back.location == f"/benchmark/{run.id}"
    assert alice.get(back.location).status_code == 200


def test_the_time_to_undo_ends(alice: Person) -> None:
    run = stored_run(alice.user)
    Run.update(deleted_at=time.time() - UNDO_S - 1).execute()
    assert alice.post(f"/benchmark/{run.id}/undelete").status_code == 404


def test_undoing_nothing_is_404(alice: Person) -> None:
    assert alice.post(f"/benchmark/{stored_run(alice.user).id}/undelete").status_code == 404


def test_deleting_a_running_run_stops_it(alice: Person) -> None:
    run = stored_run(alice.user, state="running", done=3)
    alice.post(f"/benchmark/{run.id}/delete")
    assert Job.get().cancel_requested


def test_a_set_of_prompts_is_saved_as_the_file_that_the_command_names(
    alice: Person, bob: Person
) -> None:
    run = stored_run(alice.user, done=0, prompts=({"prompt": "Wo? Über"}, {"prompt": "b"}))
    page = alice.get(f"/benchmark/{run.id}").text
    assert "--prompts prompts.jsonl" in page
    assert f'href="/benchmark/{run.id}/prompts.jsonl"' in page
    saved = alice.get(f"/benchmark/{run.id}/prompts.jsonl")
    assert "prompts.jsonl" in saved.headers["Content-Disposition"]
    assert [item.prompt for item in parse_prompts(saved.data)] == ["Wo? Über", "b"]
    assert bob.get(f"/benchmark/{run.id}/prompts.jsonl").status_code == 404
    without = stored_run(alice.user, done=0)
    assert alice.get(f"/benchmark/{without.id}/prompts.jsonl").status_code == 404
    assert "prompts.jsonl" not in alice.get(f"/benchmark/{without.id}").text


RUN_URLS = [
    ("get", ""),
    ("get", ".json"),
    ("get", ".csv"),
    ("get", "/spec.json"),
    ("get", "/name"),
    ("post", "/name"),
    ("post", "/resume"),
    ("post", "/delete"),
    ("post", "/undelete"),
]


@pytest.mark.parametrize(("method", "tail"), RUN_URLS)
def test_a_stranger_and_an_administrator_get_404_for_somebody_elses_run(
    alice: Person, bob: Person, charlie: Person, method: str, tail: str
) -> None:
    run = stored_run(alice.user)
    if tail == "/undelete":
        Run.update(deleted_at=time.time()).execute()
    for other in (bob, charlie):
        assert getattr(other, method)(f"/benchmark/{run.id}{tail}").status_code == 404
        assert getattr(other, method)(f"/benchmark/999{tail}").status_code == 404
    after = Run.get()
    assert (after.name, after.deleted_at is None) == (run.name, tail != "/undelete")


@pytest.mark.parametrize("tail", ["/delete", "/undelete", "/resume"])
def test_looking_changes_nothing(alice: Person, tail: str) -> None:
    run = stored_run(alice.user)
    assert alice.get(f"/benchmark/{run.id}{tail}").status_code == 405
    assert Run.get().deleted_at is None


def test_a_number_too_large_for_the_database_is_404(alice: Person) -> None:
    assert alice.get("/benchmark/99999999999999999999999").status_code == 404
