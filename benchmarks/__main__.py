"""Run the benchmarks and print one table: ``./run bench``, or some of them: ``./run bench edition start``."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from pathlib import Path

import benchmarks

HELPERS = {"__main__", "measuring"}


def names() -> list[str]:
    """Return the benchmark modules: every module here that has a ``run`` function."""
    return sorted(
        m.name for m in pkgutil.iter_modules([str(Path(benchmarks.__file__).parent)]) if m.name not in HELPERS
    )


def main() -> None:
    """Run what was asked for and print what was measured."""
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"benchmarks to run (default: all): {', '.join(names())}")
    parser.add_argument("--quick", action="store_true", help="smaller inputs, to see that everything runs")
    asked = parser.parse_args()
    print(f"{'benchmark':<58} {'seconds':>9} {'peak MB':>9} {'ratio':>7}  note")
    for name in asked.name or names():
        for row in importlib.import_module(f"benchmarks.{name}").run(quick=asked.quick):
            cells = [f"{row[key]:,.2f}" if row.get(key) is not None else "" for key in ("seconds", "peak_mb", "ratio")]
            print(f"{row['name']:<58} {cells[0]:>9} {cells[1]:>9} {cells[2]:>7}  {row.get('note', '')}", flush=True)


if __name__ == "__main__":
    main()
