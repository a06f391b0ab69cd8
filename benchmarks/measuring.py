"""Measure a piece of Python in a process of its own: wall seconds and peak memory, imports told apart."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import TypedDict


class Row(TypedDict, total=False):
    """One line of the table. ``ratio`` is the peer's time by ours in the same run (above 1: we are faster)."""

    name: str
    seconds: float | None
    peak_mb: float | None
    ratio: float | None
    note: str


_FRAME = """
import time
from pathlib import Path
{setup}
start = time.perf_counter()
{body}
seconds = time.perf_counter() - start
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print("MEASURED", seconds, int(peak.split()[1]) / 1024)
"""


def measure(body: str, *, setup: str = "", runs: int = 1) -> tuple[float, float]:
    """Run ``body`` after ``setup`` in a fresh interpreter; return the best seconds and the largest peak in MB.

    Only ``body`` is timed. The peak is the whole process's, imports and setup included,
    read from the Linux kernel (VmHWM; ru_maxrss would start from the parent's peak).
    """
    code = _FRAME.format(setup=textwrap.dedent(setup), body=textwrap.dedent(body))
    found = [_once(code) for _ in range(runs)]
    return min(seconds for seconds, _ in found), max(peak for _, peak in found)


def _once(code: str) -> tuple[float, float]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the measured code failed:\n{done.stderr[-2000:]}")
    line = next(line for line in reversed(done.stdout.splitlines()) if line.startswith("MEASURED"))
    _, seconds, peak = line.split()
    return float(seconds), float(peak)
