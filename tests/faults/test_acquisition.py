"""Everything that a server can do wrong, done by a server on the loopback."""

import errno
import gzip
import hashlib
import io
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import zipfile
from collections import Counter
from dataclasses import fields, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import yaml
from monotowns.acquire import transfer
from monotowns.acquire.download import fetch
from monotowns.acquire.registry import Source
from monotowns.acquire.transfer import Limits
from monotowns.run.errors import SourceError

ROOT = Path(__file__).parents[2]
BODY = b"PK\x03\x04" + bytes(range(256)) * 400
CHANGED = BODY[:-1] + b"!"
HTML = b"<!DOCTYPE html><html><body>This site needs JavaScript</body></html>"
# Patient enough for a busy machine; where the fault is a wait, its read time-out.
LIMITS = Limits(connect=5, read=5, total=20, tries=3, pause=0.01, longest_pause=0.5)
WAITS = {"silent": 0.3, "stalled": 0.3, "slow": 5, "slow_head": 5}


def zip_bomb():
    """A zip of the registered size that unpacks to 20 MB."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(20_000_000))
    return file.getvalue().ljust(len(BODY), b"\0")


ZIP_BOMB, PACKED_BOMB = zip_bomb(), gzip.compress(bytes(20_000_000), 1)


class Handler(BaseHTTPRequestHandler):
    """Each path is one fault."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar = Counter()

    def log_message(self, *words):
        pass

    def answer(self, status=200, body=b"", length=True, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if length:
            self.send_header("Content-Length", str(len(body) if length is True else length))
        else:
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        name = self.path.strip("/").split("/")[0]
        self.seen[name] += 1
        first = self.seen[name] == 1
        try:
            getattr(self, f"go_{name}")(first)
        except OSError:
            self.close_connection = True  # the client has left

    def drip(self, text, drop):
        for i in range(0, len(text), drop):
            self.wfile.write(text[i : i + drop])
            time.sleep(0.05)
        self.close_connection = True

    def go_good(self, first):
        self.answer(body=BODY)

    def go_missing(self, first):
        self.answer(404, HTML)

    def go_forbidden(self, first):
        self.answer(403, HTML)

    def go_busy_once(self, first):
        self.answer(429, Retry_After="0") if first else self.answer(body=BODY)

    def go_busy(self, first):
        self.answer(429, Retry_After="3600")

    def go_down(self, first):
        self.answer(500, b"oops")

    def go_down_once(self, first):
        self.answer(503) if first else self.answer(body=BODY)

    def go_loop(self, first):
        self.answer(302, Location="/loop")

    def go_moved(self, first):
        self.answer(302, Location="/good/x")

    def go_local(self, first):
        self.answer(302, Location="file:///etc/hostname")

    def go_reset(self, first):
        self.answer(body=BODY[: len(BODY) // 2], length=len(BODY))
        self.wfile.flush()
        # A close that lingers for no time is a reset.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()
        self.close_connection = True

    def go_reset_once(self, first):
        self.go_reset(first) if first else self.answer(body=BODY)

    def go_hangup(self, first):
        self.answer(body=BODY[:5000], length=len(BODY))
        self.close_connection = True

    def go_truncated(self, first):
        self.answer(body=BODY[:5000], length=False)

    def go_truncated_once(self, first):
        self.answer(body=BODY[:5000] if first else BODY, length=False)

    def go_empty(self, first):
        self.answer()

    def go_slow(self, first):
        self.answer(length=len(BODY))
        self.drip(BODY[:20_000], 100)

    def go_slow_head(self, first):
        self.drip(b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 200, 1)

    def go_silent(self, first):
        time.sleep(1)
        self.close_connection = True

    def go_stalled(self, first):
        self.answer(body=BODY[:5000], length=len(BODY))
        time.sleep(1)
        self.close_connection = True

    def go_long(self, first):
        self.answer(body=BODY + b"more")

    def go_endless(self, first):
        self.answer(length=False)
        while True:
            self.wfile.write(BODY)

    def go_changed(self, first):
        self.answer(body=CHANGED)

    def go_page(self, first):
        self.answer(body=HTML, Content_Type="application/vnd.ms-excel")

    def go_long_page(self, first):
        self.answer(body=HTML + b" " * len(BODY))

    def go_packed_bomb(self, first):
        self.answer(body=PACKED_BOMB, Content_Encoding="gzip")

    def go_zip_bomb(self, first):
        self.answer(body=ZIP_BOMB)

    def go_named(self, first):
        self.answer(body=CHANGED, Content_Disposition='attachment; filename="../../x"')

    def go_bad_chunk(self, first):
        self.answer(length=False, Transfer_Encoding="chunked")
        self.wfile.write(b"10\r\n" + BODY[:16] + b"\r\nzz\r\n")

    def go_short_length(self, first):
        self.answer(body=BODY, length=5000)
        self.close_connection = True

    def go_gone(self, first):
        self.answer(410, HTML)

    def go_login(self, first):
        self.answer(401, HTML)

    def go_nonsense(self, first):
        self.answer(body=BODY, length="many")


class Server(ThreadingHTTPServer):
    """A broken connection is what these tests make: no traceback of it."""

    def handle_error(self, request, address):
        pass


@pytest.fixture(scope="module")
def server():
    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    Handler.seen.clear()


def source(*addresses):
    told = {
        "id": "thing",
        "file": "x.xlsx",
        "access": "open",
        "addresses": addresses,
        "landing_page": "https://page.example/x",
        "sha256": hashlib.sha256(BODY).hexdigest(),
        "bytes": len(BODY),
        "tables": {"x": ["a"]},
    }
    # What a download does not read is empty.
    return Source(**dict.fromkeys((field.name for field in fields(Source)), "") | told)


def refused(folder, *addresses, limits=LIMITS):
    """The refusal and what is in quarantine; no file may lie anywhere else."""
    data = folder / "inner" / "data"
    if read := WAITS.get(addresses[0].rsplit("/", 1)[1]):
        limits = replace(limits, read=read, total=20 if read < 1 else 2)
    with pytest.raises(SourceError) as refusal:
        fetch(source(*addresses), data / "raw", data / "quarantine", limits=limits)
    files = {p for p in folder.rglob("*") if p.is_file()}
    assert files == set((data / "quarantine").glob("*"))
    return refusal.value, {p.name: p.read_bytes() for p in files}


# fault: (problem, words of the remedy, requests)
NO_BODY = {
    "missing": ("HTTP 404 Not Found", "see whether it has moved: https://page.example/x", 1),
    "forbidden": ("HTTP 403 Forbidden", "fetch it by hand from https://page.example/x", 1),
    "gone": ("HTTP 410 Gone", "see whether it has moved: https://page.example/x", 1),
    "login": ("HTTP 401 Unauthorized", "fetch it by hand from https://page.example/x", 1),
    "busy": ("HTTP 429 Too Many Requests", "again later", 1),
    "down": ("HTTP 500 Internal Server Error", "again later", 3),
    "loop": ("redirects without end", "by hand", 31),
    "local": ("no valid address or answer", "by hand", 1),
    "silent": ("no answer in time", "by hand", 3),
    "nonsense": ("no valid address or answer", "by hand", 1),
    "empty": ("the file ends early", "what this place gives", 3),
    "slow_head": ("not finished after 2 s", "MONOTOWNS_TIMEOUT", 1),
}
# fault: (problem, what is kept where it is known, requests)
WITH_BODY = {
    "reset": ("the connection failed or broke off", None, 3),
    "bad_chunk": ("the connection failed or broke off", None, 3),
    "short_length": ("the file ends early", BODY[:5000], 3),
    "hangup": ("the connection failed or broke off", BODY[:4096], 3),
    "stalled": ("no answer in time", BODY[:4096], 3),
    "truncated": ("the file ends early", BODY[:5000], 3),
    "slow": ("not finished after 2 s", None, 1),
    "long": ("the file is longer than registered", BODY + b"more", 1),
    "endless": ("the file is longer than registered", None, 1),
    "changed": ("the bytes have changed", CHANGED, 1),
    "page": ("an HTML page under the name of a .xlsx file", HTML, 1),
    "long_page": ("an HTML page under the name of a .xlsx file", None, 1),
    "packed_bomb": ("the file is longer than registered", None, 1),
    "zip_bomb": ("the bytes have changed", ZIP_BOMB, 1),
    "named": ("the bytes have changed", CHANGED, 1),
}


@pytest.mark.parametrize("fault", NO_BODY)
def test_a_fault_without_a_body(server, tmp_path, figures, fault):
    problem, remedy, requests = NO_BODY[fault]
    error, kept = refused(tmp_path, f"{server}/{fault}")
    assert (error.where, error.problem) == (f"{server}/{fault}", problem)
    assert remedy in error.remedy
    assert kept == {}
    assert Handler.seen[fault] == requests
    figures |= {"told": problem, "requests": requests, "bytes kept": 0}


@pytest.mark.parametrize("fault", WITH_BODY)
def test_a_fault_with_a_body_keeps_it(server, tmp_path, figures, fault):
    problem, body, requests = WITH_BODY[fault]
    error, kept = refused(tmp_path, f"{server}/{fault}")
    assert (error.where, error.problem) == (f"{server}/{fault}", problem)
    assert Handler.seen[fault] == requests
    ((name, bytes_),) = kept.items()
    if body is not None:
        assert bytes_ == body
    # No more is taken than what was registered and the rest of one chunk, unpacked.
    assert len(bytes_) <= len(BODY) + (1 << 16)
    digest = hashlib.sha256(bytes_).hexdigest()
    assert name == f"thing-{digest[:16]}.xlsx"
    assert error.expected == f"{len(BODY)} bytes, sha256 {hashlib.sha256(BODY).hexdigest()}"
    assert f"{len(bytes_)} bytes, sha256 {digest}, beginning {bytes_[:16]!r}" in error.found
    assert name in error.found
    assert error.remedy
    figures |= {"told": problem, "requests": requests, "bytes kept": len(bytes_)}


@pytest.mark.parametrize(
    ("fault", "requests"),
    [("busy_once", 2), ("down_once", 2), ("reset_once", 2), ("truncated_once", 2), ("moved", 1)],
)
def test_a_passing_fault_passes(server, tmp_path, figures, fault, requests):
    raw = tmp_path / "raw"
    path = fetch(source(f"{server}/{fault}"), raw, tmp_path / "quarantine", limits=LIMITS)
    assert path == raw / "x.xlsx" and path.read_bytes() == BODY
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [path]
    assert Handler.seen[fault] == requests
    figures |= {"told": "nothing", "requests": requests}


def test_pauses_double_and_a_server_that_asks_for_too_long_is_left(server, tmp_path):
    error, _ = refused(tmp_path / "busy", f"{server}/busy")
    assert "asked to wait 3600 s" in error.found
    start = time.monotonic()
    refused(tmp_path / "down", f"{server}/down", limits=replace(LIMITS, pause=0.2))
    assert time.monotonic() - start >= 0.2 + 0.4


def test_a_terminal_shows_progress_and_a_log_does_not(server, tmp_path, capsys, monkeypatch):
    fetch(source(f"{server}/good"), tmp_path / "a", tmp_path / "q", limits=LIMITS)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    fetch(source(f"{server}/good"), tmp_path / "b", tmp_path / "q", limits=LIMITS)
    assert "100%" in capsys.readouterr().err


def test_nobody_listens(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        error, _ = refused(tmp_path, f"http://127.0.0.1:{free.getsockname()[1]}/x")
    assert error.problem == "the connection failed or broke off"
    assert "refused" in error.found and "tries: 3" in error.found


def test_the_next_place_is_tried_and_all_faults_are_told(server, tmp_path):
    addresses = [f"{server}/{name}" for name in ("missing", "page", "changed")]
    error, kept = refused(tmp_path / "all", *addresses)
    assert sorted(kept.values()) == sorted([HTML, CHANGED])
    for address, problem in zip(addresses, ("HTTP 404", "an HTML", "the bytes"), strict=True):
        assert f"{address}: {problem}" in str(error)
    with pytest.warns(UserWarning, match=r"404(.|\n)*used instead: .*/good"):
        path = fetch(
            source(addresses[0], f"{server}/good"), tmp_path / "raw", tmp_path / "q", limits=LIMITS
        )
    assert path.read_bytes() == BODY


def test_an_http_mirror_comes_before_the_addresses(server, tmp_path):
    fetch(
        source(f"{server}/missing"),
        tmp_path / "raw",
        tmp_path / "q",
        [f"{server}/good/"],
        limits=LIMITS,
    )
    assert Handler.seen == {"good": 1}


def test_what_is_there_is_not_overwritten(server, tmp_path):
    raw, quarantine = tmp_path / "raw", tmp_path / "quarantine"
    raw.mkdir()
    (raw / "x.xlsx").write_bytes(BODY)
    before = (raw / "x.xlsx").stat().st_mtime_ns
    fetch(source(f"{server}/changed"), raw, quarantine, limits=LIMITS)
    assert (raw / "x.xlsx").stat().st_mtime_ns == before
    assert not Handler.seen
    # The same faulty bytes, met again, leave the first copy as it is.
    times = set()
    for _ in range(2):
        with pytest.raises(SourceError):
            fetch(source(f"{server}/changed"), tmp_path / "other", quarantine, limits=LIMITS)
        times |= {(p.name, p.stat().st_mtime_ns) for p in quarantine.iterdir()}
    assert len(times) == 1


def test_a_part_left_by_a_killed_run_does_no_harm(server, tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "x.xlsx.part").write_bytes(CHANGED + BODY)
    fetch(source(f"{server}/good"), raw, tmp_path / "q", limits=LIMITS)
    assert {p.name: p.read_bytes() for p in raw.iterdir()} == {"x.xlsx": BODY}


def test_a_certificate_that_nobody_signed_is_refused(tmp_path):
    """Nothing is taken from a server that only says who it is."""
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=127.0.0.1",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
    ]
    keys = tmp_path / "keys"
    keys.mkdir()
    if not shutil.which(made[0]) or subprocess.run(made, cwd=keys, capture_output=True).returncode:
        pytest.skip("no openssl to make a certificate with")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / "cert.pem", keys / "key.pem")
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"https://127.0.0.1:{server.server_port}/good"
    error, kept = refused(tmp_path / "run", address)
    server.shutdown()
    assert error.problem == "the server's certificate is not trusted"
    assert "certificates" in error.remedy
    assert kept == {} and not Handler.seen


def test_a_full_disk_leaves_no_part_and_keeps_what_was_there(server, tmp_path, monkeypatch):
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "other.xlsx").write_bytes(BODY)
    write = transfer._Sink.write

    def fill(sink, chunk):
        if sink.file.tell():
            raise OSError(errno.ENOSPC, "No space left on device")
        write(sink, chunk)

    monkeypatch.setattr(transfer._Sink, "write", fill)
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
    environment["MONOTOWNS_TIMEOUT"] = "5,3"
    script = ROOT / "workflow/scripts/acquire/write_snapshot.py"
    return subprocess.run(
        [sys.executable, script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


@pytest.mark.parametrize(
    ("fault", "words", "kept"),
    [
        ("page", "an HTML page under the name of a .xlsx file", HTML),
        ("named", "the file is longer than registered", CHANGED),
        ("missing", "HTTP 404 Not Found", None),
        ("loop", "redirects without end", None),
        ("slow_head", "not finished after 3 s", None),
    ],
)
def test_a_refusal_is_a_message_and_an_exit_code(server, tmp_path, fault, words, kept):
    folder = tmp_path / "inner/project"
    done = acquire(folder, server, fault)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    files = {
        p.relative_to(tmp_path).parts: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()
    }
    home = ("inner", "project", "data")
    assert files.pop((*home, "snapshot", "grp.csv")) == b"region,year,grp\n"
    assert files.pop((*home, "sources.yaml"))
    # The registered file is smaller or larger than these bodies; what came is kept as it came.
    assert [path[:-1] for path in files] == ([(*home, "quarantine")] if kept else [])
    assert all(kept.startswith(body) for body in files.values())
