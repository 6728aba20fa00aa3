from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from engine.specs import TargetRef
from engine.targets import PLACEHOLDER_KEY, Target
from jobs.targets import (
    describe_access,
    describe_targets,
    model_id_problem,
    provider_access,
    resolve,
)
from webapp import catalog, db, vault
from webapp.models import ApiKey, ModelEntry, Provider, User
from webapp.settings import Settings

OWN_KEY = "sk-alice-0123456789"
SERVER_KEY = "sk-operator-0123456789"
CONFIG = f"""
providers:
  demo:
    model_id_prefix: openai
    api_base: http://127.0.0.1:8502/v1
    models: [{{id: fast-small}}]
  acme:
    display_name: Acme
    model_id_prefix: mistral
    api_key_env: ACME_KEY
    models:
      - id: m
        context_window: 8192
        max_output_tokens: 1024
        skip_params: [stop]
        input_cost_per_mtok: 1
        output_cost_per_mtok: 2
        system_prompt: Hi
  local:
    model_id_prefix: vllm
    api_base: http://127.0.0.1:8000/v1
    models: [{{id: v}}]
  bare:
    api_key: {SERVER_KEY}
    models: [{{id: gpt-4o}}]
  open:
    model_id_prefix: xai
    models: [{{id: x}}]
"""
SMALLER = """
providers:
  demo: {model_id_prefix: openai, api_base: "http://127.0.0.1:8502/v1"}
"""


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    return replace(settings, config_file=path, demo_port=4321)


@pytest.fixture
def alice(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[User]:
    monkeypatch.delenv("ACME_KEY", raising=False)
    db.open_database(settings)
    with db.connection():
        user = User.create(email="alice@example.org", password_hash="!")
        catalog.seed_providers(user, settings)
        yield user


def provider(user: User, key: str) -> Provider:
    row: Provider = Provider.get(Provider.user == user.id, Provider.key == key)
    return row


def own(
    user: User, key: str = "mine", prefix: str = "openai/", base: str | None = None
) -> Provider:
    row: Provider = Provider.create(
        user=user, key=key, display_name=key.title(), model_id_prefix=prefix, api_base=base
    )
    ModelEntry.create(provider=row, model_id="small", display_name="Small")
    return row


def store(settings: Settings, user: User, key: str, text: str = OWN_KEY) -> None:
    token = vault.encrypt(settings, text)
    ApiKey.create(provider=provider(user, key), user=user, token=token, last4=text[-4:])


def one(user: User, settings: Settings, ref: str) -> Target:
    name, _, model = ref.partition("/")
    [target] = resolve(user, [TargetRef(provider=name, model=model)], settings)
    return target


def test_a_target_carries_what_the_row_says(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_KEY", SERVER_KEY)
    assert one(alice, settings, "acme/m") == Target(
        provider="acme",
        model="m",
        litellm_model="mistral/m",
        api_key=SERVER_KEY,
        label="m",
        provider_label="Acme",
        context_window=8192,
        max_output_tokens=1024,
        skip_params=frozenset({"stop"}),
        input_cost_per_mtok=1,
        output_cost_per_mtok=2,
        system_prompt="Hi",
        allow_private=True,
    )


def test_the_users_own_key_comes_before_the_server_wide_one(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_KEY", SERVER_KEY)
    store(settings, alice, "acme")
    assert one(alice, settings, "acme/m").api_key == OWN_KEY


def test_a_server_wide_key_of_the_dotenv_file_is_found(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(f"ACME_KEY={SERVER_KEY}\n")
    monkeypatch.chdir(tmp_path)
    assert one(alice, settings, "acme/m").api_key == SERVER_KEY


@pytest.mark.parametrize("ref", ["acme/m", "open/x"])
def test_without_any_key_the_problem_names_provider_and_page(
    alice: User, settings: Settings, ref: str
) -> None:
    target = one(alice, settings, ref)
    assert target.api_key is None
    assert target.problem is not None
    assert target.problem.startswith(target.provider_label)
    assert "Settings → API keys" in target.problem


def test_the_demo_needs_no_key_and_stands_at_the_settings_port(
    alice: User, settings: Settings
) -> None:
    target = one(alice, settings, "demo/fast-small")
    assert target.api_base == "http://127.0.0.1:4321/v1"
    assert (target.api_key, target.problem, target.simulated) == (PLACEHOLDER_KEY, None, True)


def test_vllm_is_asked_as_hosted_vllm(alice: User, settings: Settings) -> None:
    assert one(alice, settings, "local/v").litellm_model == "hosted_vllm/v"
    assert provider_access(alice, "local", settings).prefix == "hosted_vllm/"


def test_an_own_address_never_gets_a_server_wide_key(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_KEY", SERVER_KEY)
    monkeypatch.setenv("OPENAI_API_KEY", SERVER_KEY)
    own(alice, base="http://127.0.0.1:9300/v1")
    target = one(alice, settings, "mine/small")
    assert (target.api_key, target.problem) == (PLACEHOLDER_KEY, None)


def test_an_own_provider_without_address_needs_a_key(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SERVER_KEY)
    own(alice)
    target = one(alice, settings, "mine/small")
    assert target.api_key is None
    assert target.problem == "Mine has no key. Add one in Settings → API keys."


def test_an_own_provider_named_like_one_of_the_file_is_still_the_users(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_KEY", SERVER_KEY)
    Provider.delete().where(Provider.key == "acme").execute()
    own(alice, key="acme", base="http://127.0.0.1:9300/v1")
    assert one(alice, settings, "acme/small").api_key == PLACEHOLDER_KEY


def test_an_address_written_into_a_row_of_the_file_is_not_used(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_KEY", SERVER_KEY)
    evil = {"api_base": "http://evil.example/v1", "model_id_prefix": "openai/"}
    Provider.update(evil).where(Provider.key == "acme").execute()
    target = one(alice, settings, "acme/m")
    assert (target.api_base, target.litellm_model) == (None, "mistral/m")


def test_without_a_prefix_only_the_files_own_models_choose_the_provider(
    alice: User, settings: Settings
) -> None:
    assert one(alice, settings, "bare/gpt-4o").litellm_model == "gpt-4o"
    ModelEntry.create(
        provider=provider(alice, "bare"), model_id="deepseek/chat", display_name="Elsewhere"
    )
    assert one(alice, settings, "bare/deepseek/chat").litellm_model == "openai/deepseek/chat"


def test_a_key_that_cannot_be_decrypted_is_a_problem_and_no_fallback(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_KEY", SERVER_KEY)
    store(settings, alice, "acme")
    changed = replace(settings, fernet_keys=(Fernet.generate_key().decode(),))
    target = one(alice, changed, "acme/m")
    assert target.api_key is None
    assert target.problem is not None
    assert target.problem.startswith("Acme: The stored key cannot be decrypted")


def test_private_addresses_are_the_operators_choice_for_own_providers_only(
    alice: User, settings: Settings
) -> None:
    own(alice, base="http://10.0.0.1/v1")
    closed = replace(settings, allow_private_endpoints=False)
    assert one(alice, settings, "mine/small").allow_private is True
    assert one(alice, closed, "mine/small").allow_private is False
    assert one(alice, closed, "local/v").allow_private is True


def test_the_unknown_is_a_problem_of_its_own_and_the_others_go_on(
    alice: User, settings: Settings
) -> None:
    names = [("nowhere", "m"), ("demo", "nothing"), ("demo", "fast-small")]
    refs = [TargetRef(provider=p, model=m) for p, m in names]
    found = resolve(alice, refs, settings)
    assert [target.ref for target in found] == refs
    assert found[0].problem == "You have no provider 'nowhere'. Add it in Settings → Providers."
    assert found[1].problem == "demo has no model 'nothing'. Add it in Settings → Providers."
    assert found[2].problem is None


def test_a_provider_that_left_the_file_says_so(
    alice: User, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "smaller.yaml"
    path.write_text(SMALLER)
    store(settings, alice, "acme")
    target = one(alice, replace(settings, config_file=path), "acme/m")
    assert target.api_key is None
    assert target.problem is not None
    assert "no longer in this server's config.yaml" in target.problem


def test_a_model_that_is_switched_off_says_so(alice: User, settings: Settings) -> None:
    ModelEntry.update(enabled=False).where(ModelEntry.model_id == "fast-small").execute()
    assert "switched off" in (one(alice, settings, "demo/fast-small").problem or "")


def test_nobody_resolves_somebody_elses_provider(alice: User, settings: Settings) -> None:
    own(alice, base="http://127.0.0.1:9300/v1")
    store(settings, alice, "mine")
    charlie = User.create(email="charlie@example.org", password_hash="!")
    target = one(charlie, settings, "mine/small")
    assert target.problem is not None
    assert target.api_key is None
    assert provider_access(charlie, "mine", settings).problem is not None


def test_a_description_holds_no_key_and_decrypts_nothing(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_KEY", SERVER_KEY)
    store(settings, alice, "demo")

    def refuse(*_: object) -> str:
        raise AssertionError("a page must not decrypt")

    monkeypatch.setattr(vault, "decrypt", refuse)
    described = describe_targets(alice, settings)
    assert [str(target.ref) for target in described] == [
        "demo/fast-small", "acme/m", "local/v", "bare/gpt-4o", "open/x",
    ]  # fmt: skip
    assert {target.api_key for target in described} == {None}
    assert [target.problem is None for target in described] == [True, True, True, True, False]
    assert {access.api_key for access in describe_access(alice, settings).values()} == {None}


def test_a_description_leaves_out_what_is_switched_off(alice: User, settings: Settings) -> None:
    ModelEntry.update(enabled=False).where(ModelEntry.model_id == "m").execute()
    assert "acme/m" not in [str(target.ref) for target in describe_targets(alice, settings)]
    [named] = describe_targets(alice, settings, [TargetRef(provider="acme", model="m")])
    assert named.problem is not None


def test_a_key_is_not_part_of_a_targets_repr(alice: User, settings: Settings) -> None:
    store(settings, alice, "acme")
    assert OWN_KEY not in repr(one(alice, settings, "acme/m"))
    assert OWN_KEY not in repr(provider_access(alice, "acme", settings))


@pytest.mark.parametrize(
    "model_id",
    [
        "http://evil.example/x",
        "hf/https://evil.example",
        "../../v1/files",
        "a?b",
        "a#b",
        "a\nb",
    ],
)
def test_an_id_that_could_lead_elsewhere_is_refused(
    alice: User, settings: Settings, model_id: str
) -> None:
    assert model_id_problem(model_id)
    ModelEntry.create(provider=provider(alice, "bare"), model_id=model_id, display_name="x")
    target = one(alice, settings, f"bare/{model_id}")
    assert target.problem is not None


@pytest.mark.parametrize(
    "model_id",
    [
        "gpt-4o",
        "llama3:8b-q4_K_M",
        "accounts/fireworks/models/x",
        "@cf/meta/llama",
        "C:\\models\\x.gguf",
        "/srv/my model",
    ],
)
def test_ids_that_providers_use_are_fine(model_id: str) -> None:
    assert model_id_problem(model_id) is None
