"""Listings of MCP tools, run by a real consumer of the quick lane."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from engine.specs import McpListSpec
from engine.tools.suites import Tool
from jobs import submit
from jobs.mcp_access import header_problem, seal
from tests.engine.tools.mcp_servers import (
    RealServer,
    bad_server,
    greet,
    real_server,
    result,
    schema,
)
from tests.jobs.conftest import Consumer, leave_idle, reaches
from webapp.models import Job, User
from webapp.settings import Settings

KEY = "Bearer secret-0123456789"
CONFIG = f"""
providers: {{}}
mcp_commands:
  broken: {{command: {sys.executable}, args: ["-c", "pass"]}}
"""


@pytest.fixture(scope="module")
def real() -> Iterator[RealServer]:
    with real_server() as server:
        yield server


@pytest.fixture(scope="module")
def quick(shared: Settings) -> Iterator[Consumer]:
    config = shared.data / "config.yaml"
    config.write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDIO_CONFIG", str(config))
        consumer = Consumer("quick", 1, shared.data / "quick.log")
    yield consumer
    consumer.kill_all()


@pytest.fixture
def studio(shared: Settings) -> Iterator[Settings]:
    yield shared
    leave_idle()


def listing(user: User, **fields: Any) -> Job:
    spec = McpListSpec(**fields)
    return submit.submit(user, "mcp_list", spec, title="List tools", lane="quick")


def test_tools_come_whole_and_headers_are_stored_sealed(
    alice: User, studio: Settings, quick: Consumer, real: RealServer
) -> None:
    sealed = seal(studio, {"Authorization": KEY})
    job = listing(alice, url=f"{real.base}/sse", transport="sse", sealed_headers=sealed)
    row = reaches(job, "done", timeout_s=25)
    tools = [Tool.model_validate(tool) for tool in row.result["tools"]]
    assert [tool.name for tool in tools] == [f"lookup_{n}" for n in range(100)]
    assert tools[1].original == schema(1)
    assert (row.result["server"], row.result["transport"]) == ("library", "sse")
    assert real.seen[-1]["authorization"] == KEY
    for stored in Job.select().dicts():
        assert "secret-0123456789" not in str(stored)


def test_a_server_that_sends_headers_back_gets_none_of_them_stored(
    alice: User, studio: Settings, quick: Consumer
) -> None:
    def script(client: Any, head: str, asked: dict[str, Any], _: Any) -> None:
        if not greet(client, head, asked):
            sent = head.lower().partition("authorization: ")[2].partition("\r\n")[0]
            tool = {"name": "spy", "description": sent, "inputSchema": {"type": "object"}}
            result(client, asked, {"tools": [tool]})

    with bad_server() as bad:
        bad.script = script
        sealed = seal(studio, {"Authorization": KEY.lower()})
        row = reaches(listing(alice, url=bad.url, sealed_headers=sealed), "done", timeout_s=25)
    assert row.result["tools"][0] == {"name": "spy", "description": "…"}


def test_what_does_not_work_is_one_sentence(alice: User, studio: Settings, quick: Consumer) -> None:
    nothing = listing(alice, url="http://127.0.0.1:1/mcp")
    unknown = listing(alice, command="rm")
    broken = listing(alice, command="broken")
    unreadable = listing(alice, url="http://127.0.0.1:1/mcp", sealed_headers="gAAAAA")
    said = [
        str(reaches(job, "failed", timeout_s=25).error)
        for job in (nothing, unknown, broken, unreadable)
    ]
    assert said[0] == "127.0.0.1:1 refused the connection. Is it running there?"
    assert "allows no MCP command 'rm'" in said[1]
    assert "does not speak MCP, or broke off" in said[2]
    assert "cannot be decrypted" in said[3]


def test_a_listing_that_hangs_can_be_cancelled(
    alice: User, studio: Settings, quick: Consumer
) -> None:
    def hang(*conversation: Any) -> None:
        conversation[-1].wait(20)

    with bad_server() as bad:
        bad.script = hang
        job = reaches(listing(alice, url=bad.url), "running", timeout_s=25)
        assert submit.cancel(job)
        reaches(job, "cancelled", timeout_s=4)


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({"Host": "x"}, "The header 'Host' is set by the protocol; leave it out."),
        ({"a b": "x"}, "'a b' is not the name of a header."),
        ({"x-key": "a\nb"}, "The header 'x-key' is empty, too long, or has a character"),
        ({"x-key": ""}, "The header 'x-key' is empty"),
        ({f"x-{n}": "v" for n in range(21)}, "Give at most 20 headers."),
    ],
)
def test_headers_that_cannot_be_sent_are_refused_by_name(
    headers: dict[str, str], sentence: str
) -> None:
    found = header_problem(headers)
    assert found is not None
    assert found.startswith(sentence)
    assert header_problem({"X-Key": "v"}) is None


def test_a_listing_names_one_server() -> None:
    for fields in ({}, {"url": "http://h/mcp", "command": "files"}):
        with pytest.raises(ValueError, match="give either a URL or a command"):
            McpListSpec(**fields)
