"""Tests of the candidates: bases, and states that faded sums give at once or week by week."""

import numpy as np
import pytest

from forecasting.models.response.memory import CANDIDATES, HALF_LIVES, LEVEL, SEASON, Response, State

P, S, K, W = 2, 3, 4, 30


@pytest.fixture(scope="module")
def responses() -> tuple[Response, ...]:
    values = np.random.default_rng(0)
    response = Response(values.normal(size=(P, K)), values.normal(size=(2, P, S)), values.normal(size=(P, S)))
    return response, *(of(values.normal(size=(P, S)), K) for of in (Response.level_only, Response.season))


def test_one_week_after_the_other_leads_to_the_state_of_the_sums(responses: tuple[Response, ...]) -> None:
    """Sums of [x, log sales, 1] faded by each half-life, or misses faded by each candidate's: the same state."""
    values = np.random.default_rng(1)
    sums = np.zeros((len(HALF_LIVES), K + 2, P, S))
    fades = 0.5 ** (1 / np.array(HALF_LIVES))[:, None, None, None]
    state = State(*np.zeros((4, len(CANDIDATES), P, S)))
    for _ in range(W):
        x, y, w = values.normal(size=(K, P, S)), values.normal(size=(P, S)), values.random((P, S))
        sums = fades * sums + w * np.concatenate([x, [y, np.ones((P, S))]])
        state = state.after(w, y - np.stack([each(x) for each in responses]))

    found = State.of(sums[:, -1], np.stack([each.residual(sums) for each in responses]))

    for name, value in vars(found).items():
        assert value == pytest.approx(vars(state)[name]), name


def test_the_level_looks_at_no_regressor_and_the_season_at_its_own() -> None:
    """Last year's season moves the forecast by as much."""
    x = np.random.default_rng(2).normal(size=(K, P, S))

    assert (Response.level_only(np.full((P, S), 3.0), K)(x) == 3.0).all()
    assert Response.season(np.full((P, S), 5.0), K)(x) == pytest.approx(5.0 + x[-1])


def test_a_residual_is_what_the_response_did_not_expect(responses: tuple[Response, ...]) -> None:
    """Of a single week of weight two: twice the miss."""
    values = np.random.default_rng(3)
    x, y = values.normal(size=(K, P, S)), values.normal(size=(P, S))
    sums = 2.0 * np.concatenate([x, [y, np.ones((P, S))]])

    for each in responses:
        assert each.residual(sums) == pytest.approx(2 * (y - each(x)))


def test_a_steady_deviation_is_kept() -> None:
    """All stores sell 0.3 above every basis, for ever: the first candidate keeps six tenths of it, the others all."""
    state = State(*np.zeros((4, len(CANDIDATES), 1, S)))
    for _ in range(100):
        state = state.after(np.ones((1, S)), np.full((3, 1, S), 0.3))

    found = state.deviation(state.of_chain())

    kept = [each.chain_kept * 0.3 for each in CANDIDATES]
    assert found[:, 0, 0] == pytest.approx(kept)
    assert kept[0] == pytest.approx(0.18)


def test_every_basis_has_a_candidate() -> None:
    """The response first, which is believed in doubt."""
    assert CANDIDATES[0].name == "response"
    assert {each.basis for each in CANDIDATES} == {0, LEVEL, SEASON}
