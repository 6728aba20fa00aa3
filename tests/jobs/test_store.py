from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from peewee import OperationalError

from engine.samples import ERROR_KINDS, Arrival, Sample, SampleKey, Tokens, Try
from engine.targets import Target
from jobs import states, store
from jobs.progress import Progress
from jobs.states import Lease, LostJob
from jobs.store import (
    SampleWriter,
    describe_targets,
    load_samples,
    load_targets,
    store_samples,
    stored_keys,
)
from tests.helpers import eventually
from tests.jobs.conftest import fresh
from webapp import db
from webapp.models import Job, Run, SampleRow, User


@pytest.fixture
def run(alice: User) -> Run:
    row: Run = Run.create(user=alice, name="A run", spec={})
    return row


@pytest.fixture
def progress(alice: User) -> Progress:
    Job.create(user=alice, kind="benchmark", spec={})
    job = states.claim("main", "host:1")
    assert job is not None
    return Progress(Lease(job.id, job.attempt))


def _sample(index: int, outcome: Any = "ok", **fields: Any) -> Sample:
    return Sample(SampleKey("p", "m", 0, index, False), outcome, **fields)


_counts = st.none() | st.integers(0, 2**31)
_figures = st.none() | st.floats(0, 1e9, allow_nan=False)
_texts = st.text(max_size=30)
_keys = st.builds(
    SampleKey,
    provider=st.sampled_from(["demo", "öpenai"]),
    model=st.sampled_from(["a/b", "模型"]),
    context_tokens=st.sampled_from([0, 150_000]),
    run=st.integers(0, 999),
    warmup=st.booleans(),
)
_samples = st.builds(
    Sample,
    key=_keys,
    outcome=st.sampled_from(["ok", "failed", "incomplete"]),
    error=st.none() | st.sampled_from(ERROR_KINDS),
    message=st.none() | _texts,
    tries=st.lists(
        st.builds(Try, error=_texts, message=_texts, waited_s=st.floats(0, 60)), max_size=3
    ).map(tuple),
    prompt_index=_counts,
    recall=st.none() | st.booleans(),
    start_ns=st.integers(0, 2**62),
    started_at=st.floats(0, 4e9),
    connect_ms=_figures,
    tls_ms=_figures,
    ttft_ms=_figures,
    ttfa_ms=_figures,
    e2e_ms=_figures,
    total_ms=_figures,
    tpot_ms=_figures,
    tpot_low_ms=_figures,
    tpot_high_ms=_figures,
    output_tps=_figures,
    e2e_tps=_figures,
    input_tps=_figures,
    tokens=st.builds(
        Tokens,
        input=_counts,
        output=_counts,
        reasoning=_counts,
        cached=_counts,
        source=st.sampled_from(["usage", "tokenizer", "estimate", "chunks", "none"]),
        cache_write=_counts,
        cache_write_1h=_counts,
    ),
    cost_usd=_figures,
    clock=st.sampled_from(["kernel", "read", "library"]),
    bundled=st.booleans(),
    finish_reason=st.none() | _texts,
    text=_texts,
    arrivals=st.lists(
        st.builds(Arrival, at_ns=st.integers(0, 2**40), tokens=st.integers(0, 2**31)), max_size=20
    ).map(tuple),
)


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(samples=st.lists(_samples, max_size=8, unique_by=lambda sample: sample.key))
def test_what_is_stored_comes_back_whole(run: Run, samples: list[Sample]) -> None:
    SampleRow.delete().execute()

    store_samples(run, samples)

    assert load_samples(run) == samples
    complete = {sample.key for sample in samples if sample.outcome != "incomplete"}
    assert stored_keys(run) == complete


def test_the_light_form_lacks_text_and_arrivals_only(run: Run) -> None:
    whole = _sample(0, ttft_ms=1.5, text="hello", arrivals=(Arrival(5, 1),))
    bare = _sample(0, ttft_ms=1.5)
    store_samples(run, [whole])

    assert load_samples(run, light=True) == [bare]


def test_single_rows_can_be_loaded_by_their_ids(run: Run) -> None:
    store_samples(run, [_sample(index) for index in range(4)])
    ids = [row.id for row in SampleRow.select().order_by(SampleRow.id)]

    assert load_samples(run, only={ids[3], ids[1]}) == [_sample(1), _sample(3)]
    assert load_samples(run, only=()) == []


def test_a_sample_that_is_stored_stays_as_it_is(run: Run) -> None:
    for outcome in ("ok", "failed"):
        SampleRow.delete().execute()
        first = _sample(0, outcome, ttft_ms=1.0)
        store_samples(run, [first])
        store_samples(run, [_sample(0, ttft_ms=2.0), _sample(1)])

        assert load_samples(run) == [first, _sample(1)]


def test_a_sample_that_was_cut_off_gives_way(run: Run) -> None:
    store_samples(run, [_sample(0, "incomplete", text="ab", error="stream_broken")])

    store_samples(run, [_sample(0, ttft_ms=2.0, text="abc")])

    assert load_samples(run) == [_sample(0, ttft_ms=2.0, text="abc")]


def test_a_thousand_samples_fit_into_one_call(run: Run) -> None:
    store_samples(run, [_sample(index) for index in range(1_200)])

    assert len(stored_keys(run)) == 1_200


def test_runs_do_not_share_samples(run: Run, bob: User) -> None:
    other = Run.create(user=bob, name="Bob's", spec={})
    store_samples(run, [_sample(0)])
    store_samples(other, [_sample(0, "failed")])

    assert load_samples(run) == [_sample(0)]
    assert load_samples(other) == [_sample(0, "failed")]


def test_targets_come_back_without_secrets(run: Run) -> None:
    target = Target(
        provider="p",
        model="m",
        litellm_model="openai/m",
        api_base="https://user:pass@example.org/v1",
        api_key="sk-secret-secret",
        label="M",
        skip_params=frozenset({"seed", "top_k"}),
        input_cost_per_mtok=0.5,
    )
    run.targets = describe_targets([target])
    run.save()

    text = Run.select(Run.targets.cast("text")).tuples().first()
    assert "secret" not in str(text)
    assert "example.org" not in str(text)
    [again] = load_targets(Run.get_by_id(run.id))
    assert (again.label, again.skip_params, again.input_cost_per_mtok, again.api_key) == (
        "M",
        frozenset({"seed", "top_k"}),
        0.5,
        None,
    )


def test_the_writer_stores_samples_with_the_jobs_counts(run: Run, progress: Progress) -> None:
    with SampleWriter(run, progress) as writer:
        writer.put(_sample(0))
        writer.put(_sample(1, "failed"))
        writer.put(_sample(2, "incomplete"))

    assert len(load_samples(run)) == 3
    job = Job.get_by_id(progress.lease.job_id)
    assert (job.done, job.failed) == (2, 1)
    assert (writer.done, writer.failed) == (2, 1)


def test_the_writer_counts_on_from_what_is_stored(run: Run, progress: Progress) -> None:
    store_samples(run, [_sample(0), _sample(1, "failed"), _sample(2, "incomplete")])

    with SampleWriter(run, progress) as writer:
        writer.put(_sample(2))

    job = Job.get_by_id(progress.lease.job_id)
    assert (job.done, job.failed) == (3, 1)


def test_a_sample_is_stored_at_once_while_the_handler_waits(run: Run, progress: Progress) -> None:
    with SampleWriter(run, progress) as writer:
        put = time.monotonic()
        writer.put(_sample(0))
        eventually(lambda: stored_keys(run), 1)
        assert time.monotonic() - put < 1


def test_samples_that_land_together_share_a_commit(
    run: Run, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    first, go = threading.Event(), threading.Event()

    def slow(target: Run, batch: list[Sample]) -> None:
        sizes.append(len(batch))
        first.set()
        go.wait(5)

    monkeypatch.setattr(store, "store_samples", slow)
    with SampleWriter(run, progress) as writer:
        writer.put(_sample(0))
        first.wait(5)
        for index in range(1, 50):
            writer.put(_sample(index))
        go.set()

    assert sizes == [1, 49]


def test_a_locked_database_delays_samples_and_loses_none(
    run: Run, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([OperationalError("database is locked")] * 2)

    def stumble(target: Run, batch: list[Sample]) -> None:
        for error in failures:
            raise error
        store_samples(target, batch)

    monkeypatch.setattr(store, "store_samples", stumble)
    with SampleWriter(run, progress) as writer:
        writer.put(_sample(0))

    assert load_samples(run) == [_sample(0)]
    assert Job.get_by_id(progress.lease.job_id).done == 1


def test_a_writer_that_cannot_write_says_so_on_leaving(
    run: Run, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(target: Run, batch: list[Sample]) -> None:
        raise OperationalError("disk full")

    def put() -> None:
        with SampleWriter(run, progress) as writer:
            writer.put(_sample(0))

    monkeypatch.setattr(store, "store_samples", fail)
    with pytest.raises(OperationalError, match="disk full"):
        put()


def test_without_the_lease_nothing_is_stored(run: Run, progress: Progress) -> None:
    states.end_lost(-1)

    def put_until_refused() -> None:
        with SampleWriter(run, progress) as writer:
            writer.put(_sample(0))
            eventually(lambda: writer.put(_sample(1)), 2)

    with pytest.raises(LostJob):
        put_until_refused()
    assert load_samples(run) == []
    assert fresh(Job.get()).done == 0


def test_samples_are_stored_while_others_read(run: Run, progress: Progress) -> None:
    seen: list[int] = []
    stop = threading.Event()

    def read() -> None:
        with db.connection():
            while not stop.is_set():
                seen.append(len(load_samples(run, light=True)))

    reader = threading.Thread(target=read)
    reader.start()
    with SampleWriter(run, progress) as writer:
        for index in range(100):
            writer.put(_sample(index))
    eventually(lambda: seen and seen[-1] == 100)
    stop.set()
    reader.join()

    assert seen == sorted(seen)
