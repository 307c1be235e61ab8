"""Features for the trees: what a product offers in a week, without naming product or store.

Axes: B products, S stores, W consecutive weeks, F features.
"""

import numpy as np

from forecasting.models.response.offers import Offers

LONG_AGO = 26.0  # weeks since the last main promotion, at most


def tree_features(offers: Offers, own: int, rivals: np.ndarray) -> np.ndarray:
    """Return the features of the product at the position `own`, (W, S, F). None names the product or the store.

    So the effect of one product's rare deep discount is learnt for all others.
    """
    price, other, main, discount = offers.log_price[own], offers.other[own], offers.main[own], offers.discount[own]
    offer = [price, other, main, discount]
    columns = [
        *offer,
        *[chain.mean(axis=0) for chain in offer],
        *[lagged(x, weeks) for weeks in (1, 2) for x in offer],
        price + discount,
        price.std(axis=0),
        _rank_among_stores(price),
        _weeks_since(main > 0.5),
    ]
    if len(rivals):
        columns += _tree_rivals(offers, rivals, price)
    columns += [offers.known[name][own] for name in offers.roles.numbers]
    return np.stack([np.broadcast_to(c, price.shape) for c in columns], axis=-1).transpose(1, 0, 2)


def _tree_rivals(offers: Offers, rivals: np.ndarray, price: np.ndarray) -> list[np.ndarray]:
    prices, mains, discounts = offers.log_price[rivals], offers.main[rivals], offers.discount[rivals]
    return [
        (prices < price).sum(axis=0),
        price - prices.mean(axis=0),
        price - prices.min(axis=0),
        offers.other[rivals].sum(axis=0),
        mains.sum(axis=0),
        *[total for d in (discounts, mains * discounts) for total in (d.sum(axis=0), d.max(axis=0))],
    ]


def lagged(x: np.ndarray, weeks: int) -> np.ndarray:
    """Return the value `weeks` earlier; the first value repeats.  x: (S, W)."""
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
