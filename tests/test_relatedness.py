import numpy as np
import pytest

from clusterbook.measures.relatedness import locational_correlation

T5 = np.array(
    [[100, 0, 0, 0, 0], [0, 15, 5, 70, 10], [0, 20, 10, 20, 50], [0, 25, 30, 5, 40], [0, 40, 55, 5, 0]], dtype=float
)


def test_locational_correlation_of_the_reference_table():
    found = locational_correlation(T5)
    assert found[1, 2] == pytest.approx(0.9280036734)
    assert found[0, 1] == pytest.approx(-0.7669649888)
    assert np.allclose(found, np.corrcoef(T5, rowvar=False))


def test_partial_correlation_takes_out_what_size_explains():
    rng = np.random.default_rng(1)
    size = rng.uniform(10, 1000, 200)
    values = size[:, None] * (1 + 0.01 * rng.standard_normal((200, 2)))
    assert locational_correlation(values)[0, 1] > 0.99
    assert abs(locational_correlation(values, size=size)[0, 1]) < 0.2
    # the textbook formula of the partial correlation
    r = np.corrcoef(np.column_stack([values, size]), rowvar=False)
    expected = (r[0, 1] - r[0, 2] * r[1, 2]) / np.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    assert locational_correlation(values, size=size)[0, 1] == pytest.approx(expected)


def test_an_industry_without_variation_has_no_correlation():
    values = np.column_stack([T5[:, 1], np.zeros(5), T5[:, 2]])
    found = locational_correlation(values)
    assert np.isnan(found[1]).all()
    assert not np.isnan(found[[0, 2]][:, [0, 2]]).any()
    in_proportion = np.column_stack([T5[:, 1], 3 * np.arange(5.0), T5[:, 2]])
    assert np.isnan(locational_correlation(in_proportion, size=np.arange(5.0))[1]).all()


def test_suppressed_cells_are_refused():
    with pytest.raises(ValueError, match="impute suppressed cells"):
        locational_correlation(np.array([[1.0, np.nan], [2.0, 3.0]]))
