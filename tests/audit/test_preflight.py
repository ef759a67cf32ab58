"""Every check of the package fails on a planted fault, and only then."""

from types import SimpleNamespace

import pytest
from monotowns.audit.preflight import COMPANIONS, preflight

SOURCES = {
    "incomes": SimpleNamespace(
        licence="CC0", citation="A (2020).", tables={"incomes": ["code"]}, redistributed="facts"
    ),
}


@pytest.fixture
def package(tmp_path):
    for name in COMPANIONS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"this is {name}\n", encoding="utf-8")
    (tmp_path / "data/snapshot").mkdir()
    (tmp_path / "data/snapshot/incomes.csv").write_text("code\n01000000\n", encoding="utf-8")
    code = "import os\nimport yaml\nfrom other import f\nfrom monotowns import panel\n"
    (tmp_path / "a.py").write_text(code, encoding="utf-8")
    (tmp_path / "other.py").write_text("f = 1\n", encoding="utf-8")
    (tmp_path / "workflow/monotowns").mkdir(parents=True)
    (tmp_path / "workflow/monotowns/panel.py").write_text('"""The panel."""\n', encoding="utf-8")
    return tmp_path


def faults(folder, sources=SOURCES, exceptions=()):
    return preflight(folder, ["PyYAML"], sources, exceptions)


def test_a_sound_package_passes(package):
    assert faults(package) == []


@pytest.mark.parametrize(
    ("file", "content", "check", "what"),
    [
        ("b.py", 'DATA = "/home/anna/data.csv"\n', "absolute path", "/home/anna"),
        ("b.yaml", "folder: C:\\\\Users\\anna\n", "absolute path", "C:"),
        ("b.md", "ask anna.petrova@example.org\n", "personal data", "an e-mail address"),
        ("b.csv", "name,phone\nx,+7 (912) 345-67-89\n", "personal data", "a telephone number"),
        ("b.csv", "host\n10.1.2.3\n", "personal data", "an address of a computer"),
        ("b.csv", "id\n112-233-445 95\n", "personal data", "an insurance or tax number"),
        ("b.py", "def f():\n    import tensorflow.keras\n", "undeclared import", "tensorflow"),
        ("b.csv", "", "zero bytes", "empty"),
        ("b.csv", "code\n01000000\n", "duplicate", "the same bytes as b.csv"),
        ("данные.csv", "x\n1\n", "file name", "not plain"),
    ],
)
def test_every_planted_fault_is_found(package, file, content, check, what):
    (package / file).write_text(content, encoding="utf-8")
    (found,) = faults(package)
    assert (found[0], what in found[2]) == (check, True)


def test_a_symbolic_link_is_found(package):
    (package / "b.csv").symlink_to(package / "other.py")
    assert [f[:2] for f in faults(package)] == [("symbolic link", "b.csv")]


def test_a_large_file_is_found_by_its_size(package, monkeypatch):
    monkeypatch.setattr("monotowns.audit.preflight.LARGE", 1000)
    (package / "b.csv").write_text("1\n" * 600, encoding="utf-8")
    assert [f[:2] for f in faults(package)] == [("large file", "b.csv")]


@pytest.mark.parametrize("name", COMPANIONS)
def test_a_missing_companion_is_found(package, name):
    (package / name).unlink()
    assert [f[:2] for f in faults(package)] == [("missing file", name)]


def test_licences_are_looked_for_and_withheld_data_kept_out(package):
    without = {"incomes": SimpleNamespace(**vars(SOURCES["incomes"]) | {"licence": " "})}
    assert [f[0] for f in faults(package, without)] == ["missing licence"]
    kept = {"incomes": SimpleNamespace(**vars(SOURCES["incomes"]) | {"redistributed": "none"})}
    (found,) = faults(package, kept)
    assert found[:2] == ("missing licence", "data/snapshot/incomes.csv")


def test_what_is_no_fault_is_left_alone(package):
    (package / "b.md").write_text(
        "#!/usr/bin/env bash\nversion 3.11.7, 127.0.0.1, a/b/tmp/x, 2012-2021, +12.5 %, @fig\n",
        encoding="utf-8",
    )
    assert faults(package) == []


def test_an_exception_needs_something_to_except(package):
    (package / "b.csv").write_text("host\n10.1.2.3\n", encoding="utf-8")
    entry = {"check": "personal data", "file": "*.csv", "reason": "a cited page"}
    assert faults(package, exceptions=[entry]) == []
    (package / "b.csv").unlink()
    assert [f[0] for f in faults(package, exceptions=[entry])] == ["exceptions"]
