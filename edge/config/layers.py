"""Layers of settings, each flattened to one value a key with its origin, the higher laid over the lower."""

import dataclasses
import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from edge import yamlfile
from edge.config import keys
from edge.config.meaning import understood
from edge.config.origin import Given, Key, Origin
from edge.errors import Fault

PREFIX = "EDGE_"
RESERVED = ("EDGE_CPU", "EDGE_KERNELS", "EDGE_DEBUG_KERNELS", "EDGE_SANITIZE", "EDGE_CI", "EDGE_SHARED_DATA")
SHORT = "source"
DEPLOYMENT = "the deployment's configuration"
SOURCES = "sources"
MAIN = (SOURCES, "main")


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One value, and where it was written."""

    value: Any
    origin: Origin

    def at(self, key: str) -> "Entry":
        """The same, remembering the key as it was written, where that is another than what it stands for."""
        return dataclasses.replace(self, origin=dataclasses.replace(self.origin, key=key))


@dataclasses.dataclass(slots=True)
class Layer:
    """The values of one place.

    entries: values by key. origins: also of the sections above them. replaces: it named the one `source`.
    beside: the sources that it named otherwise.
    """

    entries: dict[Key, Entry] = dataclasses.field(default_factory=dict)
    origins: dict[Key, Origin] = dataclasses.field(default_factory=dict)
    faults: list[Fault] = dataclasses.field(default_factory=list)
    replaces: bool = False
    beside: dict[Key, Origin] = dataclasses.field(default_factory=dict)

    def add(self, key: Key, entry: Entry) -> None:
        """One value, or a mapping of them, at a key. What is short for something longer is written out."""
        if key[0] == SHORT:
            self.replaces = True
            self._set((*MAIN, *key[1:]), entry.at(".".join(key)))
            return
        if is_a_source(key) and entry.value != {}:
            self.beside.setdefault(key, entry.origin)
        self._set(key, entry)

    def _set(self, key: Key, entry: Entry) -> None:
        here = keys.find(key)
        self.origins[key] = entry.origin
        is_source = key[0] == SOURCES and len(key) == 2
        if is_source and entry.value is None:
            entry = Entry({}, entry.origin)
        if is_source and not isinstance(entry.value, Mapping):
            self._set((*key, "uri"), entry.at(entry.origin.key or ".".join(key)))
        elif isinstance(entry.value, Mapping):
            if is_source or not isinstance(here, dict):
                # A source of which nothing is said; an unknown key; or a mapping in a value's place.
                self.entries[key] = Entry({}, entry.origin)
            for name, value in entry.value.items():
                self._set((*key, name), dataclasses.replace(entry, value=value))
        elif entry.value is not None or not isinstance(here, dict):
            # A section whose keys are all commented out is no mistake.
            self.entries[key] = entry

    def check_source(self) -> "Layer":
        """`source` and other sources in one place contradict one another; further keys of main do not."""
        if self.replaces and self.beside:
            key, origin = next(iter(self.beside.items()))
            self.faults.append(origin.fault("stands beside 'source'; write one of the two", ".".join(key)))
        return self


def is_a_source(key: Key) -> bool:
    """Whether a key makes a source of its own, rather than adding something to the one named main."""
    return key[0] == SOURCES and len(key) > 1 and (key[:2] != MAIN or key[2:3] in ((), ("uri",)))


def of_file(document: yamlfile.Document) -> Layer:
    layer = Layer()
    for key, value in written(document.values):
        layer.add(key, Entry(value, Origin(document.path, document.line(".".join(key)))))
    return layer.check_source()


def written(values: Mapping[str, Any], above: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Every value with its own key, so that each gets its own line; sections come before what they hold."""
    for name, value in values.items():
        key = (*above, name)
        if isinstance(value, Mapping):
            yield key, {}
            yield from written(value, key)
        else:
            yield key, value


def of_environment(environ: Mapping[str, str]) -> Layer:
    """`EDGE_TRANSPORT__KIND=local` and its like. An empty variable counts as not set."""
    layer = Layer()
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in RESERVED or not environ[name]:
            continue
        origin = Origin(f"environment variable {name}")
        key = keys.split(name.removeprefix(PREFIX).lower().split("__"))
        if reserved := close_reserved(name, key):
            layer.faults.append(origin.fault(f"is not known; did you mean {reserved}?", ""))
        else:
            add_text(layer, key, environ[name], origin)
    return layer.check_source()


def close_reserved(name: str, key: Key) -> str | None:
    if keys.find(key) is not None or keys.suggestion(key):
        return None
    return next(iter(difflib.get_close_matches(name, RESERVED, n=1, cutoff=0.85)), None)


def of_overrides(overrides: Mapping[str, Any]) -> Layer:
    """Dotted keys with values, or with `Given`s that say by which option they came."""
    layer = Layer()
    for dotted, value in overrides.items():
        given = value if isinstance(value, Given) else Given(value)
        key, origin = keys.split(dotted.split(".")), Origin(given.where)
        if given.raw:
            add_text(layer, key, given.value, origin)
        else:
            layer.add(key, Entry(given.value, origin))
    return layer.check_source()


def of_deployment(values: Mapping[str, Any]) -> Layer:
    """What a Greengrass deployment says. Texts are understood as in the environment, and 5.0 may be meant for 5."""
    layer, origin = Layer(), Origin(DEPLOYMENT)
    for key, value in written(values):
        if isinstance(value, str):
            add_text(layer, key, value, origin)
        else:
            layer.add(key, Entry(whole(value), origin))
    return layer.check_source()


def whole(value: Any) -> Any:
    """5.0 as 5: on its way through a nucleus a whole number may have become a float."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def known(values: Mapping[str, Any], above: Key = ()) -> tuple[dict[str, Any], list[str]]:
    """The part of a mapping that the schema knows, and the dotted keys of the rest."""
    kept: dict[str, Any] = {}
    foreign: list[str] = []
    for name, value in values.items():
        key = (*above, str(name))
        if key[0] != SHORT and keys.find(key) is None:
            foreign.append(".".join(key))
        elif isinstance(value, Mapping) and isinstance(keys.find(key), dict):
            kept[name], astray = known(value, key)
            foreign += astray
        else:
            kept[name] = value
    return kept, foreign


def add_text(layer: Layer, key: Key, text: str, origin: Origin) -> None:
    try:
        layer.add(key, Entry(understood(key, text), origin))
    except ValueError as error:
        layer.faults.append(origin.fault(str(error), ".".join(key)))


def laid_over(layers: list[Layer]) -> Layer:
    """One layer of all, the last one on top. A `source` replaces all sources below it."""
    result = Layer()
    for layer in layers:
        if layer.replaces:
            result.entries = {key: entry for key, entry in result.entries.items() if key[0] != SOURCES}
            result.origins = {key: origin for key, origin in result.origins.items() if key[0] != SOURCES}
        result.entries |= layer.entries
        result.origins |= layer.origins
        result.faults += layer.faults
    return result
