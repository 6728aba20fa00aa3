"""The truth log: a line a request, readable while it grows."""

from __future__ import annotations

from pathlib import Path

from engine.demo.truth import Record, TruthLog, read_truth


def test_a_record_survives_the_file(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    record = Record("a", "fast-small", sends=[5, 9], tokens=[1, 2], input=3, output=3, status=200)
    log = TruthLog(path)
    log.write(record)
    assert read_truth(path) == [record]
    assert read_truth(path)[0].first_ns == 5
    log.close()


def test_an_answer_without_tokens_has_no_first_moment(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    log = TruthLog(path)
    log.write(Record("a", error="hang"))
    log.close()
    assert read_truth(path)[0].first_ns is None


def test_a_line_that_is_still_being_written_is_left_for_later(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    log = TruthLog(path)
    log.write(Record("a"))
    log.close()
    with path.open("a", encoding="utf-8") as file:
        file.write('{"id":"b","mod')
    assert [record.id for record in read_truth(path)] == ["a"]


def test_a_log_goes_on_where_it_was(tmp_path: Path) -> None:
    for name in "ab":
        log = TruthLog(tmp_path / "truth.jsonl")
        log.write(Record(name))
        log.close()
    assert [record.id for record in read_truth(tmp_path / "truth.jsonl")] == ["a", "b"]


def test_without_a_path_nothing_is_kept() -> None:
    log = TruthLog(None)
    log.write(Record("a"))
    log.close()
