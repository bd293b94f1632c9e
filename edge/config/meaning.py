"""What a text means at its key: text itself where text belongs, else a YAML value."""

from typing import Any

from edge import yamlfile
from edge.config import keys
from edge.config.origin import Key
from edge.errors import ConfigInvalid

NOTHING = ("null", "~")


def understood(key: Key, text: str) -> Any:
    """The value that `--set key=text`, or a variable of the environment, gives.

    Where the schema wants text, the text is taken as it is (a password may look like a number), but `null`
    is nothing and quotes round the whole are left out. Elsewhere it is YAML: a scalar, or flow style.
    Raises ValueError with a sentence.
    """
    if takes_text(key, text):
        return as_text(text)
    try:
        return yamlfile.scalar(text)
    except ConfigInvalid as error:
        raise ValueError(error.faults[0].message) from None


def takes_text(key: Key, text: str) -> bool:
    here = keys.find(key)
    if isinstance(here, keys.Leaf):
        return here.is_text
    short_for_uri = key[0] == "source" or (key[0] == "sources" and len(key) == 2)
    return short_for_uri and not text.lstrip().startswith("{")


def as_text(text: str) -> str | None:
    if text in NOTHING:
        return None
    if text[:1] in ("'", '"') and text[-1:] == text[:1] and len(text) > 1:
        quoted = yamlfile.scalar(text)
        return quoted if isinstance(quoted, str) else text
    return text
