"""The panel definition: what the sales of a lake are, in the words of their owner.

Nothing outside a definition, and the options of a model, names a covariate: code asks for covariates by their role.
"""

from dataclasses import dataclass
from typing import Literal

from forecasting.contracts.calendar import THURSDAY

# price: money a unit, above 0. flag: 0 or 1. share: 0 to 1. number: any number.
Role = Literal["price", "flag", "share", "number"]


@dataclass(frozen=True)
class Covariate:
    """A column that is known for past and coming weeks.

    name: the column. label: the word for people. meaning: what its values mean and in which unit.
    """

    name: str
    role: Role
    label: str
    meaning: str


@dataclass(frozen=True)
class PanelDefinition:
    """What the sales of a lake are.

    unit, units: what is counted, one and many. currency: the sign before a price.
    store, product: the words for the two keys, for people.
    covariates: what is known in advance.
    week_starts_on: the weekday that opens a week, Monday = 0.
    time_zone: the clocks by which a week closes, an IANA name.
    """

    name: str
    unit: str
    units: str
    currency: str
    store: str
    product: str
    covariates: tuple[Covariate, ...]
    week_starts_on: int
    time_zone: str

    def of_role(self, *roles: Role) -> tuple[Covariate, ...]:
        """Return the covariates of these roles, in their order."""
        return tuple(each for each in self.covariates if each.role in roles)

    @property
    def promotions(self) -> tuple[Covariate, ...]:
        """The covariates that tell of a promotion: flags and shares."""
        return self.of_role("flag", "share")


ORANGE_JUICE = PanelDefinition(
    name="orange juice",
    unit="carton",
    units="cartons",
    currency="$",
    store="store",
    product="brand",
    covariates=(
        Covariate("price", "price", "price", "dollars a carton"),
        Covariate("deal", "flag", "deal", "1 where the store had a coupon or in-store deal, else 0"),
        Covariate("feat", "share", "advert", "share of the product's variants in the weekly advert, 0 to 1"),
    ),
    week_starts_on=THURSDAY,
    time_zone="America/Chicago",
)
