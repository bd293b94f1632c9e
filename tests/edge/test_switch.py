"""Between two frames another project answers; hooks stop and start in order; what fails on trial is taken back."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hand_clock import HandClock

from edge.answering import Answering
from edge.errors import RunFailed
from edge.lane import Lane, Subject
from edge.loop import Loop
from edge.switch import SLOW_IN_A_ROW, Switch
from edge.tally import Tally
from inference import Manifest, load
from inference.errors import AnswerUnusable
from inference.results import Timings
from streams.detail import Detail
from streams.frame import Frame
from streams.inbox import Inbox
from streams.pace import Every


class Stream:
    sent = 0

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.policies: list[object] = []

    def follow(self, policy: object) -> None:
        self.policies.append(policy)

    def wants(self, key: object, now: float) -> bool:
        return True

    def mould(self, **same: Any) -> dict[str, Any]:
        return same

    def say(self, mould: dict[str, Any], frame: Frame, now: float, seconds: object, results: object) -> bool:
        self.send(self.message(frame, **mould), now)
        return True

    def message(self, frame: Frame, *, project: str, model: dict[str, str], **said: Any) -> dict[str, Any]:
        return {"frame": frame.id, "project": project, "model": model["name"]}

    def send(self, message: dict[str, Any], captured_at: float) -> int:
        self.messages.append(message)
        return len(self.messages)


class Hook:
    """Writes down when it is called."""

    errors = slow = 0
    worst = 0.0
    budget = 0.01

    def __init__(self, name: str, diary: list[str], fails: bool = False) -> None:
        self.name, self.diary, self.fails = name, diary, fails

    def on_start(self, project: object) -> None:
        self.diary.append(f"{self.name} starts")
        if self.fails:
            raise RunFailed(f"{self.name} cannot start")

    def on_result(self, frame: object, result: object) -> None:
        self.diary.append(f"{self.name} sees {frame.id}")  # type: ignore[attr-defined]

    def on_stop(self) -> None:
        self.diary.append(f"{self.name} stops")


@dataclasses.dataclass
class Rig:
    switch: Switch
    loop: Loop
    inbox: Inbox
    stream: Stream
    tally: Tally
    detail: Detail
    diary: list[str]

    def run(self, count: int, first: int = 1) -> None:
        slot = self.inbox._slots["main"]
        for number in range(first, first + count):
            slot.put(Frame(number, "main", 100.0, np.full((48, 64, 3), number, np.uint8)))
            self.loop.step()
        while self.switch.now.model.pending:
            self.loop.step()

    def newcomer(self, name: str, hook: Any = None, *, fails: bool = False) -> Answering:
        return answering(name, self.stream, hook or Hook(name, self.diary, fails))

    @property
    def names(self) -> list[str]:
        return [message["project"] for message in self.stream.messages]


def answering(name: str, stream: Stream, hook: Any, requests: int = 1) -> Answering:
    manifest = Manifest.from_mapping(
        {"name": name, "task": "detection", "model": "fake:detection:3:64x48", "labels": ["a", "b", "c"]},
        Path(),
    )
    model = load(manifest, requests=requests)
    subject = Subject(name, "detection", ("a", "b", "c"), {"name": name})
    lane = Lane(subject, stream, None, None, hook)  # type: ignore[arg-type]
    return Answering(None, model, hook, {"main": lane}, {"main": Every(1)})  # type: ignore[arg-type]


def rig(requests: int = 1) -> Rig:
    diary: list[str] = []
    stream, tally, inbox, clock, detail = Stream(), Tally(), Inbox(), HandClock(100.0), Detail()
    inbox.slot("main")
    switch = Switch(answering("old", stream, Hook("old", diary), requests), detail, clock)
    return Rig(switch, Loop(inbox, switch, tally, clock), inbox, stream, tally, detail, diary)


@pytest.mark.parametrize("requests", [1, 3])
def test_the_change_is_between_two_frames_and_none_is_lost_or_told_twice(requests: int) -> None:
    rigged = rig(requests)
    rigged.run(4)
    offer = rigged.switch.offer(rigged.newcomer("new"), 1.0, frames=3)
    rigged.run(4, first=5)
    assert rigged.names == ["old"] * 4 + ["new"] * 4
    assert [message["frame"] for message in rigged.stream.messages] == list(range(1, 9))
    assert (offer.outcome, offer.spare and offer.spare.project) == ("done", None)
    assert offer.spare is not None
    assert offer.spare.model.identity.name == "old"


def test_the_former_hook_stops_before_the_new_one_starts_and_each_sees_its_own_frames() -> None:
    rigged = rig()
    rigged.run(1)
    rigged.switch.offer(rigged.newcomer("new"), 1.0, frames=2)
    rigged.run(2, first=2)
    assert rigged.diary == ["old sees 1", "old stops", "new starts", "new sees 2", "new sees 3"]


def test_a_new_hook_that_fails_at_its_start_leaves_the_former_project_as_it_was() -> None:
    rigged = rig()
    offer = rigged.switch.offer(rigged.newcomer("new", fails=True), 1.0, frames=2)
    rigged.run(2)
    assert (offer.outcome, offer.cause, offer.error) == ("refused", "hook", "new cannot start")
    assert rigged.names == ["old", "old"]
    assert rigged.diary[:3] == ["old stops", "new starts", "old starts"]


def broken(error: Exception, after: int = 0) -> Any:
    left = [after]

    def check(outputs: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise error

    return check


@pytest.mark.parametrize(
    ("error", "cause"), [(AnswerUnusable("no number", "finite"), "finite"), (RuntimeError("boom"), "fails"),
                         (ValueError("cannot reshape"), "fails")]
)  # fmt: skip
@pytest.mark.parametrize("requests", [1, 3])
def test_what_fails_on_trial_is_rolled_back_and_the_former_one_answers_that_very_frame(
    error: Exception, cause: str, requests: int
) -> None:
    rigged = rig(requests)
    newcomer = rigged.newcomer("new")
    offer = rigged.switch.offer(newcomer, 1.0, frames=30)
    rigged.run(2)
    newcomer.model.check = broken(error)
    rigged.run(2, first=3)
    assert rigged.names == ["new", "new", "old", "old"]
    assert [message["frame"] for message in rigged.stream.messages] == [1, 2, 3, 4]
    assert (offer.outcome, offer.cause, offer.error) == ("rolled_back", cause, str(error))
    assert offer.spare is newcomer
    assert rigged.diary.index("new stops") < len(rigged.diary) - 1 - rigged.diary[::-1].index("old starts")


def test_a_picture_that_fits_neither_is_skipped_and_rolls_nobody_back() -> None:
    rigged = rig()
    offer = rigged.switch.offer(rigged.newcomer("new"), 1.0, frames=2)
    slot = rigged.inbox._slots["main"]
    slot.put(Frame(1, "main", 100.0, np.zeros((48, 64, 4), np.uint8)))
    rigged.loop.step()
    assert rigged.tally.skipped["main"] == 1
    assert not offer.settled.is_set()
    rigged.run(2, first=2)
    assert offer.outcome == "done"


def test_after_the_trial_a_failure_of_the_model_ends_the_run_as_ever() -> None:
    rigged = rig()
    rigged.switch.now.model.check = broken(RuntimeError("boom"))
    with pytest.raises(RuntimeError, match="boom"):
        rigged.run(1)


def slow(rigged: Rig, seconds: float, times: int) -> None:
    result = rigged.switch.now.model.predict(
        np.zeros((48, 64, 3), np.uint8), Frame(1, "x", 0.0, np.zeros(1)).format
    )  # type: ignore[arg-type]
    for _ in range(times):
        rigged.switch.answered(dataclasses.replace(result, timings=Timings(0.0, seconds, 0.0)))


def test_slow_answers_in_a_row_roll_back_and_a_few_do_not() -> None:
    rigged = rig()
    offer = rigged.switch.offer(rigged.newcomer("new"), 0.1, frames=100)
    rigged.switch.change()
    for _ in range(5):
        slow(rigged, 0.5, SLOW_IN_A_ROW - 1)
        slow(rigged, 0.05, 1)
    assert not offer.settled.is_set()
    slow(rigged, 0.5, SLOW_IN_A_ROW)
    assert (offer.outcome, offer.cause) == ("rolled_back", "latency")
    assert "5 answers in a row took over 100.0 ms, the last 500.0 ms" in offer.error


def test_what_an_answer_usually_takes_is_known_and_begins_anew_with_another_model() -> None:
    rigged = rig()
    slow(rigged, 0.2, 50)
    assert rigged.switch.usual == pytest.approx(0.2)
    rigged.switch.offer(rigged.newcomer("new"), 1.0, frames=5)
    rigged.switch.change()
    assert rigged.switch.usual == 0.0


def test_who_is_on_trial_can_be_taken_back_and_nobody_else() -> None:
    rigged = rig()
    assert not rigged.switch.take_back()
    offer = rigged.switch.offer(rigged.newcomer("new"), 1.0, frames=30)
    rigged.run(2)
    assert rigged.switch.take_back()
    rigged.run(1, first=3)
    assert rigged.names == ["new", "new", "old"]
    assert (offer.outcome, offer.cause) == ("rolled_back", "asked")


def test_an_offer_that_nobody_took_up_can_be_withdrawn() -> None:
    rigged = rig()
    offer = rigged.switch.offer(rigged.newcomer("new"), 1.0, frames=30)
    assert rigged.switch.withdraw(offer, "ended", "the run ends")
    rigged.run(1)
    assert rigged.names == ["old"]
    assert (offer.outcome, offer.cause) == ("refused", "ended")
    assert not rigged.switch.withdraw(offer, "ended", "the run ends")


def test_whoever_is_on_trial_when_the_run_ends_has_not_failed() -> None:
    rigged = rig()
    offer = rigged.switch.offer(rigged.newcomer("new"), 1.0, frames=30)
    rigged.run(2)
    rigged.switch.leave()
    assert offer.outcome == "done"
    assert rigged.diary[-1] == "new stops"


def test_how_often_and_how_much_is_asked_anew_with_each_project() -> None:
    rigged = rig()
    newcomer = rigged.newcomer("new")
    rigged.switch.offer(newcomer, 1.0, frames=1)
    rigged.run(1)
    assert rigged.stream.policies[-1] is newcomer.policies["main"]
    assert rigged.detail.needed is None  # it has a hook, which is shown all of it


def test_faults_of_hooks_that_were_let_go_still_count() -> None:
    rigged = rig()
    former = rigged.switch.now.hook
    assert former is not None
    former.errors, former.slow, former.worst = 3, 2, 0.2
    rigged.switch.offer(rigged.newcomer("new"), 1.0, frames=1)
    rigged.run(1)
    assert rigged.switch.hook_figures() == {"errors": 3, "slow": 2, "worst_ms": 200.0, "budget_ms": 10.0}
