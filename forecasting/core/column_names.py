"""What the name of a column says of its content."""

import re
import unicodedata
from dataclasses import replace

from forecasting.core import trade_words as trade


def tokens(name: str) -> tuple[str, ...]:
    """Return the words of a column's name, in lower case and without accents."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", plain)
    return tuple(re.findall(r"[a-z]+|\d+", plain.lower()))


def identifier(name: str) -> str:
    """Return a name of letters, digits and underscores for a covariate."""
    found = re.sub(r"_(?=\d+$)", "", "_".join(tokens(name)))
    return found if found.isidentifier() else f"value_{found}".strip("_")


def is_date(name: str) -> bool:
    """Return whether a name speaks of dates."""
    return any(word in trade.DATES or word.endswith(trade.DATE_ENDINGS) for word in tokens(name))


def is_week(name: str) -> bool:
    """Return whether a name speaks of weeks."""
    return any(word.startswith(trade.WEEKS) or word.endswith(trade.WEEKS) for word in tokens(name))


def is_start(name: str) -> bool:
    """Return whether a name is that of the day on which something begins."""
    return _speaks_of(name, trade.STARTS)


def is_part_of_date(name: str) -> bool:
    """Return whether a name is that of a year, a weekday and the like."""
    words = tokens(name)
    return bool(words) and set(words) <= trade.PARTS_OF_DATE


def key_word(name: str) -> trade.KeyWord | None:
    """Return the word for stores or products that a name has, the last of several; None where it has none."""
    if is_never_key(name):
        return None
    words = tokens(name)
    if found := trade.KEY_WORDS.get("".join(words)):
        return found
    known = [trade.KEY_WORDS[word] for word in words if word in trade.KEY_WORDS]
    strong = [word for word in known if word.rank < 6] or known
    if not strong:
        return None
    # `store_type` is of a store, and no store; `product_category` groups products.
    if strong[0].rank < strong[-1].rank:
        return replace(strong[-1], side=strong[0].side, rank=5 + strong[-1].rank)
    return strong[-1]


def is_name_beside_code(name: str) -> bool:
    """Return whether a name speaks of the written name of a key, not its code."""
    words = set(tokens(name))
    return bool(words & trade.NAMES) and not words & trade.CODES


def is_code(name: str) -> bool:
    """Return whether a name speaks of codes or numbers of something."""
    return bool(set(tokens(name)) & trade.CODES)


def is_never_key(name: str) -> bool:
    """Return whether a column is of receipts, customers or rows, whatever it holds."""
    return not tokens(name) or _speaks_of(name, trade.NEVER_A_KEY)


def is_receipt(name: str) -> bool:
    """Return whether a name speaks of receipts, so that rows are their lines."""
    return _speaks_of(name, trade.RECEIPTS)


def quantity_score(name: str) -> int:
    """Return how surely a column is the quantity sold, by its name, up to 100; 0 for not at all."""
    words = tokens(name)
    if set(words) & trade.NO_QUANTITY or is_price(name):
        return 0
    score = next((score for score, pattern in trade.QUANTITIES if re.fullmatch(pattern, " ".join(words))), 0)
    return 0 if score < 100 and is_revenue(name) else score


def is_revenue(name: str) -> bool:
    """Return whether a name speaks of money taken."""
    return bool(re.fullmatch(trade.REVENUE, " ".join(tokens(name))))


def is_price(name: str) -> bool:
    """Return whether a name is that of the price of what is sold, not of something else such as fuel."""
    words = set(tokens(name))
    if "".join(tokens(name)) in trade.PRICES or tokens(name) == ("total", "price"):
        return True
    return bool(words & trade.PRICES) and not words - trade.PRICES - trade.BESIDE_PRICE


def price_rank(name: str) -> int:
    """Return how far a price is from the one that was paid, 0 for the nearest."""
    words = set(tokens(name))
    return 2 if words & trade.LISTED else 0 if not words - trade.PRICES - trade.PAID else 1


def may_be_money(name: str) -> bool:
    """Return whether a quantity of this name may be money."""
    return bool(set(tokens(name)) & trade.MONEY)


def is_known_flag(name: str) -> bool:
    """Return whether a flag of this name is known in advance."""
    return _speaks_of(name, trade.KNOWN_FLAGS)


def is_known_number(name: str) -> bool:
    """Return whether a number of this name is known, or forecast by others, in advance."""
    return _speaks_of(name, trade.KNOWN_NUMBERS)


def is_zero_if_empty(name: str) -> bool:
    """Return whether an empty number of this name means none."""
    return _speaks_of(name, trade.ZERO_IF_EMPTY)


def unit_words(name: str) -> tuple[str, str]:
    """Return the words for what is counted, one and many, that the name of the quantity gives."""
    return next((trade.COUNTED[word] for word in tokens(name) if word in trade.COUNTED), ("unit", "units"))


def _speaks_of(name: str, vocabulary: frozenset[str]) -> bool:
    words = [word for word in tokens(name) if not word.isdigit()]
    return bool({*words, "".join(words)} & vocabulary)
