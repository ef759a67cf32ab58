"""Readers of what is known of municipalities after 2022: wages, spending, migration, ages."""

import pandas as pd

from monotowns.acquire.readers import sheets
from monotowns.run.errors import SourceError

#: Months that a printed period of wages covers, from January on.
PERIODS = {"январь-март": 3, "январь-июнь": 6, "январь-сентябрь": 9, "январь-декабрь": 12}
#: Sections that are kept: all, mining, manufacturing.
SECTIONS = {"0": "all", "B": "B", "C": "C"}
#: Printed category of spending -> column.
CATEGORIES = {
    "Все категории": "all",
    "Продовольствие": "food",
    "Общественное питание": "restaurants",
    "Здоровье": "health",
    "Транспорт": "transport",
    "Маркетплейсы": "marketplaces",
}
#: The age row that holds the sum of all others.
ALL_AGES = "Всего"
#: Single years of age are printed up to 69, then this row. Rows of 65+ and 80+ count the same
#: people again and do not fit the rest: the first is not the sum of 65 to 69 and of 70+.
OLDEST = "70+"
#: Bands of age in years, first to last.
BANDS = {"age_0_15": (0, 15), "age_16_29": (16, 29), "age_30_54": (30, 54), "age_55_more": (55, 70)}


def _parquet(path, names, where):
    frame = sheets.columns(sheets.parquet(path), names, where)
    frame["territory_id"] = sheets.numbers(frame["territory_id"], where, whole=True).astype(int)
    return frame


def _known(values, known, where, what):
    """Replace printed words by ours; one that is not known is refused."""
    if odd := sorted(set(map(str, values.unique())) - known.keys()):
        raise SourceError(where, f"an unknown {what}", keys=odd, expected=", ".join(known))
    return values.map(known)


def read_wages(path) -> pd.DataFrame:
    """Read the mean monthly wage since January, roubles, by section of OKVED2.

    A key that stands twice has one row without and one with a figure, or the same figure in both;
    two different figures are refused.

    Returns
    -------
    pandas.DataFrame
        ``territory_id``, ``year``, ``months`` (3, 6, 9, 12: the mean from January to that month),
        ``section`` (``all``, ``B``, ``C``), ``wage``.
    """
    where = "municipal wages"
    names = {"territory_id": "territory_id", "year": "year", "period": "months"}
    frame = _parquet(path, names | {"okved_letter": "section", "value": "wage"}, where)
    frame = frame[frame["section"].isin(SECTIONS)]
    frame = frame.assign(
        months=_known(frame["months"], PERIODS, where, "period"),
        section=frame["section"].map(SECTIONS),
        wage=sheets.numbers(frame["wage"], where),
    ).dropna()
    key = ["territory_id", "year", "months", "section"]
    frame = sheets.filled(frame.drop_duplicates(), where)
    return sheets.once(frame, key, where).sort_values(key, ignore_index=True)


def read_consumption(path) -> pd.DataFrame:
    """Read spending by card, roubles a month per person, one column a category.

    Returns
    -------
    pandas.DataFrame
        ``territory_id``, ``year``, ``month`` and the columns of :data:`CATEGORIES`.
    """
    where = "consumption"
    names = {"territory_id": "territory_id", "date": "date", "category": "category"}
    frame = _parquet(path, names | {"value": "value"}, where)
    frame["category"] = _known(frame["category"], CATEGORIES, where, "category")
    frame["value"] = sheets.numbers(frame["value"], where, whole=True).astype(int)
    date = frame["date"].astype(str)
    odd = date[~date.str.fullmatch(r"20\d\d-(?:0[1-9]|1[0-2])")]
    if len(odd):
        raise SourceError(where, "not a month", keys=odd.unique(), expected="2023-01")
    frame["year"], frame["month"] = date.str[:4].astype(int), date.str[5:].astype(int)
    key = ["territory_id", "year", "month"]
    sheets.once(frame, [*key, "category"], where)
    wide = frame.pivot(index=key, columns="category", values="value")[[*CATEGORIES.values()]]
    wide = wide.astype("Int64")
    return wide.rename_axis(columns=None).reset_index().sort_values(key, ignore_index=True)


def read_migration(path) -> pd.DataFrame:
    """Read net migration of 2023, persons: ``territory_id``, ``year``, ``net`` of both sexes.

    The sum of all ages as printed; a territory that lacks one of the sexes has none.
    """
    where = "migration 2023"
    frame = _by_age(path, "net", where)
    frame = sheets.filled(frame[frame["age"] == ALL_AGES], where)
    net = frame.groupby(["territory_id", "year"])["net"].sum(min_count=2)
    return net.dropna().astype(int).reset_index()


def read_ages(path) -> pd.DataFrame:
    """Read residents on 1 January by bands of age, both sexes, persons.

    Returns
    -------
    pandas.DataFrame
        ``territory_id``, ``year``, ``residents`` (as printed for all ages) and the columns of
        :data:`BANDS`, missing where the ages do not add up to the printed total.
    """
    where = "population by age"
    frame = _by_age(path, "persons", where)
    key = ["territory_id", "year"]
    both = frame.groupby([*key, "age"])["persons"].sum(min_count=2).unstack()
    ages = [*map(str, range(70)), OLDEST]
    if absent := [age for age in (ALL_AGES, *ages) if age not in both]:
        raise SourceError(where, "no row of an age", keys=absent)
    single = both[ages].set_axis(range(71), axis=1)
    table = both[[ALL_AGES]].set_axis(["residents"], axis=1).dropna()
    fits = single.sum(axis=1, min_count=71) == both[ALL_AGES]
    for band, (low, high) in BANDS.items():
        table[band] = single.loc[:, low:high].sum(axis=1).where(fits)
    return table.astype("Int64").reset_index().sort_values(key, ignore_index=True)


def _by_age(path, value, where):
    """Figures by age and sex; a row that is printed twice is the same row."""
    names = {"territory_id": "territory_id", "year": "year", "age": "age", "gender": "gender"}
    frame = _parquet(path, names | {"value": value}, where).drop_duplicates()
    frame[value] = sheets.numbers(frame[value], where, whole=True)
    _known(frame["gender"], {"Женщины": "f", "Мужчины": "m"}, where, "sex")
    return sheets.once(frame, ["territory_id", "year", "age", "gender"], where)
