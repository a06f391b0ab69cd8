import polars as pl
import pytest

import clusterbook as cb
from clusterbook.data.store import open_panel, save_panel


def test_a_saved_panel_comes_back_the_same(panel, tmp_path):
    save_panel(panel, tmp_path / "p")
    again = open_panel(tmp_path / "p")
    assert again.content_hash == panel.content_hash
    assert again.source == panel.source
    assert again.regions.noun == ("town", "towns")
    assert again.frame.equals(panel.frame)


def test_geometry_and_totals_come_back(tmp_path):
    metros = cb.samples.us_metros(2)
    again = open_panel(save_panel(metros, tmp_path / "p"))
    assert again.content_hash == metros.content_hash
    assert again.regions.outline == metros.regions.outline
    assert again.totals is not None


def test_a_changed_panel_is_refused(panel, tmp_path):
    save_panel(panel, tmp_path / "p")
    panel.frame.with_columns(pl.col("employment") + 1).write_parquet(tmp_path / "p" / "cells.parquet")
    with pytest.raises(cb.ClusterbookError, match="was changed after it was saved"):
        open_panel(tmp_path / "p")


def test_no_panel_there(tmp_path):
    with pytest.raises(cb.ClusterbookError, match="is not a panel that can be read"):
        open_panel(tmp_path)
