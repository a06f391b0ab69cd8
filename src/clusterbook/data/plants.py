"""Plants: single establishments with their place, industry and size.

Distances need metres. Longitude and latitude are therefore projected on reading, with the Lambert azimuthal equal-area
projection of the WGS 84 ellipsoid centred on the plants themselves: equal areas everywhere, true distances near the
centre, and right for a city as for a continent. Its formulas fill twenty lines of NumPy, so no projection library is
needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import shapely
from numpy.typing import ArrayLike, NDArray

from clusterbook.data import checks
from clusterbook.data.industries import Industries
from clusterbook.data.panel import KEYS, STATUS, Panel, Source, sort_cells
from clusterbook.data.regions import Regions
from clusterbook.data.shapes import AXIS, E2, authalic_q
from clusterbook.data.tables import Rows, Table, TableLike, find_columns, load_table, names, pick
from clusterbook.errors import ClusterbookError, DataError, Problem

Floats = NDArray[np.float64]

_REMEDY = (
    "Name the columns yourself, e.g. read_plants(..., id='your column', lon='your column', lat='your column'), and "
    "give year=2019 for a table of one year."
)


@dataclass(frozen=True)
class Plants:
    """Establishments, one row a plant and year.

    ``frame`` is sorted by year and id and has ``id``, ``industry`` (text) and ``year`` (integer), unique by id and
    year; ``x, y`` in metres in the projection ``crs``; ``lon, lat`` in degrees where known; and where known ``size``
    (jobs, null where one plant's is not known), ``owner`` and ``region``. ``findings`` are oddities that do not
    prevent use: several plants of an industry at one point, plants without jobs.
    """

    frame: pl.DataFrame
    crs: str
    source: Source
    findings: tuple[Problem, ...] = ()

    @property
    def years(self) -> tuple[int, ...]:
        """The years, ascending."""
        return tuple(self.frame["year"].unique().sort().to_list())

    def metres(self, year: int | None = None) -> Floats:
        """Return the places of one year's plants (default: the last year) as an array (plants, 2), in metres."""
        return self.frame.filter(year=self.years[-1] if year is None else year).select("x", "y").to_numpy()

    def located(self, regions: Regions) -> tuple[Plants, tuple[Problem, ...]]:
        """Say in which region each plant lies.

        A plant on a border belongs to the region whose code comes first; plants outside all regions are left out and
        reported.

        Returns:
            The plants with their ``region``, and one problem for each place outside.

        Raises:
            ClusterbookError: the regions have no shapes, the plants no longitude and latitude, or all lie outside.
        """
        if not regions.geometry:
            raise ClusterbookError(
                "The regions have no shapes: give regions with geometry, or plants with a region column."
            )
        if "lon" not in self.frame.columns:
            raise ClusterbookError(
                f"The plants have only projected places ({self.crs}); regions' shapes are in longitude and latitude. "
                "Read them with lon= and lat= or with a region column."
            )
        places = self.frame.select("lon", "lat").unique(maintain_order=True)
        codes = sorted(regions.geometry)
        tree = shapely.STRtree(shapely.from_wkb([regions.geometry[code] for code in codes]))
        point, shape = tree.query(shapely.points(places.to_numpy()), predicate="intersects")
        first = np.full(places.height, len(codes))
        np.minimum.at(first, point, shape)
        places = places.with_columns(region=pl.Series([*codes, None], dtype=pl.String).gather(first))
        frame = self.frame.drop("region", strict=False)
        frame = frame.join(places, on=["lon", "lat"], how="left", maintain_order="left")
        outside = frame.filter(pl.col("region").is_null()).unique("id", keep="first", maintain_order=True)
        if frame["region"].is_null().all():
            raise ClusterbookError(
                f"Not one of {outside.height} plants lies in any of {len(codes)} regions. Are the shapes of the same "
                "part of the world, in longitude and latitude?"
            )
        remedy = "Check the place, or use regions that cover it (shapes are simplified along coasts)."
        problems = tuple(
            Problem("outside all regions", f"plant {name} at {lon:.4f}, {lat:.4f} lies in no region", remedy)
            for name, lon, lat in outside.select("id", "lon", "lat").iter_rows()
        )
        return replace(self, frame=frame.drop_nulls("region")), problems

    def panel(self, regions: Regions | None = None, industries: Industries | None = None) -> Panel:
        """Add plants up to a panel of regions x industries x years.

        Args:
            regions: where to count; plants are placed by their shapes, or by their own ``region`` if these regions
                have none. Default: the plants' own regions.
            industries: titles and tree of the plants' industries.

        Returns:
            A panel with ``establishments`` and, if sizes are known, ``employment``: not collected, with the known part
            as its lower bound, where one plant's size is not known. How many plants lie outside is said in the
            source's caveats.

        Raises:
            ClusterbookError: there is no telling in which region the plants lie.

        Example:
            >>> import polars as pl
            >>> rows = {"id": ["a", "b", "c"], "industry": ["10", "10", "24"], "region": ["R1", "R1", "R2"],
            ...     "lon": [10.0, 10.1, 11.0], "lat": [50.0, 50.0, 50.2], "size": [20, 30, 5]}
            >>> plants = read_plants(pl.DataFrame(rows), year=2020)
            >>> plants.panel().frame.select("region", "industry", "establishments", "employment").rows()
            [('R1', '10', 2.0, 50.0), ('R2', '24', 1.0, 5.0)]
        """
        plants: Plants = self
        outside: tuple[Problem, ...] = ()
        if regions is not None and regions.geometry:
            plants, outside = self.located(regions)
        if "region" not in plants.frame.columns:
            raise ClusterbookError("The plants have no region: give regions with shapes, or read them with region=.")
        sized = "size" in plants.frame.columns
        unknown = pl.col("size").is_null().any()
        employment = [
            pl.when(~unknown).then(pl.sum("size")).alias("employment"),
            pl.when(unknown).then(pl.sum("size")).alias("employment_lo"),
            pl.when(unknown).then(pl.lit(None, pl.Float64)).alias("employment_hi"),
            pl.when(unknown)
            .then(pl.lit("not_collected"))
            .when(pl.sum("size") == 0)
            .then(pl.lit("zero"))
            .otherwise(pl.lit("disclosed"))
            .cast(STATUS)
            .alias("status"),
        ]
        known = employment if sized else [pl.lit("disclosed", STATUS).alias("status")]
        cells = plants.frame.group_by(KEYS).agg(pl.len().cast(pl.Float64).alias("establishments"), *known)
        caveats = self.source.caveats
        if outside:
            caveats = (*caveats, f"{len(outside)} plants lie in none of the regions and are not counted.")
        return Panel(
            frame=sort_cells(cells),
            source=replace(self.source, caveats=caveats),
            regions=regions or Regions.from_codes(cells["region"]),
            industries=industries or Industries.from_codes(cells["industry"]),
        )

    def units(self, regions: Regions | None = None) -> pl.DataFrame:
        """Return the plants as the contributions that ``disclosure.protect`` asks for, with ``employment``.

        Raises:
            ClusterbookError: sizes or regions are not known.
        """
        plants = self.located(regions)[0] if regions is not None and regions.geometry else self
        if not {"size", "region"} <= set(plants.frame.columns):
            raise ClusterbookError(
                "Contributions need the size and region of every plant: read them with size= and region=."
            )
        return plants.frame.rename({"size": "employment"})


# --- reading --------------------------------------------------------------------------------------------------------


def read_plants(
    data: TableLike,
    *,
    id: str | None = None,
    industry: str | None = None,
    year: str | int | None = None,
    lon: str | None = None,
    lat: str | None = None,
    x: str | None = None,
    y: str | None = None,
    crs: str | None = None,
    size: str | None = None,
    owner: str | None = None,
    region: str | None = None,
    source: Source | None = None,
    sheet: str | None = None,
) -> Plants:
    """Read a register of establishments, with every fault reported at once.

    Args:
        data: the path of a CSV, Parquet or Excel file, or a data frame; one row a plant and year. Columns are found by
            their usual names or named by the other arguments.
        id: what tells plants apart.
        industry: the code of the plant's industry, kept as text.
        year: a column of whole years, or the year itself.
        lon: longitude in degrees (WGS 84), east positive.
        lat: latitude in degrees, north positive. With these, places are projected to metres here.
        x: easting in metres, for plants that are projected already; then ``crs`` is needed.
        y: northing in metres.
        crs: the projection of x and y, e.g. 'EPSG:3035'; for the record only.
        size: jobs; empty where not known.
        owner: the enterprise the plant belongs to, if any.
        region: the region's code, if the register has it.
        source: what pages print; default: the file's name.
        sheet: of an Excel file.

    Returns:
        The plants. Several plants of an industry at one point and plants without jobs are in ``findings``.

    Raises:
        DataError: with every problem: empty or repeated keys (same id and year), texts for numbers, negative sizes,
            places that are missing, at 0, 0, out of range, or with longitude and latitude swapped; each with its line.
        ClusterbookError: no such file, or degrees where metres are needed.

    Example:
        >>> import polars as pl
        >>> rows = {"id": ["a", "b"], "naics": ["3361", "3361"], "lon": [-83.05, -83.74], "lat": [42.33, 42.28]}
        >>> plants = read_plants(pl.DataFrame(rows), year=2020)
        >>> plants.metres().round().tolist()
        [[28444.0, 2779.0], [-28450.0, -2775.0]]
    """
    table = load_table(data, sheet=sheet)
    named = {"id": id, "industry": industry, "lon": lon, "lat": lat, "x": x, "y": y, "size": size}
    columns = _columns(table, named | {"owner": owner, "region": region}, year)
    rows = pick(table, columns, {"year": str(year)} if isinstance(year, int) else {})
    degrees = "lon" in columns
    frame = rows.text.with_columns(
        pl.col("year").cast(pl.Float64, strict=False),
        *(_number(c) for c in ("lon", "lat", "x", "y", "size") if c in columns),
    ).with_columns(_whole("year"))
    problems = _problems(rows, frame, degrees)
    if problems:
        raise DataError(table.origin, problems)
    if degrees:
        place, crs = _projected(frame)
        frame = frame.with_columns(x=place[:, 0], y=place[:, 1])
    elif crs is None or _look_like_degrees(frame):
        raise ClusterbookError(
            f"{table.origin}: x and y must be metres, and crs= must name their projection (e.g. crs='EPSG:3035'). "
            "If they are degrees, name them lon= and lat= and they are projected."
        )
    findings = _findings(rows, frame)
    order = ("id", "industry", "year", "x", "y", "lon", "lat", "size", "owner", "region")
    name = Path(data).stem if isinstance(data, str | Path) else "Plants"
    frame = frame.select(c for c in order if c in frame.columns).sort("year", "id")
    return Plants(frame, crs, source or Source(name, name), findings)


def _columns(table: Table, named: Mapping[str, str | None], year: str | int | None) -> dict[str, str]:
    """Find the column of each meaning; jobs may be called size or employment, one of the two."""
    wanted = dict(named) if isinstance(year, int) else {**named, "year": year}
    if named["size"] is None:
        wanted["employment"] = None
    columns, problems = find_columns(table, wanted, wanted.keys() & {"id", "industry", "year"}, _REMEDY)
    sizes = [columns.pop(meaning) for meaning in ("size", "employment") if meaning in columns]
    if len(sizes) > 1:
        problems.append(Problem("ambiguous columns", f"size could be any of {names(sizes)}", _REMEDY))
    placed = columns.keys() | {meaning for meaning, column in named.items() if column}
    if not (placed >= {"lon", "lat"} or placed >= {"x", "y"}):
        message = f"no columns for the place, neither lon and lat nor x and y; there are {names(table.frame.columns)}"
        problems.append(Problem("missing columns", message, _REMEDY))
    if problems:
        raise DataError(table.origin, problems)
    spare = ("x", "y") if columns.keys() >= {"lon", "lat"} else ("lon", "lat")
    if sizes:
        columns["size"] = sizes[0]
    return {meaning: column for meaning, column in columns.items() if meaning not in spare}


def _number(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64, strict=False).fill_nan(None)


def _whole(column: str) -> pl.Expr:
    value = pl.col(column)
    return pl.when((value == value.floor()) & (value.abs() < 1_000_000)).then(value).cast(pl.Int64).alias(column)


# --- checks ---------------------------------------------------------------------------------------------------------


def _problems(rows: Rows, frame: pl.DataFrame, degrees: bool) -> list[Problem]:
    place = ("lon", "lat") if degrees else ("x", "y")
    numbers = [c for c in (*place, "size") if c in frame.columns]
    unreadable = {c: frame[c].is_null() & rows.text[c].is_not_null() for c in numbers}
    problems = checks.missing_keys(rows, ("id", "industry", "year"))
    problems += checks.not_a_year(rows, frame["year"])
    problems += checks.duplicate_keys(rows, frame.select("id", "year"))
    for column, bad in unreadable.items():
        problems += checks.not_a_number(rows, column, bad)
        problems += checks.infinite_values(rows, column, frame[column])
    if "size" in frame.columns:
        problems += checks.negative_values(rows, "size", frame["size"])
    nowhere = rows.text[place[0]].is_null() | rows.text[place[1]].is_null()
    problems += checks.faults(rows, "no place", nowhere, "the place is empty", None)
    return problems + (_degree_problems(rows, frame) if degrees else [])


def _degree_problems(rows: Rows, frame: pl.DataFrame) -> list[Problem]:
    """Find places that cannot be or that only make sense the other way round."""
    lon, lat = frame["lon"], frame["lat"]
    origin = ((lon == 0) & (lat == 0)).fill_null(False)
    swapped = _swapped(lon, lat) & ~origin
    beyond = ((lat.abs() > 90) | (lon.abs() > 180)).fill_null(False) & ~swapped
    gulf = "longitude 0, latitude 0 lies in the Gulf of Guinea"
    wrong_way = "fits the others only the other way round"
    return [
        *checks.faults(rows, "place at 0, 0", origin, gulf, None),
        *checks.faults(rows, "longitude and latitude swapped", swapped, wrong_way, "lon"),
        *checks.faults(rows, "place out of range", beyond, "no place on earth", "lat"),
    ]


def _swapped(lon: pl.Series, lat: pl.Series) -> pl.Series:
    """Tell places that lie far from nearly all others, but among them once longitude and latitude are exchanged."""
    place = np.column_stack([lon.to_numpy(), lat.to_numpy()]).astype(np.float64)
    if not np.isfinite(place).all(axis=1).any():
        return pl.Series(np.zeros(len(place), dtype=bool))
    centre = np.nanmedian(place, axis=0)
    spread = np.maximum(3 * np.nanquantile(np.abs(place - centre), 0.9, axis=0), 1.0)
    low, high = np.maximum(centre - spread, [-180, -90]), np.minimum(centre + spread, [180, 90])

    def among(points: Floats) -> NDArray[np.bool_]:
        return np.asarray(((points >= low) & (points <= high)).all(axis=1), dtype=bool)

    if abs(centre[1]) > 90:  # all of them are swapped
        return (lat.abs() > 90).fill_null(False)
    return pl.Series(~among(place) & among(place[:, ::-1]))


def _look_like_degrees(frame: pl.DataFrame) -> bool:
    return bool((frame["x"].abs() <= 180).all() and (frame["y"].abs() <= 90).all())


def _findings(rows: Rows, frame: pl.DataFrame) -> tuple[Problem, ...]:
    """Report what is odd but may be true."""
    same = frame.select(pl.struct("x", "y", "industry", "year").is_duplicated()).to_series()
    message = "another plant of the industry stands at the same point"
    found = checks.faults(rows, "same point and industry", same, message, None)
    if "size" in frame.columns:
        empty = (frame["size"] == 0).fill_null(False)
        found += checks.faults(rows, "no jobs", empty, "size 0", "size")
    return tuple(found)


# --- projection -----------------------------------------------------------------------------------------------------


def equal_area(lon: ArrayLike, lat: ArrayLike, centre: tuple[float, float]) -> Floats:
    """Project to metres east and north of a centre: Lambert azimuthal equal-area, WGS 84 ellipsoid.

    Args:
        lon: (n,) degrees.
        lat: (n,) degrees.
        centre: longitude and latitude of the origin; not a pole.

    Returns:
        (n, 2) metres. Areas are right everywhere; distances are right at the centre and at a distance d from it wrong
        by about (d / 18,000 km)^2: 0.3 per cent at 1,000 km.

    Example:
        >>> equal_area([5.0], [50.0], (10.0, 52.0)).round(2).tolist()
        [[-358200.55, -210281.15]]

    Source: Snyder (1987), Map Projections: A Working Manual, USGS Professional Paper 1395, p. 187, formulas 24-16 to
    24-20; the example is that of EPSG guidance note 7-2 for ETRS89-LAEA Europe.
    """
    angle = np.radians(np.asarray(lon, dtype=np.float64) - centre[0])
    phi0 = np.radians(centre[1])
    beta, beta0 = _authalic(np.radians(np.asarray(lat, dtype=np.float64))), _authalic(phi0)
    radius = AXIS * np.sqrt(authalic_q(np.pi / 2) / 2)
    stretch = AXIS * np.cos(phi0) / np.sqrt(1 - E2 * np.sin(phi0) ** 2) / (radius * np.cos(beta0))
    cosine = np.sin(beta0) * np.sin(beta) + np.cos(beta0) * np.cos(beta) * np.cos(angle)
    reach = radius * np.sqrt(2 / (1 + cosine))
    x = reach * stretch * np.cos(beta) * np.sin(angle)
    y = reach / stretch * (np.cos(beta0) * np.sin(beta) - np.sin(beta0) * np.cos(beta) * np.cos(angle))
    return np.column_stack([x, y])


def _authalic(phi: ArrayLike) -> Floats:
    """Return the latitude on the sphere of the same area."""
    return np.asarray(np.arcsin(np.clip(authalic_q(phi) / authalic_q(np.pi / 2), -1, 1)))


def _projected(frame: pl.DataFrame) -> tuple[Floats, str]:
    """Project plants around their middle, which is found on the sphere so that the date line does not matter."""
    lon, lat = frame["lon"].to_numpy(), frame["lat"].to_numpy()
    a, b = np.radians(lon), np.radians(lat)
    x, y, z = (np.cos(b) * np.cos(a)).mean(), (np.cos(b) * np.sin(a)).mean(), np.sin(b).mean()
    centre = (float(np.degrees(np.arctan2(y, x)).round(4)), float(np.degrees(np.arctan2(z, np.hypot(x, y))).round(4)))
    return equal_area(lon, lat, centre), f"+proj=laea +lon_0={centre[0]} +lat_0={centre[1]} +datum=WGS84 +units=m"
