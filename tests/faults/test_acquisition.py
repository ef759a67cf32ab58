"""Everything that a server can do wrong, done by a server on the loopback."""

import errno
import gzip
import hashlib
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import fields, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest
import yaml
from monotowns.acquire import download
from monotowns.acquire.download import Limits, fetch
from monotowns.acquire.registry import Source
from monotowns.run.errors import SourceError

ROOT = Path(__file__).parents[2]
BODY = b"PK\x03\x04" + bytes(range(256)) * 400
CHANGED = BODY[:-1] + b"!"
HTML = b"<!DOCTYPE html><html><body>This site needs JavaScript</body></html>"
PACKED_BOMB = gzip.compress(bytes(20_000_000), 1)
# Patient enough for a busy machine; where the fault is a wait, its read time-out.
LIMITS = Limits(connect=5, read=5, total=20, tries=3, pause=0.01, longest_pause=0.5)
WAITS = {
    "silent": replace(LIMITS, read=0.3),
    "stalled": replace(LIMITS, read=0.3),
    "slow": replace(LIMITS, total=2),
    "slow_head": replace(LIMITS, total=2),
}
#: Path -> status, body, headers; a header None is left out.
ANSWERS = {
    "good": (200, BODY, {}),
    "missing": (404, HTML, {}),
    "forbidden": (403, HTML, {}),
    "busy": (429, b"", {"Retry-After": "3600"}),
    "busy_once": (429, b"", {"Retry-After": "0"}),
    "down": (500, b"oops", {}),
    "down_once": (503, b"", {}),
    "loop": (302, b"", {"Location": "/loop"}),
    "moved": (302, b"", {"Location": "/good"}),
    "local": (302, b"", {"Location": "file:///etc/hostname"}),
    "nonsense": (200, BODY, {"Content-Length": "many"}),
    "empty": (200, b"", {}),
    "hangup": (200, BODY[:5000], {"Content-Length": str(len(BODY))}),
    "truncated": (200, BODY[:5000], {"Content-Length": None}),
    "truncated_once": (200, BODY[:5000], {"Content-Length": None}),
    "long": (200, BODY + b"more", {}),
    "changed": (200, CHANGED, {"Content-Disposition": 'attachment; filename="../../x"'}),
    "page": (200, HTML, {"Content-Type": "application/vnd.ms-excel"}),
    "packed_bomb": (200, PACKED_BOMB, {"Content-Encoding": "gzip"}),
}


class Handler(BaseHTTPRequestHandler):
    """Each path is one fault; one that ends in ``_once`` is good at the second request."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar = Counter()

    def log_message(self, *words):
        pass

    def answer(self, status, body, headers):
        self.send_response(status)
        headers = {"Content-Length": str(len(body))} | headers
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.close_connection = headers["Content-Length"] != str(len(body))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        name = self.path.strip("/").split("/")[0]
        self.seen[name] += 1
        if name.endswith("_once") and self.seen[name] > 1:
            name = "good"
        try:
            if name in ANSWERS:
                self.answer(*ANSWERS[name])
            else:
                getattr(self, f"go_{name.removesuffix('_once')}")()
                self.close_connection = True
        except OSError:
            self.close_connection = True  # the client has left

    def drip(self, text, drop):
        for i in range(0, len(text), drop):
            self.wfile.write(text[i : i + drop])
            time.sleep(0.05)

    def go_reset(self):
        self.answer(200, BODY[: len(BODY) // 2], {"Content-Length": str(len(BODY))})
        self.wfile.flush()
        # A close that lingers for no time is a reset.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()

    def go_slow(self):
        self.answer(200, b"", {"Content-Length": str(len(BODY))})
        self.drip(BODY[:20_000], 100)

    def go_slow_head(self):
        self.drip(b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 200, 1)

    def go_silent(self):
        time.sleep(1)

    def go_stalled(self):
        self.answer(*ANSWERS["hangup"])
        time.sleep(1)

    def go_endless(self):
        self.answer(200, b"", {"Content-Length": None})
        while True:
            self.wfile.write(BODY)


class Server(ThreadingHTTPServer):
    """A broken connection is what these tests make: no traceback of it."""

    daemon_threads = True

    def handle_error(self, request, address):
        pass


@pytest.fixture(scope="module")
def server():
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    Handler.seen.clear()


def source(*addresses):
    known = {
        "id": "thing",
        "file": "x.xlsx",
        "addresses": addresses,
        "landing_page": "https://page.example/x",
        "sha256": hashlib.sha256(BODY).hexdigest(),
        "bytes": len(BODY),
    }
    # What a download does not read is empty.
    return Source(**dict.fromkeys((field.name for field in fields(Source)), "") | known)


def refused(folder, *addresses, limits=LIMITS):
    """The refusal and what is in quarantine; no file may lie anywhere else."""
    data = folder / "inner" / "data"
    with pytest.raises(SourceError) as refusal:
        fetch(source(*addresses), data / "raw", data / "quarantine", limits=limits)
    files = {p for p in folder.rglob("*") if p.is_file()}
    assert files == set((data / "quarantine").glob("*"))
    return refusal.value, {p.name: p.read_bytes() for p in files}


SOME = object()  # a body is kept, how much of it depends on the moment
BY_HAND = "see https://page.example/x; what is fetched by hand"
BROKEN, EARLY, LONG = (
    "the connection failed or broke off",
    "the file ends early",
    "the file is long",
)
# fault: (problem, words of the remedy, requests, what is kept)
FAULTS = {
    "missing": ("HTTP 404 Not Found", BY_HAND, 1, None),
    "forbidden": ("HTTP 403 Forbidden", BY_HAND, 1, None),
    "busy": ("HTTP 429 Too Many Requests", BY_HAND, 1, None),
    "down": ("HTTP 500 Internal Server Error", BY_HAND, 3, None),
    "loop": ("redirects without end", BY_HAND, 31, None),
    "local": ("no valid address or answer", BY_HAND, 1, None),
    "nonsense": ("no valid address or answer", BY_HAND, 1, None),
    "silent": ("no answer in time", BY_HAND, 3, None),
    "slow_head": ("not finished after 2 s", "MONOTOWNS_TIMEOUT", 1, None),
    "empty": (EARLY, "new vintage", 3, None),
    "reset": (BROKEN, BY_HAND, 3, SOME),
    "hangup": (BROKEN, BY_HAND, 3, BODY[:4096]),
    "stalled": ("no answer in time", BY_HAND, 3, BODY[:4096]),
    "slow": ("not finished after 2 s", "MONOTOWNS_TIMEOUT", 1, SOME),
    "truncated": (EARLY, "new vintage", 3, BODY[:5000]),
    "long": (LONG, "new vintage", 1, BODY + b"more"),
    "endless": (LONG, "new vintage", 1, SOME),
    "packed_bomb": (LONG, "new vintage", 1, SOME),
    "changed": ("the bytes have changed", "new vintage", 1, CHANGED),
    "page": ("an HTML page under the name of a .xlsx file", "new vintage", 1, HTML),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_and_its_body_kept(server, tmp_path, fault):
    problem, remedy, requests, body = FAULTS[fault]
    address = f"{server}/{fault}"
    error, kept = refused(tmp_path, address, limits=WAITS.get(fault, LIMITS))
    if fault == "slow":  # the server drips on: what is in quarantine does not grow
        time.sleep(1)
        kept = {p.name: p.read_bytes() for p in tmp_path.rglob("thing-*")}
    assert error.where == address and error.problem.startswith(problem)
    assert remedy in error.remedy
    assert error.expected == f"{len(BODY)} bytes, sha256 {hashlib.sha256(BODY).hexdigest()}"
    assert Handler.seen[fault] == requests
    if body is None:
        assert kept == {}
        return
    ((name, bytes_),) = kept.items()
    assert body is SOME or bytes_ == body
    # No more is taken than what was registered and the rest of one chunk, unpacked.
    assert len(bytes_) <= len(BODY) + (1 << 16)
    digest = hashlib.sha256(bytes_).hexdigest()
    assert name == f"thing-{digest[:16]}.xlsx" and name in error.found
    if "new vintage" in remedy:
        assert f"{len(bytes_)} bytes, sha256 {digest}, beginning {bytes_[:16]!r}" in error.found


@pytest.mark.parametrize("fault", ["busy_once", "down_once", "reset_once", "truncated_once"])
def test_a_passing_fault_passes(server, tmp_path, fault):
    raw = tmp_path / "raw"
    path = fetch(source(f"{server}/{fault}"), raw, tmp_path / "quarantine", limits=LIMITS)
    assert path == raw / "x.xlsx" and path.read_bytes() == BODY
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [path]
    assert Handler.seen[fault] == 2


def test_pauses_double_and_a_server_that_asks_for_too_long_is_left(server, tmp_path, monkeypatch):
    error, _ = refused(tmp_path / "busy", f"{server}/busy")
    assert "asked to wait 3600 s" in error.found
    pauses = []
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=pauses.append)
    monkeypatch.setattr(download, "time", clock)
    refused(tmp_path / "down", f"{server}/down", limits=replace(LIMITS, pause=0.2))
    assert pauses == [0.2, 0.4]


def test_nobody_listens(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        error, _ = refused(tmp_path, f"http://127.0.0.1:{free.getsockname()[1]}/x")
    assert error.problem == BROKEN
    assert "refused" in error.found and "tries: 3" in error.found


def test_the_next_place_is_tried_and_all_faults_are_reported(server, tmp_path):
    addresses = [f"{server}/{name}" for name in ("missing", "page", "changed")]
    error, kept = refused(tmp_path / "all", *addresses)
    assert sorted(kept.values()) == sorted([HTML, CHANGED])
    for address, problem in zip(addresses, ("HTTP 404", "an HTML", "the bytes"), strict=True):
        assert f"{address}: {problem}" in str(error)
    raw, good = tmp_path / "raw", f"{server}/good"
    with pytest.warns(UserWarning, match=r"404(.|\n)*used instead: .*/good"):
        path = fetch(source(addresses[0], good), raw, tmp_path / "q", limits=LIMITS)
    assert path.read_bytes() == BODY


def test_a_mirror_comes_before_the_addresses_and_a_redirect_is_followed(server, tmp_path):
    mirrors = [f"{server}/moved/"]
    fetch(source(f"{server}/missing"), tmp_path / "raw", tmp_path / "q", mirrors, limits=LIMITS)
    assert Handler.seen == {"moved": 1, "good": 1}


def test_what_is_there_is_not_overwritten(server, tmp_path):
    raw, quarantine = tmp_path / "raw", tmp_path / "quarantine"
    raw.mkdir()
    # A part left by a killed run does no harm.
    (raw / "x.xlsx.part").write_bytes(CHANGED + BODY)
    fetch(source(f"{server}/good"), raw, quarantine, limits=LIMITS)
    assert {p.name: p.read_bytes() for p in raw.iterdir()} == {"x.xlsx": BODY}
    before = (raw / "x.xlsx").stat().st_mtime_ns
    fetch(source(f"{server}/changed"), raw, quarantine, limits=LIMITS)
    assert (raw / "x.xlsx").stat().st_mtime_ns == before
    assert Handler.seen == {"good": 1}
    # The same faulty bytes, met again, leave the first copy as it is.
    times = set()
    for _ in range(2):
        with pytest.raises(SourceError):
            fetch(source(f"{server}/changed"), tmp_path / "other", quarantine, limits=LIMITS)
        times |= {(p.name, p.stat().st_mtime_ns) for p in quarantine.iterdir()}
    assert len(times) == 1


def test_a_certificate_that_nobody_signed_is_refused(tmp_path):
    """Nothing is taken from a server that only says who it is."""
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1"]
    made += ["-keyout", "key.pem", "-out", "cert.pem"]
    keys = tmp_path / "keys"
    keys.mkdir()
    if not shutil.which(made[0]) or subprocess.run(made, cwd=keys, capture_output=True).returncode:
        pytest.skip("no openssl to make a certificate with")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / "cert.pem", keys / "key.pem")
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    error, kept = refused(tmp_path / "run", f"https://127.0.0.1:{server.server_port}/good")
    server.shutdown()
    assert error.problem == "the server's certificate is not trusted"
    assert kept == {} and not Handler.seen


def test_a_full_disk_leaves_no_part_and_keeps_what_was_there(server, tmp_path, monkeypatch):
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "other.xlsx").write_bytes(BODY)
    write = download._Sink.write

    def fill(sink, chunk):
        if sink.file.tell():
            raise OSError(errno.ENOSPC, "No space left on device")
        write(sink, chunk)

    monkeypatch.setattr(download._Sink, "write", fill)
    # Of two places the second is not asked: another server makes no room.
    with pytest.raises(OSError, match="No space left"):
        fetch(source(f"{server}/good", f"{server}/moved"), raw, tmp_path / "q", limits=LIMITS)
    assert {p.name: p.read_bytes() for p in raw.iterdir()} == {"other.xlsx": BODY}
    assert Handler.seen == {"good": 1}


def acquire(folder, server, fault):
    """Rewrite a snapshot of one table from a server, as `make snapshot` does."""
    snapshot = folder / "data/snapshot"
    snapshot.mkdir(parents=True)
    (snapshot / "grp.csv").write_text("region,year,grp\n")
    registry = yaml.safe_load((ROOT / "data/sources.yaml").read_text(encoding="utf-8"))
    entry = {**registry["grp"], "addresses": [f"{server}/{fault}"]}
    (folder / "data/sources.yaml").write_text(yaml.safe_dump({"grp": entry}), encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if k != "MONOTOWNS_MIRROR"}
    environment |= {"PYTHONPATH": str(ROOT / "workflow"), "PYTHONUTF8": "1"}
    command = [sys.executable, ROOT / "workflow/scripts/acquire/write_snapshot.py"]
    environment["MONOTOWNS_TIMEOUT"] = "5,3"
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("fault", "words", "kept"),
    [
        ("page", "an HTML page under the name of a .xlsx file", HTML),
        ("changed", "the file is longer than registered", CHANGED),
        ("missing", "HTTP 404 Not Found", None),
        ("slow_head", "not finished after 3 s", None),
    ],
)
def test_a_refusal_is_a_message_and_an_exit_code(server, tmp_path, fault, words, kept):
    folder = tmp_path / "inner/project"
    done = acquire(folder, server, fault)
    assert done.returncode == 2
    assert words in done.stderr and "Traceback" not in done.stderr
    files = {p.relative_to(tmp_path).parts: p for p in tmp_path.rglob("*") if p.is_file()}
    home = ("inner", "project", "data")
    assert files.pop((*home, "snapshot", "grp.csv")).read_bytes() == b"region,year,grp\n"
    assert files.pop((*home, "sources.yaml"))
    # The registered file is smaller or larger than these bodies; what came is kept as it came.
    assert [path[:-1] for path in files] == ([(*home, "quarantine")] if kept else [])
    assert all(kept.startswith(path.read_bytes()) for path in files.values())
