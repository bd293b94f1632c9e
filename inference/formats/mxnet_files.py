"""Which files an MXNet network consists of: NAME-symbol.json, NAME-0000.params, and maybe model-shapes.json."""

import functools
import logging
import re
from pathlib import Path
from typing import NamedTuple

from inference.errors import ModelInvalid, ModelNotFound

SYMBOL = "-symbol.json"
_PARAMS = re.compile(r"(?P<name>.+?)(-(?P<epoch>\d{1,9}))?\.params")
_log = logging.getLogger(__name__)


class MxnetFiles(NamedTuple):
    """`shapes` is None where there is no model-shapes.json."""

    symbol: Path
    params: Path
    shapes: Path | None


def mxnet_files(path: Path) -> MxnetFiles:
    """The files of a network, from its symbol or from one of its `.params`.

    From a symbol, the parameters are those of the highest epoch beside it; where there were several to choose
    from, the log says which it is. Raises ModelNotFound, ModelInvalid.
    """
    if path.name.endswith(SYMBOL):
        symbol, params = path, _latest(path)
    else:
        match = _PARAMS.fullmatch(path.name)
        if match is None:
            raise ModelInvalid(f"{path} is named neither NAME{SYMBOL} nor NAME-0000.params")
        symbol, params = path.with_name(match["name"] + SYMBOL), path
        if not symbol.exists():
            raise ModelNotFound(f"{symbol} does not exist; it describes the network of {path}")
    shapes = path.with_name("model-shapes.json")
    return MxnetFiles(symbol, params, shapes if shapes.is_file() else None)


def _latest(symbol: Path) -> Path:
    name = symbol.name.removesuffix(SYMBOL)
    epochs: dict[int, Path] = {}
    for path in sorted(symbol.parent.glob("*.params")):
        match = _PARAMS.fullmatch(path.name)
        if match is not None and match["name"] == name:
            epochs[int(match["epoch"] or -1)] = path
    if not epochs:
        raise ModelNotFound(
            f"{symbol.with_name(name + '-0000.params')} does not exist; it holds the weights of {symbol}"
        )
    chosen = epochs[max(epochs)]
    if len(epochs) > 1:
        others = ", ".join(epochs[epoch].name for epoch in sorted(epochs, reverse=True)[1:6])
        _tell(symbol, chosen, others)
    return chosen


@functools.lru_cache(maxsize=64)
def _tell(symbol: Path, chosen: Path, others: str) -> None:
    """Once, although the files of one model are looked for many times."""
    _log.warning("%s is read with %s, the highest epoch; there are also %s", symbol.name, chosen.name, others)
