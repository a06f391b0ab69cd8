"""Input-output tables: what the industries of an economy buy from each other."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clusterbook.data import checks
from clusterbook.data.panel import Source
from clusterbook.data.tables import TableLike, find_columns, load_table, pick
from clusterbook.errors import ClusterbookError, DataError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class InputOutput:
    """An industry-by-industry table of domestic flows.

    ``flows`` (n, n): ``flows[i, j]`` is what industry j buys from domestic industry i; ``output`` (n,): total output;
    ``imports`` (n,): imported inputs that an industry uses. All three are in ``source.unit('flows')``. ``industries``
    are the n codes of rows and columns, ``titles`` their names. ``crosswalk`` has one row a pair of ``naics`` (a code
    of panels) and ``industry`` (a code of this table); one NAICS code may belong to several industries.

    Input coefficients and all that follows from them: ``clusterbook.measures.input_output``, which takes ``flows`` and
    ``output``.

    >>> source = Source("toy", "Toy table", units={"flows": "million USD"})
    >>> flows, output = np.array([[15.0, 50.0], [20.0, 10.0]]), np.array([100.0, 200.0])
    >>> table = InputOutput(flows, output, np.array([5.0, 8.0]), ("A", "B"), source)
    >>> table.flows.sum(axis=0) + table.imports  # what each industry buys from others
    array([40., 68.])
    """

    flows: Floats
    output: Floats
    imports: Floats
    industries: tuple[str, ...]
    source: Source
    titles: dict[str, str] = field(default_factory=dict)
    crosswalk: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema={"naics": pl.String, "industry": pl.String})
    )

    def __post_init__(self) -> None:
        n = len(self.industries)
        shapes = (self.flows.shape, self.output.shape, self.imports.shape)
        if shapes != ((n, n), (n,), (n,)):
            raise ValueError(f"flows, output and imports have shapes {shapes}, expected {((n, n), (n,), (n,))}")


def industry_by_industry(make: Floats, use: Floats, imports: Floats) -> tuple[Floats, Floats]:
    """Turn a make table, a use table and an import matrix into domestic flows between industries.

    ``make`` (n, m): what industry i produces of commodity c; ``use`` (m, n): what industry j uses of commodity c,
    whatever its origin; ``imports`` (m, n): the imported part of it. All in one unit and valuation.

    A buyer of a domestic commodity is taken to buy from its producers by their shares of the market, whoever the buyer
    is (the industry-technology assumption of industry-by-industry tables; 'fixed product sales structure')::

        D = make / column sums of make            (n, m) market shares, 0 for commodities nobody makes
        flows = D @ max(use - imports, 0)         (n, n)

    Returns ``flows`` (n, n) and the imported inputs of each industry (n,): use less what was taken for domestic.
    Where the import matrix exceeds use (it is estimated, and valued elsewhere), domestic use is 0, not negative.

    Source: Miller & Blair (2009), Input-Output Analysis, ch. 5.3 to 5.5 (A = D B); Horowitz & Planting (2009),
    Concepts and Methods of the U.S. Input-Output Accounts, ch. 12; Eurostat (2008), Manual of Supply, Use and
    Input-Output Tables, model D.

    >>> make = np.array([[90.0, 0.0], [10.0, 50.0]])       # industry 2 makes a tenth of commodity 1
    >>> use, imported = np.array([[20.0, 30.0], [5.0, 5.0]]), np.array([[0.0, 10.0], [5.0, 0.0]])
    >>> flows, imports = industry_by_industry(make, use, imported)
    >>> flows
    array([[18., 18.],
           [ 2.,  7.]])
    >>> imports
    array([ 5., 10.])
    """
    if not (make.T.shape == use.shape == imports.shape):
        raise ClusterbookError(
            f"make (industries x commodities) has shape {make.shape}; use and imports (commodities x industries) have "
            f"{use.shape} and {imports.shape}. They must be of the same industries and commodities."
        )
    supply = make.sum(axis=0)
    shares = np.zeros_like(make)
    np.divide(make, supply, out=shares, where=supply > 0)
    domestic = np.maximum(use - imports, 0.0)
    imported = np.minimum(np.maximum(use, 0.0), np.maximum(imports, 0.0))
    return shares @ domestic, imported.sum(axis=0)


def read_flows(data: TableLike, *, source: Source | None = None) -> InputOutput:
    """Read a table of flows with one row a pair: ``supplier``, ``buyer`` and ``flow``, codes as in the panel.

    Output is what the table shows of it: an industry's sales to all buyers.

    Raises ``DataError`` with every problem found: empty fields, a pair twice, flows that are no numbers or negative.

    >>> table = pl.DataFrame({"supplier": ["A", "B"], "buyer": ["B", "A"], "flow": [5.0, 2.0]})
    >>> read_flows(table).flows.tolist()
    [[0.0, 5.0], [2.0, 0.0]]
    """
    table = load_table(data)
    remedy = "Flows need the columns 'supplier', 'buyer' and 'flow'. Rename the columns of the table to these."
    columns, problems = find_columns(table, dict.fromkeys(("supplier", "buyer", "flow")), _FLOW_COLUMNS, remedy)
    if problems:
        raise DataError(table.origin, problems)
    rows = pick(table, columns, {})
    flow = rows.text["flow"].cast(pl.Float64, strict=False).fill_nan(None)
    problems = [
        *checks.missing_keys(rows, list(_FLOW_COLUMNS)),
        *checks.duplicate_keys(rows, rows.text.select("supplier", "buyer")),
        *checks.not_a_number(rows, "flow", flow.is_null() & rows.text["flow"].is_not_null()),
        *checks.negative_values(rows, "flow", flow),
    ]
    if problems:
        raise DataError(table.origin, problems)
    codes = pl.concat([rows.text["supplier"], rows.text["buyer"].rename("supplier")]).unique().sort().to_list()
    position = {code: k for k, code in enumerate(codes)}
    values = np.zeros((len(codes), len(codes)))
    supplier, buyer = (rows.text[name].replace_strict(position).to_numpy() for name in ("supplier", "buyer"))
    values[supplier, buyer] = flow.to_numpy()
    return InputOutput(
        flows=values,
        output=values.sum(axis=1),
        imports=np.zeros(len(codes)),
        industries=tuple(codes),
        source=source or Source(id="flows", title=table.origin, units={"flows": "as given"}),
    )


_FLOW_COLUMNS = ("supplier", "buyer", "flow")
