"""The environment block of a result."""

from __future__ import annotations

import json

from engine.environment import describe_environment


def test_a_result_says_where_it_was_taken() -> None:
    block = describe_environment()
    assert json.loads(json.dumps(block)) == block
    assert block["cpus"] >= 1
    assert block["versions"]["litellm"] == "1.106.2"
    assert block["measured_at"].endswith("+00:00")
