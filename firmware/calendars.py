"""National holidays, by the `holidays` library: kept by hand for each country, and long before the year begins."""

from datetime import date
from functools import lru_cache

import holidays


def is_holiday(country: str, day: date) -> bool:
    """Whether `day` is a public holiday everywhere in `country` (ISO code), substitutes included.

    >>> is_holiday("JP", date(2026, 5, 6)), is_holiday("JP", date(2026, 5, 7))
    (True, False)
    """
    return day in _of_year(country, day.year)


@lru_cache(maxsize=16)
def _of_year(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year))
