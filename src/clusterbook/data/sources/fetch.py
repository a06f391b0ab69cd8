"""Downloads with manners: cached, resumed, retried with patience, and clear about what to do without a network."""

from __future__ import annotations

import email.utils
import http
import http.client
import os
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from clusterbook.errors import ClusterbookError
from clusterbook.version import __version__

ATTEMPTS = 5
TIMEOUT = 60.0  # seconds without a byte before an attempt is given up
PAUSE = 0.5  # seconds left between two requests to one host
LONGEST_WAIT = 120.0  # seconds; an office that asks for more is obeyed by stopping
CHUNK = 1 << 16

_BUSY = (429, 500, 502, 503, 504)
_SECRET = re.compile(r"(?i)([?&](?:key|uid|userid|signature|subscription-key)=)[^&]+")
_last_request: dict[str, float] = {}


class _InterruptedError(Exception):
    """An attempt failed in a way that may pass; ``wait`` is the pause the office asked for, in seconds."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


def cache_folder(source: str) -> Path:
    """Return the folder in which downloads of a source are kept, and make it.

    It is ``$CLUSTERBOOK_CACHE/<source>`` where that variable is set, otherwise it lies in the user's cache folder as
    the operating system has it.
    """
    if named := os.environ.get("CLUSTERBOOK_CACHE"):
        base = Path(named)
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", str(Path.home()))) / "clusterbook"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches" / "clusterbook"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))) / "clusterbook"
    folder = base / source
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ClusterbookError(
            f"{folder}: the cache folder cannot be made ({error.strerror}). Set CLUSTERBOOK_CACHE to a writable folder."
        ) from error
    return folder


def download(url: str, path: Path) -> Path:
    """Bring what stands at ``url`` to ``path`` and return the path; a file that is already there is not asked for.

    An interrupted download stays beside the file as ``<name>.part`` and is taken up where it stopped, provided the
    office says that the file is still the same one. A busy office (429 or 5xx) is asked again after the time it names
    in Retry-After, else after 1, 2, 4 ... seconds. Nothing is ever left at ``path`` but a whole file.

    Raises ``ClusterbookError`` when the file cannot be had; the message says what was tried and where to put the file
    by hand.
    """
    if path.exists():
        return path
    if not url.startswith(("https://", "http://")):
        raise ClusterbookError(f"{url}: only addresses that begin with https:// or http:// are fetched.")
    reason = ""
    for attempt in range(ATTEMPTS):
        try:
            _attempt(url, path)
            return path
        except _InterruptedError as interruption:
            reason = str(interruption)
            wait = 2.0**attempt if interruption.wait is None else interruption.wait
        if wait > LONGEST_WAIT:
            reason += f"; the office asks to come back in {wait:.0f} seconds"
            raise ClusterbookError(_failure(url, path, reason, attempt + 1))
        if attempt + 1 < ATTEMPTS:
            time.sleep(wait)
    raise ClusterbookError(_failure(url, path, reason, ATTEMPTS))


def unpack(path: Path) -> Path:
    """Return the one table inside a zip file, unpacked beside it; a path that is no zip file comes back as it is."""
    if path.suffix.lower() != ".zip":
        return path
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if m.filename.lower().endswith((".csv", ".txt"))]
            if len(members) != 1:
                raise ClusterbookError(
                    f"{path}: {len(members)} tables in the zip file where one is expected. Unpack it and name the file."
                )
            target = path.with_name(Path(members[0].filename).name)
            partial = target.with_name(target.name + ".part")
            with archive.open(members[0]) as packed, partial.open("wb") as out:
                _copy(packed, out)
            partial.replace(target)
    except (zipfile.BadZipFile, EOFError) as error:
        raise ClusterbookError(
            f"{path}: not a whole zip file ({error}); the download was cut short. Delete it and fetch it again."
        ) from error
    return target


def _attempt(url: str, path: Path) -> None:
    partial, tag = path.with_name(path.name + ".part"), path.with_name(path.name + ".part.tag")
    path.parent.mkdir(parents=True, exist_ok=True)
    headers = {"User-Agent": f"clusterbook/{__version__}", "Accept-Encoding": "identity"}
    # without a validator nobody can tell whether the rest belongs to the same edition of the file
    if partial.exists() and tag.exists():
        headers |= {"Range": f"bytes={partial.stat().st_size}-", "If-Range": tag.read_text()}
    _keep_distance(url)
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT) as response:
            if path.suffix != ".html" and response.headers.get_content_type() == "text/html":
                raise ClusterbookError(_failure(url, path, "the office answered with a web page, not with data", 1))
            resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
            start = f"bytes {partial.stat().st_size}-" if resumed else ""
            if not response.headers.get("Content-Range", "").startswith(start):
                partial.unlink()
                raise _InterruptedError("the office sent another part of the file than was asked for", 0.0)
            validator = response.headers.get("ETag") or response.headers.get("Last-Modified")
            if validator and not validator.startswith("W/"):
                tag.write_text(validator)
            else:
                tag.unlink(missing_ok=True)
            expected = response.headers.get("Content-Length")
            with partial.open("ab" if resumed else "wb") as out:
                received = _copy(response, out)
    except urllib.error.HTTPError as error:
        _judge(error, url, path, partial)
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise _InterruptedError(str(getattr(error, "reason", error)) or type(error).__name__) from error
    if expected is not None and received < int(expected):
        raise _InterruptedError(f"the connection ended after {received} of {expected} bytes")
    partial.replace(path)
    tag.unlink(missing_ok=True)


def _judge(error: urllib.error.HTTPError, url: str, path: Path, partial: Path) -> None:
    """Raise what an HTTP error means: to be tried again, or final."""
    answer = f"HTTP {error.code} {error.reason}"
    if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        partial.unlink(missing_ok=True)
        raise _InterruptedError(answer, 0.0)
    if error.code in _BUSY:
        raise _InterruptedError(answer, _retry_after(error.headers.get("Retry-After")))
    detail = error.read(300).decode("utf-8", "replace").strip().splitlines()
    raise ClusterbookError(_failure(url, path, f"{answer}{': ' + detail[0] if detail else ''}", 1)) from error


def _retry_after(value: str | None) -> float | None:
    """Return the wait in seconds that a Retry-After header asks for: a number or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        until = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _keep_distance(url: str) -> None:
    host = urllib.parse.urlsplit(url).netloc
    rest = _last_request.get(host, -PAUSE) + PAUSE - time.monotonic()
    if rest > 0:
        time.sleep(rest)
    _last_request[host] = time.monotonic()


def _copy(source: IO[bytes], target: IO[bytes]) -> int:
    count = 0
    while block := source.read(CHUNK):
        target.write(block)
        count += len(block)
    return count


def _failure(url: str, path: Path, reason: str, attempts: int) -> str:
    shown = _SECRET.sub(r"\1...", url)
    tried = f"{attempts} attempt{'s' if attempts != 1 else ''}"
    return (
        f"{shown} could not be fetched ({reason}; {tried}). Check the connection and try again later, or download the "
        f"file by hand and save it as {path}: it is then read from there and nothing is fetched."
    )
