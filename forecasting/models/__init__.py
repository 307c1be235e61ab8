"""The models: one class a file, all of one Protocol (`forecasting.models.model.Model`), found by name in the registry.

Importing this package imports no model: each is imported when it is asked for.
"""

from forecasting.models.model import Model
from forecasting.models.registry import MODELS, get_model

__all__ = ["MODELS", "Model", "get_model"]
