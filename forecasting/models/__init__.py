"""The registry of models. A model is one file and one function, all of one signature.

    (panel, promotions, spec) -> Predictive

- panel: the target series up to the cutoff, one row per (`store`, `product`, `week`), gaps visible
  (`forecasting.core.panel.build_panel`).
- promotions: what is known beforehand in these stores, of all products, past and future (table `promotions`).
- spec: what to forecast (`forecasting.contracts.spec.ForecastSpec`).
- result: a distribution for every series × step, exactly once (`forecasting.core.distribution.PredictiveDistribution`).

A model is pure: the same arguments give the same bits, whatever else is in the batch.
"""

from forecasting.models.registry import MODELS, Model, get_model

__all__ = ["MODELS", "Model", "get_model"]
