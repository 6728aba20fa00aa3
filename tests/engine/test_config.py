"""config.yaml: what is read, and what is said when it cannot be."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.config import (
    SHIPPED,
    ConfigError,
    ModelConfig,
    ProviderConfig,
    config_targets,
    litellm_id,
    load_config,
    provider_target,
)
from engine.pricing import limits_of, price_of
from engine.specs import BenchmarkSpec
from engine.targets import PLACEHOLDER_KEY, Target

GOOD = """\
providers:
  openai:
    display_name: OpenAI
    api_key_env: OPENAI_API_KEY
    model_id_prefix: openai
    models:
      - id: gpt-4o
      - {id: gpt-4.1, display_name: GPT-4.1, context_window: 1000}
  here:
    api_base: http://127.0.0.1:9000/v1/
    model_id_prefix: openai/
    models: [{id: mine}]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(GOOD)
    return path


def refusal(file: Path, text: str) -> str:
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    return str(caught.value)


def test_a_file_is_read_with_defaults_for_what_it_leaves_out(file: Path) -> None:
    config = load_config(file)
    assert list(config.providers) == ["openai", "here"]
    assert config.providers["openai"].model_id_prefix == "openai/"
    assert config.providers["here"].api_base == "http://127.0.0.1:9000/v1"
    assert config.defaults.max_tokens == 512
    assert config.defaults.context_tiers[-1] == 150_000


def test_the_file_of_the_working_directory_comes_before_the_shipped_one(
    file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert list(load_config().providers) == ["openai", "here"]
    file.unlink()
    assert next(iter(load_config().providers)) == "demo"


@pytest.mark.parametrize(
    ("before", "after", "place", "advice"),
    [
        (
            "context_window: 1000",
            "context_window: many",
            "line 8: providers.openai.models[1].context_window",
            "is 'many'; give a whole number",
        ),
        (
            "context_window: 1000",
            "context_window: 0",
            "line 8: providers.openai.models[1].context_window",
            "give 1 or more",
        ),
        (
            "display_name: OpenAI",
            "dispaly_name: OpenAI",
            "line 3: providers.openai.dispaly_name",
            "did you mean `display_name`?",
        ),
        (
            "context_window: 1000",
            "kontext: 1000",
            "providers.openai.models[1].kontext",
            "known here are context_window, display_name, id,",
        ),
        ("- id: gpt-4o", "- display_name: x", "line 7: providers.openai.models[0].id", "missing"),
        ("models: [{id: mine}]", "models: mine", "line 12: providers.here.models", "give a list"),
        ("models: [{id: mine}]", "models: [mine]", "providers.here.models[0]", "keys with values"),
        ("models: [{id: mine}]", "models: [{id: 7}]", "models[0].id", "in quotes"),
        ("http://127", "ftp://127", "providers.here.api_base", "http:// or https://"),
        ("  here:", "  He re:", "providers.He re", "small letters"),
        ("{id: gpt-4.1,", "{id: gpt-4o,", "providers.openai.models", "'gpt-4o' stands twice"),
        (
            "providers:",
            "defaults: {temperature: 3}\nproviders:",
            "defaults.temperature",
            "2 or less",
        ),
        ("providers:", "provider:", "line 1: provider ", "did you mean `providers`?"),
    ],
)
def test_each_mistake_names_line_key_path_and_what_is_allowed(
    file: Path, before: str, after: str, place: str, advice: str
) -> None:
    message = refusal(file, GOOD.replace(before, after))
    assert str(file) in message
    assert place in message
    assert advice in message


def test_all_mistakes_are_named_at_once(file: Path) -> None:
    text = GOOD.replace("gpt-4o", "''").replace("ttp:", "tp:").replace("1000", "-1")
    assert len(refusal(file, text).splitlines()) == 3


def test_a_key_in_the_wrong_place_is_not_repeated(file: Path) -> None:
    secret = "sk-proj-abc123"
    wrong_name = refusal(file, GOOD.replace("OPENAI_API_KEY", secret))
    assert secret not in wrong_name
    assert "give its name, never the key" in wrong_name
    wrong_type = refusal(file, GOOD.replace("api_key_env: OPENAI_API_KEY", f"api_key: [{secret}]"))
    assert secret not in wrong_type


def test_a_syntax_error_names_its_line(file: Path) -> None:
    message = refusal(file, GOOD.replace("    models:\n      - id", "    models: [\n      - id", 1))
    assert f"{file}, line 7" in message
    assert "not YAML" in message


def test_a_key_that_stands_twice_is_an_error_not_the_last_one(file: Path) -> None:
    message = refusal(file, GOOD + "  openai:\n    models: []\n")
    assert "line 13: the key `openai` stands here for the second time (first in line 2)" in message


@pytest.mark.parametrize(
    ("text", "words"), [("", "is empty"), ("# nothing\n", "is empty"), ("[1]", "not a mapping")]
)
def test_a_file_without_content_says_what_it_needs(file: Path, text: str, words: str) -> None:
    message = refusal(file, text)
    assert words in message
    assert "providers" in message


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml cannot be read: No such file"):
        load_config(tmp_path / "absent.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"providers: \xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config(tmp_path / "latin.yaml")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.one_of(
        st.text(max_size=80),
        st.lists(
            st.sampled_from(
                [
                    "providers:",
                    "  a:",
                    " - b",
                    "? [x]",
                    ": y",
                    "&q",
                    "*q",
                    "{",
                    "}",
                    "1",
                    "\n",
                    "<<: ",
                ]
            ),
            max_size=25,
        ).map("".join),
    )
)
def test_whatever_stands_in_the_file_the_answer_is_a_config_or_a_config_error(
    file: Path, text: str
) -> None:
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with suppress(ConfigError):
        assert load_config(file).providers is not None


def test_there_is_no_expansion(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME_KEY", "secret")
    file.write_text(GOOD.replace("api_base: http://127.0.0.1:9000/v1/", "api_key: ${HOME_KEY}"))
    (mine,) = config_targets(load_config(file), "here", environ={})
    assert mine.api_key == "${HOME_KEY}"


def test_the_demo_port_is_replaced_and_nothing_else(file: Path) -> None:
    shipped = load_config(SHIPPED, demo_port=4242)
    assert shipped.providers["demo"].api_base == "http://127.0.0.1:4242/v1"
    assert shipped.providers["lm_studio"] == load_config(SHIPPED).providers["lm_studio"]
    assert load_config(file, demo_port=4242) == load_config(file)


@pytest.mark.parametrize(
    ("prefix", "model", "asked"),
    [
        ("openai/", "gpt-4o", "openai/gpt-4o"),
        ("openai/", "openai/gpt-4o", "openai/gpt-4o"),
        ("vllm/", "meta/llama", "hosted_vllm/meta/llama"),
        ("", "vllm/meta/llama", "hosted_vllm/meta/llama"),
        ("", "gpt-4o", "gpt-4o"),
    ],
)
def test_the_prefix_stands_once_and_vllm_is_hosted(prefix: str, model: str, asked: str) -> None:
    assert litellm_id(prefix, model) == asked


def names(targets: list[Target]) -> list[str]:
    return [str(target.ref) for target in targets]


def test_filters_are_substrings_of_key_id_and_display_name(file: Path) -> None:
    config = load_config(file)

    def chosen(provider: str | None, model: str | None) -> list[str]:
        return names(config_targets(config, provider, model, environ={}))

    assert chosen(None, None) == ["openai/gpt-4o", "openai/gpt-4.1", "here/mine"]
    assert chosen("OPEN", "4.1") == ["openai/gpt-4.1"]
    assert chosen("here, openai", " 4O ,mine") == ["openai/gpt-4o", "here/mine"]
    assert chosen("nobody", None) == []
    assert chosen("", ",") == chosen(None, None)


def test_a_key_comes_from_the_named_variable_then_from_the_file(file: Path) -> None:
    config = load_config(file)
    (target, _) = config_targets(config, "openai", environ={"OPENAI_API_KEY": "sk-env"})
    assert (target.api_key, target.problem) == ("sk-env", None)
    assert "sk-env" not in repr(target)
    written = ProviderConfig.model_validate({"api_key": "sk-file", "api_key_env": "ABSENT"})
    assert provider_target("x", written, ModelConfig(id="m"), {}).api_key == "sk-file"
    assert "sk-file" not in repr(written)


def test_a_missing_key_is_said_and_never_replaced(file: Path) -> None:
    config = load_config(file)
    target = config_targets(config, "openai", environ={"OPENAI_API_KEY": "", "OTHER": "sk"})[0]
    assert target.api_key is None
    assert target.problem == "OpenAI has no key: set OPENAI_API_KEY in the environment."


def test_an_endpoint_without_a_key_gets_a_placeholder(file: Path) -> None:
    (mine,) = config_targets(load_config(file), "here", environ={"OPENAI_API_KEY": "sk-env"})
    assert (mine.api_key, mine.problem) == (PLACEHOLDER_KEY, None)
    assert mine.allow_private


def test_the_shipped_file_offers_demo_first_and_the_eleven_providers() -> None:
    config = load_config(SHIPPED)
    assert list(config.providers) == [
        *("demo", "openai", "anthropic", "gemini", "zai", "lm_studio", "ollama"),
        *("mistral", "deepseek", "cohere", "xai", "vllm"),
    ]
    demo = config_targets(config, "demo", environ={})
    assert [t.label for t in demo] == ["fast-small", "slow-large", "jittery", "flaky"]
    assert all(t.simulated and "simulated" in t.provider_label for t in demo)
    assert all(price_of(t) is not None for t in demo)
    assert not any(t.simulated for t in config_targets(config, "openai,ollama", environ={}))


def test_shipped_models_are_known_to_the_price_map_with_these_windows() -> None:
    for target in config_targets(load_config(SHIPPED), environ={}):
        if target.simulated:
            continue
        known = limits_of(target.litellm_model)
        assert known == (target.context_window, target.max_output_tokens), target.litellm_model
        assert price_of(target) is not None, target.litellm_model


def test_shipped_demo_models_are_those_of_the_demo_server() -> None:
    from engine.demo.catalog import catalog

    config = load_config(SHIPPED)
    served = catalog().models
    for target in config_targets(config, "demo", environ={}):
        model = served[target.model]
        assert (target.context_window, target.max_output_tokens) == (model.window, model.max_output)


def test_shipped_templates_and_defaults_make_valid_specs() -> None:
    config = load_config(SHIPPED)
    assert len(config.prompt_templates) >= 8
    assert len({t.category for t in config.prompt_templates.values()}) >= 4
    assert len({t.label for t in config.prompt_templates.values()}) == len(config.prompt_templates)
    target = config_targets(config, "demo", environ={})[0].ref
    for template in config.prompt_templates.values():
        spec = BenchmarkSpec(
            targets=(target,),
            prompt=template.prompt,
            max_tokens=config.defaults.max_tokens,
            temperature=config.defaults.temperature,
            context_tiers=config.defaults.context_tiers,
        )
        assert spec.prompt == template.prompt
    assert config.defaults.prompt == BenchmarkSpec(targets=(target,)).prompt


def test_mcp_commands_are_none_by_default_and_read_by_key(file: Path) -> None:
    assert load_config(file).mcp_commands == {}
    file.write_text(GOOD + 'mcp_commands:\n  files: {command: npx, args: ["-y", "x"]}\n')
    [(key, found)] = load_config(file).mcp_commands.items()
    assert (key, found.command, found.args, found.env) == ("files", "npx", ("-y", "x"), {})


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        ("files: {args: []}", "mcp_commands.files.command is missing"),
        ("Files: {command: npx}", "mcp_commands.Files is no usable key"),
        ("files: {command: npx, cwd: /}", "mcp_commands.files.cwd is not known"),
        ("files: {command: npx, args: -y}", "mcp_commands.files.args is '-y'; give a list"),
        ("files: {command: npx, env: {A: 1}}", "mcp_commands.files.env.A is 1; give text"),
    ],
)
def test_a_bad_mcp_command_names_its_place(file: Path, block: str, sentence: str) -> None:
    assert sentence in refusal(file, f"{GOOD}mcp_commands:\n  {block}\n")
