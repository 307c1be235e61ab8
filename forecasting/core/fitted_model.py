"""A fitted model: its parameters as plain values, which can be registered and inspected."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.errors import OptionError
from forecasting.contracts.spec import ForecastSpec


@dataclass(frozen=True)
class FittedModel:
    """The parameters of a model that was fitted up to a cutoff.

    spec: what it was fitted for; its cutoff is the last week that was used.
    parameters: table `parameters`; empty for a model that has none.
    texts: parameters that are texts, by name.
    """

    spec: ForecastSpec
    parameters: pd.DataFrame
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def series(self) -> pd.DataFrame:
        """The distinct (`store`, `product`) that have parameters, sorted."""
        known = self.parameters.dropna(subset="store")[schemas.SERIES].drop_duplicates()
        # A column of numbers of which one was empty holds no integers.
        known = known.astype({"store": "int64" if self.spec.definition.store.id == "number" else "str"})
        return known.sort_values(schemas.SERIES, ignore_index=True)

    def only(self, series: pd.DataFrame) -> "FittedModel":
        """Return what these series need: the parameters of their products."""
        needed = self.parameters[self.parameters["product"].isin(series["product"].unique())]
        # Cast, so that its types are those of its file: `store` is no integer where one of it was empty.
        return replace(self, parameters=schemas.parameters(self.spec.definition).cast(needed))

    def require_fit_for(self, spec: ForecastSpec) -> None:
        """Check that it can predict this.

        Raises:
            OptionError: it is of another model, was fitted for other steps, or on weeks after the cutoff.
        """
        mine = self.spec
        if mine.model != spec.model:
            raise OptionError(
                f"model={spec.model}",
                f"is asked for, and the fitted model is a {mine.model}",
                f"leave the option out, or train one with `oj train --model {spec.model}`",
            )
        if mine.gap != spec.gap or mine.horizon < spec.horizon:
            raise OptionError(
                f"horizon={spec.horizon}, gap={spec.gap}",
                f"is asked for, and the fitted model was fitted for horizon={mine.horizon}, gap={mine.gap}",
                f"train one with `oj train --horizon {spec.horizon} --gap {spec.gap}`",
            )
        if mine.cutoff > spec.cutoff:
            raise OptionError(
                f"cutoff={spec.cutoff}",
                f"lies before {mine.cutoff}, up to which the fitted model has used the sales",
                f"train one with `oj train --cutoff {spec.cutoff}`",
            )
