"""Folders that are there wholly or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clusterbook.errors import OutputError


@contextmanager
def fresh_folder(out: str | Path, *, marker: str) -> Iterator[Path]:
    """Give a new folder to fill, and put it in the place of ``out`` only when everything was written.

    Whatever goes wrong while it is being filled, ``out`` stays as it was and nothing half made is left behind.

    Args:
        out: the folder to make or replace.
        marker: name of a file that proves that an existing ``out`` is ours to replace, e.g. 'manifest.json'.

    Raises:
        OutputError: ``out`` is something else than such a folder, cannot be written, or the disk is full.
    """
    target = Path(out).absolute()
    if target.exists() and not (target.is_dir() and ((target / marker).exists() or not any(target.iterdir()))):
        raise OutputError(
            f"{target} exists and was not made by Clusterbook (it has no {marker}). Name another place, or remove it "
            "yourself if nobody needs it."
        )
    aside: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        aside.chmod(0o755)  # mkdtemp makes it private; a site is meant to be served
        yield aside
        _swap(aside, target)
    except OSError as error:
        raise OutputError(_advice(error, target)) from error
    finally:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)


def _swap(new: Path, target: Path) -> None:
    """Put the finished folder in place; the old one goes only when the new one stands."""
    if not target.exists():
        new.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent)) / "was"
    target.rename(old)
    try:
        new.rename(target)
    except OSError:
        old.rename(target)
        raise
    finally:
        shutil.rmtree(old.parent, ignore_errors=True)


def _advice(error: OSError, target: Path) -> str:
    reason = os.strerror(error.errno) if error.errno else str(error)
    remedy = {
        errno.ENOSPC: "The disk is full: free some space, or name a place on another disk.",
        errno.EDQUOT: "Your disk quota is used up: free some space, or name another place.",
        errno.EACCES: "You may not write there: name a folder of your own, or ask for permission.",
        errno.EPERM: "You may not write there: name a folder of your own, or ask for permission.",
        errno.EROFS: "That place is read-only: name another one.",
        errno.ENOTDIR: "Part of the path is a file, not a folder: name another place.",
        errno.EEXIST: "Part of the path is a file, not a folder: name another place.",
    }.get(error.errno or 0, "Name another place and try again.")
    return f"Cannot write {target}: {reason}. {remedy} What was there before is unchanged."
