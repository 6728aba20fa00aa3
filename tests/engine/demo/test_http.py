"""HTTP itself: keep-alive, pipelining, odd requests, and limits."""

from __future__ import annotations

import json

import pytest

from engine.demo.connection import MAX_BODY_BYTES
from engine.demo.process import DemoServer
from tests.engine.demo.client import (
    TIMEOUT_S,
    ask,
    chat,
    connect,
    finish,
    receive,
    request_bytes,
    truth_of,
    whole,
)
from tests.helpers import eventually


def test_a_connection_serves_one_request_after_the_other(demo: DemoServer) -> None:
    with connect(demo) as sock:
        ids = set()
        for body in (chat("plain", max_tokens=3), whole("plain", max_tokens=3), chat("empty")):
            sock.sendall(request_bytes(body))
            reply = receive(sock)
            assert (reply.status, reply.headers["connection"]) == (200, "keep-alive")
            ids.add(reply.id)
    assert len(ids) == 3


def test_pipelined_requests_are_answered_in_their_order(demo: DemoServer) -> None:
    slow, fast = whole("plain", max_tokens=12), whole("plain", max_tokens=2)
    with connect(demo) as sock:
        sock.sendall(request_bytes(slow) + request_bytes(fast) + request_bytes(slow))
        raw = b""
        while raw.count(b'"usage"') < 3:
            raw += sock.recv(65536)
    lengths = [int(part.split(b",")[0]) for part in raw.split(b'"completion_tokens":')[1:]]
    assert lengths == [12, 2, 12]


def test_many_pipelined_requests_are_all_answered(demo: DemoServer) -> None:
    with connect(demo) as sock:
        sock.sendall(request_bytes(method="GET", path="/health") * 200)
        raw = b""
        while raw.count(b'{"status":"ok"}') < 200:
            raw += sock.recv(65536)


def test_a_request_may_come_byte_by_byte(demo: DemoServer) -> None:
    with connect(demo) as sock:
        for byte in request_bytes(whole("plain", max_tokens=2)):
            sock.sendall(bytes([byte]))
        assert receive(sock).status == 200


def test_a_chunked_upload_is_read(demo: DemoServer) -> None:
    body = json.dumps(whole("plain", max_tokens=2)).encode()
    head = request_bytes().replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    with connect(demo) as sock:
        sock.sendall(
            head + b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (body[:5], len(body) - 5, body[5:])
        )
        assert receive(sock).status == 200


def test_who_asks_for_the_connection_to_close_sees_it_closed(demo: DemoServer) -> None:
    with connect(demo) as sock:
        sock.sendall(request_bytes(whole("plain", max_tokens=2), headers="Connection: close\r\n"))
        assert receive(sock).headers["connection"] == "close"
        assert sock.recv(1) == b""


def test_http_1_0_gets_a_stream_that_ends_with_the_connection(demo: DemoServer) -> None:
    with connect(demo) as sock:
        sock.sendall(request_bytes(chat("plain")).replace(b"HTTP/1.1", b"HTTP/1.0"))
        reply = receive(sock)
    assert "transfer-encoding" not in reply.headers
    raw = b"".join(data for _, data in reply.reads)
    assert raw.endswith(b"data: [DONE]\n\n")
    assert finish(raw.partition(b"\r\n\r\n")[2]) == "stop"


def test_a_client_that_waits_for_permission_is_told_to_go_on(demo: DemoServer) -> None:
    request = request_bytes(whole("plain", max_tokens=2), headers="Expect: 100-continue\r\n")
    head, _, body = request.partition(b"\r\n\r\n")
    with connect(demo) as sock:
        sock.sendall(head + b"\r\n\r\n")
        assert sock.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(body)
        assert receive(sock).status == 200


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b'{"a":', b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_not_json_is_a_400(demo: DemoServer, body: bytes) -> None:
    reply = ask(demo, body)
    assert (reply.status, reply.error["code"]) == (400, "invalid_json")
    assert truth_of(demo, reply).status == 400


@pytest.mark.parametrize("body", [b"[]", b"3", b"null", b'"text"'])
def test_a_body_that_is_no_object_is_a_400(demo: DemoServer, body: bytes) -> None:
    assert ask(demo, body).error["message"] == "The body must be a JSON object."


def test_a_bad_field_is_a_400_that_names_it(demo: DemoServer) -> None:
    reply = ask(demo, chat("fast-small", max_tokens=0))
    assert (reply.status, reply.error["param"]) == (400, "max_tokens")
    assert reply.error["type"] == "invalid_request_error"


def test_an_unknown_model_is_a_404_that_names_it(demo: DemoServer) -> None:
    reply = ask(demo, chat("gpt-<b>"))
    assert (reply.status, reply.error["code"]) == (404, "model_not_found")
    assert "gpt-<b>" in reply.error["message"]


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/chat/completions/", "/v1/nothing?x=1", "/%00"])
def test_an_unknown_path_is_a_404(demo: DemoServer, path: str) -> None:
    reply = ask(demo, chat("plain"), path=path)
    assert (reply.status, reply.error["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/chat/completions", "POST"),
        ("DELETE", "/v1/models", "GET"),
        ("POST", "/health", "GET"),
    ],
)
def test_a_wrong_method_is_a_405_that_says_the_right_one(
    demo: DemoServer, method: str, path: str, allowed: str
) -> None:
    reply = ask(demo, method=method, path=path)
    assert (reply.status, reply.headers["allow"]) == (405, allowed)
    assert allowed in reply.error["message"]


def test_a_head_request_gets_no_body(demo: DemoServer) -> None:
    with connect(demo) as sock:
        sock.sendall(request_bytes(method="HEAD", path="/health", headers="Connection: close\r\n"))
        sock.settimeout(TIMEOUT_S)
        raw = b"".join(iter(lambda: sock.recv(65536), b""))
    assert raw.startswith(b"HTTP/1.1 405")
    assert raw.endswith(b"\r\n\r\n")


def test_a_body_that_announces_too_much_is_a_413_its_sender_can_read(demo: DemoServer) -> None:
    with connect(demo) as sock:
        length = f"Content-Length: {MAX_BODY_BYTES + 1}".encode()
        sock.sendall(request_bytes().replace(b"Content-Length: 0", length) + b"x" * 3_000_000)
        reply = receive(sock)
    assert (reply.status, reply.headers["connection"]) == (413, "close")
    assert "16,777,216" in reply.error["message"]


def test_a_chunked_body_that_grows_too_large_is_a_413(demo: DemoServer) -> None:
    head = request_bytes().replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    part = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    with connect(demo) as sock:
        sock.sendall(head)
        for _ in range(MAX_BODY_BYTES // 0x100000 + 1):
            sock.sendall(part)
        assert receive(sock).status == 413


def test_a_head_without_end_is_a_431(demo: DemoServer) -> None:
    with connect(demo) as sock:
        sock.sendall(b"GET /health HTTP/1.1\r\n")
        for _ in range(20):
            sock.sendall(b"X-More: " + b"x" * 4000 + b"\r\n")
        assert receive(sock).status == 431


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
    ],
)
def test_what_is_not_http_1_1_is_a_400_and_the_connection_ends(
    demo: DemoServer, raw: bytes
) -> None:
    with connect(demo) as sock:
        sock.sendall(raw)
        reply = receive(sock)
        assert (reply.status, reply.headers["connection"]) == (400, "close")
        assert sock.recv(1) == b""


def test_an_upgrade_is_declined_by_an_answer_in_http_1_1(demo: DemoServer) -> None:
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    with connect(demo) as sock:
        sock.sendall(request_bytes(method="GET", path="/health", headers=upgrade))
        reply = receive(sock)
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert sock.recv(1) == b""


def test_what_was_asked_before_the_nonsense_is_still_answered_first(demo: DemoServer) -> None:
    with connect(demo) as sock:
        sock.sendall(request_bytes(whole("plain", max_tokens=2)) + b"nonsense\r\n\r\n")
        raw = b"".join(iter(lambda: sock.recv(65536), b""))
    assert raw.index(b"HTTP/1.1 200") < raw.index(b"HTTP/1.1 400")


def test_a_client_that_leaves_ends_its_stream(demo: DemoServer) -> None:
    with connect(demo) as sock:
        sock.sendall(request_bytes(chat("slow-drip")))
        head = sock.recv(65536)
    request_id = head.partition(b"x-request-id: ")[2].split(b"\r\n")[0].decode()
    record = eventually(lambda: next((r for r in demo.truth() if r.id == request_id), None))
    assert record is not None
    assert record.error == "client left"
    assert sum(record.tokens) < record.output
