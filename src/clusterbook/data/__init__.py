"""Data in: panels, regions, industries, samples."""
