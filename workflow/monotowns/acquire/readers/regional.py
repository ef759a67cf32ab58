"""Readers of regional industry: production, shipments, investment, labour, product, trade, capital.

The workbooks of "Если быть точным" hold one figure a row. They print two regions twice, with
their autonomous okrugs and without: only the reading without is kept, so that the regions of a
year add up to Russia, whose own row stays under :data:`RUSSIA`.
"""

import re

import pandas as pd

from monotowns.acquire.readers import sheets
from monotowns.acquire.readers.regions import RUSSIA, region_name
from monotowns.run.errors import SourceError
from monotowns.run.schema import nearest

#: What stands for a figure that was not collected, and for one that is not published.
NO_FIGURE = (-99_999_999, -77_777_777)
COLUMNS = {
    "indicator_code": "code",
    "indicator_name": "printed",
    "subsection": "part",
    "object_name": "region",
    "object_level": "level",
    "year": "year",
    "indicator_value": "value",
    "indicator_unit": "unit",
}
#: Level of a row -> whether it is kept; a federal district is a sum of regions.
LEVELS = {"Регион": True, "Страна": True, "Федеральный округ": False}
#: A region printed with its okrugs; without them it bears the plain name.
COMPOSITE = re.compile(r"\(с\s+автоном")

PER_CENT = "В процентах к предыдущему году"
CURRENT = "В фактически действовавших ценах, миллионов рублей"
SURVEYED = "По данным выборочных обследований рабочей силы"
OLD, NEW = "в соответствии с ОКВЭД", "в соответствии с ОКВЭД2"
MINING, MAKING = "добыча полезных ископаемых", "обрабатывающие производства"
ABROAD, CIS = "странами дальнего зарубежья", "странами СНГ"
DOLLARS = "В фактически действовавших ценах, миллионов долларов США"
#: Code -> our indicator, the end of its printed name (of any case), its unit.
PRODUCTION = {
    "Y477110119": ("manufacturing_index_okved2007", f"{MAKING}: {OLD}", PER_CENT),
    "Y477110120": ("manufacturing_index_okved2", f"{MAKING}: {NEW}", PER_CENT),
    "Y477110116": ("mining_index_okved2007", f"{MINING}: {OLD}", PER_CENT),
    "Y477110117": ("mining_index_okved2", f"{MINING}: {NEW}", PER_CENT),
    "Y477110125": ("industry_index_okved2007", f"промышленного производства: {OLD}", PER_CENT),
    "Y477110126": ("industry_index_okved2", f"промышленного производства: {NEW}", PER_CENT),
    "Y477110244": ("manufacturing_shipments_okved2007", f"{MAKING} {OLD}", CURRENT),
    "Y477110245": ("manufacturing_shipments_okved2", f"{MAKING} {NEW}", CURRENT),
    "Y477110241": ("mining_shipments_okved2007", f"{MINING} {OLD}", CURRENT),
    "Y477110242": ("mining_shipments_okved2", f"{MINING} {NEW}", CURRENT),
}
INVESTMENT = {
    "Y477110107": ("investment", "Инвестиции в основной капитал", CURRENT),
    "Y477110110": (
        "investment_index",
        "Индекс физического объема инвестиций в основной капитал",
        "В сопоставимых ценах, в процентах к предыдущему году",
    ),
}
LABOUR = {
    "Y477110372": ("employment", "Среднегодовая численность занятых", "Тысяч человек"),
    "Y477110418": (
        "unemployment_rate",
        "Уровень безработицы: Уровень безработицы",
        f"{SURVEYED}, в процентах",
    ),
    "Y477110478": ("labour_force", "Численность рабочей силы", f"{SURVEYED}, тысяч человек"),
}
PRODUCT = {
    "Y477110005": ("grp", "Валовой региональный продукт", "Миллионов рублей"),
    "Y477110109": (
        "grp_index",
        "Индекс физического объема валового регионального продукта",
        "В постоянных ценах, в процентах к предыдущему году",
    ),
}
TRADE = {
    "Y477110035": ("imports_cis", f"{CIS}: Импорт", DOLLARS),
    "Y477110036": ("exports_cis", f"{CIS}: Экспорт", DOLLARS),
    "Y477110037": ("imports_far_abroad", f"{ABROAD}: Импорт", DOLLARS),
    "Y477110038": ("exports_far_abroad", f"{ABROAD}: Экспорт", DOLLARS),
}
SHIPPED = {
    "Y477090008": ("mining", f"раздела {MINING}", "Миллионов рублей"),
    "Y477090010": ("manufacturing", f"раздела {MAKING}", "Миллионов рублей"),
}
#: Divisions of OKVED2 -> name of the group, see :func:`group_name`.
GROUPS = {
    "B05": "добыча угля",
    "B06": "добыча нефти и природного газа",
    "B07": "добыча металлических руд",
    "B08": "добыча прочих полезных ископаемых",
    "B09": "предоставление услуг в области добычи полезных ископаемых",
    "C10-12": "производство пищевых продуктов, напитков и табачных изделий",
    "C13-15": "производство текстильных изделий, одежды, производство кожи и изделий из кожи",
    "C16-17": "обработка древесины и производство изделий из дерева и пробки, кроме мебели, "
    "производство изделий из соломки и материалов для плетения, производство бумаги и бумажных "
    "изделий",
    "C18": "деятельность полиграфическая и копирование носителей информации",
    "C19+22": "производство кокса и нефтепродуктов, производство резиновых и пластмассовых изделий",
    "C20-21": "производство химических веществ и химических продуктов, производство лекарственных "
    "средств и материалов, применяемых в медицинских целях",
    "C23": "производство прочей неметаллической минеральной продукции",
    "C24-25": "производство металлургическое; производство готовых металлических изделий, кроме "
    "машин и оборудования",
    "C26-27": "производство компьютеров, электронных и оптических изделий; производство "
    "электрического оборудования",
    "C28": "производство машин и оборудования, не включенных в другие группировки",
    "C29-30": "производство автотранспортных средств, прицепов и полуприцепов; производство "
    "прочих транспортных средств и оборудования",
    "C31-32": "производство мебели; производство прочих готовых изделий",
    "C33": "ремонт и монтаж машин и оборудования",
}
#: Sums of the groups, which :data:`PRODUCTION` has too.
TOTALS = (f"{MINING} — всего", f"{MAKING} — всего")
#: Printed activity of the fixed assets -> our indicator.
ASSETS = {
    "Всего по обследуемым видам экономической деятельности": "assets_all_okved2",
    "Добыча полезных ископаемых": "assets_mining_okved2",
    "Обрабатывающие производства": "assets_manufacturing_okved2",
}
#: The same of the years before, for which only the sum of all activities is printed.
ASSETS_BEFORE = "assets_all_okved2007"
ASSETS_TITLE = ("полной учетной стоимости", "по полному кругу организаций", "(млн рублей)")


def _long(path, wanted, where):
    """Rows of the wanted indicators: regions and Russia, with what has no figure."""
    head, *body = sheets.rows(path, "Sheet1")
    frame = sheets.columns(pd.DataFrame(body, columns=head), COLUMNS, where)
    codes = frame["code"].unique()
    if absent := [code for code in wanted if code not in codes]:
        near = nearest(absent[0], codes)
        raise SourceError(where, "no such indicator", keys=absent, remedy=near)
    frame = frame[frame["code"].isin(wanted)]
    _same_words(frame, wanted, where)
    if odd := sorted(set(frame["level"]) - LEVELS.keys()):
        raise SourceError(where, "unknown level", keys=odd, remedy=nearest(odd[0], LEVELS))
    frame = frame[frame["level"].map(LEVELS)]
    if odd := sorted(set(frame.loc[frame["level"] == "Страна", "region"]) - {RUSSIA}):
        raise SourceError(where, "another country", keys=odd, expected=RUSSIA, found=odd[0])
    years = sheets.numbers(frame["year"], where, whole=True).astype(int)
    frame = frame.assign(indicator=frame["code"].map({k: v[0] for k, v in wanted.items()}))
    return frame.assign(year=years, value=_figures(frame, where))


def _same_words(frame, wanted, where):
    """A code still names the indicator and the unit that it named."""
    printed = (
        frame[["code", "printed", "unit"]].drop_duplicates().map(lambda v: " ".join(v.split()))
    )
    for code, name, unit in printed.itertuples(index=False):
        _, ending, expected = wanted[code]
        if not name.lower().endswith(ending.lower()):
            problem = "a code names another indicator"
            raise SourceError(where, problem, keys=[code], expected=f"… {ending}", found=name)
        if unit != expected:
            remedy = "change the reader, so that its figures keep their unit"
            problem = "an indicator is in another unit"
            options = {"expected": expected, "found": unit, "remedy": remedy}
            raise SourceError(where, problem, keys=[f"{code} {wanted[code][0]}"], **options)


def _figures(frame, where):
    """Figures of the rows, of which none is below zero."""
    values = sheets.numbers(frame["value"], where)
    values = values.mask(values.isin(NO_FIGURE))
    if (values < 0).any():
        odd = frame[values < 0]
        raise SourceError(
            where,
            "a figure is below zero",
            keys=[f"{r.code} {r.region} {r.year}" for r in odd.itertuples()],
            expected=f"0 or more, or what stands for no figure: {', '.join(map(str, NO_FIGURE))}",
            found=values[values < 0].iloc[0],
            remedy="if the office prints one more mark for no figure, name it in the reader",
        )
    return values


def _one_reading(frame, key, where):
    """Leave out regions that are printed with their okrugs, and what has no figure."""
    names = frame["region"].map(lambda printed: " ".join(printed.split()))
    known = names.map(region_name)
    whole = known.isna() | names.str.contains(COMPOSITE)
    plain = known.fillna(names.str.replace(r"\s*\(.*", "", regex=True))
    frame = frame.assign(region=plain, whole=whole.map({True: "with its okrugs", False: ""}))
    sheets.once(frame, [*key, "region", "year", "whole"], where)
    frame = frame[~whole]
    for _, of in frame.groupby(key):
        sheets.kept(of, "region", {}, where)
        sheets.steady(of, "region", "value", where)
    frame = sheets.filled(frame.dropna(subset="value"), where)
    frame = frame[[*key, "region", "year", "value"]].sort_values([*key, "region", "year"])
    return frame.assign(value=frame["value"].round(4)).reset_index(drop=True)


def _read(path, wanted, where):
    """Read ``indicator``, ``region``, ``year``, ``value`` of a workbook's wanted indicators."""
    return _one_reading(_long(path, wanted, where), ["indicator"], where)


def read_production(path) -> pd.DataFrame:
    """Read indices of production (per cent of the year before) and shipments (million roubles).

    Returns
    -------
    pandas.DataFrame
        ``indicator``, ``region``, ``year``, ``value``. An indicator ends with its classification:
        ``_okved2007`` to 2016, ``_okved2`` from 2015 (indices) and 2017 (shipments).
    """
    return _read(path, PRODUCTION, "regional production")


def read_investment(path) -> pd.DataFrame:
    """Read fixed investment (million roubles) and its volume (per cent of the year before)."""
    return _read(path, INVESTMENT, "regional investment")


def read_labour(path) -> pd.DataFrame:
    """Read employment and the labour force (thousands), and unemployment (per cent of it)."""
    return _read(path, LABOUR, "regional labour")


def read_product(path) -> pd.DataFrame:
    """Read regional product (million roubles) and its volume (per cent of the year before)."""
    return _read(path, PRODUCT, "regional product")


def read_trade(path) -> pd.DataFrame:
    """Read exports and imports, with the CIS and with far abroad, million dollars."""
    return _read(path, TRADE, "regional trade")


def group_name(printed: str) -> str:
    """Write a group's name as :data:`GROUPS` does.

    One year prints hyphens where the words of its table were broken, and both years an error.
    """
    name = re.sub(r"^(?:В том числе|Из нее): ", "", " ".join(str(printed).split()))
    return re.sub(r"(?<=\w)-(?=\w)", "", name).lower().replace("лекарсвен", "лекарствен")


def read_groups(path) -> pd.DataFrame:
    """Read shipments by group of divisions of manufacturing and division of mining.

    Returns
    -------
    pandas.DataFrame
        ``group`` (divisions of OKVED2, see :data:`GROUPS`), ``region``, ``year``, ``shipments``
        (million roubles). What would disclose a single firm is not published and left out.
    """
    where = "regional groups"
    frame = _long(path, SHIPPED, where)
    names = frame["part"].map(group_name)
    codes = {name: code for code, name in GROUPS.items()}
    if odd := sorted(set(names) - codes.keys() - set(TOTALS)):
        near = nearest(odd[0], codes)
        raise SourceError(where, "an unknown group", keys=odd, found=odd[0], remedy=near)
    frame = frame.assign(group=names.map(codes))[~names.isin(TOTALS)]
    if absent := sorted(GROUPS.keys() - set(frame["group"])):
        raise SourceError(where, "a group is gone", keys=absent, expected=GROUPS[absent[0]])
    return _one_reading(frame, ["group"], where).rename(columns={"value": "shipments"})


def _asset_columns(rows, activities, where):
    """Places of the wanted columns of a sheet of fixed assets: (place, year, indicator)."""
    places, year = [], None
    for i, head in enumerate(rows[2][1:], start=1):
        # A year stands over the first of its activities, some with the mark of a footnote.
        if found := re.match(r"(\d{4})(?:\.0)?(?: 1\))?$", str(head).strip()):
            year = int(found[1])
        key = activities.get(" ".join(str(rows[3][i]).split())) if activities else ASSETS_BEFORE
        places += [(i, year, key)] if key else []
    found = [(year, key) for _, year, key in places]
    first, last = (found[0][0] or 0, found[-1][0] or 0) if found else (0, 0)
    keys = dict.fromkeys(activities.values() if activities else [ASSETS_BEFORE])
    if not found or found != [(y, key) for y in range(first, last + 1) for key in keys]:
        expected = f"each year once, with {', '.join(keys)}"
        found = ", ".join(f"{year} {key}" for year, key in found) or "none"
        raise SourceError(where, "years or activities moved", expected=expected, found=found)
    return places


def read_assets(path) -> pd.DataFrame:
    """Read fixed assets at full book value at the end of the year, million roubles.

    Of all organisations, so of the sheets '1' (2000-2016) and '2' (from 2017, by activity). Other
    sheets are of some organisations, two of them in thousand roubles.

    Returns
    -------
    pandas.DataFrame
        ``indicator``, ``region``, ``year``, ``value``.
    """
    records = []
    for name, activities in (("1", {}), ("2", ASSETS)):
        where = f"fixed assets, sheet {name}"
        rows = sheets.rows(path, name, skip_empty_area=False)
        sheets.heads({0: rows[1][0]}, {0: ASSETS_TITLE}, where)
        places = _asset_columns(rows, activities, where)
        # Footnotes and federal districts are no regions.
        of_regions = [
            row
            for row in rows[3:]
            if any(cell != "" for cell in row[1:])
            and str(row[0]).strip()
            and "федеральный округ" not in str(row[0])
        ]
        records += [(key, row[0], year, row[i]) for row in of_regions for i, year, key in places]
    where = "fixed assets"
    frame = pd.DataFrame(records, columns=["indicator", "region", "year", "value"])
    frame["value"] = sheets.numbers(frame["value"], where)
    return _one_reading(frame, ["indicator"], where)
