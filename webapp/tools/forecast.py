"""The consequence of an evaluation before it starts: requests, time, money.

Time follows from what the same models did for the same user before, and from plain
assumptions where they were never asked. Money is an upper bound: every answer as long as it
may be, every chain as many rounds as it may have.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

from engine.pricing import cost_usd, price_of
from engine.samples import Tokens
from engine.specs import TargetRef, ToolEvalSpec
from engine.targets import Target
from engine.tools.suites import Case, Suite
from webapp.benchmark.estimate import BYTES_PER_TOKEN, UNKNOWN_PACE, Estimate, Pace

# A call is short: about so many tokens, whatever the limit is.
CALL_TOKENS = 60


def estimate(
    spec: ToolEvalSpec, suite: Suite, targets: Sequence[Target], paces: Mapping[TargetRef, Pace]
) -> Estimate:
    """What `spec` will ask of `targets`."""
    chosen = set(spec.cases)
    cases = [case for case in suite.cases if not chosen or case.id in chosen]
    usual = sum((case.trials or spec.trials) * _rounds(case) for case in cases)
    bounds = {target.ref: _bound(spec, suite, cases, target) for target in targets}
    known = [bound for bound in bounds.values() if bound is not None]
    lanes: dict[str, float] = {}
    for target in targets:
        pace = paces.get(target.ref, UNKNOWN_PACE)
        took = usual * (pace.ttft_s + CALL_TOKENS / pace.output_tps) / spec.concurrency
        lanes[target.provider] = lanes.get(target.provider, 0.0) + took
    return Estimate(
        requests=usual * len(targets),
        warmups=0,
        seconds=max(lanes.values(), default=0.0),
        usd=math.fsum(known) if known else None,
        unpriced=tuple(t.label or t.model for t in targets if bounds[t.ref] is None),
        notices=(),
        simulated=all(target.simulated for target in targets),
    )


def _rounds(case: Case) -> int:
    """About how many answers a case takes: each hop of a chain, and the last word."""
    if case.chain is None:
        return 1
    hops = case.chain.optimal_hops or 1
    return min(hops + 1, case.chain.max_rounds) + len(case.chain.turns)


def _bound(spec: ToolEvalSpec, suite: Suite, cases: Sequence[Case], target: Target) -> float | None:
    """At most so many USD for `target`; None when its price is unknown."""
    price = price_of(target)
    if price is None:
        return None
    output = min(spec.max_tokens, target.max_output_tokens or spec.max_tokens)
    shared = len(suite.system_prompt.encode()) + _bytes([t.as_openai() for t in suite.tools])
    total = 0.0
    for case in cases:
        rounds = case.chain.max_rounds * (1 + len(case.chain.turns)) if case.chain else 1
        asked = math.ceil((shared + _bytes(case.conversation)) / BYTES_PER_TOKEN)
        # Each round reads what came before it again.
        tokens = Tokens(asked * rounds + output * rounds * (rounds - 1) // 2, output * rounds)
        total += (case.trials or spec.trials) * (cost_usd(tokens, price) or 0.0)
    return total


def _bytes(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())
