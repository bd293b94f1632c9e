"""The page `live`: device stream and project stream of one frame side by side, and what the model said."""

import functools
from typing import Any

from nicegui import ui
from nicegui.element import Element

from edge.console.pictures import Pictures
from edge.console.record import Record, View
from edge.console.shell import page, words
from edge.console.sighting import Sighting
from edge.console.words import say

ADDRESS = "/"
REFRESH = 0.25  # seconds between two looks at the record
PICTURES_PER_S = 12.0
FIGURES = {
    "frames": "Frames",
    "messages": "Messages",
    "age": "Age when sent",
    "prepare": "Prepare",
    "infer": "Infer",
    "interpret": "Interpret",
}
NOTHING = "–"


class Pair(Element, component="static/pair.js"):
    """The two pictures of one frame of a source, exchanged together, at most `rate` times a second."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self._props["rate"] = rate
        self._props["source"] = ""

    def show(self, source: str) -> None:
        if source != self._props["source"]:
            self._props["source"] = source
            self.update()


class Messages(Element, component="static/messages.js"):
    """The last messages as a table."""

    def __init__(self) -> None:
        super().__init__()
        self._props["rows"] = []

    def show(self, rows: list[dict[str, Any]]) -> None:
        if rows != self._props["rows"]:
            self._props["rows"] = rows
            self.update()


class Live:
    """One viewer's page. source: the one it asked for, None for whichever there is."""

    def __init__(self, record: Record, pictures: Pictures, broker: str, source: str | None) -> None:
        self._record = record
        self._pictures = pictures
        self._broker = broker
        self._source = source
        self._offered: tuple[str, ...] = ()
        with page(ADDRESS, record.thing):
            with ui.element("section").classes("card state") as self._state:
                self._headline = words("span", classes="state-headline").props("role=status")
                self._detail = words("span", classes="state-detail")
            self._sources = ui.element("div").classes("sources").props('role=group aria-label="Sources"')
            self._pair = Pair(PICTURES_PER_S)
            with ui.element("div").classes("below"):
                with ui.element("section").classes("card").props('aria-label="Rates and latencies"'):
                    self._figures = figures()
                    self._model = words("p", classes="model")
                self._messages = Messages()
            self._unreadable = words("p", classes="places")
            words("p", f"Broker {broker} · pictures {pictures.shown}", "places")
        self.refresh()
        ui.timer(REFRESH, self.refresh)

    def refresh(self) -> None:
        """Bring the page up to date with the record."""
        view = self._record.view(self._source)
        self._show_state(view)
        self._offer(view)
        self._pair.show(view.source)
        for name, told in figures_of(view).items():
            self._figures[name].set_text(told)
        self._model.set_text(model_of(view))
        self._messages.show([row(sighting) for sighting in view.rows])
        self._unreadable.set_text(view.unreadable)

    def _show_state(self, view: View) -> None:
        state = say(view, self._pictures.state(view.source), self._broker)
        self._state.props(f"data-kind={state.kind}")
        self._headline.set_text(state.headline)
        self._detail.set_text(state.detail)

    def _offer(self, view: View) -> None:
        """One button for each source, where there are several."""
        offered = (view.source, *view.sources) if len(view.sources) > 1 else ()
        if offered == self._offered:
            return
        self._offered = offered
        self._sources.clear()
        with self._sources:
            for name in offered[1:]:
                pressed = "true" if name == view.source else "false"
                button = words("button", name, "source").props(f"type=button aria-pressed={pressed}")
                button.on("click", functools.partial(self._choose, name))

    def _choose(self, source: str, _click: object) -> None:
        self._source = source
        self.refresh()


def figures() -> dict[str, Any]:
    """The list of figures; gives the element of each value."""
    values = {}
    with ui.element("dl").classes("figures"):
        for name, title in FIGURES.items():
            with ui.element("div"):
                words("dt", title)
                values[name] = words("dd", NOTHING)
    return values


def figures_of(view: View) -> dict[str, str]:
    """Each figure as text; a dash for what is not known."""
    rates = {"frames": view.frames_per_s, "messages": view.messages_per_s}
    told = {name: NOTHING if rate is None else f"{rate:.1f} /s" for name, rate in rates.items()}
    for name in ("age", "prepare", "infer", "interpret"):
        told[name] = f"{view.latency_ms[name]:.1f} ms" if name in view.latency_ms else NOTHING
    return told


def model_of(view: View) -> str:
    """What runs there, in one line."""
    if view.last is None:
        return "No model has answered yet."
    model = view.last.model
    on = " on ".join(part for part in (model.get("backend"), model.get("device")) if part)
    kernels = f"{view.presence.kernels} kernels" if view.presence.kernels else ""
    digest = f"sha256 {model['sha256'][:12]}" if model.get("sha256") else ""
    parts = (view.last.project, view.last.task, model.get("name"), on, kernels, digest)
    return " · ".join(dict.fromkeys(part for part in parts if part))


def row(sighting: Sighting) -> dict[str, Any]:
    """A message as the table shows it."""
    infer = sighting.latency_ms.get("infer")
    return {
        "key": round(sighting.arrived_at * 1e6),
        "time": sighting.ts_ms,
        "frame": NOTHING if sighting.frame is None else sighting.frame,
        "results": [[label, "" if score is None else f"{score:.0%}"] for label, score in sighting.results],
        "more": sighting.more,
        "infer": NOTHING if infer is None else f"{infer:.1f} ms",
    }
