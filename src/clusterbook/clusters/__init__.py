"""Clusters: which industries belong together, and where clusters stand."""
