"""Readers of regional tables: population, GRP, structure of GVA; and of towns in 2020."""

import re

import pandas as pd

from monotowns.errors import SourceError

#: Sheets of the GVA workbook that hold a year of their own; '2023' and '2024' repeat 2022.
GVA_YEARS = range(2009, 2023)
#: Printed name -> name in the dictionary of municipalities, where more than words differ.
REGIONS = {
    "Чувашская Республика - Чувашия": "Чувашская Республика",
    "Кемеровская область - Кузбасс": "Кемеровская область",
    "Республика Северная Осетия-Алания": "Республика Северная Осетия — Алания",
    "Республика Северная Осетия - Алания": "Республика Северная Осетия — Алания",
    "Республика Саха": "Республика Саха (Якутия)",
    "Ханты-Мансийский автономный округ - Югра": "Ханты-Мансийский автономный округ — Югра",
}


def region_name(printed: str) -> str | None:
    """Write a region's name as the dictionary of municipalities does.

    The autonomous okrugs are regions of their own; a region printed together with its okrugs is
    a composite and gives None, the same region printed without them keeps the plain name.
    """
    name = re.sub(r"\s+", " ", str(printed).replace("–", "-")).strip()
    if re.match(r"(?:Архангельская|Тюменская) область$", name):
        return None
    for city in ("Москва", "Санкт-Петербург", "Севастополь"):
        if city in name:
            return city
    # In brackets: the region an okrug lies in, a second name, or what is left out.
    name = re.sub(r"\s*\(.*\)", "", name).replace("без авт.округа", "").strip()
    return REGIONS.get(name, name)


def _rows(path, sheet):
    from python_calamine import CalamineWorkbook

    workbook = CalamineWorkbook.from_path(str(path))
    if sheet not in workbook.sheet_names:
        raise SourceError(str(path), "a sheet is missing", expected=sheet)
    return workbook.get_sheet_by_name(sheet).to_python()


def _wide(rows, first):
    """Melt a table with regions down and years across."""
    years = [(i, int(str(c)[:4])) for i, c in enumerate(rows[0]) if re.match(r"\d{4}", str(c))]
    records = [
        (region_name(row[0]), year, row[i])
        for row in rows[1:]
        for i, year in years
        if str(row[0]).strip() and region_name(row[0]) and i < len(row)
    ]
    frame = pd.DataFrame(records, columns=["region", "year", first])
    frame[first] = pd.to_numeric(frame[first], errors="coerce")
    return frame.dropna().drop_duplicates(["region", "year"], keep="last")


def read_population(path) -> pd.DataFrame:
    """Read the yearly average population (persons) of regions: ``region``, ``year``."""
    rows = [r for r in _rows(path, "Отчет") if "округ" not in str(r[0]) or "автоном" in str(r[0])]
    frame = _wide(rows, "population")
    # A zero stands where a region was not counted: Crimea and Sevastopol before 2014.
    frame = frame[(frame["region"] != "Российская Федерация") & (frame["population"] > 0)]
    return frame.sort_values(["region", "year"], ignore_index=True)


def read_grp(path) -> pd.DataFrame:
    """Read gross regional product: ``region``, ``year``, ``grp`` (million roubles, current)."""
    return _wide(_rows(path, "Total"), "grp").sort_values(["region", "year"], ignore_index=True)


def read_gva(path) -> pd.DataFrame:
    """Read the structure of gross value added.

    Returns
    -------
    pandas.DataFrame
        ``region``, ``year``, ``classification`` (``OKVED-2007`` to 2015, ``OKVED2`` from 2016),
        ``section`` (Latin letter), ``share`` (per cent of the region's GVA).

    Raises
    ------
    SourceError
        When a sheet's title speaks of another year: such a sheet repeats that year.
    """
    records = []
    for year in GVA_YEARS:
        rows = _rows(path, str(year))
        title = " ".join(str(c) for row in rows[:3] for c in row)
        if str(year) not in title:
            raise SourceError(str(path), "a sheet's title names another year", expected=year,
                              found=title.strip()[:150])  # fmt: skip
        header = next(row for row in rows if "Раздел A" in map(str, row))
        # One sheet prints the Cyrillic О for the Latin letter.
        sections = [(i, str(c)[-1].replace("О", "O")) for i, c in enumerate(header)
                    if str(c).startswith("Раздел")]  # fmt: skip
        system = "OKVED-2007" if year < 2016 else "OKVED2"
        for row in rows:
            region = region_name(row[0]) if str(row[0]).strip() not in ("", "name") else None
            if region and region != "Российская Федерация":
                records += [(region, year, system, s, row[i]) for i, s in sections if i < len(row)]
    columns = ["region", "year", "classification", "section", "share"]
    frame = pd.DataFrame(records, columns=columns)
    frame["share"] = pd.to_numeric(frame["share"], errors="coerce").round(4)
    frame = frame.dropna().drop_duplicates(columns[:4])
    return frame.sort_values(columns[:4], ignore_index=True)


def read_towns(path) -> pd.DataFrame:
    """Read towns on 1 January 2020.

    Returns
    -------
    pandas.DataFrame
        ``town``, ``region``, ``population`` (persons), ``lat``, ``lon`` (degrees).
    """
    frame = pd.read_csv(path).rename(columns={"city": "town", "region_name": "region"})
    frame["population"] = (frame["population"] * 1000).round().astype(int)
    frame["region"] = frame["region"].map(region_name).fillna(frame["region"])
    columns = ["town", "region", "population", "lat", "lon"]
    return frame[columns].sort_values(["region", "town"], ignore_index=True)
