"""The desk carries out each command once and in turn, and puts off what it cannot: from the door to the spool."""

import json
import threading
import time
import types
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from witness import wait_until

from edge.remote.desk import MOST_WAITING, Desk
from edge.remote.handler import Handler, Result, Unable
from edge.remote.ids import Ids
from streams import clock as wall
from streams import verb as fields
from streams.budget import BUDGETS
from streams.commands import Command
from streams.spool import Item, Kind, MemorySpool
from streams.transports.local import Local
from streams.verb import Verb


class Rig:
    """A desk with some verbs of its own, on a transport within this process."""

    def __init__(self, folder: Path, budget: str = "none", rate: float = 1000.0) -> None:
        self.calls: list[str] = []
        self.items: list[Item] = []
        self.going = threading.Event()
        self.going.set()
        self.future: Future[Result] = Future()
        self.transport = Local(budget=BUDGETS[budget])
        spool = MemorySpool(1 << 20)
        spool.put = self.items.append  # type: ignore[method-assign]
        runtime = types.SimpleNamespace(transport=self.transport, config=types.SimpleNamespace(thing="cam-1"))
        run: Any = types.SimpleNamespace(runtime=runtime)
        self.ids = Ids(folder, wall_ms=wall.wall_ms)
        handlers = {
            "look": self.handler(Verb("look", {"size": fields.count(0, 1 << 30)}), self.look),
            "later": self.handler(Verb("later"), lambda command, room: self.future),
            "break": self.handler(Verb("break"), lambda command, room: {"one": 1 / 0}),
            "no": self.handler(Verb("no"), self.refuse),
            "stop": self.handler(Verb("stop", identified=False, immediate=True, anything=True), self.look),
            "hidden": self.handler(Verb("hidden", identified=False, immediate=True), self.look),
        }
        allowed = [name for name in handlers if name != "hidden"]
        self.desk = Desk(run, handlers, allowed, spool, self.ids, rate=rate, clock=time.monotonic)
        self.desk.listen(self.transport)
        self.transport.start()

    def handler(self, verb: Verb, answer: Callable[[Command, int], Any]) -> Handler:
        def noted(run: Any, command: Command, room: int) -> Any:
            self.calls.append(f"{verb.name} {command.id} {threading.current_thread().name}")
            return answer(command, room)

        return Handler(verb, noted)

    def look(self, command: Command, room: int) -> Result:
        assert self.going.wait(10)
        return {"filler": "x" * command.fields.get("size", 1)}

    def refuse(self, command: Command, room: int) -> Result:
        raise Unable("mood", "it does not feel like it")

    def say(self, verb: str, payload: Any) -> None:
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.transport.publish(f"cmd/lensracer/cam-1/{verb}", data, 1)

    def answers(self) -> list[dict[str, Any]]:
        assert all(item.kind is Kind.ANSWER and item.topic.endswith("/res") for item in self.items)
        return [dict(item.payload) for item in list(self.items)]  # type: ignore[arg-type]

    def wait(self, count: int) -> list[dict[str, Any]]:
        wait_until(lambda: len(self.items) >= count)
        return self.answers()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    made.desk.start()
    yield made
    made.going.set()
    made.desk.stop(5)


def test_a_command_is_answered_from_the_desks_own_thread(rig: Rig) -> None:
    rig.say("look", {"id": "1", "size": 3})
    (answer,) = rig.wait(1)
    assert (answer["outcome"], answer["id"], answer["result"]) == ("done", "1", {"filler": "xxx"})
    assert rig.calls == ["look 1 commands"]


def test_an_immediate_verb_waits_for_nobody_and_is_not_answered(rig: Rig) -> None:
    rig.going.clear()
    rig.say("look", {"id": "1"})
    wait_until(lambda: bool(rig.calls))
    rig.going.set()
    rig.say("stop", b"anything at all")
    assert rig.calls[-1].startswith("stop None MainThread")
    rig.wait(1)
    assert len(rig.items) == 1


def test_a_verb_that_is_not_allowed_is_not_carried_out_whatever_it_is(rig: Rig) -> None:
    rig.say("hidden", {})
    assert rig.calls == []
    assert rig.desk.figures()["refused"] == {"not_allowed": 1}
    assert not rig.items


def test_more_than_can_wait_are_put_off_and_may_come_again(rig: Rig) -> None:
    rig.going.clear()
    rig.say("look", {"id": "first"})
    wait_until(lambda: bool(rig.calls))
    for number in range(MOST_WAITING + 3):
        rig.say("look", {"id": str(number)})
    put_off = rig.wait(3)
    assert [each["cause"] for each in put_off] == ["busy"] * 3
    rig.going.set()
    rig.wait(3 + 1 + MOST_WAITING)
    rig.say("look", {"id": put_off[0]["id"]})
    assert rig.wait(3 + 2 + MOST_WAITING)[-1]["outcome"] == "done"


def test_a_repeated_command_gets_the_first_answer_and_one_under_way_gets_one(rig: Rig) -> None:
    for _ in range(3):
        rig.say("later", {"id": "1"})
    rig.say("look", {"id": "2"})
    assert [each["id"] for each in rig.wait(1)] == ["2"]
    rig.future.set_result({"told": True})
    first = rig.wait(2)[-1]
    assert (first["id"], first["result"]) == ("1", {"told": True})
    rig.say("later", {"id": "1"})
    assert rig.wait(3)[-1] == first
    assert sum(call.startswith("later") for call in rig.calls) == 1
    assert rig.desk.figures()["repeated"] == 3


def test_what_breaks_is_told_and_the_desk_goes_on(rig: Rig) -> None:
    for verb in ("break", "no", "look"):
        rig.say(verb, {"id": verb})
    broken, unwilling, good = rig.wait(3)
    assert (broken["outcome"], broken["cause"]) == ("failed", "error")
    assert (unwilling["outcome"], unwilling["cause"], unwilling["error"]) == (
        "refused",
        "mood",
        "it does not feel like it",
    )
    assert good["outcome"] == "done"


def test_an_answer_never_exceeds_the_transport(tmp_path: Path) -> None:
    rig = Rig(tmp_path, "lite")
    rig.desk.start()
    rig.say("look", {"id": "1", "size": 100_000})
    (answer,) = rig.wait(1)
    assert answer["truncated"] is True
    assert len(json.dumps(answer)) < 4096
    rig.desk.stop(5)


def test_commands_too_often_are_busy_but_a_repeated_one_is_not(tmp_path: Path) -> None:
    rig = Rig(tmp_path, rate=0.001)
    rig.desk.start()
    for number in range(21):
        rig.say("look", {"id": str(number)})
        rig.wait(number + 1)
    assert rig.answers()[-1]["cause"] == "busy"
    rig.say("look", {"id": "0"})
    assert rig.wait(22)[-1]["outcome"] == "done"
    rig.desk.stop(5)


def test_the_end_of_a_run_refuses_what_waits_and_the_next_one_tells_what_was_under_way(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path)
    rig.desk.start()
    rig.say("later", {"id": "1"})
    wait_until(lambda: bool(rig.calls))
    rig.desk.close()
    rig.say("look", {"id": "2"})
    rig.desk.stop(5)
    assert [each["cause"] for each in rig.answers()] == ["ended"]
    again = Rig(tmp_path)
    again.desk.start()
    (told,) = again.wait(1)
    assert (told["id"], told["outcome"], told["cause"]) == ("1", "failed", "interrupted")
    again.desk.stop(5)
    third = Rig(tmp_path)
    third.desk.start()
    third.desk.stop(5)
    assert not third.items
