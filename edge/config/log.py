"""What is told of the program's own doings: `log`."""

from typing import Literal

from pydantic import Field

from edge.config.section import Section

Level = Literal["debug", "info", "warning", "error"]


class Log(Section):
    """What is told on the standard error."""

    level: Level = Field(
        default="info", description="What is told at least; `debug` also shows where errors arose."
    )
    levels: dict[str, Level] = Field(
        default_factory=dict,
        description="Levels of single modules and what lies below them.",
        examples=[{"streams.feed": "debug"}],
    )
    format: Literal["text", "json", "auto"] = Field(
        default="auto", description="`auto`: text on a terminal, one JSON object a line elsewhere."
    )
