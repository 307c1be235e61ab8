"""What the stores of a product share: learnt from the pooled ones, or recalled to forecast others.

The fit asks for each such value by name where it needs it, once a week or once a fit. So the stores that are learnt
from and those that are forecast later run through the same code.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Self

import numpy as np

Compute = Callable[[], np.ndarray]


class Learn:
    """Compute each value from the stores at hand, and keep it. The first axis of a value is that of the products."""

    learning = True

    def __init__(self) -> None:
        self._values: dict[str, list[np.ndarray]] = {}

    def __call__(self, name: str, compute: Compute) -> np.ndarray:
        """Return what `compute` returns."""
        value = compute()
        self._values.setdefault(name, []).append(value)
        return value

    def of_product(self, position: int) -> dict[str, np.ndarray]:
        """Return all values of one product by name, in the order in which they were asked for, (calls, …)."""
        return {name: np.stack([value[position] for value in values]) for name, values in self._values.items()}


class Recall:
    """Return each value as it was learnt, in the same order."""

    learning = False

    def __init__(self, values: Mapping[str, np.ndarray]) -> None:
        """Take values by name, (calls, products, …)."""
        self._values = {name: iter(calls) for name, calls in values.items()}

    @classmethod
    def of(cls, products: Sequence[Mapping[str, np.ndarray]]) -> Self:
        """Return what was learnt of several products alike, each by name (`Learn.of_product`)."""
        return cls({name: np.stack([each[name] for each in products], axis=1) for name in products[0]})

    def __call__(self, name: str, compute: Compute) -> np.ndarray:
        """Return the next value of this name; nothing is computed."""
        value: np.ndarray = next(self._values[name])
        return value


Shared = Learn | Recall
