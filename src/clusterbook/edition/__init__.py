"""Editions: what a build produced, immutable and verifiable."""
