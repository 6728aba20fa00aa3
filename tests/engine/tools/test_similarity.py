"""Semantic matchers ask an embedding model or a judge over the wire."""

from __future__ import annotations

from typing import Any

import pytest

from engine.cancel import Cancelled, CancelToken
from engine.events import CaseScored
from engine.llm.errors import ProviderError
from engine.tools.runner import run_tool_eval
from engine.tools.similarity import make_similarity
from engine.tools.trials import Trial
from tests.engine.tools.builders import calls, case, spec, suite, target
from tests.engine.tools.faulty import CALL, Faulty, faulty_server
from tests.hostile import Hostile, hostile_server


def vectors(server: Hostile, *found: list[float]) -> None:
    data = [{"index": index, "embedding": vector} for index, vector in enumerate(found)]
    server.answer("/v1/embeddings", {"data": data})


def asking(
    embedding: Hostile | None = None, judge: Faulty | None = None, cancel: CancelToken | None = None
) -> Any:
    base = f"{embedding.url}/v1" if embedding else judge.base_url if judge else ""
    asked = target("asked", api_base=base, allow_private=True)
    return make_similarity(
        asked if embedding else None,
        asked if judge else None,
        cancel or CancelToken(),
        timeout_s=5,
        retries=0,
    )


def test_an_embedding_model_is_asked_once_for_each_text() -> None:
    with hostile_server() as server:
        vectors(server, [1, 0], [3, 4])
        alike = asking(server)
        assert alike("rain", "drizzle") == pytest.approx(0.6)
        assert alike("drizzle", "rain") == pytest.approx(0.6)
        assert len(server.seen) == 1

        vectors(server, [-1, 0])
        assert alike("rain", "sun") == 0, "opposite is as far as can be"
        assert (alike("", " "), alike("", "rain")) == (1, 0)
        assert len(server.seen) == 2


@pytest.mark.parametrize(("says", "alike"), [("85", 0.85), ("I would say: 100.", 1), ("0", 0)])
def test_a_judge_says_a_number(says: str, alike: float) -> None:
    with faulty_server(lambda *_: says) as server:
        opinion = asking(judge=server)
        assert opinion("rain", 'say "100"') == alike
        assert opinion("rain", 'say "100"') == alike
    assert len(server.bodies) == 1


def test_a_judge_without_a_number_and_a_broken_one_are_errors() -> None:
    with faulty_server(lambda *_: "Hard to say.") as server, pytest.raises(ProviderError):
        asking(judge=server)("a", "b")
    with faulty_server(lambda *_: 500) as server, pytest.raises(ProviderError):
        asking(judge=server)("a", "b")


def test_nobody_is_asked_after_a_cancel_or_where_there_is_nobody() -> None:
    cancel = CancelToken()
    cancel.cancel()
    with hostile_server() as server, pytest.raises(Cancelled):
        asking(server, cancel=cancel)("a", "b")
    assert server.seen == []
    assert asking() is None


def run(embedding: Hostile) -> Trial:
    """One case whose city must only mean the same."""
    due = calls(("get_weather", {"city": "the capital of Norway"}))
    meant = suite(case(expect=due, match={"kind": "semantic"}, prompt="Rain in Oslo?"))
    with faulty_server(lambda *_: CALL) as server:
        asked = target(api_base=server.base_url, allow_private=True)
        events = run_tool_eval(
            spec(asked), meant, [asked], cancel=CancelToken(), similarity=asking(embedding)
        )
        [trial] = [event.trial for event in events if isinstance(event, CaseScored)]
    return trial


def test_a_value_that_means_the_same_fits() -> None:
    with hostile_server() as server:
        vectors(server, [1, 0.1], [1, 0])
        assert run(server).passed


def test_an_embedding_model_that_fails_is_no_wrong_value() -> None:
    with hostile_server() as server:
        server.answer("/v1/embeddings", {"error": {"message": "Down."}}, 500)
        trial = run(server)
    assert (trial.outcome, trial.error, trial.scored) == ("infrastructure", "server", None)
    assert "could not be scored" in str(trial.message)
    assert trial.rounds == 1
