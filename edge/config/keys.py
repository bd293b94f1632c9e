"""The keys that the schema knows, as a tree: what stands where, and what a text there means."""

import dataclasses
import difflib
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel

from edge.config.config import Config
from edge.config.origin import Key
from edge.config.values import Kind

ANY = "*"  # any name, as in `sources.*.uri`


@dataclasses.dataclass(frozen=True, slots=True)
class Leaf:
    """A key with a value. kind: what a text there means. is_text: whether text is what it takes."""

    kind: Kind | None
    is_text: bool


Node = Leaf | dict[str, "Node"]


@functools.cache
def tree() -> dict[str, Node]:
    return section(Config)


def section(model: type[BaseModel]) -> dict[str, Node]:
    return {name: node((field.annotation, *field.metadata)) for name, field in model.model_fields.items()}


def node(annotation: Any) -> Node:
    parts = list(flat(annotation))
    models = [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]
    if dict in parts:
        return {ANY: section(models[0]) if models else Leaf(kind=None, is_text=True)}
    if models:
        return section(models[0])
    kinds = [part for part in parts if isinstance(part, Kind)]
    return Leaf(kinds[0] if kinds else None, str in parts or Path in parts)


def flat(annotation: Any) -> Iterator[Any]:
    """Every part of an annotation: `Annotated[Path, Kind.PATH] | None` is Path, Kind.PATH and NoneType."""
    if isinstance(annotation, tuple):
        for part in annotation:
            yield from flat(part)
    elif get_origin(annotation) is Literal:
        yield from (type(choice) for choice in get_args(annotation))
    elif get_origin(annotation) in (tuple, list):
        yield get_origin(annotation)
    elif get_args(annotation):
        if get_origin(annotation) in (dict, Annotated):
            yield get_origin(annotation)
        yield from flat(get_args(annotation))
    else:
        yield annotation


def find(key: Key) -> Node | None:
    """What the schema has at a key; None for an unknown one."""
    here: Node | None = tree()
    for part in key:
        if not isinstance(here, dict):
            return None
        here = here.get(part, here.get(ANY))
    return here


def split(dotted: list[str]) -> Key:
    """The parts of a key; a name in a mapping of plain values may have dots (`log.levels.streams.feed`)."""
    for length in range(1, len(dotted)):
        above = find(tuple(dotted[:length]))
        if isinstance(above, dict) and isinstance(above.get(ANY), Leaf):
            return (*dotted[:length], ".".join(dotted[length:]))
    return tuple(dotted)


def leaves(here: Node | None = None, above: Key = ()) -> Iterator[tuple[Key, Leaf]]:
    """Every key with a value, as in `("sources", "*", "uri")`."""
    here = tree() if here is None else here
    if isinstance(here, Leaf):
        yield above, here
        return
    for name, below in here.items():
        yield from leaves(below, (*above, name))


def suggestion(key: Key) -> str | None:
    """The dotted key that was probably meant by an unknown one; or the two or three."""
    known = [".".join(name).replace(ANY, "main") for name, _ in leaves()]
    flattened = {name.replace(".", "_"): name for name in known}
    if "_".join(key) in flattened:
        return flattened["_".join(key)]
    elsewhere = [name for name in known if name.rpartition(".")[2] == key[-1]]
    if len(key) == 1 and 1 <= len(elsewhere) <= 3:
        return " or ".join(elsewhere)
    if close := difflib.get_close_matches(key[-1].lower(), names_beside(key), n=1, cutoff=0.7):
        return ".".join((*key[:-1], close[0]))
    close = difflib.get_close_matches("_".join(key), flattened, n=1, cutoff=0.75)
    return flattened[close[0]] if close else None


def names_beside(key: Key) -> list[str]:
    """What could stand in place of the last part of a key."""
    siblings = find(key[:-1])
    names = [name for name in siblings if name != ANY] if isinstance(siblings, dict) else []
    return [*names, "source"] if len(key) == 1 else names
