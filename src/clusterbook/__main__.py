"""``python -m clusterbook`` is the `clusterbook` command."""

from clusterbook.cli import main

main()
