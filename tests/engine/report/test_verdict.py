"""The sentence that stands first: claims what the data carries, and no more."""

from __future__ import annotations

from engine.report import Verdict, cards, cautions, front_tier, verdict
from engine.samples import Tokens
from tests.engine.report.builders import at_speed, failed, report, sample, target

FAST = [180.1, 182.4, 181.2, 184.0, 183.3, 179.6]
SLOW = [87.0, 88.1, 86.2, 87.5, 87.2, 86.4]
EARLY = [118.0, 119.5, 117.2, 121.0, 118.8, 120.1]
LATE = [408.0, 399.5, 417.2, 401.0, 418.8, 410.1]
N = "\u202f"


def test_the_fastest_is_named_with_its_lead_and_the_interval() -> None:
    said = verdict(report([*at_speed("fast-small", FAST, EARLY), *at_speed("slow", SLOW, LATE)]))
    assert said.headline == f"fast-small is the fastest: 181.8{N}tokens/s, 2.1 times slow"
    assert said.interval.startswith(f"95{N}% interval 2.")
    assert said.notes[0].startswith(f"fast-small answers first, after 119{N}ms; slow is next")
    assert str(said).startswith(f"{said.headline} ({said.interval}). fast-small")


def test_equal_first_tokens_are_called_not_distinguishable() -> None:
    other = [119.0, 118.5, 117.9, 121.2, 118.3, 120.4]
    said = verdict(report([*at_speed("a", FAST, EARLY), *at_speed("b", SLOW, other)]))
    assert "a is the fastest" in said.headline
    assert "the two are not distinguishable on first token (difference" in said.notes[0]


def test_equal_speeds_claim_no_winner() -> None:
    near = [179.9, 182.6, 181.0, 184.2, 183.1, 179.8]
    said = verdict(report([*at_speed("a", FAST), *at_speed("b", near), *at_speed("c", SLOW)]))
    assert said.headline.startswith("a and b lead and are not distinguishable: a 181.8")
    assert said.interval.startswith("difference ")
    both = verdict(report([*at_speed("a", FAST), *at_speed("b", near)]))
    assert both.headline.startswith("No difference in output speed can be shown: a ")


def test_three_answers_each_are_said_to_be_too_few() -> None:
    said = verdict(report([*at_speed("a", FAST[:3]), *at_speed("b", SLOW[:3])]))
    assert said.headline.startswith("a was measured fastest: 181.2")
    assert "3 answers a model cannot rule out chance; 5 or more can." in said.notes
    assert "is the fastest" not in str(said)


def test_one_model_is_described_and_not_ranked() -> None:
    said = verdict(report(at_speed("only", FAST, EARLY)))
    assert said.headline == f"only writes 181.8{N}tokens/s"
    assert said.interval.startswith(f"95{N}% interval")
    assert said.notes == (f"Its first token comes after 119{N}ms.",)


def test_answers_of_one_token_are_ranked_by_the_first_token() -> None:
    single = {"output_tps": None, "tpot_ms": None}
    early = [sample("a", i, ttft_ms=t, **single) for i, t in enumerate(EARLY)]
    late = [sample("b", i, ttft_ms=t, **single) for i, t in enumerate(LATE)]
    said = verdict(report([*early, *late]))
    assert said.headline == f"a answers first: 119{N}ms, 3.4 times earlier than b"


def test_nothing_yet_and_all_failed_are_said_plainly() -> None:
    assert str(verdict([])) == str(verdict(report([], [target()]))) == "Nothing is measured yet."
    broken = [failed(run=i, message="The key was refused.") for i in range(3)]
    assert str(verdict(report(broken))) == ("None of 3 requests succeeded: The key was refused.")
    assert verdict(report(broken[:1])).headline.startswith("The only request failed")


def test_a_model_without_an_answer_is_named_beside_the_winner() -> None:
    said = verdict(report([*at_speed("a", FAST), *at_speed("b", SLOW), failed("dead")]))
    assert said.notes[-1] == "dead gave no complete answer."


def test_only_the_smallest_context_size_is_ranked_and_named() -> None:
    small = [*at_speed("a", FAST), *at_speed("b", SLOW)]
    large = at_speed("b", [900.0] * 6, context_tokens=50_000)
    rows = report([*small, *large], context_tiers=(0, 50_000))
    assert verdict(rows).headline.startswith("Without added context, a is the fastest")
    assert {r.context_tokens for r in front_tier(rows)} == {0}
    only_large = report(large, context_tiers=(0, 50_000))
    assert verdict(only_large).headline.startswith("At 50K tokens of context, b writes")


def test_results_of_a_library_clock_are_never_ranked_with_those_of_the_wire() -> None:
    rows = report([*at_speed("wire", SLOW), *at_speed("lib", FAST, clock="library")])
    assert verdict(rows).headline.startswith("wire writes")
    assert any("library" in sentence and "lib." in sentence for sentence in cautions(rows))
    assert cards(rows)[0].note.startswith("wire")


def test_two_models_of_one_name_are_told_apart_by_their_provider() -> None:
    here = target("m", provider="here", provider_label="Here")
    there = target("m", provider="there", provider_label="There")
    samples = [
        *at_speed("m", FAST, provider="here"),
        *at_speed("m", SLOW, provider="there"),
    ]
    said = verdict(report(samples, [here, there]))
    assert "m (Here) is the fastest" in said.headline
    assert "times m (There)" in said.headline


def test_a_verdict_reads_as_sentences() -> None:
    assert str(Verdict("a leads", "x", ("Then b.",))) == "a leads (x). Then b."
    assert str(Verdict("a leads")) == "a leads."


def test_cards_name_fastest_earliest_cheapest_and_how_requests_ended() -> None:
    rows = report(
        [
            *at_speed("a", FAST, EARLY, cost_usd=0.0021),
            *at_speed("b", SLOW, LATE, cost_usd=0.0192),
            failed("b", 7, error="rate_limited"),
        ]
    )
    fastest, earliest, cheapest, requests = cards(rows)
    assert (fastest.value, fastest.unit) == ("181.8", "tokens/s")
    assert fastest.note.startswith("a, 1")
    assert (earliest.value, earliest.note) == ("119", "a, max 121")
    assert (cheapest.value, cheapest.note) == ("$0.0021", "a, per request")
    assert (requests.value, requests.unit, requests.note) == ("12", "of 13", "1 rate limited")


def test_failures_are_counted_by_kind_in_words() -> None:
    rows = report(
        [failed("a", n, error="server") for n in range(2)] + [failed("a", 2, error="timeout")]
    )
    assert cards(rows)[3].note == "2 server errors, 1 timed out"


def test_cards_keep_their_shape_while_nothing_is_measured() -> None:
    empty = cards(report([], [target()]))
    assert [card.title for card in empty] == [card.title for card in cards(report([sample()]))]
    assert [card.value for card in empty] == ["–", "–", "–", "0"]
    assert empty[3].unit == ""


def test_an_unknown_price_is_no_bargain() -> None:
    rows = report([sample("a", cost_usd=None), sample("b", cost_usd=0.5)])
    assert cards(rows)[2].note == "b, per request"
    assert cards(report([sample("a", cost_usd=None)]))[2].note == "no price is known"


def test_answers_of_different_length_and_guessed_counts_are_pointed_out() -> None:
    rows = report(
        [
            *at_speed("short", FAST, tokens=Tokens(8, 100, source="usage")),
            *at_speed("long", SLOW, tokens=Tokens(8, 150, source="estimate")),
        ]
    )
    lengths, counts = cautions(rows)
    assert "long wrote 150 tokens on average, short 100" in lengths
    assert counts.endswith("estimates: long.")
    assert cautions(report(at_speed("a", FAST))) == []
