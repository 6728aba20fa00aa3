"""How an evaluation asks: the request of a case, in LiteLLM's words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.llm.request import ChatRequest, PreparedRequest
from engine.specs import ToolEvalSpec
from engine.targets import Target
from engine.tools.offer import Offer, make_offer
from engine.tools.suites import Case, ExpectCalls, Suite, Tool

Message = dict[str, Any]

# Parameters that LiteLLM knows by name. Any other goes into the request's body as it stands:
# as an argument of LiteLLM's it could name an address, and the key would go there.
_KNOWN = frozenset(
    "temperature top_p top_k stop max_tokens max_completion_tokens presence_penalty "
    "frequency_penalty logit_bias logprobs top_logprobs response_format seed user "
    "parallel_tool_calls reasoning_effort thinking verbosity service_tier".split()
)
# What a choice may look like in the body of a request.
_CHOICES = ("tool_choice", "toolConfig", "tool_config")


@dataclass(slots=True)
class Voice:
    """One target as an evaluation asks it.

    `forces` becomes False when the provider turned out to take no tool_choice; then every
    case is asked with "auto". `checked` says that a request was looked at for that.
    """

    spec: ToolEvalSpec
    suite: Suite
    target: Target
    system_prompt: str = ""
    forces: bool = True
    checked: bool = False
    _offers: dict[int, Offer] = field(default_factory=dict)

    @classmethod
    def of(cls, spec: ToolEvalSpec, suite: Suite, target: Target) -> Voice:
        """The target's own system prompt comes before the suite's, in one message: templates
        of small models know only one. Ollama calls tools at its chat address only."""
        prompts = (target.system_prompt.strip(), suite.system_prompt.strip())
        prefix, _, name = target.litellm_model.partition("/")
        model = f"ollama_chat/{name}" if prefix == "ollama" else target.litellm_model
        asked = replace(target, system_prompt="", litellm_model=model)
        return cls(spec, suite, asked, "\n\n".join(filter(None, prompts)))

    def offer(self, case: Case) -> Offer:
        """The case's tools as this provider takes them."""
        tools: Sequence[Tool] = self.suite.tools_of(case)
        if id(tools) not in self._offers:
            prefix = self.target.litellm_model.partition("/")[0]
            self._offers[id(tools)] = make_offer(tools, prefix)
        return self._offers[id(tools)]

    def opening(self, case: Case) -> list[Message]:
        """The first messages of a case, with one system message at most."""
        offer, messages = self.offer(case), case.conversation
        prompts = [self.system_prompt]
        while messages and messages[0].get("role") in ("system", "developer"):
            prompts.append(str(messages.pop(0).get("content") or ""))
        text = "\n\n".join(filter(None, prompts))
        system: list[Message] = [{"role": "system", "content": text}] if text else []
        return system + [_with_sent_names(message, offer) for message in messages]

    def choice(self, case: Case) -> Any:
        """The tool_choice of a case; None where none is sent, which means "auto"."""
        offer, wanted = self.offer(case), self.spec.tool_choice
        if not offer.definitions or not self.forces or wanted == "auto":
            return None
        if wanted != "named":
            return wanted
        name = _first_expected(case)
        if name is None or name not in {tool.name for tool in self.suite.tools_of(case)}:
            return None
        return {"type": "function", "function": {"name": offer.sent(name)}}

    def request(
        self, case: Case, messages: Sequence[Message], *, first: bool = True
    ) -> ChatRequest:
        """The request of one round. Only the `first` answer to a user's message is forced: a
        model that has to call again and again could never end."""
        offer, extra = self.offer(case), _placed(self.spec.params)
        if offer.definitions:
            extra["tools"] = list(offer.definitions)
        if (choice := self.choice(case)) and (first or choice == "none"):
            extra["tool_choice"] = choice
        largest = self.target.max_output_tokens or self.spec.max_tokens
        return ChatRequest(
            messages=tuple(messages),
            max_tokens=None
            if "max_completion_tokens" in extra
            else min(self.spec.max_tokens, largest),
            temperature=self.spec.temperature,
            extra=extra,
        )

    def unforced(self, request: ChatRequest) -> ChatRequest:
        """The same request, with the choice left to the model."""
        extra = {key: value for key, value in request.extra.items() if key != "tool_choice"}
        return replace(request, extra=extra)

    def parameters(self, case: Case) -> dict[str, Any]:
        """What goes with every request beside messages and tools, for the record."""
        request = self.request(case, ())
        sent = {"max_tokens": request.max_tokens, "temperature": request.temperature}
        sent |= {key: value for key, value in request.extra.items() if key != "tools"}
        return {"model": self.target.litellm_model} | {
            key: value
            for key, value in sent.items()
            if value is not None and key not in self.target.skip_params
        }


def carries_choice(prepared: PreparedRequest) -> bool:
    """Whether a request that should force or forbid a call says so: LiteLLM drops the choice
    for providers that take none."""
    try:
        body = json.loads(prepared.body)
    except ValueError:
        return True
    return not isinstance(body, dict) or any(key in body for key in _CHOICES)


def assistant_message(text: str, calls: Sequence[Mapping[str, str]]) -> Message:
    """A model's answer as it is sent back to it; `calls` are id, name as sent, arguments."""
    message: Message = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": call["arguments"]},
            }
            for call in calls
        ]
    else:
        message["content"] = text
    return message


def _placed(params: Mapping[str, Any]) -> dict[str, Any]:
    """The user's parameters, each where it can do no harm."""
    known = {key: value for key, value in params.items() if key in _KNOWN}
    given = params.get("extra_body")
    others = {k: v for k, v in params.items() if k not in _KNOWN and k != "extra_body"}
    body = (given if isinstance(given, dict) else {}) | others
    return known | ({"extra_body": body} if body else {})


def _first_expected(case: Case) -> str | None:
    if isinstance(case.expect, ExpectCalls):
        return case.expect.alternatives[0][0].name
    return None


def _with_sent_names(message: Message, offer: Offer) -> Message:
    """A message of the case with its tools named as the provider knows them."""
    calls = message.get("tool_calls")
    if not offer.renamed or not isinstance(calls, list):
        return message
    return message | {"tool_calls": [_call_with_sent_name(call, offer) for call in calls]}


def _call_with_sent_name(call: Any, offer: Offer) -> Any:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return call
    name = offer.sent(str(function.get("name") or ""))
    return call | {"function": function | {"name": name}}
