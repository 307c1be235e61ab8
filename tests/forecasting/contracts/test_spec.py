"""Tests of what a run can be asked."""

import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts.calendar import WEEK, week_of
from forecasting.contracts.errors import OptionError
from forecasting.contracts.spec import BatchSpec, ClusterSpec, ForecastSpec

CUTOFF = date(1991, 1, 3)


def test_without_a_gap_the_first_week_forecast_is_the_one_after_the_cutoff() -> None:
    """The default run looks one and two weeks ahead."""
    spec = ForecastSpec(CUTOFF)

    assert list(spec.steps) == [1, 2]
    assert spec.weeks == [date(1991, 1, 10), date(1991, 1, 17)]


def test_a_gap_skips_weeks() -> None:
    """The benchmark's protocol leaves one week out and forecasts steps 2 and 3."""
    spec = ForecastSpec(CUTOFF, horizon=2, gap=1)

    assert list(spec.steps) == [2, 3]
    assert spec.weeks == [date(1991, 1, 17), date(1991, 1, 24)]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.integers(0, 20))
def test_steps_and_weeks_agree(horizon: int, gap: int) -> None:
    """There is one week a step, that many weeks after the cutoff."""
    spec = ForecastSpec(CUTOFF, horizon=horizon, gap=gap)

    assert len(spec.steps) == horizon
    assert spec.weeks == [CUTOFF + WEEK * step for step in spec.steps]


@pytest.mark.parametrize(
    ("options", "named"),
    [({"horizon": 0}, "horizon=0"), ({"gap": -1}, "gap=-1"), ({"point": "mode"}, "point=mode")],
)
def test_an_impossible_option_is_refused_by_name(options: dict[str, object], named: str) -> None:
    """The error names the option with its value, and a remedy."""
    with pytest.raises(OptionError, match=named):
        ForecastSpec(CUTOFF, **options)  # type: ignore[arg-type]


def test_an_unknown_point_is_answered_with_the_known_ones() -> None:
    """The remedy lists what can be chosen."""
    with pytest.raises(OptionError, match="median, mean, mape"):
        ForecastSpec(CUTOFF, point="mode")  # type: ignore[arg-type]


@pytest.mark.parametrize("day", [date(1991, 1, 2), date(1991, 1, 4), date(1991, 1, 9)])
def test_a_cutoff_within_a_week_is_refused(day: date) -> None:
    """A cutoff names a week by its first day; the remedy names the Thursday before."""
    with pytest.raises(OptionError, match=f"the Thursday before, {week_of(day)}"):
        ForecastSpec(day)


def test_a_spec_is_plain_values() -> None:
    """It can be written as JSON and rebuilt from it."""
    spec = ForecastSpec(CUTOFF, horizon=3, gap=1, model="naive", point="mape")

    plain = json.loads(json.dumps(spec.as_dict()))

    definition = plain.pop("definition")
    assert plain == {"cutoff": "1991-01-03", "horizon": 3, "gap": 1, "model": "naive", "point": "mape"}
    assert definition["week_starts_on"] == 3
    assert [each["name"] for each in definition["covariates"]] == ["price", "deal", "feat"]
    assert ForecastSpec.from_dict({**plain, "definition": definition}) == spec


def test_the_settings_of_a_batch_have_defaults() -> None:
    """A run that says nothing gets partitions of at most 250 series and two retries."""
    assert BatchSpec() == BatchSpec(mini_batch_size=250, max_retries=2, timeout=120.0, error_threshold=50)


def test_workers_are_instances_times_concurrency() -> None:
    """Every instance runs as many one-threaded workers as it may."""
    assert ClusterSpec(instance_count=3, max_concurrency_per_instance=2).n_workers == 6


@pytest.mark.parametrize(
    ("cluster", "kind"),
    [
        ("local", "local"),
        ("tls://10.0.0.1:8786", "existing"),
        ("distributed.SSHCluster", "class"),
        ("distributed:SSHCluster", "class"),
    ],
)
def test_a_cluster_is_one_of_three_kinds(cluster: str, kind: str) -> None:
    """One setting says which."""
    assert ClusterSpec(cluster=cluster).kind == kind


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"cluster": "tcp://10.0.0.1:8786"}, "is not encrypted"),
        ({"cluster": "http://10.0.0.1:8786"}, "unknown protocol http"),
        ({"cluster": "ten workers"}, "is neither local, nor"),
        ({"cluster_options": {"hosts": []} | {"n": 1}}, "are not taken by cluster=local"),
        ({"min_instances": 3, "max_instances": 2}, "is less than min_instances=3"),
        ({"cluster": "tls://10.0.0.1:8786", "max_instances": 2}, "is not for cluster=tls"),
        (
            {"cluster": "a.B", "cluster_options": {"connect_options": [{"password": "x"}]}},
            "hold a secret in 'password'",
        ),
    ],
)
def test_an_impossible_cluster_is_refused(options: dict[str, object], said: str) -> None:
    """The error names the option and the remedy; it never repeats a secret."""
    with pytest.raises(OptionError, match=said):
        ClusterSpec(**options)  # type: ignore[arg-type]


def test_a_growing_cluster_begins_with_its_fewest_workers() -> None:
    """Between min_instances and max_instances, each of max_concurrency_per_instance workers."""
    spec = ClusterSpec(instance_count=9, max_concurrency_per_instance=2, min_instances=1, max_instances=4)
    assert (spec.n_workers, spec.most_workers) == (2, 8)
    assert (ClusterSpec(3, 2).n_workers, ClusterSpec(3, 2).most_workers) == (6, 6)
