"""The project stream: what the model saw, as messages that lose nothing."""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from streams import clock as wall
from streams import envelope, gaps, times
from streams.frame import Frame
from streams.mould import Mould, rows
from streams.pace import Policy
from streams.sequence import Sequence as Numbers
from streams.spool import Item, Kind, Spool
from streams.topics import Topics

STREAM = "infer"


class ProjectStream:
    """The messages of one source. Nothing here blocks; all of it belongs to the loop's thread.

    policy: decides which results become messages. sequence: numbers them, across restarts. clock: monotonic
    seconds, the one that stamped the frames; wall_ms: wall time in milliseconds. max_bytes: of a message that `say`
    writes; a larger one is the spool's to cut. Raises TopicInvalid for a thing or source that no topic can hold.
    """

    def __init__(
        self,
        thing: str,
        source: str,
        spool: Spool,
        sequence: Numbers,
        policy: Policy,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], int] = wall.wall_ms,
        max_bytes: int | None = None,
    ) -> None:
        self._max_bytes = max_bytes
        self.thing, self.source = thing, source
        self.topic = Topics(thing).infer(source)
        self.sent = 0
        self._spool, self._sequence, self._policy = spool, sequence, policy
        sequence.prepare(STREAM, source)
        for jump in sequence.jumps:
            if (jump.stream, jump.source) == (STREAM, source):
                told = gaps.message(self.topic, "power", [[jump.first, jump.last]])
                spool.put(Item(gaps.topic_of(self.topic), told, Kind.ANSWER))
        self._clock, self._wall_ms = clock, wall_ms

    def follow(self, policy: Policy) -> None:
        """From now on another policy decides."""
        self._policy = policy

    def wants(self, key: Hashable, now: float) -> bool:
        """Whether a result described by `key` is worth a message now.

        Asking counts.
        """
        return self._policy.wants(key, now)

    def message(
        self,
        frame: Frame,
        *,
        project: str,
        task: str,
        model: Mapping[str, Any],
        latency_ms: Mapping[str, float],
        results: Sequence[Mapping[str, Any]],
    ) -> dict[str, Any]:
        """The message of one frame's results, for the hook to see and change. Its number comes with `send`."""
        return envelope.infer_message(
            thing=self.thing,
            source=self.source,
            project=project,
            seq=0,
            frame=frame,
            now=self._clock(),
            wall_ms=self._wall_ms(),
            task=task,
            model=model,
            latency_ms=latency_ms,
            results=results,
        )

    def mould(self, *, project: str, task: str, model: Mapping[str, Any]) -> Mould:
        """For `say`: what all messages of a project have in common here."""
        return Mould(thing=self.thing, source=self.source, project=project, task=task, model=model)

    def say(
        self,
        mould: Mould,
        frame: Frame,
        now: float,
        seconds: Sequence[float],
        results: Sequence[Mapping[str, Any]],
    ) -> bool:
        """`message` and `send` in one, for a message that nobody wants to see or change; False where it must go the
        longer way: it is too large, or no plain JSON.

        now: monotonic seconds of this moment. seconds: of prepare, infer, interpret.
        """
        text = rows(results)
        if text is None or self._is_large(mould.most, text):
            return False
        number = self._sequence.next(STREAM, self.source)
        payload = mould.filled(
            seq=number, frame=frame, now=now, wall_ms=self._wall_ms(), seconds=seconds, results=text
        )
        unsynced = wall.synced(now) == times.UNSYNCED
        self._spool.put(Item(self.topic, payload, captured_at=frame.captured_at, unsynced=unsynced))
        self.sent += 1
        return True

    def _is_large(self, most: int, results: str) -> bool:
        return self._max_bytes is not None and most + len(results.encode()) > self._max_bytes

    def send(self, message: Mapping[str, Any], captured_at: float | None = None) -> int:
        """Numbers the message, hands it to the spool, and gives the number back.

        Nobody may change what is in it any more. captured_at: monotonic seconds of its picture.
        """
        number = self._sequence.next(STREAM, self.source)
        self._spool.put(Item(self.topic, {**message, "seq": number}, Kind.INFER, captured_at=captured_at))
        self.sent += 1
        return number
