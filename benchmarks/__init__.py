"""Speed, memory and size, as ratios against named peers in the same run: ``./run bench [--quick] [NAME ...]``."""
