"""What is served beside the pictures for whoever watches over the device: `/readyz` and `/metrics`."""

import functools
from collections.abc import Callable

from edge.vitals import Vitals
from streams.sinks.answer import Answer, Routes


def routes(vitals: Vitals) -> Routes:
    """By path, see streams.sinks.http. `/healthz` is the server's own: it answers as long as the process lives."""
    metrics = functools.cache(lambda: _metrics(vitals))
    return {"/readyz": vitals.readiness.answer, "/metrics": lambda: metrics()()}


def _metrics(vitals: Vitals) -> Callable[[], Answer]:
    from edge.health import Metrics  # costs a library that is loaded when somebody asks for the first time

    return Metrics(vitals).answer
