"""Municipal territories: codes, names, and the harmonised entity that a code belongs to."""

import re

import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

#: Words of a name that say what kind of place it is, not which.
KIND_WORDS = (
    r"\b(?:муниципальный|муниципального|городской|городского|городское|сельское|поселковое|"
    r"округ|округа|район|района|поселение|город-курорт|город|города|поселок|посёлок|городского|"
    r"типа|рабочий|село|сельсовет|поссовет|зато|гп|го|мо|мр|г|п|пгт|рп|с|снп|дп|д|ст|ст-ца|пос|"
    r"образование|край|область|республика|автономный|автономная)\b"
)


def from_okato(code: str) -> str:
    """Turn an OKATO-style code (third digit 2 or 4) into its OKTMO form (6 or 7)."""
    return code[:2] + {"2": "6", "4": "7"}.get(code[2], code[2]) + code[3:]


#: Autonomous okrugs that are regions of their own within another region's two digits.
OKRUGS = ("118", "718", "719")


def region_code(code: pd.Series) -> pd.Series:
    """The digits of a municipal code that are its region's: two, of an autonomous okrug three."""
    digits = code.str[:3]
    return digits.where(digits.isin(OKRUGS), code.str[:2])


def stem(name: str) -> str:
    """Reduce a place name to what identifies it, for matching within a region.

    ``"Городской округ город Свободный"`` and ``"г. Свободный"`` give the same stem.
    """
    text = re.sub(r"\(.*?\)", " ", str(name).lower().replace("ё", "е"))
    text = re.sub(r"[^а-я\- ]", " ", text)
    text = re.sub(KIND_WORDS, " ", text)
    text = re.sub(r"[\s\-]+", "", text)
    # Adjective and noun forms of one name: Погарское, Погарский, Погар.
    return re.sub(r"(?:ский|ское|ская|ской|ого|ый|ий|ое|ая|ой|а|о|ы|и|ь|й|е)$", "", text)


def components(versions: pd.DataFrame) -> pd.Series:
    """Join territories that were united, divided or exchanged land into one entity.

    Returns
    -------
    pandas.Series
        Entity (the smallest code of the component's newest versions) indexed by ``code``.
    """
    code, codes = pd.factorize(versions["code"], sort=True)
    links = [pd.DataFrame({"code": code, "link": "t" + versions["territory_id"].astype(str)})]
    for column in ("change_from", "change_to"):
        known = versions[column].notna().to_numpy()
        labels = versions.loc[known, column].astype(str).str.split(r"[,;]\s*")
        links.append(pd.DataFrame({"code": code[known], "link": labels}).explode("link"))
    links = pd.concat(links)
    link, names = pd.factorize(links["link"])
    size = len(codes) + len(names)
    graph = coo_matrix(([1] * len(links), (links["code"], len(codes) + link)), (size, size))
    label = connected_components(graph, directed=False)[1][: len(codes)]
    newest = versions.groupby("code")["year_to"].max().reindex(codes).to_numpy()
    table = pd.DataFrame({"code": codes, "label": label, "newest": newest})
    head = table.sort_values(["label", "newest", "code"], ascending=[True, False, True])
    head = head.drop_duplicates("label").set_index("label")["code"]
    return pd.Series(head.reindex(label).to_numpy(), index=codes, name="entity")


def newest(versions: pd.DataFrame) -> pd.DataFrame:
    """The dictionary's newest version of every entity, indexed by entity."""
    frame = versions.assign(entity=versions["code"].map(components(versions)))
    frame = frame.sort_values("year_to").drop_duplicates("entity", keep="last")
    return frame.set_index("entity")


def entities_by_name(region, stem, entity) -> dict:
    """The entities that bear a name: (region, stem) -> entities in order."""
    table = pd.DataFrame({"region": region, "stem": stem, "entity": entity}).drop_duplicates()
    found = {}
    for key in table.sort_values("entity").itertuples(index=False):
        found.setdefault((key.region, key.stem), []).append(key.entity)
    return found


#: Federal cities are one entity each: their districts appear only in some years.
FEDERAL_CITIES = {"45": "45000000", "40": "40000000", "67": "67000000"}


def crosswalk(printed: pd.DataFrame, versions: pd.DataFrame) -> pd.DataFrame:
    """Give every printed ``code`` and ``name`` its harmonised entity, or say why it has none.

    Returns
    -------
    pandas.DataFrame
        One row a printed ``code`` and ``name``: ``entity`` (8 digits or missing) and ``reason``:
        ``city`` (federal city), ``code``, ``okato`` (rewritten code), ``name`` (the only
        territory of that name in the region), ``ambiguous`` or ``unknown``.
    """
    entity = components(versions)
    codes, stems = versions["code"], versions["name"].map(stem)
    by_name = entities_by_name(codes.str[:2], stems, codes.map(entity))
    known, names = set(codes), set(zip(codes, stems, strict=True))
    rows = []
    for code, name in printed[["code", "name"]].drop_duplicates().itertuples(index=False):
        rewritten, city = from_okato(code), FEDERAL_CITIES.get(code[:2])
        candidates = by_name.get((code[:2], stem(name)), [])
        if city:
            rows.append((code, name, city, "city"))
        elif code in known and ((code, stem(name)) in names or not candidates):
            rows.append((code, name, entity[code], "code"))
        elif len(candidates) == 1:
            reason = "okato" if entity.get(rewritten) == candidates[0] else "name"
            rows.append((code, name, candidates[0], reason))
        elif code in known:
            rows.append((code, name, entity[code], "code"))
        elif rewritten in known:
            rows.append((code, name, entity[rewritten], "okato"))
        else:
            rows.append((code, name, None, "ambiguous" if candidates else "unknown"))
    table = pd.DataFrame(rows, columns=["code", "name", "entity", "reason"])
    return table.sort_values(["code", "name"], ignore_index=True)


def placed(printed, versions, overrides) -> pd.DataFrame:
    """The crosswalk, with what it leaves without an entity placed by hand.

    Parameters
    ----------
    printed, versions : pandas.DataFrame
        See :func:`crosswalk`.
    overrides : pandas.DataFrame
        Hand-made part: ``code``, ``target``; a target is a code of the dictionary or an entity.

    Returns
    -------
    pandas.DataFrame
        As :func:`crosswalk`; the ``reason`` of a row placed by hand is ``override``.
    """
    links, entity = crosswalk(printed, versions), components(versions)
    target = links["code"].map(overrides.set_index("code")["target"])
    manual = links["entity"].isna() & target.notna()
    links.loc[manual, "entity"] = [entity.get(t, t) for t in target[manual]]
    links.loc[manual, "reason"] = "override"
    return links


def locate_towns(towns: pd.DataFrame, places: pd.DataFrame, versions: pd.DataFrame):
    """Find the entity in which a town lies, by region and name alone.

    ``towns`` has ``region``, ``town`` and, where the list gives it, ``municipality``; ``places``
    is the population bulletin. The entity is missing where no or more than one entity of the
    region bears the name.
    """
    entity = components(versions)
    region = versions.drop_duplicates("code").set_index("code")["region"]
    # Towns and municipalities before villages: a namesake village must not make a town ambiguous.
    tiers = []
    for level in ("town", "settlement"):
        part = places[places["level"] == level]
        tiers.append(pd.DataFrame({"code": part["code"], "stem": part["name"].map(stem)}))
        if level == "town":
            for column in ("name", "centre"):
                names = versions[column].fillna("").map(stem)
                tiers.append(pd.DataFrame({"code": versions["code"], "stem": names}))
    index = []
    for tier in tiers:
        tier = tier.assign(region=tier["code"].map(region), entity=tier["code"].map(entity))
        tier = tier.dropna(subset=["region", "entity"])
        index.append(entities_by_name(tier["region"], tier["stem"], tier["entity"]))

    def place(row):
        for name in filter(None, (row.town, getattr(row, "municipality", None))):
            for tier in index:
                match = tier.get((row.region, stem(name)), [])
                if len(match) == 1:
                    return match[0]
        return None

    found = [place(row) for row in towns.itertuples(index=False)]
    return pd.Series(found, index=towns.index, name="entity")
