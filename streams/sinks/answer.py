"""What a path of ours answers beside pictures."""

from collections.abc import Callable, Mapping
from typing import NamedTuple


class Answer(NamedTuple):
    """status: of HTTP, such as 200 or 503. content_type: with its charset, where it is text."""

    status: int
    content_type: str
    body: bytes


Routes = Mapping[str, Callable[[], Answer]]  # by exact path, such as "/metrics"
