"""Verified download: nothing sees a file before its digest is the registered one.

pooch brings the bytes over HTTP. Of pooch 1.9 a fault leaves nothing behind, a place has no time
limit and a body no end; the quarantine, the order of the places and the limits are ours.
"""

import contextlib
import math
import os
import re
import shutil
import sys
import threading
import time
import warnings
from dataclasses import dataclass
from http.client import responses
from pathlib import Path
from urllib.parse import quote

import pooch
from requests import exceptions as network

from monotowns.acquire.registry import TRUNCATED, Source, fingerprint, verify
from monotowns.run.errors import SourceError

#: Some servers refuse a request without a name; compressed answers have no registered size.
HEADERS = {"User-Agent": "monotowns (reproducible research)", "Accept-Encoding": "identity"}
ABSENT = "no readable file of this name"
#: What requests raises -> the problem in words, and whether it may be gone at the next try.
FAULTS = [
    (network.TooManyRedirects, "redirects without end", False),
    (network.SSLError, "the server's certificate is not trusted", False),
    (network.Timeout, "no answer in time", True),
    (network.ConnectionError, "the connection failed or broke off", True),
    (network.ChunkedEncodingError, "the connection failed or broke off", True),
    ((network.RequestException, ValueError), "no valid address or answer", False),
]


@dataclass(frozen=True)
class Limits:
    """How patient a download is; all times in seconds.

    ``connect`` and ``read`` bound the wait for a connection and for the next bytes, ``total`` a
    whole place with all its tries. After a passing fault there are up to ``tries`` tries, the
    pauses double from ``pause``; a server that asks for more than ``longest_pause`` is left.
    """

    connect: float = 10
    read: float = 30
    total: float = 600
    tries: int = 4
    pause: float = 1
    longest_pause: float = 60


class Passing(SourceError):
    """A fault that may be gone at the next try, after ``wait`` seconds if the server says so."""

    wait = None


def split_mirrors(text: str, separator: str = os.pathsep) -> list[str]:
    """Split ``MONOTOWNS_MIRROR`` into folders and http addresses.

    The separator of a search path is a colon on most systems, and addresses hold colons after
    the scheme and before a port; both stay inside their address.
    """
    s = re.escape(separator)
    address = rf"https?://(?:\[[^\]]*\]|[^/:{s}]+)(?::\d+(?=/|{s}|$))?(?:/[^{s}]*)?"
    return [m.strip() for m in re.findall(rf"{address}|[^{s}]+", text) if m.strip()]


def from_environment(environment) -> dict:
    """Read ``MONOTOWNS_MIRROR`` and ``MONOTOWNS_TIMEOUT`` as :func:`fetch` takes them."""
    text = environment.get("MONOTOWNS_TIMEOUT") or f"{Limits.connect},{Limits.total}"
    try:
        *connect, total = seconds = [float(number) for number in text.split(",")]
        if len(connect) > 1 or not all(0 < s < math.inf for s in seconds):
            raise ValueError
    except ValueError:
        raise SourceError(
            "MONOTOWNS_TIMEOUT",
            "not a time-out",
            found=repr(text),
            expected="seconds: TOTAL or CONNECT,TOTAL, e.g. 10,600",
        ) from None
    limits = Limits(connect=connect[0] if connect else Limits.connect, total=total)
    return {"mirrors": split_mirrors(environment.get("MONOTOWNS_MIRROR", "")), "limits": limits}


def fetch(source: Source, folder, quarantine, mirrors=(), limits: Limits | None = None) -> Path:
    """Bring a source's file into a folder: mirrors first, then its addresses in order.

    A file that lies in the folder already is verified and used. Mirrors are folders or http
    addresses that hold the file under its registered name. Faulty files are kept in the folder
    ``quarantine`` as ``<source>-<16 digits of the sha256>.<ending>``.

    Raises
    ------
    SourceError
        When no place gives the registered bytes, with every place's fault. A fault that another
        place makes good is a warning; a mirror may lack files.
    """
    folder, limits = Path(folder), limits or Limits()
    target, part = folder / source.file, folder / f"{source.file}.part"
    folder.mkdir(parents=True, exist_ok=True)
    faults = []
    if target.exists():
        try:
            return verify(target, source)
        except SourceError as error:
            faults.append(_refusal(error, target, target, source, quarantine))
    for place in (*(_inside(mirror, source.file) for mirror in mirrors), *source.addresses):
        try:
            _bring(place, part, source, limits)
            os.replace(part, target)
            for fault in (f for f in faults if f.problem != ABSENT):
                warnings.warn(f"{fault}\n  used instead: {place}", stacklevel=2)
            return target
        except SourceError as error:
            faults.append(_refusal(error, place, part, source, quarantine))
        finally:
            part.unlink(missing_ok=True)
    if len(faults) == 1:
        raise faults[0]
    raise SourceError(
        source.file,
        "no place gives the registered bytes",
        found="".join("\n    " + str(f).replace("\n", "\n    ") for f in faults) or "no address",
        remedy="put the file into a folder and set MONOTOWNS_MIRROR to that folder",
    )


def _inside(mirror, name):
    if mirror.startswith(("http://", "https://")):
        return f"{mirror.rstrip('/')}/{quote(name)}"
    return Path(mirror).expanduser() / name


def _refusal(error, place, path, source, quarantine):
    """Move a faulty file into quarantine and put all that is known into one error."""
    found = [] if error.found is None else [error.found]
    if path.exists() and path.stat().st_size:
        digest = fingerprint(path)[1]
        kept = Path(quarantine) / f"{source.id}-{digest[:16]}{Path(source.file).suffix}"
        kept.parent.mkdir(parents=True, exist_ok=True)
        # The name holds the digest: a file that has it already is this very file.
        path.unlink() if kept.exists() else os.replace(path, kept)
        found.append(f"kept as {kept}")
    expected, found = f"{source.bytes} bytes, sha256 {source.sha256}", "; ".join(found) or None
    return SourceError(place, error.problem, expected=expected, found=found, remedy=error.remedy)


def _bring(place, part, source, limits):
    """Bring the verified bytes of one place into ``part``; a passing fault is tried again."""
    if isinstance(place, Path):
        if not (place.is_file() and os.access(place, os.R_OK)):
            raise SourceError(place, ABSENT, remedy="put it there, or set MONOTOWNS_MIRROR anew")
        shutil.copyfile(place, part)
        verify(part, source)
        return
    end = time.monotonic() + limits.total
    for attempt in range(1, limits.tries + 1):
        try:
            return _download(place, part, source, limits, max(0.1, end - time.monotonic()))
        except Passing as fault:
            wait = limits.pause * 2 ** (attempt - 1) if fault.wait is None else fault.wait
            late = wait > limits.longest_pause or time.monotonic() + wait >= end
            if late or attempt == limits.tries:
                asked = "" if fault.wait is None else f", asked to wait {fault.wait:g} s"
                fault.found = "; ".join(filter(None, [fault.found, f"tries: {attempt}{asked}"]))
                raise
        time.sleep(wait)


class _Enough(Exception):
    """Reading stops here; what the bytes are is for :func:`verify` to say."""


class _Sink:
    """A file that takes what was registered and no more: an endless body or a bomb ends here."""

    def __init__(self, file, limit):
        self.file, self.limit, self.flush = file, limit, file.flush

    def write(self, chunk):
        self.file.write(chunk)
        if self.file.tell() > self.limit:
            raise _Enough


def _download(address, part, source, limits, seconds):
    """Try an address once, for so many seconds; what came so far stays in ``part``."""
    downloader = pooch.HTTPDownloader(
        progressbar=sys.stderr.isatty(),
        headers=HEADERS,
        timeout=(min(limits.connect, seconds), min(limits.read, seconds)),
    )
    raised = []

    def work(sink):
        try:
            with contextlib.suppress(_Enough):
                downloader(address, sink, None)
        except Exception as error:
            raised.append(error)

    # A socket's time-out starts anew with every byte; a server that drips needs a clock outside.
    # The file is closed here: a thread that is left behind writes no more into it.
    with part.open("wb") as file:
        thread = threading.Thread(target=work, args=[_Sink(file, source.bytes)], daemon=True)
        thread.start()
        thread.join(seconds)
    if thread.is_alive():
        raise SourceError(
            address,
            f"not finished after {limits.total:g} s",
            remedy="on a slow line set MONOTOWNS_TIMEOUT to more seconds",
        )
    if raised:
        raise _fault(raised[0], address, source)
    try:
        verify(part, source)
    except SourceError as error:
        kind = Passing if error.problem == TRUNCATED else SourceError
        raise kind(address, error.problem, found=error.found, remedy=error.remedy) from None


def _fault(error, address, source):
    """Translate what the network did; what is not the network's stays as it is."""
    page, wait, found = source.landing_page, None, None
    if isinstance(error, network.HTTPError):
        status, asked = error.response.status_code, error.response.headers.get("Retry-After", "")
        problem, again = f"HTTP {status} {responses.get(status, '')}", status >= 500
        again = again or status in (408, 425, 429)
        wait = float(asked) if asked.isdecimal() else None
    else:
        root = error
        while root.__context__ is not None:
            root = root.__context__
        found = f"{type(root).__name__}: {root}"
        known = [(problem, again) for kind, problem, again in FAULTS if isinstance(error, kind)]
        if not known:
            return error
        problem, again = known[0]
        # A silence in the middle of a body comes as a broken connection.
        problem = "no answer in time" if again and "timed out" in str(error) else problem
    remedy = f"see {page}; what is fetched by hand goes into a folder named by MONOTOWNS_MIRROR"
    fault = (Passing if again else SourceError)(address, problem, found=found, remedy=remedy)
    fault.wait = wait
    return fault
