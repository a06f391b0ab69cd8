"""Suppressed cells: bounds, imputation so that everything adds up, and proof of how good it is."""

from clusterbook.data.suppression.bounds import (
    CBP_FLAGS,
    CBP_SIZE_CLASSES,
    bounds_from_establishments,
    bounds_from_flags,
    bounds_from_size_classes,
)
from clusterbook.data.suppression.imputation import Imputation, SuppressionReport, impute, impute_panel

__all__ = [
    "CBP_FLAGS",
    "CBP_SIZE_CLASSES",
    "Imputation",
    "SuppressionReport",
    "bounds_from_establishments",
    "bounds_from_flags",
    "bounds_from_size_classes",
    "impute",
    "impute_panel",
]
