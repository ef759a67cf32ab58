"""Verified download: nothing sees a file before its digest is the registered one."""

import math
import os
import re
import time
import warnings
from pathlib import Path
from urllib.parse import quote

from monotowns.acquire.registry import TRUNCATED, Source, fingerprint, verify
from monotowns.acquire.transfer import ABSENT, Fault, Limits, receive
from monotowns.run.errors import SourceError

CHANGED = "look at what this place gives now; a new vintage is registered in data/sources.yaml"


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
        try:
            seconds = [float(number) for number in text.split(",")]
        except ValueError:
            seconds = []
        if len(seconds) not in (1, 2) or not all(0 < s < math.inf for s in seconds):
            raise SourceError(
                "MONOTOWNS_TIMEOUT",
                "not a time-out",
                found=repr(text),
                expected="seconds: TOTAL or CONNECT,TOTAL, e.g. 10,600",
            )
        *connect, total = seconds
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
        except Fault as error:
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
    found = [error.found] if isinstance(error, Fault) and error.found else []
    if path.exists() and path.stat().st_size:
        size, digest, head = fingerprint(path)
        kept = Path(quarantine) / f"{source.id}-{digest[:16]}{Path(source.file).suffix}"
        kept.parent.mkdir(parents=True, exist_ok=True)
        # The name holds the digest: a file that has it already is this very file.
        path.unlink() if kept.exists() else os.replace(path, kept)
        found += [f"{size} bytes, sha256 {digest}, beginning {head[:16]!r}", f"kept as {kept}"]
    return SourceError(
        place,
        error.problem,
        expected=f"{source.bytes} bytes, sha256 {source.sha256}",
        found="; ".join(found) or None,
        remedy=error.remedy,
    )


def _bring(place, part, source, limits):
    """Bring the verified bytes of one place into ``part``; a passing fault is tried again."""
    end = time.monotonic() + limits.total
    for attempt in range(1, limits.tries + 1):
        try:
            receive(place, part, source, limits, max(0.1, end - time.monotonic()))
            try:
                verify(part, source)
            except SourceError as error:
                short = isinstance(place, str) and error.problem == TRUNCATED
                raise Fault(place, error.problem, passing=short, remedy=CHANGED) from None
            return
        except Fault as fault:
            wait = limits.pause * 2 ** (attempt - 1) if fault.wait is None else fault.wait
            late = wait > limits.longest_pause or time.monotonic() + wait >= end
            if not fault.passing or late or attempt == limits.tries:
                if fault.passing:
                    asked = "" if fault.wait is None else f", asked to wait {fault.wait:g} s"
                    fault.found = "; ".join(filter(None, [fault.found, f"tries: {attempt}{asked}"]))
                raise
        time.sleep(wait)
