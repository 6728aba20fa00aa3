"""A user's providers, their models, and the keys to them."""

from __future__ import annotations

import time
from typing import Any

from peewee import (
    BlobField,
    BooleanField,
    CharField,
    DoubleField,
    ForeignKeyField,
    IntegerField,
    TextField,
)

from webapp.models.base import JSONText, Table
from webapp.models.users import User


class Provider(Table):
    """An endpoint as its owner configured it.

    `origin` is "config" for the providers of config.yaml (their address and server-wide
    key come from that file at the time of use, so `api_base` is NULL) and "user" for the
    user's own. `model_id_prefix` is LiteLLM's provider prefix, with its slash.
    """

    user = ForeignKeyField(User, backref="providers", on_delete="CASCADE")
    user_id: int
    models: Any
    keys: Any
    key = CharField(max_length=80)
    display_name = CharField(max_length=120)
    model_id_prefix = CharField(max_length=80)
    api_base = TextField(null=True)
    origin = CharField(max_length=8, default="user")
    position = IntegerField(default=0)
    created_at = DoubleField(default=time.time)

    class Meta:
        indexes = ((("user", "key"), True),)


class ModelEntry(Table):
    """A model of a provider. Window and output in tokens; prices in USD per million tokens,
    NULL when unknown."""

    provider = ForeignKeyField(Provider, backref="models", on_delete="CASCADE")
    provider_id: int
    model_id = CharField(max_length=200)
    display_name = CharField(max_length=200)
    context_window = IntegerField(null=True)
    max_output_tokens = IntegerField(null=True)
    skip_params = JSONText(default=list)
    input_cost_per_mtok = DoubleField(null=True)
    output_cost_per_mtok = DoubleField(null=True)
    system_prompt = TextField(default="")
    enabled = BooleanField(default=True)
    position = IntegerField(default=0)

    class Meta:
        indexes = ((("provider", "model_id"), True),)


class ApiKey(Table):
    """One key for a user's provider, encrypted; only its last four characters are readable."""

    provider = ForeignKeyField(Provider, backref="keys", unique=True, on_delete="CASCADE")
    provider_id: int
    user = ForeignKeyField(User, backref="keys", on_delete="CASCADE")
    token = BlobField()
    last4 = CharField(max_length=4)
    updated_at = DoubleField(default=time.time)
