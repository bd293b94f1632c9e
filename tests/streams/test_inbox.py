import signal
import threading
import time

import numpy as np
import pytest

from streams.frame import Frame
from streams.inbox import Inbox


def frame(source: str, number: int = 1) -> Frame:
    return Frame(id=number, source=source, captured_at=0.0, pixels=np.zeros((2, 2, 3), np.uint8))


def sources_of(inbox: Inbox, count: int) -> list[str]:
    frames = [inbox.next(0.0) for _ in range(count)]
    return [each.source for each in frames if each is not None]


def test_sources_take_turns_so_that_none_starves_another() -> None:
    inbox = Inbox()
    slots = {name: inbox.slot(name) for name in "abc"}
    order = []
    for _ in range(6):
        for slot_name, slot in slots.items():
            slot.put(frame(slot_name))
        order += sources_of(inbox, 1)
    assert order == list("abcabc")


def test_a_source_without_news_loses_its_turn_only() -> None:
    inbox = Inbox()
    slots = {name: inbox.slot(name) for name in "abc"}
    for name in "ac":
        slots[name].put(frame(name))
    assert sources_of(inbox, 3) == ["a", "c"]


def test_two_sources_of_one_name_are_refused() -> None:
    inbox = Inbox()
    inbox.slot("main")
    with pytest.raises(ValueError, match="main"):
        inbox.slot("main")


def test_it_has_ended_when_each_slot_is_closed_and_empty() -> None:
    inbox = Inbox()
    one, other = inbox.slot("one"), inbox.slot("other")
    one.put(frame("one"))
    one.close()
    assert not inbox.ended
    other.close()
    assert not inbox.ended
    assert sources_of(inbox, 1) == ["one"]
    assert inbox.ended


def test_waiting_ends_with_the_last_source() -> None:
    inbox = Inbox()
    slot = inbox.slot("main")
    threading.Timer(0.03, slot.close).start()
    began = time.monotonic()
    assert inbox.next(10) is None
    assert time.monotonic() - began < 5


def test_a_frame_of_any_source_ends_the_waiting() -> None:
    inbox = Inbox()
    inbox.slot("one")
    other = inbox.slot("other")
    threading.Timer(0.03, lambda: other.put(frame("other"))).start()
    taken = inbox.next(10)
    assert taken is not None
    assert taken.source == "other"


def test_waking_ends_the_waiting_once() -> None:
    inbox = Inbox()
    inbox.slot("main")
    threading.Timer(0.03, inbox.wake).start()
    began = time.monotonic()
    assert inbox.next(10) is None
    assert time.monotonic() - began < 5
    assert inbox.next(0.02) is None
    assert time.monotonic() - began >= 0.04


def test_waking_before_the_waiting_is_not_lost() -> None:
    inbox = Inbox()
    inbox.slot("main")
    inbox.wake()
    began = time.monotonic()
    assert inbox.next(10) is None
    assert time.monotonic() - began < 5


def test_a_signal_handler_may_wake_the_thread_that_it_interrupts() -> None:
    inbox = Inbox()
    slot = inbox.slot("main")
    before = signal.signal(signal.SIGALRM, lambda *_: inbox.wake())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            slot.put(frame("main"))
            inbox.next(0.001)
            inbox.next(0.001)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_frames_of_several_threads_all_arrive() -> None:
    inbox = Inbox()
    count = 500
    slots = {name: inbox.slot(name, lossless=True) for name in "abcd"}

    def write(name: str) -> None:
        for number in range(count):
            slots[name].put(frame(name, number))
        slots[name].close()

    threads = [threading.Thread(target=write, args=(name,), daemon=True) for name in slots]
    for thread in threads:
        thread.start()
    seen: dict[str, list[int]] = {name: [] for name in slots}
    while not inbox.ended:
        taken = inbox.next(5)
        if taken is not None:
            seen[taken.source].append(taken.id)
    assert all(numbers == list(range(count)) for numbers in seen.values())
