"""The parameters of a fitted response, as a value and as rows of the table `parameters`."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
import pandas as pd

from forecasting.contracts.panel_definition import Id
from forecasting.core.pool import pooled_stores
from forecasting.models.response.changes import ChangeSlopes, ChangeState
from forecasting.models.response.features import ChainOffers, Own, product_regressors
from forecasting.models.response.fit import Scale, huber_weight
from forecasting.models.response.memory import BASES, Response, State
from forecasting.models.response.product_fit import ProductFit
from forecasting.models.response.shared import Learn
from forecasting.models.response.spread import SAMPLES, Spread


@dataclass(frozen=True)
class ResponseParameters:
    """One product's fitted response, and how its sales ran at the end of a week.

    Its fields are the names of the parameters in the table `parameters`; those of `PER_STORE` are per store. Axes:
    S stores, K regressors, Z of them with own slopes, F of them whose changes count; C candidates of
    which the last is the changes, J means; H steps, R risks, D samples.
    """

    stores: np.ndarray  # (S,), ascending
    rivals: np.ndarray  # the products whose offers it was compared with, ascending
    usual_prices: np.ndarray  # (4,), log
    centre: np.ndarray  # (K,)
    factor: np.ndarray  # (K,)
    slope: np.ndarray  # (K,)
    own_slope: np.ndarray  # (S, Z)
    level: np.ndarray  # (S, 3), by basis, log units
    lowest: np.ndarray  # (S,), log units
    highest: np.ndarray  # (S,), log units
    weights: np.ndarray  # (C,)
    drift_weight: np.ndarray  # (S, C - 1)
    drift_miss: np.ndarray  # (S, C - 1)
    chain_weight: np.ndarray  # (S, C - 1)
    chain_miss: np.ndarray  # (S, C - 1)
    changing: np.ndarray  # (F,), positions of the regressors
    change_ahead: np.ndarray  # (H, F)
    change_origin: np.ndarray  # (H, F)
    change_reversion: np.ndarray  # (H, J)
    change_base: np.ndarray  # (S, H), log units
    last_sale: np.ndarray  # (S,), log units
    mean_weight: np.ndarray  # (S, J)
    mean_total: np.ndarray  # (S, J)
    risk: np.ndarray  # (H, R)
    shape: np.ndarray  # (H, D)
    store_size: np.ndarray  # (S, H)

    @classmethod
    def of(cls, fit: ProductFit) -> Self:
        """Return what a fit ends with."""
        rolled, p, spreads = fit.group.rolled, fit.position, fit.spreads
        response = rolled.responses[0]
        return cls(
            fit.offers.stores,
            fit.offers.products[fit.rivals],
            fit.group.chain.usual[p],
            rolled.scale.centre[p],
            rolled.scale.factor[p],
            response.slope[p],
            response.own_slope[:, p].T,
            np.stack([each.level[p] for each in rolled.responses], axis=-1),
            rolled.lowest[p],
            rolled.highest[p],
            fit.weights,
            **{name: value[:, p].T for name, value in vars(rolled.state).items()},
            changing=rolled.changing,
            change_ahead=rolled.change_slopes.ahead[:, p],
            change_origin=rolled.change_slopes.origin[:, p],
            change_reversion=rolled.change_slopes.reversion[:, p],
            change_base=rolled.change_state.base[:, p].T,
            last_sale=rolled.change_state.last[p],
            mean_weight=rolled.change_state.mean_weight[:, p].T,
            mean_total=rolled.change_state.mean_total[:, p].T,
            risk=np.stack([spread.coefficients for spread in spreads]),
            shape=np.stack([spread.shape for spread in spreads]),
            store_size=np.stack([spread.store for spread in spreads], axis=-1),
        )

    @property
    def responses(self) -> list[Response]:
        """The bases, for one product."""
        k = len(self.slope)
        return [
            Response(self.slope[None], np.ascontiguousarray(self.own_slope.T)[:, None], self.level[None, :, 0]),
            Response.level_only(self.level[None, :, 1], k),
            Response.season(self.level[None, :, 2], k),
        ]

    @property
    def state(self) -> State:
        return State(*(getattr(self, field.name).T[:, None] for field in fields(State)))

    @property
    def change_slopes(self) -> ChangeSlopes:
        return ChangeSlopes(self.change_ahead[:, None], self.change_origin[:, None], self.change_reversion[:, None])

    @property
    def change_state(self) -> ChangeState:
        return ChangeState(
            self.change_base.T[:, None], self.last_sale[None], self.mean_weight.T[:, None], self.mean_total.T[:, None]
        )

    def spread(self, position: int) -> Spread:
        """Return that of the step at this position; beyond the last that was fitted, the last one's."""
        position = min(position, len(self.shape) - 1)
        return Spread(self.risk[position], self.shape[position], self.store_size[:, position])

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return one product's parameters from those of some of its stores each."""
        order = np.argsort(np.concatenate([part.stores for part in parts]))
        of_stores = {
            name: np.concatenate([getattr(part, name) for part in parts])[order] for name in ("stores", *PER_STORE)
        }
        return replace(parts[0], **of_stores)

    def only(self, stores: np.ndarray) -> "ResponseParameters":
        """Return the same for some of its stores."""
        chosen = np.searchsorted(self.stores, stores)
        return replace(self, **{name: getattr(self, name)[chosen] for name in ("stores", *PER_STORE)})

    def regressors(self, own: Own, season: np.ndarray) -> np.ndarray:
        """Return the scaled regressors of these offers and of last year's season (W, N, S), (W, K, 1, S).

        Of at least two weeks: over a single one NumPy adds up the stores in another order, and the last bits differ.
        """
        chain = ChainOffers.of(own.of_stores(pooled_stores(self.stores)), Learn())
        x, *_ = product_regressors(own, replace(chain, usual=self.usual_prices[None]), season[:, :, None])
        return Scale(self.centre[None], self.factor[None])(x)

    def forecast(self, x: np.ndarray) -> np.ndarray:
        """Return log forecasts for scaled regressors (H, K, 1, S), as they would be made now, (H, S)."""
        basis = np.stack([each(x) for each in self.responses])
        state = self.state
        found = basis[BASES] + state.deviation(state.of_chain(pooled_stores(self.stores)))[:, None]
        changed = self.change_state.forecast(self.change_slopes, x[:, self.changing])
        found = np.clip(np.concatenate([found, changed[None]]), self.lowest, self.highest)
        return np.einsum("pc,tchps->pths", self.weights[None], found[None])[0, 0]

    def after(self, x: np.ndarray, y: np.ndarray, first_step: int, outlier: float) -> "ResponseParameters":
        """Return the same after more weeks: x (N, K, 1, S), scaled; y (N, S) log sales, NaN where unseen.

        As in the fit, a sale counts less where it was missed by far, by the first candidate's forecast `first_step`
        weeks before it or, where that is longer ago, by the one at the end of the fit.
        """
        responses, states, pooled = self.responses, [self.state], pooled_stores(self.stores)
        changes, slopes = self.change_state, self.change_slopes
        followed = x[:, self.changing]
        for week in range(len(y)):
            expected = np.stack([each(x[week]) for each in responses])  # (3, 1, S)
            then = states[max(week + 1 - first_step, 0)]
            deviation = then.deviation(then.of_chain(pooled))
            forecast = np.clip(expected[0] + deviation[0], self.lowest, self.highest)
            seen = ~np.isnan(y[week])
            sold = np.where(seen, y[week], 0.0)
            weight = seen * huber_weight(sold, forecast, outlier)
            states.append(states[-1].after(weight, sold - expected))
            changes = changes.after(slopes, followed[week], sold[None], seen[None])
        return replace(
            self,
            **{name: value[:, 0].T for name, value in vars(states[-1]).items()},
            change_base=changes.base[:, 0].T,
            last_sale=changes.last[0],
            mean_weight=changes.mean_weight[:, 0].T,
            mean_total=changes.mean_total[:, 0].T,
        )

    def as_rows(self, product: Id) -> pd.DataFrame:
        """Return rows of the table `parameters`."""
        rivals = pd.DataFrame(
            {"name": "rivals", "position": range(len(self.rivals)), "value": 1.0, "rival": self.rivals}
        )
        rows = [self._rows_of(each.name) for each in fields(self) if each.name not in ("stores", "rivals")]
        return pd.concat([*rows, rivals], ignore_index=True).assign(product=product)

    def _rows_of(self, name: str) -> pd.DataFrame:
        values = getattr(self, name)
        rows = {"name": name, "value": values.ravel().astype(float)}
        if name not in PER_STORE:
            return pd.DataFrame({**rows, "position": np.arange(values.size)})
        width = values[0].size
        store, position = np.repeat(self.stores, width), np.tile(np.arange(width), len(self.stores))
        return pd.DataFrame({**rows, "store": store, "position": position})

    @classmethod
    def from_rows(cls, rows: pd.DataFrame) -> Self:
        """Return the inverse of `as_rows`, for the rows of one product."""
        ordered = rows.sort_values(["name", "store", "position"])
        values = {str(name): of_name.to_numpy() for name, of_name in ordered.groupby("name", sort=False)["value"]}
        stores = _ids(ordered.loc[ordered["name"] == "lowest", "store"])
        rivals = _ids(ordered.loc[ordered["name"] == "rivals", "rival"])
        steps = len(values["shape"]) // SAMPLES
        found = {}
        for name in (each.name for each in fields(cls) if each.name not in ("stores", "rivals")):
            # A parameter of no values, as slopes of a store's own without offers, has no rows.
            value = values.get(name, np.empty(0))
            rows_of = steps if name in PER_STEP else len(stores) if name in PER_STORE else 0
            flat = name in ("lowest", "highest", "last_sale") or not rows_of
            found[name] = value if flat else value.reshape(rows_of, value.size // rows_of)
        found["changing"] = found["changing"].astype(int)
        return cls(stores=stores, rivals=rivals, **found)


def _ids(column: pd.Series) -> np.ndarray:
    """Ids of a column with empty values elsewhere; whole numbers became floats there."""
    return (column.astype("int64") if pd.api.types.is_numeric_dtype(column) else column).to_numpy()


PER_STEP = ("risk", "shape", "change_ahead", "change_origin", "change_reversion")
PER_STORE = (
    "own_slope",
    "level",
    "lowest",
    "highest",
    "drift_weight",
    "drift_miss",
    "chain_weight",
    "chain_miss",
    "change_base",
    "last_sale",
    "mean_weight",
    "mean_total",
    "store_size",
)
