"""Readers of regional tables: population, gross regional product, structure of value added."""

import re

import pandas as pd

from monotowns.acquire.readers import sheets
from monotowns.run.errors import SourceError

#: Sheets of the GVA workbook that hold a year of their own; '2023' and '2024' repeat 2022.
GVA_YEARS = range(2009, 2023)
#: Regions that end with the year before: merged into others, or from then on printed in parts.
MERGED = {2003: {"Эвенкийский автономный округ", "Таймырский"}}
PARTED = {2010: {"Архангельская область", "Тюменская область"}}
#: The country's own row among the regions.
RUSSIA = "Российская Федерация"
#: Printed name -> name in the dictionary of municipalities, where more than words differ.
REGIONS = {
    "Чувашская Республика - Чувашия": "Чувашская Республика",
    "Кемеровская область - Кузбасс": "Кемеровская область",
    "Республика Северная Осетия-Алания": "Республика Северная Осетия — Алания",
    "Республика Северная Осетия - Алания": "Республика Северная Осетия — Алания",
    "Республика Саха": "Республика Саха (Якутия)",
    "Ханты-Мансийский автономный округ - Югра": "Ханты-Мансийский автономный округ — Югра",
    "Ханты-Мансийский автономный округ-Югра": "Ханты-Мансийский автономный округ — Югра",
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


def _wide(rows, first, where):
    """Melt a table with regions down and years across."""
    sheets.heads({0: rows[0][0]}, {0: ("OKATO",)}, where)
    years = [(i, int(str(c)[:4])) for i, c in enumerate(rows[0]) if re.match(r"\d{4}", str(c))]
    if [year for _, year in years] != list(range(years[0][1] if years else 0, 2100))[: len(years)]:
        raise SourceError(where, "the years do not follow each other", keys=[y for _, y in years])
    records = [
        (region_name(row[0]), year, row[i])
        for row in rows[1:]
        for i, year in years
        if str(row[0]).strip() and region_name(row[0]) and i < len(row)
    ]
    frame = pd.DataFrame(records, columns=["region", "year", first])
    frame[first] = sheets.numbers(frame[first], where)
    frame = sheets.filled(frame.dropna(), where)
    return sheets.once(frame, ["region", "year"], where)


def read_population(path) -> pd.DataFrame:
    """Read the yearly average population (persons) of regions: ``region``, ``year``."""
    rows = [
        r for r in sheets.rows(path, "Отчет") if "округ" not in str(r[0]) or "автоном" in str(r[0])
    ]
    frame = _wide(rows, "population", "population of regions")
    # A zero stands where a region was not counted: Crimea and Sevastopol before 2014.
    frame = frame[(frame["region"] != RUSSIA) & (frame["population"] > 0)]
    sheets.steady(frame, "region", "population", "population of regions")
    sheets.kept(frame, "region", MERGED, "population of regions")
    return frame.sort_values(["region", "year"], ignore_index=True)


def read_grp(path) -> pd.DataFrame:
    """Read gross regional product: ``region``, ``year``, ``grp`` (million roubles, current)."""
    frame = _wide(sheets.rows(path, "Total"), "grp", "gross regional product")
    sheets.steady(frame, "region", "grp", "gross regional product")
    sheets.kept(frame, "region", {}, "gross regional product")
    return frame.sort_values(["region", "year"], ignore_index=True)


def read_gva(path) -> pd.DataFrame:
    """Read the structure of gross value added.

    Returns
    -------
    pandas.DataFrame
        ``region``, ``year``, ``classification`` (``OKVED-2007`` to 2015, ``OKVED2`` from 2016),
        ``section`` (Latin letter), ``share`` (per cent of the region's GVA).
    """
    records = []
    for year in GVA_YEARS:
        rows = sheets.rows(path, str(year))
        title = " ".join(str(c) for row in rows[:3] for c in row)
        if str(year) not in title:
            # Such a sheet repeats that other year.
            problem = "a sheet's title names another year"
            raise SourceError(str(path), problem, expected=year, found=title.strip()[:150])
        where = f"structure of value added, sheet {year}"
        header = next((row for row in rows if "Раздел A" in map(str, row)), None)
        if header is None:
            raise SourceError(where, "no column headed 'Раздел A'")
        # One sheet prints the Cyrillic О for the Latin letter.
        marked = [(i, str(c)) for i, c in enumerate(header) if str(c).startswith("Раздел")]
        sections = [(i, head[-1].replace("О", "O")) for i, head in marked]
        letters = "".join(section for _, section in sections)
        if letters != "ABCDEFGHIJKLMNOPQRST"[: len(letters)]:
            raise SourceError(where, "the sections do not follow the letters", found=letters)
        system = "OKVED-2007" if year < 2016 else "OKVED2"
        for row in rows:
            region = region_name(row[0]) if str(row[0]).strip() not in ("", "name") else None
            if region and region != RUSSIA:
                records += [(region, year, system, s, row[i]) for i, s in sections if i < len(row)]
    columns = ["region", "year", "classification", "section", "share"]
    frame = pd.DataFrame(records, columns=columns)
    frame["share"] = sheets.numbers(frame["share"], "structure of value added").round(4)
    frame = sheets.filled(frame.dropna(), "structure of value added")
    sheets.once(frame, columns[:4], "structure of value added")
    sheets.kept(frame, "region", PARTED, "structure of value added")
    return frame.sort_values(columns[:4], ignore_index=True)
