"""Where commands are carried out, one after the other, on a thread of its own: each once, and each answered.

The transport's thread only hands over. What comes while too many wait, or too often, is answered as busy.
"""

import logging
import queue
import threading
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from edge.remote import answer as answers
from edge.remote.handler import Handler, Result, Unable
from edge.remote.ids import Ids, Key
from streams.commands import Command, Commands, Refused
from streams.envelope import dumps
from streams.spool import Item, Kind, Spool
from streams.tokens import Tokens
from streams.topics import Topics
from streams.transports import Transport

if TYPE_CHECKING:
    from edge.run import Run

log = logging.getLogger(__name__)

MOST_WAITING = 16  # commands
BURST = 20.0  # commands at once
REFUSALS_A_SECOND = 5.0  # that are answered; more are counted only
UNBOUNDED = 1 << 20  # bytes that an answer may have where the transport sets no limit
SETTLED_S = 1.0  # after which an answer stands in the spool for good
ENDED = "the run ends"

# To be carried out, or finished elsewhere; None: go home.
Turn = Command | tuple[Command, "Result | Unable"] | None


class Desk:
    """The commands of one run. handlers: by verb; allowed: those of them that are carried out. rate: commands a
    second. clock: monotonic seconds."""

    def __init__(
        self,
        run: "Run",
        handlers: Mapping[str, Handler],
        allowed: Collection[str],
        spool: Spool,
        ids: Ids,
        *,
        rate: float,
        clock: Callable[[], float],
    ) -> None:
        thing = run.runtime.config.thing
        self._run, self._handlers, self._allowed = run, handlers, frozenset(allowed)
        self._spool, self._ids, self._clock, self._thing = spool, ids, clock, thing
        self._topics = Topics(thing)
        verbs = {name: handler.verb for name, handler in handlers.items()}
        self._ear = Commands(thing, verbs, self._take, self._refuse, clock=clock)
        self._often = Tokens(rate, max(BURST, rate))
        self._refusals = Tokens(REFUSALS_A_SECOND, 2 * REFUSALS_A_SECOND)
        self._refusals_lock = threading.Lock()
        self._turns: queue.SimpleQueue[Turn] = queue.SimpleQueue()
        self._waiting = 0
        self._lock = threading.Lock()
        self._fresh: deque[tuple[float, Key]] = deque()  # answers that the spool may not have written yet
        self._counts: Counter[str] = Counter()
        self._ending = False
        self._thread = threading.Thread(target=self._work, name="commands", daemon=True)

    @property
    def _most(self) -> int:
        """Bytes that an answer may have on the connection of this moment."""
        return self._run.runtime.transport.budget.max_payload or UNBOUNDED

    def listen(self, transport: Transport) -> None:
        """Subscribe. Commands that come before `start` wait."""
        self._ear.listen(transport)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Take nothing further; what waits is refused."""
        self._ending = True

    def stop(self, timeout: float) -> None:
        """End, when what is under way is finished and answered, within so many seconds."""
        self.close()
        self._turns.put(None)
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def figures(self) -> dict[str, Any]:
        """Counts of commands: taken, refused by reason, repeated (they had come before), and of answers by outcome."""
        with self._lock:
            counts = {name: self._counts[name] for name in ("done", "failed", "repeated")}
        return {**self._ear.figures(), **counts}

    # On the transport's thread.

    def _take(self, command: Command) -> None:
        if command.verb.name not in self._allowed:
            there = ", ".join(sorted(self._allowed)) or "none"
            self._put_off(command, "not_allowed", f"commands.allow does not name it; allowed here: {there}")
        elif command.verb.immediate or command.id is None:
            self._handlers[command.verb.name].answer(self._run, command, 0)
        elif self._ending:
            self._put_off(command, "ended", ENDED)
        elif not self._ids.known(command.verb.name, command.id) and not self._often.take(self._clock()):
            self._put_off(command, "busy", "commands come more often than commands.rate allows")
        elif self._waiting >= MOST_WAITING:
            self._put_off(command, "busy", f"{MOST_WAITING} others are waiting")
        else:
            with self._lock:
                self._waiting += 1
            self._turns.put(command)

    def _put_off(self, command: Command, cause: str, sentence: str) -> None:
        self._ear.count(cause, sentence)
        self._refuse(Refused(cause, sentence, command.verb.name, command.id))

    def _refuse(self, refused: Refused) -> None:
        """Answer what is not taken, and not remembered either: it may come again with the same id."""
        with self._refusals_lock:
            answerable = self._refusals.take(self._clock())
        try:
            topic = self._topics.response(refused.verb)
        except ValueError:  # a verb that no topic of ours can hold
            return
        if answerable and refused.id is not None:
            told = {"outcome": "refused", "cause": refused.reason, "error": str(refused)}
            self._send(topic, answers.unable(self._thing, refused.verb, refused.id, self._clock(), **told))

    # On the desk's own thread.

    def _work(self) -> None:
        self._take_up()
        while True:
            try:
                turn = self._turns.get(timeout=SETTLED_S if self._fresh else None)
            except queue.Empty:
                self._settle()
                continue
            if turn is None:
                break
            try:
                self._turn(turn)
            except Exception:  # the next command must be heard all the same
                log.exception("a command broke the desk")
            self._settle()
        for _, key in self._fresh:  # the end of a run leaves nothing behind in the spool's writer
            self._ids.told(*key)
        self._ids.close()

    def _turn(self, turn: Command | tuple[Command, Result | Unable]) -> None:
        if not isinstance(turn, Command):
            self._conclude(*turn)
            return
        with self._lock:
            self._waiting -= 1
        if self._ending:
            self._put_off(turn, "ended", ENDED)
        else:
            self._serve(turn)

    def _take_up(self) -> None:
        """What the last run left: answers are sent again, and what it began and did not finish is told."""
        begun, untold = self._ids.open_ends()
        for told in untold:
            self._say(told)
        for verb, id_of in begun:
            sentence = (
                "the device went down meanwhile; whether it came about is not known, and it is not done again"
            )
            self._say_unable(verb, id_of, Unable("interrupted", sentence, "failed"))

    def _serve(self, command: Command) -> None:
        verb, id_of = command.verb.name, command.id
        assert id_of is not None
        if self._ids.known(verb, id_of):
            with self._lock:
                self._counts["repeated"] += 1
            before = self._ids.answer_of(verb, id_of)
            if before is not None:  # else it is under way, and will be answered
                self._send(self._topics.response(verb), before)
            return
        if self._clock() >= command.deadline:
            self._put_off(command, "expired", "it expired while others were carried out")
            return
        self._ids.begin(verb, id_of)
        try:
            given = self._handlers[verb].answer(self._run, command, self._most - answers.BESIDE)
        except Exception as error:
            self._conclude(command, able(error, verb))
            return
        if isinstance(given, Future):
            given.add_done_callback(lambda done: self._turns.put((command, outcome_of(done, verb))))
        else:
            self._conclude(command, given)

    def _conclude(self, command: Command, outcome: Result | Unable) -> None:
        verb, id_of = command.verb.name, command.id
        assert id_of is not None
        if isinstance(outcome, Unable):
            self._say_unable(verb, id_of, outcome)
            return
        told = answers.done(self._thing, verb, id_of, self._clock(), outcome)
        if len(dumps(told)) > self._most:  # a verb that kept to its room never comes here
            told = told | {"result": {}, "truncated": True}
        self._say(told)

    def _say_unable(self, verb: str, id_of: str, why: Unable) -> None:
        told = {"outcome": why.outcome, "cause": why.cause, "error": str(why)}
        self._say(answers.unable(self._thing, verb, id_of, self._clock(), **told))

    def _say(self, told: Mapping[str, Any]) -> None:
        """Remember an answer, and then send it."""
        verb, id_of, outcome = told["verb"], told["id"], told["outcome"]
        if outcome == "refused":
            self._ear.count(told["cause"])
        else:
            with self._lock:
                self._counts[outcome] += 1
        log.info("command %s: %s", verb, outcome if outcome == "done" else f"{outcome} ({told['error']})")
        self._ids.answered(told)
        self._send(self._topics.response(verb), told)
        self._fresh.append((self._clock() + SETTLED_S, (verb, id_of)))

    def _settle(self) -> None:
        """Note that answers were sent, when the spool has them for good."""
        while self._fresh and self._fresh[0][0] <= self._clock():
            self._ids.told(*self._fresh.popleft()[1])

    def _send(self, topic: str, told: Mapping[str, Any]) -> None:
        self._spool.put(Item(topic, told, Kind.ANSWER))


def able(error: Exception, verb: str) -> Unable:
    """What went wrong, as an answer; a surprise is logged too."""
    if isinstance(error, Unable):
        return error
    log.error("the command %s broke", verb, exc_info=error)
    return Unable("error", f"{type(error).__name__}: {error}", "failed")


def outcome_of(done: "Future[Result]", verb: str) -> Result | Unable:
    try:
        return done.result()
    except Exception as error:
        return able(error, verb)
