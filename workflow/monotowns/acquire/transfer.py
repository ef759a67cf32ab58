"""One try at one place: take no more than was registered, and say what went wrong."""

import contextlib
import os
import shutil
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import responses

from monotowns.run.errors import SourceError

#: Some servers refuse a request without a name; compressed answers have no registered size.
HEADERS = {"User-Agent": "monotowns (reproducible research)", "Accept-Encoding": "identity"}
ABSENT = "no readable file of this name"


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


class Fault(SourceError):
    """What one place did wrong.

    A ``passing`` fault may be gone at the next try, after ``wait`` seconds if the server says so.
    """

    def __init__(self, where, problem, *, passing=False, wait=None, **said):
        super().__init__(where, problem, **said)
        self.passing, self.wait = passing, wait


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


def receive(place, part, source, limits: Limits, seconds: float):
    """Copy a place's bytes into the file ``part``; they are not verified yet.

    Parameters
    ----------
    place : str or pathlib.Path
        An http address or a file.
    part : pathlib.Path
    source : Source
    limits : Limits
    seconds : float
        How long this try may take.

    Raises
    ------
    Fault
        What came so far stays in ``part``.
    """
    with part.open("wb") as file, contextlib.suppress(_Enough):
        sink = _Sink(file, source.bytes)
        if isinstance(place, str):
            _download(place, sink, source, limits, seconds)
        elif not (place.is_file() and os.access(place, os.R_OK)):
            raise Fault(place, ABSENT, remedy="put the file there, or set MONOTOWNS_MIRROR anew")
        else:
            with place.open("rb") as original:
                shutil.copyfileobj(original, sink)


def _download(address, sink, source, limits, seconds):
    import pooch

    downloader = pooch.HTTPDownloader(
        progressbar=sys.stderr.isatty(),
        headers=HEADERS,
        timeout=(min(limits.connect, seconds), min(limits.read, seconds)),
    )
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
        raise Fault(
            address,
            f"not finished after {limits.total:g} s",
            remedy="on a slow line set MONOTOWNS_TIMEOUT to more seconds",
        )
    if raised:
        raise _said(raised[0], address, source, limits)


def _said(error, address, source, limits):
    """Translate what the network did into a fault; what is not the network's stays as it is."""
    from requests import exceptions as network

    page = source.landing_page
    by_hand = f"fetch it by hand from {page} into a folder named by MONOTOWNS_MIRROR"
    moved = f"see whether it has moved: {page}"
    if isinstance(error, network.HTTPError):
        status = error.response.status_code
        remedy = {401: by_hand, 403: by_hand, 404: moved, 410: moved}
        return Fault(
            address,
            f"HTTP {status} {responses.get(status, '')}",
            remedy=remedy.get(status, "try again later"),
            passing=status in (408, 425, 429) or status >= 500,
            wait=_seconds(error.response.headers.get("Retry-After")),
        )
    root = error
    while root.__context__ is not None:
        root = root.__context__
    found = f"{type(root).__name__}: {root}"
    if isinstance(error, network.TooManyRedirects):
        return Fault(address, "redirects without end", found=found, remedy=by_hand)
    if isinstance(error, network.SSLError):
        clock = "check the machine's clock and certificates"
        return Fault(address, "the server's certificate is not trusted", found=found, remedy=clock)
    if isinstance(error, network.Timeout) or "timed out" in str(error):
        found = f"silence of {limits.connect:g} s (connecting) or {limits.read:g} s (reading)"
        return Fault(address, "no answer in time", found=found, passing=True, remedy=by_hand)
    if isinstance(error, (network.ConnectionError, network.ChunkedEncodingError)):
        return Fault(
            address,
            "the connection failed or broke off",
            found=found,
            passing=True,
            remedy=f"check the network, or {by_hand}",
        )
    if isinstance(error, (network.RequestException, ValueError)):
        return Fault(address, "no valid address or answer", found=found, remedy=by_hand)
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
