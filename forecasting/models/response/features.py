"""Arrays of the offers of every product, and what is made of them: regressors, risks, and features for the trees.

Axes throughout: S stores, W consecutive weeks (the last is the last week forecast),
B products, K regressors.  Nothing here looks at sales.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

# The covariates that the response is to. A panel that does not have one counts as one where it is always 0.
PRICE, DEAL, FEAT = "price", "deal", "feat"
LONG_AGO = 26.0  # weeks since the last feature, at most
REGULAR_PRICE_WEEKS = 13  # a quarter: longer than any promotion, shorter than list prices live


@dataclass(frozen=True)
class Offers:
    """Prices and promotions of all products, gaps filled; arrays of shape (B, S, W)."""

    stores: np.ndarray
    products: np.ndarray
    weeks: pd.DatetimeIndex
    log_price: np.ndarray
    deal: np.ndarray
    feat: np.ndarray
    discount: np.ndarray  # log points below the regular price

    def cover(self, product: int, stores: np.ndarray, weeks: pd.DatetimeIndex) -> bool:
        """Whether these are the offers of just these stores and weeks, `product` among them."""
        same_stores = np.array_equal(self.stores, stores)
        return same_stores and self.weeks.equals(weeks) and bool((self.products == product).any())

    def since(self, week: int) -> "Offers":
        """The same offers from this week of the grid on."""
        tails = {name: getattr(self, name)[..., week:] for name in ("log_price", "deal", "feat", "discount")}
        return replace(self, weeks=self.weeks[week:], **tails)


def offers_on_grid(
    promotions: pd.DataFrame, product: int | np.ndarray, stores: np.ndarray, weeks: pd.DatetimeIndex
) -> Offers:
    """The offers of `product`, or of several, and of their rivals: one cell a product, store and week."""
    rows = promotions[promotions["store"].isin(stores)]
    products = np.unique(np.append(rows["product"].unique(), product))
    shape = (len(products), len(stores), len(weeks))
    cell = (
        np.searchsorted(products, rows["product"].to_numpy()),
        np.searchsorted(stores, rows["store"].to_numpy()),
        weeks.get_indexer(rows["week"]),
    )
    inside = cell[2] >= 0
    cell = tuple(axis[inside] for axis in cell)

    def grid(values: np.ndarray) -> np.ndarray:
        cube = np.full(shape, np.nan)
        cube[cell] = values[inside]
        return cube

    price = _values(rows, PRICE)
    log_price = np.log(np.where(price > 0, price, np.nan), where=price > 0, out=np.full(len(price), np.nan))
    log_price = _fill_prices(grid(log_price))
    deal, feat = (_fill_promotions(grid(_values(rows, name))) for name in (DEAL, FEAT))
    discount = np.maximum(regular_price(log_price) - log_price, 0.0)
    return Offers(stores, products, weeks, log_price, deal, feat, discount)


def _values(rows: pd.DataFrame, name: str) -> np.ndarray:
    return rows[name].to_numpy(float) if name in rows else np.zeros(len(rows))


def _fill_prices(log_price: np.ndarray) -> np.ndarray:
    """A missing price is the chain's that week, else the store's last, else its first.

    Missing are past prices: `forecasting.core.panel.complete_promotions` leaves no gap in the weeks ahead.
    """
    filled = np.where(np.isnan(log_price), _chain_median(log_price), log_price)
    filled = _carry_forward(filled)
    filled = _carry_forward(filled[..., ::-1])[..., ::-1]
    return np.nan_to_num(filled)


def _fill_promotions(share: np.ndarray) -> np.ndarray:
    """A missing flag is what most of the chain did that week, else no promotion."""
    return np.nan_to_num(np.where(np.isnan(share), _chain_median(share), share))


def _chain_median(cube: np.ndarray) -> np.ndarray:
    """Median over the stores that reported, shape (B, 1, W); NaN where none did."""
    ordered = np.sort(cube, axis=1)  # NaN sorts last
    count = (~np.isnan(cube)).sum(axis=1, keepdims=True)
    middle = np.maximum(count - 1, 0)
    low = np.take_along_axis(ordered, middle // 2, axis=1)
    high = np.take_along_axis(ordered, (middle + 1) // 2, axis=1)
    return (low + high) / 2


def _carry_forward(cube: np.ndarray) -> np.ndarray:
    position = np.where(np.isnan(cube), 0, np.arange(cube.shape[-1]))
    return np.take_along_axis(cube, np.maximum.accumulate(position, axis=-1), axis=-1)


def regular_price(log_price: np.ndarray) -> np.ndarray:
    """Upper quartile of the log price over the last quarter, up to and including the week."""
    width = min(REGULAR_PRICE_WEEKS, log_price.shape[-1])
    padded = np.concatenate([np.repeat(log_price[..., :1], width - 1, axis=-1), log_price], axis=-1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=-1)
    rank = int(0.75 * (width - 1))
    return np.partition(windows, rank, axis=-1)[..., rank]


def annual_waves(weeks: pd.DatetimeIndex, pairs: int) -> list[np.ndarray]:
    """Sine and cosine of the day of the year, `pairs` harmonics, each of shape (W,)."""
    angle = 2 * np.pi * weeks.day_of_year.to_numpy() / 365.25
    return [wave(h * angle) for h in range(1, pairs + 1) for wave in (np.sin, np.cos)]


def usual_prices(offers: Offers, product: int) -> np.ndarray:
    """Quantiles of the product's log prices, (4,), below which a price counts as deep."""
    price = offers.log_price[int(np.searchsorted(offers.products, product))]
    return np.quantile(price, [0.75, 0.5, 0.25, 0.1])


def product_regressors(offers: Offers, product: int, usual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Regressors of one product, (W, S, K), and their relative penalties, (K,); `usual` are its `usual_prices`.

    Penalties are small where an effect is certain (own offer) and one elsewhere.  The
    first four, price, deal, feat and discount, also act store by store.
    """
    own = int(np.searchsorted(offers.products, product))
    rival = np.delete(np.arange(len(offers.products)), own)
    price, deal, feat = offers.log_price[own], offers.deal[own], offers.feat[own]
    discount = offers.discount[own]
    offer = [price, deal, feat, discount]
    spread = price.std(axis=0)  # promoted deepest where all stores ask the same price
    blocks = [
        (0.1, offer),
        (1.0, [chain.mean(axis=0) for chain in offer]),
        (1.0, [feat * depth for depth in _depths(price, usual)]),
        (1.0, [spread * feat, spread * deal]),
        (1.0, annual_waves(offers.weeks, pairs=2)),
    ]
    if len(rival):
        blocks += _against_rivals(price, feat, discount, offers, rival)
    columns = [np.broadcast_to(c, price.shape) for _, block in blocks for c in block]
    penalty = np.repeat([p for p, _ in blocks], [len(block) for _, block in blocks])
    return np.ascontiguousarray(np.stack(columns, axis=-1).transpose(1, 0, 2)), penalty


def _depths(price: np.ndarray, usual: np.ndarray) -> list[np.ndarray]:
    """How far the log price lies below the product's usual prices."""
    return [np.maximum(q - price, 0.0) for q in usual]


def _against_rivals(
    price: np.ndarray, feat: np.ndarray, discount: np.ndarray, offers: Offers, rival: np.ndarray
) -> list[tuple[float, list[np.ndarray]]]:
    """Blocks of (penalty, columns) on the offer relative to those of the other products."""
    prices, deals, feats, discounts = (x[rival] for x in (offers.log_price, offers.deal, offers.feat, offers.discount))
    cheapest = prices.min(axis=0)
    cheaper = (prices < price).sum(axis=0).astype(float)  # products that cost less
    featured_discounts = feats * discounts
    return [
        (1.0, list(prices)),
        (1.0, [price - prices.mean(axis=0), price - cheapest, np.minimum(price - cheapest, 0.0)]),
        (0.3, [cheaper, cheaper == 0, feat * (cheaper == 0), cheaper <= 1, feat * cheaper]),
        (1.0, [x for d in (discounts, featured_discounts) for x in (d.sum(axis=0), d.max(axis=0))]),
        (
            1.0,
            [
                feat * (price - prices.mean(axis=0)),
                discount * feats.sum(axis=0),
                feat * deals.sum(axis=0),
                discount * discounts.sum(axis=0),
            ],
        ),
    ]


def product_risk(offers: Offers, product: int) -> np.ndarray:
    """What makes a week hard to forecast, (W, S, R): one, deal and feat."""
    own = int(np.searchsorted(offers.products, product))
    deal, feat = offers.deal[own], offers.feat[own]
    return np.stack([np.ones_like(deal), deal, feat], axis=-1).transpose(1, 0, 2)


def tree_features(offers: Offers, product: int) -> np.ndarray:
    """Features of one product for the trees, (W, S, F). None names the product or the store.

    So the effect of one product's rare deep discount is learnt for all others.
    """
    own = int(np.searchsorted(offers.products, product))
    rival = np.delete(np.arange(len(offers.products)), own)
    price, deal, feat, discount = offers.log_price[own], offers.deal[own], offers.feat[own], offers.discount[own]
    offer = [price, deal, feat, discount]
    columns = [
        *offer,
        *[chain.mean(axis=0) for chain in offer],
        *[lagged(x, weeks) for weeks in (1, 2) for x in offer],
        price + discount,
        price.std(axis=0),
        _rank_among_stores(price),
        _weeks_since(feat > 0.5),
    ]
    if len(rival):
        columns += _tree_rivals(offers, rival, price, offers.discount[rival])
    return np.stack([np.broadcast_to(c, price.shape) for c in columns], axis=-1).transpose(1, 0, 2)


def _tree_rivals(offers: Offers, rival: np.ndarray, price: np.ndarray, discounts: np.ndarray) -> list[np.ndarray]:
    prices, feats = offers.log_price[rival], offers.feat[rival]
    featured = feats * discounts
    return [
        (prices < price).sum(axis=0),
        price - prices.mean(axis=0),
        price - prices.min(axis=0),
        offers.deal[rival].sum(axis=0),
        feats.sum(axis=0),
        *[total for d in (discounts, featured) for total in (d.sum(axis=0), d.max(axis=0))],
    ]


def lagged(x: np.ndarray, weeks: int) -> np.ndarray:
    """The value `weeks` earlier; the first value repeats.  x: (S, W)."""
    return x[:, np.maximum(np.arange(x.shape[1]) - weeks, 0)]


def _rank_among_stores(price: np.ndarray) -> np.ndarray:
    """Share of the chain's stores that ask no more than this store, (S, W)."""
    ordered = np.sort(price, axis=0)
    counts = [np.searchsorted(ordered[:, w], price[:, w], side="right") for w in range(price.shape[1])]
    return np.stack(counts, axis=1) / len(price)


def _weeks_since(event: np.ndarray) -> np.ndarray:
    """Weeks since the last event before this week, (S, W)."""
    since = np.empty(event.shape)
    count = np.full(len(event), LONG_AGO / 2)  # unknown before the first week
    for w in range(event.shape[1]):
        since[:, w] = np.minimum(count, LONG_AGO)
        count = np.where(event[:, w], 1.0, count + 1)
    return since
