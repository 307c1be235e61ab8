"""The identity of a run: a hash of its input, its options and its code."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from forecasting.contracts.spec import ForecastSpec

Digests = Mapping[str, Sequence[str]]  # hashes of the content of the files that a run reads, by table


def identify(digests: Digests, spec: ForecastSpec, options: Mapping[str, Any], code: str) -> str:
    """Return the run id: a hash of input, options and code. Equal ids stand for equal forecasts.

    Args:
        digests: of the weeks up to the cutoff, oldest first, as they were known to the run.
        options: other values that the forecast depends on.
        code: fingerprint of the code and of the libraries that compute it.

    Returns:
        16 hexadecimal digits.
    """
    return _hash_of([hash_of_input(digests), spec.as_dict(), dict(options), code])


def hash_of_input(digests: Digests) -> str:
    """Return a hash of the input of a forecast, or a training; argument as in `identify`."""
    return _hash_of({table: list(of_table) for table, of_table in digests.items()})


def _hash_of(values: object) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:16]
