"""Verified download: nothing sees a file before its digest is the registered one."""

import contextlib
import os
import re
import shutil
import sys
import threading
import time
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote

from monotowns.errors import SourceError
from monotowns.sources import TRUNCATED, Source, fingerprint, verify

#: Some servers refuse a request without a name; compressed answers have no registered size.
HEADERS = {"User-Agent": "monotowns (reproducible research)", "Accept-Encoding": "identity"}
CHANGED = "look at what this place gives now; a new vintage is registered in data/sources.yaml"


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


class _Fault(SourceError):
    """What one place did wrong; ``passing`` faults may be gone at the next try."""

    def __init__(self, where, problem, *, passing=False, wait=None, **said):
        super().__init__(where, problem, **said)
        self.passing, self.wait = passing, wait


def split_mirrors(text: str, separator: str = os.pathsep) -> list[str]:
    """Split ``MONOTOWNS_MIRROR`` into folders and http addresses.

    The separator of a search path is a colon on most systems, and addresses hold colons after
    the scheme and before a port; both stay inside their address.
    """
    s = re.escape(separator)
    address = rf"https?://(?:\[[^\]]*\]|[^/:{s}]+)(?::\d+(?=/|{s}|$))?(?:/[^{s}]*)?"
    return [m.strip() for m in re.findall(rf"{address}|[^{s}]+", text) if m.strip()]


def from_environment(environment) -> dict:
    """Read a machine's mirrors and patience: ``MONOTOWNS_MIRROR``, ``MONOTOWNS_TIMEOUT``.

    The latter is ``TOTAL`` or ``CONNECT,TOTAL`` in seconds.

    Returns
    -------
    dict
        ``mirrors`` and ``limits``, as :func:`fetch` takes them.

    Raises
    ------
    SourceError
        When the time-outs are not one or two positive numbers.
    """
    limits, text = Limits(), environment.get("MONOTOWNS_TIMEOUT", "")
    if text:
        if not re.fullmatch(r"(?:\d+(?:\.\d+)?,)?\d+(?:\.\d+)?", text):
            raise SourceError("MONOTOWNS_TIMEOUT", "not a time-out", found=repr(text),
                              expected="seconds: TOTAL or CONNECT,TOTAL, e.g. 10,600")  # fmt: skip
        *connect, total = map(float, text.split(","))
        limits = Limits(connect=connect[0] if connect else limits.connect, total=total)
    mirrors = split_mirrors(environment.get("MONOTOWNS_MIRROR", ""))
    return {"mirrors": mirrors, "limits": limits}


def fetch(source: Source, folder, quarantine, mirrors=(), limits: Limits | None = None) -> Path:
    """Bring a source's file into a folder: mirrors first, then its addresses in order.

    Parameters
    ----------
    source : Source
    folder : path-like
        Where the verified file ends up. A file that lies there already is verified and used.
    quarantine : path-like
        Where faulty files are kept, as ``<source>-<16 digits of the sha256>.<ending>``.
    mirrors : iterable of str
        Folders or http addresses that hold the file under its registered name.
    limits : Limits, optional

    Raises
    ------
    SourceError
        When no place gives the registered bytes, with every place's fault. A fault that another
        place makes good is a warning.
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
            for fault in faults:
                warnings.warn(f"{fault}\n  used instead: {place}", stacklevel=2)
            return target
        except _Fault as error:
            faults.append(_refusal(error, place, part, source, quarantine))
        finally:
            part.unlink(missing_ok=True)
    if len(faults) == 1:
        raise faults[0]
    raise SourceError(
        source.file, "no place gives the registered bytes",
        found="".join("\n    " + str(f).replace("\n", "\n    ") for f in faults) or "no address",
        remedy="put the file into a folder and set MONOTOWNS_MIRROR to that folder",
    )  # fmt: skip


def _inside(mirror, name):
    if mirror.startswith(("http://", "https://")):
        return f"{mirror.rstrip('/')}/{quote(name)}"
    return Path(mirror).expanduser() / name


def _refusal(error, place, path, source, quarantine):
    """Move a faulty file into quarantine and put all that is known into one error."""
    found = [error.found] if isinstance(error, _Fault) and error.found else []
    if path.exists() and path.stat().st_size:
        size, digest, head = fingerprint(path)
        kept = Path(quarantine) / f"{source.id}-{digest[:16]}{Path(source.file).suffix}"
        kept.parent.mkdir(parents=True, exist_ok=True)
        # The name holds the digest: a file that has it already is this very file.
        path.unlink() if kept.exists() else os.replace(path, kept)
        found += [f"{size} bytes, sha256 {digest}, beginning {head[:16]!r}", f"kept as {kept}"]
    return SourceError(
        place, error.problem, expected=f"{source.bytes} bytes, sha256 {source.sha256}",
        found="; ".join(found) or None, remedy=error.remedy,
    )  # fmt: skip


def _bring(place, part, source, limits):
    """Bring the verified bytes of one place into ``part``; a passing fault is tried again."""
    end = time.monotonic() + limits.total
    for attempt in range(1, limits.tries + 1):
        try:
            _receive(place, part, source, limits, max(0.1, end - time.monotonic()))
            try:
                verify(part, source)
            except SourceError as error:
                short = isinstance(place, str) and error.problem == TRUNCATED
                raise _Fault(place, error.problem, passing=short, remedy=CHANGED) from None
            return
        except _Fault as fault:
            wait = limits.pause * 2 ** (attempt - 1) if fault.wait is None else fault.wait
            late = wait > limits.longest_pause or time.monotonic() + wait >= end
            if not fault.passing or late or attempt == limits.tries:
                if fault.passing:
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


def _receive(place, part, source, limits, seconds):
    with part.open("wb") as file, contextlib.suppress(_Enough):
        sink = _Sink(file, source.bytes)
        if isinstance(place, str):
            _download(place, sink, source, limits, seconds)
        elif not (place.is_file() and os.access(place, os.R_OK)):
            raise _Fault(place, "no readable file of this name",
                         remedy="put the file there, or set MONOTOWNS_MIRROR anew")  # fmt: skip
        else:
            with place.open("rb") as original:
                shutil.copyfileobj(original, sink)


def _download(address, sink, source, limits, seconds):
    import pooch

    downloader = pooch.HTTPDownloader(
        progressbar=sys.stderr.isatty(), headers=HEADERS,
        timeout=(min(limits.connect, seconds), min(limits.read, seconds)),
    )  # fmt: skip
    raised = []

    def work():
        try:
            downloader(address, sink, None)
        except Exception as error:
            raised.append(error)

    # A socket's time-out starts anew with every byte; a server that drips needs a clock outside.
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise _Fault(address, f"not finished after {limits.total:g} s",
                     remedy="on a slow line set MONOTOWNS_TIMEOUT to more seconds")  # fmt: skip
    if raised:
        raise _said(raised[0], address, source, limits)


def _said(error, address, source, limits):
    """Translate what the network did into a fault; what is not the network's stays as it is."""
    from requests import exceptions as network

    page = source.landing_page
    by_hand = f"fetch it by hand from {page} into a folder named by MONOTOWNS_MIRROR"
    moved = f"see whether it has moved: {page}"
    if isinstance(error, network.HTTPError):
        status, reason = error.response.status_code, error.response.reason
        remedy = {401: by_hand, 403: by_hand, 404: moved, 410: moved}
        return _Fault(
            address, f"HTTP {status} {reason}", remedy=remedy.get(status, "try again later"),
            passing=status in (408, 425, 429) or status >= 500,
            wait=_seconds(error.response.headers.get("Retry-After")),
        )  # fmt: skip
    root = error
    while root.__context__ is not None:
        root = root.__context__
    found = f"{type(root).__name__}: {root}"
    if isinstance(error, network.TooManyRedirects):
        return _Fault(address, "redirects without end", found=found, remedy=by_hand)
    if isinstance(error, network.SSLError):
        clock = "check the machine's clock and certificates"
        return _Fault(address, "the server's certificate is not trusted", found=found, remedy=clock)
    if isinstance(error, network.Timeout) or "timed out" in str(error):
        found = f"silence of {limits.connect:g} s (connecting) or {limits.read:g} s (reading)"
        return _Fault(address, "no answer in time", found=found, passing=True, remedy=by_hand)
    if isinstance(error, (network.ConnectionError, network.ChunkedEncodingError)):
        return _Fault(address, "the connection failed or broke off", found=found, passing=True,
                      remedy=f"check the network, or {by_hand}")  # fmt: skip
    if isinstance(error, (network.RequestException, ValueError)):
        return _Fault(address, "no valid address or answer", found=found, remedy=by_hand)
    return error


def _seconds(retry_after):
    """Read a Retry-After header: seconds or a date; None when it is neither."""
    if retry_after is None:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        date = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    # A date without a zone is meant as UTC.
    date = date.replace(tzinfo=date.tzinfo or UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())
