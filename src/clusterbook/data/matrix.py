"""A dense regions x industries table that keeps its labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Matrix:
    """Values of shape (R, I) with the region and industry codes of its rows and columns."""

    values: NDArray[np.float64]
    regions: tuple[str, ...]
    industries: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.regions), len(self.industries)):
            raise ValueError(
                f"values have shape {self.values.shape}, labels ({len(self.regions)}, {len(self.industries)})"
            )

    def columns(self, industries: tuple[str, ...]) -> Matrix:
        """Return the same rows with only the named industries, in the order given."""
        place = {code: k for k, code in enumerate(self.industries)}
        return Matrix(self.values[:, [place[code] for code in industries]], self.regions, industries)
