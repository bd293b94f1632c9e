"""Another project in the place of the running one: asked for, made ready beside it, tried out, and kept or taken back.

One thread makes ready what is asked for, one request after the other; the loop's thread changes over (`edge.switch`).
A request ends as `done`, `refused` (it never answered) or `rolled_back` (it answered, and failed on trial).
"""

import contextlib
import dataclasses
import logging
import queue
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from edge import build, engine, golden
from edge.answering import Answering
from edge.newcomer import Refusal, Supply, cause_of
from edge.project import Project
from edge.switch import Offer
from inference import acceptance
from inference.errors import InferenceError
from inference.golden import Golden
from inference.results import Result

log = logging.getLogger(__name__)

T = TypeVar("T")
Outcome = dict[str, Any]
MOST_WAITING = 4  # requests; a further one is refused as busy
LEAST_LIMIT, TIMES_USUAL = 0.1, 4.0  # seconds; an answer may take that, or so many times what it takes now
LOOK_ROUND = 0.2  # seconds
TURN = 0.0005  # seconds for which Python code of one thread may keep the others waiting meanwhile
REST_AFTER = 30.0  # seconds without a request; until then a process waits to read the next model
OUTCOMES = ("done", "refused", "rolled_back")
ROLLBACK = {"rollback": True}


@dataclasses.dataclass
class Asked:
    """One request. local: it comes from this machine's own user."""

    wanted: Mapping[str, Any]
    future: "Future[Outcome]"
    local: bool


class Swaps:
    """The requests of one run. The thread is started with the first of them."""

    def __init__(self, runtime: build.Runtime, supply: Supply | None = None) -> None:
        self._runtime = runtime
        self._switch = runtime.switch
        self._supply = supply or Supply(runtime.config)
        self._former: Project | None = None
        self._queue: queue.SimpleQueue[Asked | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._counts: Counter[str] = Counter()
        self._causes: Counter[str] = Counter()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def request(self, wanted: Mapping[str, Any], *, local: bool = False) -> "Future[Outcome]":
        """Ask for another project; from any thread, answered when it has proved itself, or failed to.

        wanted: `{"project": NAME}` for an installed or bundled one, or `{"uri", "sha256", "signature"}` for a signed
        bundle. local: the asker is this machine's own user, and may name any folder. The answer has `outcome` (one of
        OUTCOMES), `project`, `sha256` (of its model), and where it is not done `cause`, a word, and `error`.
        """
        return self._ask(Asked(dict(wanted), Future(), local))

    def rollback(self) -> "Future[Outcome]":
        """Ask for the project that answered before: at once if the present one is on trial, else as of any other."""
        if self._switch.take_back():
            answered: Future[Outcome] = Future()
            answered.set_result({"outcome": "done"})
            return answered
        return self._ask(Asked(ROLLBACK, Future(), local=True))

    def _ask(self, asked: Asked) -> "Future[Outcome]":
        with self._lock:
            self._counts["asked"] += 1
            if self._stopping.is_set():
                self._answer(asked, refusal("ended", "the run ends"))
            elif self._waiting >= MOST_WAITING:
                self._answer(asked, refusal("busy", f"{self._waiting} others are waiting"))
            else:
                self._waiting += 1
                self._queue.put(asked)
                self._start()
        return asked.future

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="swap", daemon=True)
            self._thread.start()

    def stop(self, timeout: float) -> None:
        """Take no further request, and refuse those that wait. Waits so many seconds for one that is being loaded."""
        with self._lock:
            self._stopping.set()
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(timeout)

    def figures(self) -> dict[str, Any]:
        """How many requests came, and how they ended; of those that failed, for which causes. From any thread."""
        counts = {name: self._counts[name] for name in ("asked", *OUTCOMES)}
        return {**counts, "causes": dict(self._causes)}

    def _work(self) -> None:
        from inference.formats import nursery

        with nursery.opened() as readers:
            while (asked := self._next(readers.rest)) is not None:
                self._answer(asked, self._outcome(asked))

    def _next(self, rest: Callable[[], None]) -> Asked | None:
        """The next request; None at the end. rest: called when there was none for a while."""
        try:
            return self._queue.get(timeout=REST_AFTER)
        except queue.Empty:
            rest()
            return self._queue.get()

    def _outcome(self, asked: Asked) -> Outcome:
        try:
            outcome = self._carried_out(asked)
        except Exception as error:
            log.exception("a swap broke")
            outcome = refusal("error", repr(error))
        with self._lock:
            self._waiting -= 1
        return outcome

    def _answer(self, asked: Asked, outcome: Outcome) -> None:
        self._counts[outcome["outcome"]] += 1
        if outcome.get("cause"):
            self._causes[outcome["cause"]] += 1
        tell(outcome)
        asked.future.set_result(outcome)

    def _carried_out(self, asked: Asked) -> Outcome:
        if self._stopping.is_set():
            return refusal("ended", "the run ends")
        try:
            with taking_turns():
                newcomer, limit = self._made_ready(asked)
        except Refusal as refused:  # also an error of ours, by `refusing`
            self._supply.tidy(self._kept())
            return refusal(refused.cause, str(refused))
        offer = self._switch.offer(newcomer, limit, self._runtime.config.swap.frames)
        log.info("swap: %s is ready", newcomer.project.name)
        self._wait(offer)
        return self._concluded(offer)

    def _wait(self, offer: Offer) -> None:
        while not offer.settled.wait(LOOK_ROUND):
            if self._stopping.is_set():
                self._switch.withdraw(offer, "ended", "the run ended first")

    def _concluded(self, offer: Offer) -> Outcome:
        """Close who is spared, remember who may be asked back, and say how it ended."""
        newcomer, spare = offer.newcomer, offer.spare
        outcome = {
            "outcome": offer.outcome,
            "project": newcomer.project.name,
            "sha256": newcomer.model.identity.sha256,
        }
        if offer.outcome == "done" and spare is not None:
            self._supply.note(newcomer.project)
            self._former = spare.project if spare.project.folder != newcomer.project.folder else None
        else:
            outcome |= {"cause": offer.cause, "error": offer.error}
        if spare is not None:
            with contextlib.suppress(InferenceError):
                spare.close()
        self._supply.tidy(self._kept())
        return outcome

    def _kept(self) -> tuple[Project, ...]:
        return (self._runtime.project, *([self._former] if self._former is not None else []))

    def _made_ready(self, asked: Asked) -> tuple[Answering, float]:
        """The newcomer, and what an answer of it may take in seconds. Raises Refusal; nothing stays open then."""
        with contextlib.ExitStack() as undo:
            project = self._project(asked)
            pictures = refusing(golden.golden, project, cause="project")
            hook = refusing(build.hook_of, project, cause="hook")
            if hook is not None:
                undo.callback(hook.close)
            config, runtime = self._runtime.config, self._runtime
            refusing(self._supply.vet, project)
            model = refusing(engine.load, config, project.manifest)
            undo.callback(model.close)
            limit = config.swap.latency or max(LEAST_LIMIT, TIMES_USUAL * self._switch.usual)
            limits = acceptance.Limits(limit, agreement=config.swap.agreement or 0.0)
            like = refusing(self._said_now, project, pictures)
            report = refusing(acceptance.accept, model, pictures, limits=limits, like=like)
            ready = build.answering(project, model, hook, runtime.lanes, report)
            undo.pop_all()
            return ready, limit

    def _project(self, asked: Asked) -> Project:
        overrides = self._runtime.project.overrides
        if asked.wanted != ROLLBACK:
            return refusing(self._supply.project, asked.wanted, overrides, local=asked.local)
        if self._former is None:
            raise Refusal("nothing", "no project answered before")
        former = {"project": str(self._former.folder)}
        return refusing(self._supply.project, former, overrides, local=True)

    def _said_now(self, project: Project, pictures: tuple[Golden, ...]) -> list[Result] | None:
        """What a second copy of the running model says of the golden pictures; the loop's own belongs to the loop."""
        config, running = self._runtime.config, self._runtime.project
        same = running.name == project.name and running.folder != project.folder
        if config.swap.agreement is None or not pictures or not same:
            return None
        with contextlib.closing(engine.load(config, running.manifest)) as model:
            return [model.predict(each.pixels, each.format) for each in pictures]


@contextlib.contextmanager
def taking_turns() -> Iterator[None]:
    """While a newcomer is made ready, the loop need not wait long for the interpreter's lock."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(min(usual, TURN))
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def refusing(step: Callable[..., T], *given: Any, cause: str | None = None, **named: Any) -> T:
    """What a step gives. Raises Refusal for an error of ours, with its cause in a word."""
    try:
        return step(*given, **named)
    except Refusal:
        raise
    except Exception as error:
        found = cause_of(error)
        if found is None:
            raise
        raise Refusal(cause or found, str(error)) from error


def refusal(cause: str, error: str) -> Outcome:
    return {"outcome": "refused", "cause": cause, "error": error}


def tell(outcome: Outcome) -> None:
    if outcome["outcome"] == "done":
        log.info("swap: %s answers now, with %s", outcome["project"], str(outcome.get("sha256"))[:12])
    elif outcome["outcome"] == "refused":
        log.error("swap refused (%s): %s", outcome["cause"], outcome["error"])
    else:
        told = (outcome["project"], outcome["cause"], outcome["error"])
        log.error("swap rolled back, %s failed on trial (%s): %s", *told)
