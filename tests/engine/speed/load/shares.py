"""Shares for tests, and a generator that runs in the test's own process."""

from __future__ import annotations

import json
import os
import time
from array import array
from typing import Any

from engine.llm.request import PreparedRequest
from engine.speed.load.generator import Generator
from engine.speed.load.work import NONCE, Message, Report, Share, Stream


def request_to(base_url: str, max_tokens: int = 20) -> PreparedRequest:
    """A prepared request whose prompt begins with the place of the nonce."""
    body = {
        "model": "m",
        "max_tokens": max_tokens,
        "messages": [{"role": "user", "content": f"[{NONCE}]\nSay something."}],
    }
    headers = (("content-type", "application/json"), ("authorization", "Bearer sk-alice"))
    return PreparedRequest(
        "POST", f"{base_url}/chat/completions", headers, json.dumps(body).encode()
    )


def share_of(base_url: str, streams: int = 1, requests: int = 1, **more: Any) -> Share:
    """A closed loop unless `due_ms` is given: send times of an open loop."""
    request = request_to(base_url, more.pop("max_tokens", 20))
    due_ms = more.pop("due_ms", ())
    fields: dict[str, Any] = {
        "endpoint": request.endpoint,
        "allow_private": True,
        "bodies": (request.wire_bytes(),),
        "model": "openai/m",
        "secrets": ("sk-alice",),
        "numbers": range(len(due_ms) or requests),
        "slots": streams,
        "most_streams": streams,
        "timeout_s": 20.0,
        "due_ns": array("q", (int(1e6 * due) for due in due_ms)),
        "starts_ns": array("q", [] if due_ms else [0] * streams),
        **more,
    }
    return Share(**fields)


def run_here(share: Share) -> tuple[list[Stream], Report]:
    """Run a share in this process: its streams in the order of their end, and the report."""
    told: list[Message] = []
    ours, theirs = os.pipe()
    try:
        with os.fdopen(ours, "rb", buffering=0) as control:
            generator = Generator(share, told.append, control)
            generator.connect()
            generator.run(time.monotonic_ns() + 2_000_000)
            generator.close()
    finally:
        os.close(theirs)
    *streams, report = told
    assert isinstance(report, Report)
    assert all(isinstance(stream, Stream) for stream in streams)
    return [stream for stream in streams if isinstance(stream, Stream)], report
