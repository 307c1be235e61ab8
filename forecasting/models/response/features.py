"""Regressors and risks of products, made of their own offers and those of their rivals.

Axes throughout: P products, R rivals of each, S stores, W consecutive weeks, K regressors. Nothing here looks at sales.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd

from forecasting.contracts.panel_definition import Id
from forecasting.models.response.holiday_weeks import holiday_columns
from forecasting.models.response.offers import Offers
from forecasting.models.response.shared import Shared


@dataclass(frozen=True)
class Own:
    """The offers of some products; arrays of shape (P, S, W).

    positions: of the products in the offers, (P,). rivals: positions of those that each is compared with, (P, R).
    """

    offers: Offers
    positions: np.ndarray
    rivals: np.ndarray

    @classmethod
    def of(cls, offers: Offers, product: Id) -> Self:
        """Return the product's place in offers that hold its rivals alone beside it."""
        own = offers.position(product)
        return cls(offers, np.array([own]), np.delete(np.arange(len(offers.products)), own)[None])

    def of_stores(self, positions: np.ndarray) -> Self:
        """Return the same in the stores at these positions."""
        return replace(self, offers=self.offers.of_stores(positions))

    @property
    def price(self) -> np.ndarray:
        return self.offers.log_price[self.positions]

    @property
    def main(self) -> np.ndarray:
        return self.offers.main[self.positions]

    @property
    def other(self) -> np.ndarray:
        return self.offers.other[self.positions]

    @property
    def discount(self) -> np.ndarray:
        return self.offers.discount[self.positions]


def own_columns(own: Own) -> list[np.ndarray]:
    """Return the product's own offer: price, other and main promotion, discount, as far as the panel has them."""
    roles = own.offers.roles
    columns = [
        (roles.price, own.price),
        (roles.other, own.other),
        (roles.main, own.main),
        (roles.price, own.discount),
    ]
    return [column for names, column in columns if names]


def annual_waves(weeks: pd.DatetimeIndex, pairs: int) -> list[np.ndarray]:
    """Return sine and cosine of the day of the year, `pairs` harmonics, each of shape (W,)."""
    angle = 2 * np.pi * weeks.day_of_year.to_numpy() / 365.25
    return [wave(h * angle) for h in range(1, pairs + 1) for wave in (np.sin, np.cos)]


def usual_prices(own: Own) -> np.ndarray:
    """Return quantiles of each product's log prices, (P, 4), below which a price counts as deep."""
    price = own.price.reshape(len(own.positions), -1)
    return np.quantile(price, [0.75, 0.5, 0.25, 0.1], axis=1).T


@dataclass(frozen=True)
class ChainOffers:
    """What the offers of a product's stores have in common.

    usual: the `usual_prices`, (P, 4). means: over the stores, of the `own_columns`, (P, N, W); N is 0 with one store.
    spread: standard deviation of the log price among the stores, (P, W).
    """

    usual: np.ndarray
    means: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, own: Own, shared: Shared) -> Self:
        """Return that of these stores, or what was learnt from others."""
        return cls(
            shared("usual prices", lambda: usual_prices(own)),
            shared("mean offers", lambda: mean_offers(own)),
            shared("price spread", lambda: own.price.std(axis=1)),
        )


def mean_offers(own: Own) -> np.ndarray:
    """Return the means over the stores of the `own_columns`, (P, N, W); without any column where there is one store."""
    products, stores, weeks = own.price.shape
    means = [column.mean(axis=1) for column in own_columns(own)] if stores > 1 else []
    return np.stack(means, axis=1) if means else np.zeros((products, 0, weeks))


def product_regressors(own: Own, chain: ChainOffers, season: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return regressors (W, K, P, S), of which the last are `season` (W, N, P, S); and, of the others, two arrays.

    These are their relative penalties and positions.

    The positions, ascending, are of the regressors whose changes sales follow: not those about rivals, nor about how
    promotions and discounts act together, as there are too many to learn from changes.

    Penalties are small where an effect is certain (own offer) and one elsewhere. The first, those of `own_columns`,
    also act store by store.
    """
    roles, offer = own.offers.roles, own_columns(own)
    price, main, other, shape = own.price, own.main, own.other, own.price.shape
    blocks: list[tuple[float, bool, list[np.ndarray]]] = [
        (0.1, True, offer),
        (1.0, True, [mean[:, None] for mean in chain.means.swapaxes(0, 1)]),
    ]
    if roles.price and roles.main:
        blocks.append((1.0, False, [main * depth for depth in _depths(price, chain.usual)]))
        spread = chain.spread[:, None]  # promoted deepest where all stores ask the same price
        blocks.append((1.0, False, [spread * main, *([spread * other] if roles.other else [])]))
    blocks.append((1.0, True, annual_waves(own.offers.weeks, pairs=2)))
    blocks.append((1.0, True, holiday_columns(roles.holidays, own.offers.weeks)))
    if own.rivals.shape[1]:
        of_rivals = _against_rivals(own) if roles.price else _promoted_rivals(own)
        blocks += [(penalty, False, block) for penalty, block in of_rivals]
    several = [names for names in (roles.main, roles.other) if len(names) > 1]
    plain = [name for names in several for name in names] + list(roles.numbers)
    blocks.append((1.0, True, [own.offers.known[name][own.positions] for name in plain]))
    columns = [column for _, _, block in blocks for column in block]
    x = np.empty((shape[2], len(columns) + season.shape[1], *shape[:2]))
    for k, column in enumerate(columns):
        x[:, k] = np.broadcast_to(column, shape).transpose(2, 0, 1)
    x[:, len(columns) :] = season
    sizes = [len(block) for _, _, block in blocks]
    penalty, changing = (np.repeat(of_block, sizes) for of_block in list(zip(*blocks, strict=True))[:2])
    return x, penalty, np.flatnonzero(changing)


def _depths(price: np.ndarray, usual: np.ndarray) -> list[np.ndarray]:
    """How far the log price lies below the product's usual prices."""
    return [np.maximum(q[:, None, None] - price, 0.0) for q in usual.T]


def _against_rivals(own: Own) -> list[tuple[float, list[np.ndarray]]]:
    """Blocks of (penalty, columns) on the offer relative to those of the other products."""
    roles, offers = own.offers.roles, own.offers
    price, main, discount = own.price, own.main, own.discount
    prices, discounts = offers.log_price[own.rivals], offers.discount[own.rivals]
    cheapest = prices.min(axis=1)
    cheaper = (prices < price[:, None]).sum(axis=1).astype(float)  # products that cost less
    over_mean = price - prices.mean(axis=1)
    blocks = [
        (1.0, list(prices.transpose(1, 0, 2, 3))),
        (1.0, [over_mean, price - cheapest, np.minimum(price - cheapest, 0.0)]),
    ]
    if not roles.main:
        blocks.append((0.3, [cheaper, cheaper == 0, cheaper <= 1]))
        blocks.append((1.0, [discounts.sum(axis=1), discounts.max(axis=1), discount * discounts.sum(axis=1)]))
        return blocks
    mains = offers.main[own.rivals]
    blocks.append((0.3, [cheaper, cheaper == 0, main * (cheaper == 0), cheaper <= 1, main * cheaper]))
    blocks.append((1.0, [x for d in (discounts, mains * discounts) for x in (d.sum(axis=1), d.max(axis=1))]))
    crossed = [main * over_mean, discount * mains.sum(axis=1)]
    if roles.other:
        crossed.append(main * offers.other[own.rivals].sum(axis=1))
    blocks.append((1.0, [*crossed, discount * discounts.sum(axis=1)]))
    return blocks


def _promoted_rivals(own: Own) -> list[tuple[float, list[np.ndarray]]]:
    """The block of rivals without prices: how many are promoted."""
    if not own.offers.roles.main:
        return []
    promoted = own.offers.main[own.rivals].sum(axis=1)
    return [(1.0, [promoted, own.main * promoted])]


def product_risk(own: Own) -> np.ndarray:
    """Return what makes a week hard to forecast, (W, P, S, R): one, and the promotions that the panel has."""
    roles = own.offers.roles
    promotions = [x for names, x in ((roles.other, own.other), (roles.main, own.main)) if names]
    return np.stack([np.ones_like(own.price), *promotions], axis=-1).transpose(2, 0, 1, 3)
