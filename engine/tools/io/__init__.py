"""Suites in and out: one module a format, found by its key, or by what a file holds.

A module has KEY, LABEL, `fits(value)`, `read(sources, name)` and `write(suite)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

from engine.tools.checks import suite_problems
from engine.tools.io import bfcl, openai, studio
from engine.tools.io.memory import without_collection
from engine.tools.io.problems import Exported, Imported, ImportProblem, LeftOut, Source
from engine.tools.io.text import decoded, json_document, json_lines
from engine.tools.notes import note_of
from engine.tools.suites import Suite

__all__ = [
    "FORMATS",
    "Exported",
    "ImportProblem",
    "Imported",
    "LeftOut",
    "Source",
    "detect",
    "export_suite",
    "import_suite",
]

NAME_MAX = 120

# In the order in which a file is held against them.
FORMATS: dict[str, ModuleType] = {
    studio.KEY: studio,
    bfcl.KEY: bfcl,
    openai.KEY: openai,
}


@without_collection()
def import_suite(
    sources: Sequence[Source], *, form: str | None = None, name: str = "", check: bool = False
) -> Imported:
    """The suite in one or more files of one format (`form`, None to find it out).

    `name` is the suite's; without it the file's own, or one made from it. With `check` it must
    be one that can be saved: schemas, patterns and names that hold; cases that no answer can
    pass are told among the notes. Raises ImportProblem, and then nothing was imported.
    """
    if not sources:
        raise ImportProblem(None, "Choose a file.")
    if len(name.strip()) > NAME_MAX:
        raise ImportProblem(None, f"Keep the name to {NAME_MAX} characters.")
    key = form or detect(sources[0])
    if key not in FORMATS:
        raise ImportProblem(None, f"There is no format {key!r}; known are {', '.join(FORMATS)}.")
    imported: Imported = FORMATS[key].read(list(sources), name.strip())
    return _checked(imported) if check else imported


def _checked(imported: Imported) -> Imported:
    for path, sentence in suite_problems(imported.suite, similarity=True).items():
        parts = [int(part) if part.isdecimal() else part for part in path.split(".")]
        line, file = imported.place(parts)
        raise ImportProblem(line, f"{path}: {sentence}", file)
    note = note_of(imported.suite)
    return replace(imported, notes=(*imported.notes, note)) if note else imported


@without_collection()
def export_suite(suite: Suite, form: str) -> Exported:
    """The suite in a format: its files, and the cases that the format cannot say."""
    exported: Exported = FORMATS[form].write(suite)
    return exported


def detect(source: Source) -> str:
    """The format of a file, by what it holds. Raises ImportProblem."""
    text = decoded(source)
    for value in _views(text, source.name):
        for key, module in FORMATS.items():
            if module.fits(value):
                return key
    labels = ", ".join(module.LABEL for module in FORMATS.values())
    raise ImportProblem(1, f"This is none of the known formats: {labels}.", source.name)


def _views(text: str, file: str) -> list[Any]:
    """The first line as a value, where it is one by itself, else the whole text."""
    first, _, rest = text.strip().partition("\n")
    if rest.strip() and first.rstrip().endswith("}"):
        return [next(json_lines(text, file)).value]
    return [json_document(text, file)]
