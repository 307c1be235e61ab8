"""What if: the forecast of one series and week under another offer, beside the one under the plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import OptionError
from forecasting.contracts.panel_definition import Id, PanelDefinition, Series, in_order, readable
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.completeness import active_series
from forecasting.core.distribution import interval_of, point_of
from forecasting.core.fitted_model import FittedModel
from forecasting.core.forecast_checks import keys_of
from forecasting.core.panel import build_panel, complete_promotions, series_of
from forecasting.models import get_model
from forecasting.models.model import PreparedProduct, PreparesOffers
from forecasting.pipeline.challengers import last_week
from forecasting.pipeline.forecast import train, untrained_series
from forecasting.storage.lake import Lake

MOST_STEPS = 26  # as far as a run may look


# Values of covariates, by name. Empty (NaN) where nothing is known.
Offer = Mapping[str, float]


@dataclass(frozen=True)
class Answer:
    """What to expect of one series and week.

    plan, asked: the offers. plan_known: whether the plan has that cell, else it was assumed.
    by_plan, by_asked: units, by name: `forecast`, `lo_80`, `hi_80`, `lo_95`, `hi_95`.
    warnings: why not to rely on it, in sentences.
    """

    step: int
    plan: Offer
    plan_known: bool
    asked: Offer
    by_plan: Mapping[str, float]
    by_asked: Mapping[str, float]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Outlook:
    """A fitted model at a cutoff, ready for questions.

    promotions: complete for `MOST_STEPS` weeks, as `forecasting.core.panel.complete_promotions` gives them.
    ready: products that a question has brought up to date, by product and horizon.
    """

    fitted: FittedModel
    spec: ForecastSpec
    panel: pd.DataFrame
    promotions: pd.DataFrame
    series: frozenset[Series]
    untrained: frozenset[Series]
    ready: dict[tuple[Id, int], PreparedProduct] = field(default_factory=dict, repr=False, compare=False)


def outlook(fitted: FittedModel, sales: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> Outlook:
    """Prepare a fitted model for questions at the cutoff of `spec`.

    Args:
        sales: table `sales`; rows after the cutoff are ignored.
        promotions: table `promotions`, past and future.

    Raises:
        OptionError: the model was not fitted for such a forecast.
    """
    fitted.require_fit_for(spec)
    series = active_series(sales, spec.cutoff, spec.definition.unsold)
    panel = build_panel(sales, promotions, series, spec.cutoff)
    keys = frozenset(keys_of(series))
    untrained = frozenset(untrained_series(series_of(panel), fitted))
    complete = complete_promotions(promotions, series, spec.cutoff, spec.cutoff + WEEK * MOST_STEPS, spec.definition)
    return Outlook(fitted, spec, panel, complete, keys, untrained)


def outlook_of(lake: Lake) -> tuple[Outlook, str]:
    """Return the champion at the last week of the lake, and a line that says which model answers.

    Without a champion the default model is fitted now, in about a second, and not registered.

    Raises:
        DataError: the lake has no sales.
        RunError: the champion is damaged.
    """
    cutoff = last_week(lake)
    sales, promotions = lake.sales.read(cutoff), lake.promotions.read(cutoff)
    champion = lake.models.champion_at(cutoff)
    if champion:
        _, fitted = lake.models.load(champion.version)
        line = f"{champion.model} {champion.version}, trained on weeks up to {champion.trained_until}"
    else:
        fitted = train(sales, promotions, ForecastSpec(cutoff, definition=lake.reference.definition))
        line = f"{fitted.spec.model}, fitted for this question (oj train keeps one)"
    spec = replace(fitted.spec, cutoff=cutoff)
    return outlook(fitted, sales, promotions, spec), line


def what_if(of: Outlook, store: Id, product: Id, week: date, /, **offer: float) -> Answer:
    """Return the forecast of one series and week under an offer, beside the one under the plan.

    With the plan's own values it is the forecast that a run by the same fitted model publishes, to the last bit.

    Args:
        offer: covariates by name; those that are left out are as planned.

    Raises:
        OptionError: the series is not sold or has no parameters, the week is no coming one, or a value is impossible.
    """
    step = _require_possible(of, store, product, week, offer)
    # Within the horizon just what a run forecasts; beyond it the same, further ahead.
    spec = replace(of.spec, horizon=max(of.spec.horizon, step - of.spec.gap))
    own = of.promotions[of.promotions["store"].eq(store) & of.promotions["product"].eq(product)]
    plan, plan_known = _plan(own, week, of.spec.definition)
    asked = {**plan, **offer}
    changes = {name: value for name, value in offer.items() if value != plan[name]}
    by_plan = _expected(of, spec, store, product, week, {})
    by_asked = _expected(of, spec, store, product, week, changes) if changes else by_plan
    warnings = _warnings(of, own, step, asked)
    if changes and by_asked == by_plan:
        warnings.append(f"The model {of.spec.model} does not look at this.")
    return Answer(step, plan, plan_known, asked, by_plan, by_asked, tuple(warnings))


def _require_possible(of: Outlook, store: Id, product: Id, week: date, offer: Offer) -> int:
    """Return the step of the week."""
    words = of.spec.definition
    asked = f"{words.store.word}={readable(store)}, {words.product.word}={readable(product)}"
    if (store, product) not in of.series:
        stores = in_order({s for s, p in of.series if p == product})
        raise OptionError(
            asked,
            f"was not sold in the weeks up to {of.spec.cutoff}",
            f"name a {words.store.word} that sells the {words.product.word}, as {readable(stores[0])}"
            if stores
            else f"name another {words.product.word}",
        )
    if (store, product) in of.untrained:
        raise OptionError(
            asked,
            f"has no parameters in the model, which was trained on weeks up to {of.fitted.spec.cutoff}",
            "train a new one: oj train",
        )
    days = (week - of.spec.cutoff).days
    first, last = of.spec.steps[0], MOST_STEPS
    if days % 7 or not first <= days // 7 <= last:
        raise OptionError(
            f"week={week}",
            f"is not the first day of one of the {last} weeks ahead",
            f"name {of.spec.cutoff + WEEK * first}, {of.spec.cutoff + WEEK * (first + 1)} and so on",
        )
    covariates = {each.name: each for each in of.spec.definition.covariates}
    for name, value in offer.items():
        if name not in covariates:
            raise OptionError(f"{name}={value}", "is no covariate", f"name one of {', '.join(covariates)}")
        if not covariates[name].is_possible(pd.Series([float(value)])).all():
            wanted = f"{covariates[name].range} ({covariates[name].meaning})"
            raise OptionError(f"{name}={value}", "is not possible", f"give {wanted}")
    return days // 7


def _plan(own: pd.DataFrame, week: date, definition: PanelDefinition) -> tuple[Offer, bool]:
    """Return the planned offer, and whether it was announced, else assumed; a product without any price has none."""
    planned = own[own["week"] == pd.Timestamp(week)]
    if planned.empty:
        return _no_offer(definition), False
    row = planned.iloc[0]
    return {name: float(row[name]) for name in definition.names}, bool(row["known"])


def _no_offer(definition: PanelDefinition) -> dict[str, float]:
    """Return an offer without promotion, whose price nobody knows."""
    return {each.name: np.nan if each.role == "price" else 0.0 for each in definition.covariates}


def _expected(of: Outlook, spec: ForecastSpec, store: Id, product: Id, week: date, changes: Offer) -> dict[str, float]:
    """Return the point and the intervals in units, where the offer differs from the plan by `changes`."""
    model, moment = get_model(spec.model), pd.Timestamp(week).as_unit("us")
    if isinstance(model, PreparesOffers):
        key = product, spec.horizon
        if key not in of.ready:
            (of.ready[key],) = model.prepare(of.fitted, of.panel[of.panel["product"].eq(product)], of.promotions, spec)
        now = of.ready[key]
        samples = (now.with_offer(store, moment, changes) if changes else now).samples_of(store, moment)
    else:
        panel = of.panel[of.panel["store"].eq(store) & of.panel["product"].eq(product)].reset_index(drop=True)
        promotions = _changed(
            of.promotions[of.promotions["store"].eq(store)], store, product, moment, changes, spec.definition
        )
        predictive = model.predict(of.fitted, panel, promotions, spec)
        samples = predictive.samples[predictive.frame["week"].eq(moment).to_numpy()]
    expected = {"forecast": float(point_of(samples, spec.point)[0])}
    for level in schemas.LEVELS:
        ends = interval_of(samples, level)
        expected |= {f"{side}_{level}": float(end[0]) for side, end in zip(("lo", "hi"), ends, strict=True)}
    return expected


def _changed(
    promotions: pd.DataFrame,
    store: Id,
    product: Id,
    week: pd.Timestamp,
    changes: Offer,
    definition: PanelDefinition,
) -> pd.DataFrame:
    """Return the promotions of a store with another offer in one cell."""
    is_cell = promotions["product"].eq(product) & promotions["week"].eq(week)
    cell = promotions[is_cell].iloc[:1].to_dict("records") or [_no_offer(definition)]
    row = cell[0] | {"store": store, "product": product, "week": week} | dict(changes)
    return pd.concat([promotions[~is_cell], pd.DataFrame([row])], ignore_index=True)


def _warnings(of: Outlook, own: pd.DataFrame, step: int, asked: Offer) -> list[str]:
    """Return why not to rely on an answer, in sentences."""
    found = []
    past = own[own["week"] <= pd.Timestamp(of.fitted.spec.cutoff)]
    currency = of.spec.definition.currency
    for price in of.spec.definition.of_role("price"):
        seen = past[price.name].dropna()
        if seen.empty:
            found.append(f"The model has seen no {price.label} of this series.")
        elif not seen.min() <= asked[price.name] <= seen.max():
            found.append(
                f"The model has seen {price.label}s from {currency}{seen.min():.2f} to {currency}{seen.max():.2f} of "
                f"this series: {currency}{asked[price.name]:.2f} is a guess."
            )
    last = of.spec.steps[-1]
    if step > last:
        found.append(
            f"The week lies {step} weeks ahead, and the model was trained for {last}: the intervals are too narrow."
        )
    return found
