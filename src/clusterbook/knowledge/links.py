"""Which fields of an entry name other entries, and whom they name: read off the models, never written twice."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple, get_args

from clusterbook.knowledge.models import KINDS, Model, Ref

#: The way to a value inside an entry, as pydantic gives it: ('fit', 'fits', 0).
Path = tuple[str | int, ...]


class Named(NamedTuple):
    """An entry named by another one: where, by which field, and its link 'kind/id'."""

    path: Path
    field: str
    ref: Ref
    link: str


def named_entries(entry: Model, path: Path = ()) -> Iterator[Named]:
    """Yield every entry that an entry names, in the order of its fields."""
    for field, ref in fields_of(type(entry)):
        value = getattr(entry, field)
        for place, item in _items(value, (*path, field)):
            if isinstance(item, Model):
                yield from named_entries(item, place)
            elif ref is not None and item is not None:
                yield Named(place, field, ref, item if ref.kind == "*" else f"{ref.kind}/{item}")


def _items(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield what a field holds: the members of a list, the keys of a table, else the value itself."""
    if isinstance(value, list | dict):
        yield from (((*path, key if isinstance(value, dict) else at), key) for at, key in enumerate(value))
    else:
        yield path, value


@cache
def fields_of(model: type[Model]) -> tuple[tuple[str, Ref | None], ...]:
    """Return the fields of a model that name entries (with their mark) or hold parts that may (with None)."""
    found = []
    for name, field in model.model_fields.items():
        ref = next((mark for mark in field.metadata if isinstance(mark, Ref)), None)
        if ref is not None or any(
            isinstance(part, type) and issubclass(part, Model) for part in _types(field.annotation)
        ):
            found.append((name, ref))
    return tuple(found)


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _types(part)


@cache
def reference_fields(model: type[Model]) -> dict[str, Ref]:
    """Return the fields of a model and of its parts that name entries, by their own name ('fits', not 'fit.fits').

    A name that stands in several places with different meaning is kept for the place nearest to the entry.
    """
    found: dict[str, Ref] = {}
    inner: list[type[Model]] = []
    for name, ref in fields_of(model):
        if ref is not None:
            found[name] = ref
        else:
            types = _types(model.model_fields[name].annotation)
            inner += [part for part in types if isinstance(part, type) and issubclass(part, Model)]
    for part in inner:
        found = {**reference_fields(part), **found}
    return found


def link_of(entry: Model) -> str:
    """Return the link 'kind/id' of an entry."""
    return f"{kind_of(type(entry))}/{entry.id}"  # type: ignore[attr-defined]  # every kind has an id


@cache
def kind_of(model: type[Model]) -> str:
    """Return the kind that a model is of."""
    return next(kind for kind, known in KINDS.items() if known is model)
