"""Printed messages: one a line, in order, none of them ever waited for by who prints."""

import io
import json
import threading
import time

from edge.printer import Printer


class Slow(io.StringIO):
    """An output that nobody reads until released."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def write(self, text: str) -> int:
        self.released.wait(5)
        return super().write(text)


def test_messages_come_out_one_a_line_and_in_order() -> None:
    out = io.StringIO()
    printer = Printer(out)
    for number in range(50):
        printer.put({"seq": number})
    printer.close()
    assert [json.loads(line)["seq"] for line in out.getvalue().splitlines()] == list(range(50))


def test_a_slow_reader_costs_messages_and_not_time() -> None:
    out = Slow()
    printer = Printer(out, most_waiting=10)
    began = time.monotonic()
    for number in range(1000):
        printer.put({"seq": number})
    assert time.monotonic() - began < 2
    out.released.set()
    printer.close()
    lines = out.getvalue().splitlines()
    assert json.loads(lines[-1]) == {"seq": 999}
    assert len(lines) + printer.missed == 1000


def test_a_message_that_no_json_holds_is_missed_and_the_next_one_comes() -> None:
    out = io.StringIO()
    printer = Printer(out)
    printer.put({"seq": object()})
    printer.put({"seq": 2})
    printer.close()
    assert out.getvalue() == '{"seq":2}\n'
    assert printer.missed == 1


def test_a_reader_that_has_gone_ends_nothing() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    printer = Printer(Gone())
    printer.put({"seq": 1})
    printer.close()
    assert printer.missed == 1
