"""Arrays of what is known in advance: prices, promotions and numbers of every product, by role, gaps filled.

Axes throughout: B products, S stores, W consecutive weeks (the last is the last week forecast).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd

from forecasting.contracts.panel_definition import Id, PanelDefinition
from forecasting.core.pool import pooled_stores

REGULAR_PRICE_WEEKS = 13  # a quarter: longer than any promotion, shorter than list prices live
MOST_RIVALS = 10  # whose offers a product's forecast looks at


@dataclass(frozen=True)
class Roles:
    """The covariates of a panel by what the response does with them, each a tuple of names.

    price: at most one, the first of its role; further ones are numbers.
    main: the promotions that interact with the depth of a discount: shares, or flags where there are no shares.
    other: the flags beside shares.
    holidays: country whose public holidays count; empty for none.
    """

    price: tuple[str, ...]
    main: tuple[str, ...]
    other: tuple[str, ...]
    numbers: tuple[str, ...]
    holidays: str = ""

    @classmethod
    def of(cls, definition: PanelDefinition) -> Self:
        """Return the roles of a definition's covariates."""
        prices, shares, flags, numbers = (
            tuple(each.name for each in definition.of_role(role)) for role in ("price", "share", "flag", "number")
        )
        others = flags if shares else ()
        return cls(prices[:1], shares or flags, others, prices[1:] + numbers, definition.holidays)


@dataclass(frozen=True)
class Offers:
    """What is known in advance of all products; arrays of shape (B, S, W).

    known: covariates by name, gaps filled; the price in logs. `main` and `other` are the strongest of their
    promotions; without any, and without a price, the array is zero. mean_price: (B,), log, of what was announced.
    """

    roles: Roles
    stores: np.ndarray
    products: np.ndarray
    weeks: pd.DatetimeIndex
    known: Mapping[str, np.ndarray]
    log_price: np.ndarray
    main: np.ndarray
    other: np.ndarray
    discount: np.ndarray  # log points below the regular price
    mean_price: np.ndarray

    @classmethod
    def of(
        cls,
        roles: Roles,
        stores: np.ndarray,
        products: np.ndarray,
        weeks: pd.DatetimeIndex,
        known: Mapping[str, np.ndarray],
        mean_price: np.ndarray | None = None,
    ) -> Self:
        """Return the offers that these covariates, gaps filled, make; without a `mean_price` it is theirs."""
        shape = (len(products), len(stores), len(weeks))

        def strongest(names: tuple[str, ...]) -> np.ndarray:
            if not names:
                return np.zeros(shape)
            return known[names[0]] if len(names) == 1 else np.max([known[name] for name in names], axis=0)

        log_price = strongest(roles.price)
        discount = np.maximum(regular_price(log_price) - log_price, 0.0) if roles.price else log_price
        mean_price = log_price.mean(axis=(1, 2)) if mean_price is None else mean_price
        promotions = strongest(roles.main), strongest(roles.other)
        return cls(roles, stores, products, weeks, known, log_price, *promotions, discount, mean_price)

    def positions(self, products: np.ndarray) -> np.ndarray:
        """Return where these products stand."""
        return np.searchsorted(self.products, products)

    def position(self, product: Id) -> int:
        """Return where this product stands."""
        return int(np.searchsorted(self.products, product))

    def since(self, week: int) -> "Offers":
        """Return the same offers from this week of the grid on."""
        tails = {name: getattr(self, name)[..., week:] for name in ("log_price", "main", "other", "discount")}
        known = {name: value[..., week:] for name, value in self.known.items()}
        return replace(self, weeks=self.weeks[week:], known=known, **tails)

    def of_stores(self, positions: np.ndarray) -> "Offers":
        """Return the same offers in the stores at these positions."""
        chosen = {name: getattr(self, name)[:, positions] for name in ("log_price", "main", "other", "discount")}
        known = {name: value[:, positions] for name, value in self.known.items()}
        return replace(self, stores=self.stores[positions], known=known, **chosen)

    def with_values(self, cell: tuple[int, int, int], changes: Mapping[str, float]) -> "Offers":
        """Return the offers with other values in one cell (product, store, week); unknown names change nothing."""
        known = dict(self.known)
        for name in changes.keys() & known.keys():
            known[name] = known[name].copy()
            known[name][cell] = np.log(changes[name]) if name in self.roles.price else changes[name]
        return Offers.of(self.roles, self.stores, self.products, self.weeks, known, self.mean_price)


@dataclass(frozen=True)
class Announcements:
    """The covariates of all products, as announced: NaN where unknown.

    known: by name, (B, S, W). has_rows: which products have rows in which stores, (B, S). price_sum, priced: of the
    log prices, and how many there are, (B, S).
    """

    roles: Roles
    stores: np.ndarray
    products: np.ndarray
    weeks: pd.DatetimeIndex
    known: Mapping[str, np.ndarray]
    has_rows: np.ndarray
    price_sum: np.ndarray
    priced: np.ndarray

    @classmethod
    def of(
        cls,
        promotions: pd.DataFrame,
        definition: PanelDefinition,
        panel: pd.DataFrame,
        last: pd.Timestamp,
        first: pd.Timestamp | None = None,
        also: Sequence[Id] = (),
    ) -> Self:
        """Return what is announced of all products in the stores of the panel, from the first week to the last.

        promotions: covariates that the table lacks are unknown. first: where it is None, that of the rows.
        also: products to have a place, though they may have no rows.
        """
        roles, stores = Roles.of(definition), np.sort(np.asarray(panel["store"].unique()))
        here = promotions["store"].isin(stores)
        rows = promotions if here.all() else promotions[here]
        own = np.asarray(panel["product"].unique())
        products = np.unique(
            np.concatenate([np.asarray(rows["product"].unique()), own, np.array(also, dtype=own.dtype)])
        )
        weeks = pd.date_range(first or pd.concat([panel["week"], rows["week"]]).min(), last, freq="7D")
        product, store, week = (
            np.searchsorted(products, rows["product"].to_numpy()),
            np.searchsorted(stores, rows["store"].to_numpy()),
            weeks.get_indexer(rows["week"]),
        )
        has_rows = np.zeros((len(products), len(stores)), dtype=bool)
        has_rows[product, store] = True
        inside = week >= 0
        cell = product[inside], store[inside], week[inside]

        def grid(name: str) -> np.ndarray:
            cube = np.full((len(products), len(stores), len(weeks)), np.nan)
            if name in rows:
                value = rows[name].to_numpy(float)[inside]
                if name in roles.price:
                    value = np.log(value, where=value > 0, out=np.full(len(value), np.nan))
                cube[cell] = value
            return cube

        known = {name: grid(name) for name in definition.names}
        prices = known[roles.price[0]] if roles.price else np.full((*has_rows.shape, 1), np.nan)
        sums, counts = np.nansum(prices, axis=2), (~np.isnan(prices)).sum(axis=2)
        return cls(roles, stores, products, weeks, known, has_rows, sums, counts)

    def from_week(self, first: pd.Timestamp) -> "Announcements":
        """Return the same from this week of the grid on."""
        skipped = int(self.weeks.get_loc(first))
        known = {name: cube[..., skipped:] for name, cube in self.known.items()}
        return replace(self, weeks=self.weeks[skipped:], known=known) if skipped else self

    def has_plan(self, product: Id, stores: np.ndarray) -> bool:
        """Return whether anything is announced of a product in any of these stores."""
        here = np.searchsorted(self.stores, stores)
        return bool(self.has_rows[np.searchsorted(self.products, product), here].any())

    def offers(self, stores: np.ndarray, own: np.ndarray) -> Offers:
        """Return the offers in these stores of the products `own` and of their rivals, which have some there too."""
        here = np.searchsorted(self.stores, stores)
        chosen = np.array(self.has_rows[:, here].any(axis=1))
        chosen[np.searchsorted(self.products, own)] = True
        there = np.flatnonzero(chosen)
        # A panel of thousands of products would be gone through for each of them.
        at = np.searchsorted(self.products[there], own)
        seen = np.union1d(at, _nearest(self._mean_prices(there, here), at)).astype(int)
        return self.of_products(stores, self.products[there[seen]], own)

    def of_products(
        self,
        stores: np.ndarray,
        products: np.ndarray,
        own: np.ndarray,
        medians: Mapping[str, np.ndarray] | None = None,
    ) -> Offers:
        """Return the offers of these products in these stores, gaps filled; numbers of the products `own` alone.

        No product looks at the numbers of another. medians: what gaps are filled from, as `medians_of` returns it;
        where it is None, those of the pooled ones among these stores.
        """
        here, of = np.searchsorted(self.stores, stores), np.searchsorted(self.products, products)
        known = {}
        for name, cube in self.known.items():
            number = name in self.roles.numbers
            chosen = np.searchsorted(self.products, own) if number else of
            filled = self._filled(name, cube[np.ix_(chosen, here)], stores, None if medians is None else medians[name])
            if number:
                known[name] = np.zeros((len(of), len(here), len(self.weeks)))
                known[name][np.searchsorted(products, own)] = filled
            else:
                known[name] = filled
        return Offers.of(self.roles, stores, products, self.weeks, known, self._mean_prices(of, here))

    def medians_of(self, stores: np.ndarray, products: np.ndarray, own: np.ndarray) -> dict[str, np.ndarray]:
        """Return by covariate the medians of these products over these stores, (B, W); numbers of `own` alone."""
        here, of = np.searchsorted(self.stores, stores), np.searchsorted(self.products, products)
        chosen = {True: np.searchsorted(self.products, own), False: of}
        return {
            name: chain_median(cube[np.ix_(chosen[name in self.roles.numbers], here)])
            for name, cube in self.known.items()
        }

    def _filled(self, name: str, cube: np.ndarray, stores: np.ndarray, median: np.ndarray | None) -> np.ndarray:
        """Return a covariate's values of some products and stores, (B, S, W), gaps filled.

        A missing value is the chain's that week; else a flag is 0, and a price or number the store's last, else its
        first, else 0. Past weeks have gaps: `forecasting.core.panel.complete_promotions` leaves none in those ahead.
        """
        if not np.isnan(cube).any():
            return cube
        if median is None:
            median = chain_median(cube[:, pooled_stores(stores)])
        filled = np.where(np.isnan(cube), median[:, None], cube)
        return np.nan_to_num(filled if self._is_flag(name) else _carry_to_both_ends(filled))

    def _is_flag(self, name: str) -> bool:
        return name not in (*self.roles.price, *self.roles.numbers)

    def _mean_prices(self, products: np.ndarray, stores: np.ndarray) -> np.ndarray:
        """Return the mean log prices of products in stores, by their positions; 0 where there is none."""
        cells = np.ix_(products, stores)
        return self.price_sum[cells].sum(axis=1) / np.maximum(self.priced[cells].sum(axis=1), 1)


def nearest_rivals(offers: Offers, own: np.ndarray) -> np.ndarray:
    """Return the positions of the rivals of the products at the positions `own`, (P, R), each row ascending.

    All others, or of more than `MOST_RIVALS` those whose mean log price is nearest: shoppers compare what costs alike.
    """
    return _nearest(offers.mean_price, own)


def _nearest(price: np.ndarray, own: np.ndarray) -> np.ndarray:
    count = len(price)
    if count <= MOST_RIVALS + 1:
        return np.array([np.delete(np.arange(count), each) for each in own]).reshape(len(own), count - 1)
    order = np.argsort(price, kind="stable")
    rank = np.argsort(order)[own]
    # In the order of prices the nearest lie next to each other: no more than these can be among them.
    window = np.r_[-MOST_RIVALS:0, 1 : MOST_RIVALS + 1]
    around = rank[:, None] + window
    outside = (around < 0) | (around >= count)
    near = order[np.clip(around, 0, count - 1)]
    distance = np.where(outside, np.inf, np.abs(price[near] - price[own][:, None]))
    first = np.argsort(distance, axis=1, kind="stable")[:, :MOST_RIVALS]
    return np.sort(np.take_along_axis(near, first, axis=1), axis=1)


def regular_price(log_price: np.ndarray) -> np.ndarray:
    """Return the upper quartile of the log price over the last quarter, up to and including the week."""
    width = min(REGULAR_PRICE_WEEKS, log_price.shape[-1])
    padded = np.concatenate([np.repeat(log_price[..., :1], width - 1, axis=-1), log_price], axis=-1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=-1)
    rank = int(0.75 * (width - 1))
    return np.partition(windows, rank, axis=-1)[..., rank]


def chain_median(cube: np.ndarray) -> np.ndarray:
    """Return the median over the stores (B, S, W) that reported, (B, W); NaN where none did."""
    ordered = np.sort(cube, axis=1)  # NaN sorts last
    count = (~np.isnan(cube)).sum(axis=1, keepdims=True)
    middle = np.maximum(count - 1, 0)
    low = np.take_along_axis(ordered, middle // 2, axis=1)
    high = np.take_along_axis(ordered, (middle + 1) // 2, axis=1)
    return ((low + high) / 2)[:, 0]


def _carry_to_both_ends(cube: np.ndarray) -> np.ndarray:
    return _carry_forward(_carry_forward(cube)[..., ::-1])[..., ::-1]


def _carry_forward(cube: np.ndarray) -> np.ndarray:
    position = np.where(np.isnan(cube), 0, np.arange(cube.shape[-1]))
    return np.take_along_axis(cube, np.maximum.accumulate(position, axis=-1), axis=-1)
