"""Messages over a pipe."""

from __future__ import annotations

import io
import os
import select
import threading

from engine.speed.load.channel import read_message, write_message


def test_reading_a_message_leaves_the_next_one_for_whoever_watches_the_pipe() -> None:
    ours, theirs = os.pipe()
    with os.fdopen(ours, "rb", buffering=0) as source, os.fdopen(theirs, "wb") as sink:
        write_message(sink, 17)
        write_message(sink, "cancel")
        assert read_message(source) == 17
        assert select.select([source], [], [], 0)[0] == [source]
        assert read_message(source) == "cancel"
        assert select.select([source], [], [], 0)[0] == []


def test_a_message_larger_than_the_pipe_arrives_whole() -> None:
    ours, theirs = os.pipe()
    large = os.urandom(1_000_000)
    with os.fdopen(ours, "rb", buffering=0) as source, os.fdopen(theirs, "wb") as sink:
        writer = threading.Thread(target=write_message, args=(sink, large))
        writer.start()
        assert read_message(source) == large
        writer.join()


def test_a_stream_that_ends_between_or_inside_messages_is_over() -> None:
    whole = io.BytesIO()
    write_message(whole, ["a", "b"])
    data = whole.getvalue()
    assert read_message(io.BytesIO(data)) == ["a", "b"]
    assert all(read_message(io.BytesIO(data[:cut])) is None for cut in range(len(data)))
