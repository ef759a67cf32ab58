import hashlib

import pytest
from monotowns.errors import SourceError
from monotowns.sources import Source, fetch, load_registry, verify


def source(body=b"good"):
    digest = hashlib.sha256(body).hexdigest()
    return Source("x", "x.csv", "p", "t", "l", digest, len(body), "2026-11-01")


def test_wrong_bytes_are_refused_with_both_digests(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"<html>")
    with pytest.raises(SourceError, match=r"4 bytes(.|\n)*6 bytes(.|\n)*<html>"):
        verify(tmp_path / "x.csv", source())


def test_a_mirror_serves_and_a_bad_mirror_leaves_nothing(tmp_path):
    good, bad = tmp_path / "good", tmp_path / "bad"
    for folder, body in ((good, b"good"), (bad, b"baad")):
        folder.mkdir()
        (folder / "x.csv").write_bytes(body)
    with pytest.raises(SourceError):
        fetch(source(), tmp_path / "raw", [bad])
    assert list((tmp_path / "raw").iterdir()) == []
    assert fetch(source(), tmp_path / "raw", [good]).read_bytes() == b"good"


def test_no_address_says_what_to_do(tmp_path):
    with pytest.raises(SourceError, match="MONOTOWNS_MIRROR"):
        fetch(source(), tmp_path / "raw")


def test_a_file_name_with_a_folder_is_refused(tmp_path):
    (tmp_path / "s.yaml").write_text(
        "x: {file: ../x, publisher: p, title: t, licence: l, sha256: a, bytes: 1, retrieved: d}"
    )
    with pytest.raises(SourceError, match="folder"):
        load_registry(tmp_path / "s.yaml")
