"""Defaults that the environment may override."""

import os

import pytest

from flows.settings import DEFAULTS, apply_defaults, lake_root


def test_defaults_give_way_to_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the user has set stays; what is open is filled."""
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("DO_NOT_TRACK", raising=False)
    apply_defaults()
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert os.environ["DO_NOT_TRACK"] == DEFAULTS["DO_NOT_TRACK"]


def test_the_lake_is_given_or_named_by_the_environment_or_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this order."""
    monkeypatch.setenv("OJ_LAKE", "b")
    assert lake_root("a") == "a"
    assert lake_root(None) == "b"
    monkeypatch.delenv("OJ_LAKE")
    assert lake_root(None) == "lake"
