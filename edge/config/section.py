"""What every section of the configuration is: frozen, exact about types, without room for unknown keys."""

from typing import NoReturn

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

from edge import redaction


class Section(BaseModel):
    """Nothing is coerced: `port: "1883"` is a mistake, and is said to be one."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    def __repr__(self) -> str:
        return redaction.hide(super().__repr__())

    __str__ = __repr__


def contradiction(key: str, sentence: str) -> NoReturn:
    """Refuse a combination of values, naming the key of this section that is to blame."""
    raise PydanticCustomError("contradiction", "{sentence}", {"sentence": sentence, "key": key})
