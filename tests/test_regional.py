"""Regional industry: reader of the long workbooks and of the assets, identities, chained volume."""

import numpy as np
import pandas as pd
import pytest
import yaml
from checkout import ROOT
from monotowns.acquire.readers import regional as reader
from monotowns.panel import regions as regions_panel
from monotowns.panel.build import correct
from monotowns.panel.contracts import identities
from monotowns.panel.volume import chained, overlap
from monotowns.run.errors import ContractError, DesignError, InputError, SourceError
from monotowns.run.tables import read_table
from workbooks import workbook

SNAPSHOT = ROOT / "data/snapshot"
WITH, WITHOUT = "(с автономными округами)", "(без автономных округов)"


def table(name):
    return pd.read_csv(SNAPSHOT / f"{name}.csv")


def long(wanted=reader.PRODUCT, parts=("CD",), years=(2011, 2012)):
    """A workbook's rows: Russia, a district, two regions and one with and without its okrugs."""
    objects = [
        ("Российская Федерация", "Страна", 100.0),
        ("Центральный федеральный округ", "Федеральный округ", 30.0),
        ("Брянская область", "Регион", 30.0),
        ("Республика Саха (Якутия)", "Регион", 50.0),
        (f"Тюменская область {WITH}", "Регион", 90.0),
        (f"Тюменская область {WITHOUT}", "Регион", 20.0),
    ]
    rows = [
        [code, f"Показатель: {ending.upper()}", part, name, level, year, value, unit]
        for code, (_, ending, unit) in wanted.items()
        for part in parts
        for name, level, value in objects
        for year in years
    ]
    return pd.DataFrame(rows, columns=list(reader.COLUMNS))


def read(folder, frame, function=reader.read_product):
    path = workbook(folder / "r.xlsx", {"Sheet1": [list(frame), *frame.to_numpy().tolist()]})
    return function(path)


def test_regions_and_russia_are_kept_and_one_reading_of_a_composite(tmp_path):
    frame = read(tmp_path, long())
    assert list(frame) == ["indicator", "region", "year", "value"]
    assert set(frame["indicator"]) == {"grp", "grp_index"}
    of = frame[(frame["indicator"] == "grp") & (frame["year"] == 2012)]
    assert dict(zip(of["region"], of["value"], strict=True)) == {
        "Брянская область": 30,
        "Республика Саха (Якутия)": 50,
        "Российская Федерация": 100,
        "Тюменская область": 20,
    }
    pd.testing.assert_frame_equal(frame, frame.sort_values(list(frame)[:3], ignore_index=True))


@pytest.mark.parametrize("mark", [-99999999, -77777777, None])
def test_a_part_without_a_figure_stays_without_one_beside_its_composite(tmp_path, mark):
    frame = long()
    blank = frame["object_name"].str.contains("без") & (frame["year"] == 2011)
    frame["indicator_value"] = frame["indicator_value"].astype(object).mask(blank, mark)
    found = read(tmp_path, frame)
    of = found[found["region"] == "Тюменская область"]
    assert of["year"].tolist() == [2012, 2012] and of["value"].tolist() == [20, 20]


def put(**cells):
    def change(frame):
        for column, value in cells.items():
            frame[column] = frame[column].astype(object)
            frame.loc[6, column] = value
        return frame

    return change


def all_of(column, old, new):
    return lambda frame: frame.assign(**{column: frame[column].str.replace(old, new)})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.rename(columns={"object_name": "object"}), r"object_name(.|\n)*'object'"),
        (put(indicator_value="50,1"), "'50,1'"),
        (put(indicator_value=-88888888), r"below zero(.|\n)*Якутия(.|\n)*-99999999"),
        (put(year="2011 г."), "'2011 г.'"),
        (put(object_level="Регионы"), r"unknown level(.|\n)*did you mean 'Регион'"),
        (put(object_level="Страна"), r"another country(.|\n)*expected: Росс(.|\n)*found: Респ"),
        (
            all_of("indicator_unit", "Миллионов", "Тысяч"),
            r"another unit(.|\n)*Y477110005 grp(.|\n)*expected: Миллионов(.|\n)*found: Тысяч",
        ),
        (all_of("indicator_name", "ПРОДУКТ", "продукт на душу"), "names another indicator"),
        (all_of("indicator_code", "110005", "110004"), "did you mean 'Y477110004'"),
        (lambda f: pd.concat([f, f[6:7]]), r"stands twice(.|\n)*Якутия"),
        (all_of("object_name", WITHOUT, WITH), r"stands twice(.|\n)*Тюменская"),
        (lambda f: pd.concat([f, f[8:9].assign(object_name="Тюменская область")]), "with its okr"),
        (lambda f: f.drop(index=7), r"is gone(.|\n)*2012: Республика Саха"),
        (
            lambda f: f.assign(indicator_value=f["indicator_value"] * (f["year"] * 999 - 2008988)),
            "a year is in another unit",
        ),
        (lambda f: f[:0], "no row was recognised"),
        (lambda f: f.assign(indicator_value=-99999999), "no row was recognised"),
    ],
)
def test_what_is_not_the_workbook_is_refused(tmp_path, change, words):
    with pytest.raises(SourceError, match=words):
        read(tmp_path, change(long()))


# --- groups


def groups():
    """Both sections with every group, of which some names have hyphens and a prefix."""
    mining = [name.capitalize() for code, name in reader.GROUPS.items() if code.startswith("B")]
    making = [name for code, name in reader.GROUPS.items() if code.startswith("C")]
    parts = {
        "Y477090008": ["Добыча полезных ископаемых — всего", *(f"Из нее: {m}" for m in mining)],
        "Y477090010": ["Обрабаты-вающие производства — всего"]
        + [f"В том числе: {name.replace('ичес', 'и-чес')}" for name in making],
    }
    return pd.concat(
        long({code: reader.SHIPPED[code]}, names, (2022, 2024)) for code, names in parts.items()
    ).reset_index(drop=True)


@pytest.mark.parametrize(
    ("printed", "name"),
    [
        ("Из нее: Добыча угля", "добыча угля"),
        ("В том числе: производство автотран-спортных", "производство автотранспортных"),
        ("производство лекарс-венных средств", "производство лекарственных средств"),
        ("производство лекарсвенных средств", "производство лекарственных средств"),
        ("Обрабаты-вающие производства — всего", "обрабатывающие производства — всего"),
    ],
)
def test_group_names_are_the_same_in_both_years(printed, name):
    assert reader.group_name(printed) == name


def test_groups_have_the_codes_of_their_divisions_and_no_totals(tmp_path):
    frame = read(tmp_path, groups(), reader.read_groups)
    assert list(frame) == ["group", "region", "year", "shipments"]
    assert set(frame["group"]) == set(reader.GROUPS)
    assert len(frame) == len(reader.GROUPS) * 4 * 2


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Добыча угля", "Добыча углей", r"unknown group(.|\n)*did you mean 'добыча угля'"),
        ("Добыча угля", "Добыча полезных ископаемых — всего", "stands twice|a group is gone"),
    ],
)
def test_an_unknown_group_is_named_with_the_nearest(tmp_path, old, new, words):
    frame = groups()
    frame["subsection"] = frame["subsection"].str.replace(old, new)
    with pytest.raises(SourceError, match=words):
        read(tmp_path, frame, reader.read_groups)


# --- assets


def assets():
    title = [f"Наличие {reader.ASSETS_TITLE[0]} {reader.ASSETS_TITLE[1]} (млн рублей)"]
    okrugs = "Тюменская область (кроме Ханты-Мансийского автономного округа - Югры)"
    regions = ["Российская Федерация", "Южный федеральный округ ", "г. Москва"]
    regions += ["Тюменская область", okrugs, "Ханты-Мансийский автономный округ-Югра"]
    all_, mining, making = reader.ASSETS
    heads = ["", "2017", None, None, None, "2018 1)", None, None, None]
    by = ["", *[all_, "Строительство", mining, making] * 2]
    return {
        "1": [["К содержанию"], title, ["", 2015, 2016], *([r, 5, 6] for r in regions)],
        "2": [[""], title, heads, by, *([r, *[9, 1, 2, 3] * 2] for r in regions), ["1) Без учета"]],
    }


def test_assets_of_all_organisations_before_and_by_activity(tmp_path):
    frame = reader.read_assets(workbook(tmp_path / "a.xlsx", assets()))
    of = frame[frame["region"] == "Тюменская область"].set_index(["indicator", "year"])["value"]
    assert of.to_dict() == {
        ("assets_all_okved2", 2017): 9,
        ("assets_all_okved2", 2018): 9,
        ("assets_all_okved2007", 2015): 5,
        ("assets_all_okved2007", 2016): 6,
        ("assets_manufacturing_okved2", 2017): 3,
        ("assets_manufacturing_okved2", 2018): 3,
        ("assets_mining_okved2", 2017): 2,
        ("assets_mining_okved2", 2018): 2,
    }
    okrug = "Ханты-Мансийский автономный округ — Югра"
    assert set(frame["region"]) == {"Москва", "Российская Федерация", "Тюменская область", okrug}


@pytest.mark.parametrize(
    ("sheet", "row", "column", "value", "words"),
    [
        ("2", 1, 0, "Наличие (тыс. рублей)", "another unit"),
        ("2", 3, 3, "Добыча", r"years or activities moved(.|\n)*found: 2017 assets_all_okved2, 20"),
        ("2", 2, 5, "2019", "years or activities moved"),
        ("1", 2, 2, "2017", "years or activities moved"),
        ("1", 5, 1, "5,0", "'5,0'"),
        ("1", 7, 0, "Тюменская область", "with its okrugs"),
    ],
)
def test_a_sheet_of_assets_that_is_another_is_refused(tmp_path, sheet, row, column, value, words):
    sheets = assets()
    sheets[sheet][row][column] = value
    with pytest.raises(SourceError, match=words):
        reader.read_assets(workbook(tmp_path / "a.xlsx", sheets))


# --- what must add up


def rule(words, name):
    return next(f for t, r, f in identities.IDENTITIES if t == name and words in r)


@pytest.mark.parametrize("name", identities.SUMS)
def test_a_composite_beside_its_parts_breaks_the_sum_of_the_regions(name):
    frame = table(name)
    add = rule("add up", name)
    before = set(add({name: frame})[1])
    year = {"regional_trade": 2019, "regional_groups": 2024}.get(name, 2020)
    tyumen = frame["region"].eq("Тюменская область") & frame["year"].eq(year)
    parts = frame["region"].str.match("Тюменская|Ханты|Ямало") & frame["year"].eq(year)
    key, value = frame.columns[0], frame.columns[-1]
    whole = frame[parts].groupby(key)[value].sum()
    frame[value] = frame[value].mask(tyumen, frame[key].map(whole)).astype(float)
    assert set(add({name: frame})[1]) - before
    # Russia's row is needed.
    russia = frame["region"] == identities.RUSSIA
    assert len(add({name: frame[~russia]})[1])


def test_no_group_is_more_than_its_section_and_both_books_print_one_product():
    tables = {n: table(n) for n in ("regional_groups", "regional_production", "grp")}
    tables["regional_product"] = table("regional_product")
    within = rule("shipments of their section", "regional_groups")
    assert within(tables)[1] == []
    groups = tables["regional_groups"]
    wrong = groups.assign(shipments=groups["shipments"].mask(groups["group"] == "C18", 1e9))
    assert "manufacturing_shipments_okved2" in within(tables | {"regional_groups": wrong})[1][0]
    same = rule("that of the accounts", "regional_product")
    assert same(tables)[1] == []
    product = tables["regional_product"]
    wrong = product.assign(value=product["value"] * 1.001)
    assert len(same(tables | {"regional_product": wrong})[1]) > 1000


def test_russia_in_the_snapshot_is_as_published():
    of = table("regional_production")
    russia = of[(of["region"] == "Российская Федерация") & (of["year"] >= 2022)]
    russia = russia[russia["indicator"] == "manufacturing_index_okved2"]
    assert russia["value"].tolist() == [100.3, 108.7, 109.8]


# --- chained volume


def production(old, new, region="Область"):
    rows = [("manufacturing_index_okved2007", region, y, v) for y, v in old.items()]
    rows += [("manufacturing_index_okved2", region, y, v) for y, v in new.items()]
    return pd.DataFrame(rows, columns=["indicator", "region", "year", "value"])


#: Grew by a quarter to 2014, halved in 2015, doubled in 2016 after the old; rose by a tenth after
#: the new in 2015, in 2016 and in 2017.
OLD = {2013: 100.0, 2014: 125.0, 2015: 50.0, 2016: 200.0}
NEW = {2015: 110.0, 2016: 110.0, 2017: 110.0}


@pytest.mark.parametrize(
    ("first", "volume"),
    [
        (2015, {2012: 80, 2013: 80, 2014: 100, 2015: 110, 2016: 121, 2017: 133.1}),
        (2016, {2012: 80, 2013: 80, 2014: 100, 2015: 50, 2016: 55, 2017: 60.5}),
        (2017, {2012: 80, 2013: 80, 2014: 100, 2015: 50, 2016: 100, 2017: 110}),
    ],
)
def test_the_volume_is_chained_at_the_year(first, volume):
    found = chained(production(OLD, NEW), first).set_index("year")["volume"]
    assert found.to_dict() == pytest.approx(volume)
    shifted = chained(production(OLD, NEW), first, base=2016).set_index("year")["volume"]
    assert shifted.to_dict() == pytest.approx(
        {y: v / volume[2016] * 100 for y, v in volume.items()}
    )


def test_nothing_is_chained_over_a_gap():
    gap = {2010: 120.0, 2012: 120.0} | OLD
    found = chained(production(gap, NEW), 2015)["year"].tolist()
    assert found == [2011, 2012, 2013, 2014, 2015, 2016, 2017]
    # A region whose indices begin in 2015 has the year before as its first.
    late = production(OLD, NEW), production({}, NEW, "Севастополь")
    of = chained(pd.concat(late), 2015).query("region == 'Севастополь'")
    assert of["year"].tolist() == [2014, 2015, 2016, 2017]
    # Chained at 2017 it has no level: no index joins its years to the base year.
    assert "Севастополь" not in set(chained(pd.concat(late), 2017)["region"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"first_year_of_new": 2014}, r"no such chain(.|\n)*expected: 2015 to 2017"),
        ({"first_year_of_new": 2018}, "found: 2018"),
        ({"first_year_of_new": 2015, "base": 2011}, "expected: 2012 to 2017"),
        ({"first_year_of_new": 2015, "activity": "mining"}, "mining_index_okved2007"),
    ],
)
def test_a_chain_that_cannot_be_made_is_refused(options, words):
    with pytest.raises(DesignError, match=words):
        chained(production(OLD, NEW), **options)


def test_the_overlap_has_both_indices_and_their_correlation_without_russia():
    parts = [
        production({2015: a}, {2015: b}, region)
        for region, a, b in [("А", 90.0, 95.0), ("Б", 100.0, 100.0), ("В", 110.0, 90.0)]
    ]
    russia = production({2015: 300.0}, {2015: 300.0}, "Российская Федерация")
    found = overlap(pd.concat([*parts, russia]))
    assert found["region"].tolist() == ["А", "Б", "В"]
    assert found["difference"].tolist() == [5, 0, -20]
    # Deviations -10, 0, 10 and 0, 5, -5: -50 over the root of 200 times 50.
    assert found["correlation"].tolist() == pytest.approx([-0.5] * 3)


# --- the layer


def read_layer():
    names = ("production", "investment", "labour", "product", "trade")
    tables = [read_table(ROOT / f"data/snapshot/regional_{name}.csv") for name in names]
    tables.append(read_table(ROOT / "data/snapshot/fixed_assets.csv"))
    return tables


CORRECTIONS = ROOT / "data/corrections/regions.yaml"
REPAIRS = yaml.safe_load(CORRECTIONS.read_text(encoding="utf-8"))


def build(tables, repairs=()):
    deflator = dict.fromkeys(range(2000, 2025), 0.0)
    return regions_panel.build(tables, deflator, list(repairs), "regions.yaml")


def test_the_layer_of_regions_is_what_is_published():
    tables = read_layer()
    layer = build(tables).set_index(["region", "year"])
    assert "Российская Федерация" not in layer.index.get_level_values("region")
    assert layer.loc[("Свердловская область", 2014), ["volume_2015", "volume_2017"]].tolist() == [
        100,
        100,
    ]
    index = tables[0].set_index(["indicator", "region", "year"])["value"]
    growth = index["manufacturing_index_okved2", "Свердловская область", 2024]
    volume = layer.loc["Свердловская область"]["volume_2017"]
    assert volume[2024] / volume[2023] * 100 == pytest.approx(growth)
    # Shipments are by the newer classification where there is one, and the year says which.
    assert layer.loc[("Свердловская область", 2016), "okved2"] == 0
    old = index["manufacturing_shipments_okved2007", "Свердловская область", 2016]
    assert layer.loc[("Свердловская область", 2016), "shipments"] == old
    trade = tables[4].set_index(["indicator", "region", "year"])["value"]
    parts = [trade[f"exports_{of}", "Свердловская область", 2019] for of in ("cis", "far_abroad")]
    assert layer.loc[("Свердловская область", 2019), "exports"] == pytest.approx(sum(parts))
    # Without inflation the logarithm of investment is that of its roubles.
    row = layer.loc[("Свердловская область", 2019)]
    assert row["log_investment"] == pytest.approx(np.log(row["investment"] * 1e6))


def test_a_table_that_lost_an_indicator_is_refused():
    tables = read_layer()
    tables[2] = tables[2][tables[2]["indicator"] != "employment"]
    with pytest.raises(ContractError, match=r"no such indicator(.|\n)*employment"):
        build(tables)


@pytest.fixture(scope="module")
def layers():
    """The layer as printed and as corrected, by region and year."""
    tables = read_layer()
    both = build(tables), build(tables, REPAIRS)
    return [layer.set_index(["region", "year"]) for layer in both]


def test_corrections_leave_out_their_cells_and_nothing_else(layers):
    printed, corrected = layers
    expected = pd.DataFrame(False, printed.index, printed.columns)
    for repair in REPAIRS:
        of = printed.index.get_level_values("region") == repair["region"]
        years = printed.index.get_level_values("year")
        side = {"missing": years == repair["year"], "before": years < repair["year"]}
        side["from"] = years >= repair["year"]
        expected.loc[of & side[repair["action"]], repair["column"]] = True
    gone = printed.notna() & corrected.isna()
    pd.testing.assert_frame_equal(gone, expected & printed.notna())
    pd.testing.assert_frame_equal(printed.mask(gone), corrected)
    # No correction is idle.
    for repair in REPAIRS:
        assert gone.loc[repair["region"], repair["column"]].any(), repair


@pytest.mark.parametrize("repair", REPAIRS, ids=lambda r: f"{r['column']} {r['year']}")
def test_a_correction_that_does_not_find_its_figure_is_refused(layers, repair):
    printed = layers[0].reset_index()
    where = str(CORRECTIONS)
    for other in ({"expected": repair["expected"] * 1.001}, {"region": "Область"}):
        with pytest.raises(InputError, match=rf"no longer finds(.|\n)*{repair['column']}"):
            correct(printed, [repair | other], where, place="region")
    with pytest.raises(InputError, match=r"not a correction(.|\n)*code"):
        correct(printed, [repair | {"code": "01"}], where, place="region")


#: Jumps of the corrected layer that are what happened there, or cannot be told: year and why.
JUMPS = {
    ("shipments", "Севастополь"): {2015: "the office begins to count; volume 4-fold by one index"},
    ("shipments_mining", "Сахалинская область"): {2007: "Sakhalin-2; volume 2.5-fold"},
    ("investment", "Сахалинская область"): {2004: "Sakhalin-1 and 2; volume 2.8-fold"},
    ("assets_manufacturing", "Амурская область"): {
        2020: "the gas plant at Svobodny is built",
        2023: "lines of the gas plant at Svobodny; investment of the region twice the step",
    },
    ("assets_manufacturing", "Забайкальский край"): {2023: "the copper plant of Udokan opens"},
    ("exports", "Сахалинская область"): {2007: "Sakhalin-2; volume of mining 2.5-fold"},
    ("exports", "Удмуртская Республика"): {2011: "cannot be told: fades until 2017"},
    ("exports", "Рязанская область"): {2021: "cannot be told"},
    ("exports", "Тюменская область"): {2020: "cannot be told", 2021: "cannot be told"},
    ("imports", "Калужская область"): {2007: "car plants open"},
    ("imports", "Сахалинская область"): {2005: "equipment of Sakhalin-2"},
    ("imports", "Орловская область"): {2010: "cannot be told", 2011: "cannot be told"},
    ("imports", "Тюменская область"): {2017: "equipment of the plant at Tobolsk"},
    ("imports", "Ямало-Ненецкий автономный округ"): {
        2016: "equipment of Yamal LNG",
        2018: "Yamal LNG is built",
        2021: "equipment of Arctic LNG 2",
    },
}
#: Jumps are looked for in figures that are at least that large on one side, in million roubles or
#: dollars; trade has its full coverage from 2003 on.
LARGE = dict.fromkeys(("shipments", "shipments_mining", "investment"), 10_000)
LARGE |= {"assets": 100_000, "assets_manufacturing": 10_000, "exports": 1_000, "imports": 1_000}


def test_every_jump_that_is_left_is_known(layers):
    found = {}
    for column, least in LARGE.items():
        value = layers[1][column]
        before = value.groupby(level="region").shift()
        ratio, size = value / before, np.fmax(value, before)
        jump = ((ratio > 3) | (ratio < 1 / 3)) & (size >= least)
        for region, year in value.index[jump]:
            if column not in ("exports", "imports") or year > 2003:
                found.setdefault((column, region), set()).add(year)
    assert found == {key: set(years) for key, years in JUMPS.items()}
