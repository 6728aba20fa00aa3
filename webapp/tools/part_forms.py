"""The settings of a suite, and one of its tools, as forms."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from webapp.tools import matchers
from webapp.tools.documents import Problem, pretty

_EMPTY_SCHEMA = {"type": "object", "properties": {}, "required": []}


@dataclass(frozen=True, slots=True)
class PartForm:
    """`values` as typed; `errors` by field, `general` those that no field is to blame for."""

    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    general: tuple[Problem, ...] = ()

    def refused(self, problems: Iterable[Problem], prefix: str = "") -> Self:
        """With what the check of the whole suite found."""
        errors, general = dict(self.errors), []
        for path, sentence in problems:
            rest = path.removeprefix(prefix)
            name = {"match": "setting"}.get(rest.split(".")[0], rest.split(".")[0])
            if path.startswith(prefix) and name in self.values and name not in errors:
                inside = rest.partition(".")[2]
                errors[name] = f"{inside}: {sentence}" if inside and name != "setting" else sentence
            else:
                general.append(Problem(rest, sentence))
        return replace(self, errors=errors, general=tuple(general))


class SettingsForm(PartForm):
    """Name, description, system prompt and the matcher of arguments that name none."""

    __slots__ = ()
    names = ("name", "description", "system_prompt", "match", "setting")

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        match, setting = matchers.shown(content.get("match"))
        texts = {name: str(content.get(name, "")) for name in cls.names[:3]}
        return cls(texts | {"match": match, "setting": setting})

    @classmethod
    def typed(cls, form: Mapping[str, str]) -> Self:
        return cls({name: form.get(name, "").replace("\r\n", "\n") for name in cls.names})

    def into(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The suite with these settings."""
        texts = {name: self.values[name].strip() for name in self.names[:3]}
        rest = {name: value for name, value in content.items() if name != "match"}
        matcher = matchers.read(self.values["match"], self.values["setting"])
        return rest | texts | ({"match": matcher} if matcher else {})


class ToolForm(PartForm):
    """A function: its name, what it is for, and the schema of its arguments."""

    __slots__ = ()
    names = ("name", "description", "parameters", "strict")

    @classmethod
    def blank(cls) -> Self:
        return cls(dict.fromkeys(cls.names, "") | {"parameters": pretty(_EMPTY_SCHEMA)})

    @classmethod
    def of(cls, tool: Mapping[str, Any]) -> Self:
        schema = tool.get("parameters", {"type": "object"})
        texts = {name: str(tool.get(name, "")) for name in ("name", "description")}
        strict = "1" if tool.get("strict") else ""
        return cls(texts | {"parameters": pretty(schema), "strict": strict})

    @classmethod
    def typed(cls, form: Mapping[str, str]) -> Self:
        values = {name: form.get(name, "").replace("\r\n", "\n") for name in cls.names}
        try:
            json.loads(values["parameters"])
        except json.JSONDecodeError as error:
            said = f"Line {error.lineno} is not JSON: {error.msg[:1].lower()}{error.msg[1:]}."
            return cls(values, {"parameters": said})
        except RecursionError:
            return cls(values, {"parameters": "This is nested too deeply to be read."})
        return cls(values)

    def into(self, tool: Mapping[str, Any]) -> dict[str, Any]:
        """The tool as it is now; what an import kept of the original stays as long as the
        schema does."""
        schema = {} if "parameters" in self.errors else json.loads(self.values["parameters"])
        made = {"name": self.values["name"].strip(), "parameters": schema}
        if self.values["description"].strip():
            made["description"] = self.values["description"].strip()
        if self.values["strict"]:
            made["strict"] = True
        same = schema == tool.get("parameters")
        return made | ({"original": tool["original"]} if same and tool.get("original") else {})
