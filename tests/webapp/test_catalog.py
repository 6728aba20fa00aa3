from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from engine.config import ConfigError, load_config
from webapp import catalog, db
from webapp.models import ModelEntry, Provider, User
from webapp.settings import Settings

ACME = {
    "display_name": "Acme",
    "model_id_prefix": "openai/",
    "api_base": "http://127.0.0.1:9/v1",
    "models": [
        {
            "id": "one",
            "context_window": 8192,
            "skip_params": ["top_p"],
            "system_prompt": "Be brief.",
        },
        {"id": "two", "display_name": "Number two", "input_cost_per_mtok": 0.5},
    ],
}
BETA = {"model_id_prefix": "mistral/", "models": [{"id": "b"}]}


@pytest.fixture
def opened(settings: Settings) -> Iterator[None]:
    db.open_database(settings)
    with db.connection():
        yield


@pytest.fixture
def alice(opened: None) -> User:
    return User.create(email="alice@example.org", password_hash="!")


def configured(settings: Settings, tmp_path: Path, **providers: object) -> Settings:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump({"providers": providers}, sort_keys=False))
    return replace(settings, config_file=path)


def keys(user: User) -> list[str]:
    return [row.key for row in catalog.providers_of(user)]


def models(user: User, key: str) -> list[str]:
    row = Provider.get(Provider.user == user.id, Provider.key == key)
    return [entry.model_id for entry in catalog.models_of(row)]


def test_a_new_user_gets_what_the_shipped_file_has_with_the_demo_first(
    alice: User, settings: Settings
) -> None:
    catalog.seed_providers(alice, settings)
    shipped = load_config(None).providers
    assert keys(alice)[0] == "demo"
    assert sorted(keys(alice)) == sorted(shipped)
    for key, item in shipped.items():
        assert models(alice, key) == [model.id for model in item.models]


def test_rows_carry_the_facts_but_neither_address_nor_key(
    alice: User, settings: Settings, tmp_path: Path
) -> None:
    secret = {**ACME, "api_key": "sk-operator-0123456789"}
    catalog.seed_providers(alice, configured(settings, tmp_path, acme=secret))
    row = Provider.get(Provider.key == "acme")
    assert (row.display_name, row.model_id_prefix, row.origin) == ("Acme", "openai/", "config")
    assert row.api_base is None
    one = ModelEntry.get(ModelEntry.model_id == "one")
    assert (one.display_name, one.context_window, one.skip_params) == ("one", 8192, ["top_p"])
    assert one.system_prompt == "Be brief."
    assert ModelEntry.get(ModelEntry.model_id == "two").input_cost_per_mtok == 0.5
    assert b"sk-operator" not in settings.database_path.read_bytes()


def test_seeding_twice_changes_nothing(alice: User, settings: Settings, tmp_path: Path) -> None:
    chosen = configured(settings, tmp_path, acme=ACME, beta=BETA)
    catalog.seed_providers(alice, chosen)
    before = list(ModelEntry.select().dicts()), list(Provider.select().dicts())
    catalog.seed_providers(User.get_by_id(alice.id), chosen)
    catalog.seed_everybody(chosen)
    assert (list(ModelEntry.select().dicts()), list(Provider.select().dicts())) == before


def test_a_later_file_adds_what_is_new_and_leaves_edits_alone(
    alice: User, settings: Settings, tmp_path: Path
) -> None:
    catalog.seed_everybody(configured(settings, tmp_path, acme=ACME))
    ModelEntry.update(display_name="Mine", context_window=1).where(
        ModelEntry.model_id == "one"
    ).execute()
    grown = {**ACME, "display_name": "Acme Corp", "models": [*ACME["models"], {"id": "three"}]}
    catalog.seed_everybody(configured(settings, tmp_path, acme=grown, beta=BETA))
    assert keys(alice) == ["acme", "beta"]
    assert models(alice, "acme") == ["one", "two", "three"]
    edited = ModelEntry.get(ModelEntry.model_id == "one")
    assert (edited.display_name, edited.context_window) == ("Mine", 1)
    assert Provider.get(Provider.key == "acme").display_name == "Acme"


def test_what_a_user_deleted_stays_away(alice: User, settings: Settings, tmp_path: Path) -> None:
    chosen = configured(settings, tmp_path, acme=ACME, beta=BETA)
    catalog.seed_everybody(chosen)
    Provider.delete().where(Provider.key == "beta").execute()
    ModelEntry.delete().where(ModelEntry.model_id == "two").execute()
    catalog.seed_everybody(chosen)
    assert keys(alice) == ["acme"]
    assert models(alice, "acme") == ["one"]


def test_a_deleted_provider_can_be_given_back(
    alice: User, settings: Settings, tmp_path: Path
) -> None:
    chosen = configured(settings, tmp_path, acme=ACME, beta=BETA)
    catalog.seed_everybody(chosen)
    Provider.delete().where(Provider.key == "acme").execute()
    assert catalog.missing(alice, chosen) == [("acme", "Acme")]
    config = catalog.read_config(chosen)
    assert catalog.restore(alice, "acme", config) is not None
    assert models(alice, "acme") == ["one", "two"]
    assert catalog.missing(alice, chosen) == []
    assert catalog.restore(alice, "acme", config) is None
    assert catalog.restore(alice, "nothing", config) is None


def test_a_provider_of_ones_own_is_never_taken_over(
    alice: User, settings: Settings, tmp_path: Path
) -> None:
    Provider.create(user=alice, key="acme", display_name="My own", model_id_prefix="openai/")
    catalog.seed_everybody(configured(settings, tmp_path, acme=ACME))
    mine = Provider.get(Provider.key == "acme")
    assert (mine.display_name, mine.origin) == ("My own", "user")
    assert models(alice, "acme") == []


def test_each_user_has_a_copy_of_their_own(alice: User, settings: Settings, tmp_path: Path) -> None:
    charlie = User.create(email="charlie@example.org", password_hash="!")
    chosen = configured(settings, tmp_path, acme=ACME)
    catalog.seed_everybody(chosen)
    Provider.delete().where(Provider.user == alice.id).execute()
    assert (keys(alice), keys(charlie)) == ([], ["acme"])


def test_seeding_belongs_to_the_transaction_it_runs_in(
    alice: User, settings: Settings, tmp_path: Path
) -> None:
    chosen = configured(settings, tmp_path, acme=ACME)

    def registration_that_fails() -> None:
        with db.write():
            catalog.seed_providers(alice, chosen)
            raise RuntimeError("the registration fails after seeding")

    with pytest.raises(RuntimeError):
        registration_that_fails()
    assert keys(alice) == []


def test_a_changed_file_is_read_again(settings: Settings, tmp_path: Path) -> None:
    chosen = configured(settings, tmp_path, acme=ACME)
    assert catalog.read_config(chosen) is catalog.read_config(chosen)
    configured(settings, tmp_path, beta=BETA)
    assert list(catalog.read_config(chosen).providers) == ["beta"]


def test_a_broken_file_is_an_error_with_its_place(
    alice: User, settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="modles"):
        catalog.seed_providers(alice, configured(settings, tmp_path, acme={"modles": []}))
