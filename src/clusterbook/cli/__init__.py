"""The `clusterbook` command: thin, one function a verb."""

from clusterbook.cli.main import app, main

__all__ = ["app", "main"]
