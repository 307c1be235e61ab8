"""The outlook that questions are put to: by the champion, or by a model that is fitted for the moment."""

from dataclasses import replace

from forecasting.contracts.spec import ForecastSpec
from forecasting.pipeline.challengers import last_week
from forecasting.pipeline.training import train
from forecasting.pipeline.what_if import Outlook, outlook
from forecasting.storage.lake import Lake


def outlook_of(lake: Lake) -> tuple[Outlook, str]:
    """The champion at the lake's last week, and a line that says which model answers.

    Without a champion the default model is fitted now, in about a second, and not kept.

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
