import hashlib
import re
import shutil
from dataclasses import fields
from pathlib import Path

import pandas as pd
import pytest
import yaml
from monotowns.acquire.download import Limits, fetch, from_environment, split_mirrors
from monotowns.acquire.readers import READERS
from monotowns.acquire.registry import Source, load_registry, sign, verify, verify_tables
from monotowns.run.errors import SourceError

ROOT = Path(__file__).parents[1]
REGISTRY = ROOT / "data/sources.yaml"


def source(body=b"good", file="x.csv"):
    known = {"id": "x", "file": file, "addresses": (), "landing_page": "https://page.example"}
    known |= {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
    # What is not read here is empty.
    return Source(**dict.fromkeys((field.name for field in fields(Source)), "") | known)


# --- the registry


def test_the_registry_serves_every_reader_and_every_committed_table():
    registry = load_registry(REGISTRY)
    tables = [t for s in registry.values() for t in s.tables]
    read = [t for s in registry.values() for t in s.tables if s.access == "open"]
    assert sorted(read) == sorted(READERS)
    assert sorted(tables) == sorted(p.stem for p in (ROOT / "data/snapshot").glob("*.csv"))


def test_the_registered_keys_identify_the_rows_of_the_tables():
    for entry in load_registry(REGISTRY).values():
        for table, key in entry.tables.items():
            frame = pd.read_csv(ROOT / f"data/snapshot/{table}.csv", dtype=str, na_filter=False)
            # The income table repeats 58 code-years, the population bulletin one village.
            repeated = {"municipal_incomes": 58, "population_2024": 1}.get(table, 0)
            assert frame.duplicated(key).sum() <= repeated, table


def broken(tmp_path, change):
    entries = yaml.safe_load(REGISTRY.read_text(encoding="utf-8"))
    change(entries)
    path = tmp_path / "sources.yaml"
    path.write_text(yaml.safe_dump(entries, allow_unicode=True), encoding="utf-8")
    with pytest.raises(SourceError) as refusal:
        load_registry(path)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("sha265", "0", "unknown key 'sha265', did you mean 'sha256'"),
        ("file", "../../x", r"\.file: '\.\./\.\./x' does not match"),
        ("file", "/etc/x.csv", r"\.file: '/etc/x.csv' does not match"),
        ("sha256", "74BB", r"\.sha256: '74BB' does not match"),
        ("bytes", "3 MB", r"\.bytes: wrong type: expected integer"),
        ("access", "opem", "unknown value 'opem', did you mean 'open'"),
        ("addresses", ["file:///etc/passwd"], r"\.addresses\.0: 'file:///etc/.* does not match"),
        ("addresses", [], r"\.addresses: \[\] should be non-empty"),
        ("retrieved", "1.11.2026", r"\.retrieved: '1\.11\.2026' does not match"),
        ("tables", {"grp": []}, r"\.tables\.grp: \[\] should be non-empty"),
        ("tables", {"../grp": ["region"]}, r"'\.\./grp' does not match"),
    ],
)
def test_a_field_that_is_not_of_its_form_is_named(tmp_path, field, value, words):
    text = broken(tmp_path, lambda entries: entries["grp"].update({field: value}))
    assert re.search(rf"1 fault\n.*\n    grp.*{words}", text)


def test_all_faults_are_reported_at_once(tmp_path):
    def change(entries):
        entries["grp"]["license"] = entries["grp"].pop("licence")
        del entries["toser"]["citation"]
        entries["toser"]["access"] = "open"

    text = broken(tmp_path, change)
    assert "5 faults" in text
    assert "grp: unknown key 'license', did you mean 'licence'?" in text
    assert "grp: missing: licence" in text
    assert "toser: missing: citation" in text
    assert "toser.addresses: [] should be non-empty" in text
    assert "toser.landing_page: '' should be non-empty" in text


def test_what_two_sources_claim_is_refused(tmp_path):
    text = broken(tmp_path, lambda entries: entries.update(other=dict(entries["grp"])))
    assert "file rosstat_grp_regions_1998_2022.xlsx: grp, other" in text
    assert "table grp: grp, other" in text


@pytest.mark.parametrize("text", ["", "- a", "x: [", "x: !!python/object/apply:os.getcwd []"])
def test_what_is_no_registry_is_refused(tmp_path, text):
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(SourceError, match=r"s\.yaml"):
        load_registry(tmp_path / "s.yaml")


def test_the_committed_tables_are_the_registered_ones():
    verify_tables(ROOT / "data/snapshot", load_registry(REGISTRY).values(), REGISTRY)


@pytest.fixture
def signed(tmp_path):
    """A registry of two of its sources, and their tables in a folder."""
    text = REGISTRY.read_text(encoding="utf-8")
    entries = yaml.safe_load(text)
    kept = {key: entries[key] for key in ("grp", "toser")}
    path = tmp_path / "sources.yaml"
    path.write_text(yaml.safe_dump(kept, allow_unicode=True, sort_keys=False), encoding="utf-8")
    for name in kept:
        shutil.copy(ROOT / f"data/snapshot/{name}.csv", tmp_path)
    return path


def test_a_table_that_is_not_the_registered_one_is_refused_until_it_is_signed(signed):
    folder = signed.parent
    verify_tables(folder, load_registry(signed).values(), signed)
    for name in ("grp", "toser"):
        table = folder / f"{name}.csv"
        table.write_bytes(table.read_bytes().replace(b"1", b"2", 1))
    with pytest.raises(SourceError) as refusal:
        verify_tables(folder, load_registry(signed).values(), signed)
    for words in ("grp.csv: expected ", "toser.csv: expected ", "found ", "make sign"):
        assert words in str(refusal.value)
    before = yaml.safe_load(signed.read_text(encoding="utf-8"))
    assert sign(signed, folder) == ["grp", "toser"]
    verify_tables(folder, load_registry(signed).values(), signed)
    assert sign(signed, folder) == []
    after = yaml.safe_load(signed.read_text(encoding="utf-8"))
    # Of a compiled source the file is the table; nothing else is touched.
    moved = {(k, f) for k in after for f in after[k] if after[k][f] != before[k][f]}
    assert moved == {
        ("grp", "digests"),
        ("toser", "digests"),
        ("toser", "sha256"),
    }
    # A table that is not there is left out of a run, not refused; a fork's own has no entry.
    (folder / "grp.csv").unlink()
    (folder / "own.csv").write_text("a\n1\n")
    verify_tables(folder, load_registry(signed).values(), signed)


def test_a_table_without_a_digest_and_a_compiled_file_of_other_bytes_are_refused(signed):
    entries = yaml.safe_load(signed.read_text(encoding="utf-8"))
    del entries["grp"]["digests"]
    entries["toser"]["sha256"] = "0" * 64
    signed.write_text(yaml.safe_dump(entries, allow_unicode=True), encoding="utf-8")
    with pytest.raises(
        SourceError, match=r"not signed(.|\n)*sha256 of the compiled source is 0000"
    ):
        verify_tables(signed.parent, load_registry(signed).values(), signed)


# --- the bytes


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"goo", "ends early"),
        (b"good!", "longer than registered"),
        (b"baad", "bytes have changed"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><p>", r"HTML page under the name of a \.xlsx file"),
        (b"<html>", "HTML page"),
    ],
)
def test_wrong_bytes_are_named_with_both_digests(tmp_path, body, problem):
    right = source(file="x.xlsx")
    path = tmp_path / "x.xlsx"
    path.write_bytes(body)
    with pytest.raises(SourceError, match=problem) as refusal:
        verify(path, right)
    assert f"4 bytes, sha256 {right.sha256}" in refusal.value.expected
    assert f"{len(body)} bytes, sha256 {hashlib.sha256(body).hexdigest()}" in refusal.value.found
    assert repr(body[:16]) in refusal.value.found
    assert "data/sources.yaml" in refusal.value.remedy
    path.write_bytes(b"good")
    assert verify(path, right) == path


# --- mirrors and patience


@pytest.mark.parametrize(
    ("text", "separator", "mirrors"),
    [
        ("", ":", []),
        ("/a::/b c/:", ":", ["/a", "/b c/"]),
        ("http://h:8000:/a", ":", ["http://h:8000", "/a"]),
        (
            "/a:https://h.ru/raw:http://h:80/x/:rel",
            ":",
            ["/a", "https://h.ru/raw", "http://h:80/x/", "rel"],
        ),
        ("https://h.ru:http://[::1]:80/x:/b", ":", ["https://h.ru", "http://[::1]:80/x", "/b"]),
        ("https://h.ru:/8000", ":", ["https://h.ru", "/8000"]),
        ("httpdocs:/a", ":", ["httpdocs", "/a"]),
        (r"C:\raw;http://h:8000/x;D:\b", ";", [r"C:\raw", "http://h:8000/x", r"D:\b"]),
    ],
)
def test_mirrors_are_split_and_addresses_stay_whole(text, separator, mirrors):
    assert split_mirrors(text, separator) == mirrors


def test_patience_comes_from_the_environment():
    assert from_environment({}) == {"mirrors": [], "limits": Limits()}
    assert from_environment({"MONOTOWNS_TIMEOUT": "90"})["limits"] == Limits(total=90)
    assert from_environment({"MONOTOWNS_TIMEOUT": "2.5,90"})["limits"] == Limits(2.5, total=90)
    for text in ("soon", "1,2,3", "-5", "inf", "0", "0.0,5", "5,0"):
        with pytest.raises(SourceError, match="not a time-out"):
            from_environment({"MONOTOWNS_TIMEOUT": text})


# --- folders as mirrors


def place(folder, body):
    folder.mkdir()
    (folder / "x.csv").write_bytes(body)
    return str(folder)


def test_a_mirror_serves_and_a_bad_mirror_leaves_nothing_but_quarantine(tmp_path):
    good, bad = place(tmp_path / "good", b"good"), place(tmp_path / "bad", b"baad")
    raw, quarantine = tmp_path / "raw", tmp_path / "quarantine"
    with pytest.raises(SourceError, match="have changed") as refusal:
        fetch(source(), raw, quarantine, [bad])
    assert list(raw.iterdir()) == []
    kept = quarantine / f"x-{hashlib.sha256(b'baad').hexdigest()[:16]}.csv"
    assert kept.read_bytes() == b"baad" and str(kept) in refusal.value.found
    assert (tmp_path / "bad/x.csv").read_bytes() == b"baad"  # a mirror is only read
    lacking = str(tmp_path)
    with pytest.warns(UserWarning, match=r"have changed(.|\n)*used instead: .*good") as said:
        assert fetch(source(), raw, quarantine, [lacking, bad, good]).read_bytes() == b"good"
    assert len(said) == 1  # a mirror need not hold every file
    assert [p.name for p in raw.iterdir()] == ["x.csv"]
    assert list(quarantine.iterdir()) == [kept]


def test_a_file_that_is_there_is_verified_and_used(tmp_path):
    raw, quarantine = tmp_path / "raw", tmp_path / "quarantine"
    place(raw, b"good")
    assert fetch(source(), raw, quarantine) == raw / "x.csv"  # no place is needed
    (raw / "x.csv").write_bytes(b"bad!")
    good = place(tmp_path / "good", b"good")
    with pytest.warns(UserWarning, match="have changed"):
        assert fetch(source(), raw, quarantine, [good]).read_bytes() == b"good"
    assert [p.read_bytes() for p in quarantine.iterdir()] == [b"bad!"]


def test_every_place_is_named_when_none_serves(tmp_path):
    bad = place(tmp_path / "bad", b"baad")
    (tmp_path / "folder" / "x.csv").mkdir(parents=True)
    mirrors = [bad, str(tmp_path / "none"), str(tmp_path / "folder")]
    with pytest.raises(SourceError) as refusal:
        fetch(source(), tmp_path / "raw", tmp_path / "quarantine", mirrors)
    text = str(refusal.value)
    assert all(f"{mirror}/x.csv: " in text for mirror in mirrors)
    assert text.count("no readable file") == 2 and text.count("have changed") == 1
    assert "MONOTOWNS_MIRROR" in refusal.value.remedy
    with pytest.raises(SourceError, match="found: no address"):
        fetch(source(), tmp_path / "raw", tmp_path / "quarantine")
