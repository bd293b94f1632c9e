"""Progress is one line on a terminal, and silence elsewhere."""

import io

from edge.progress import CLEAR, EVERY, Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_one_line_in_place() -> None:
    out = Terminal()
    progress = Progress(out)
    progress.show("10 pictures", 1.0)
    progress.show("20 pictures", 2.0)
    progress.clear()
    assert out.getvalue() == f"{CLEAR}10 pictures{CLEAR}20 pictures{CLEAR}"


def test_a_text_is_due_at_most_twice_a_second() -> None:
    progress = Progress(Terminal())
    assert progress.due(1.0)
    progress.show("10 pictures", 1.0)
    assert not progress.due(1.0 + EVERY / 2)
    assert progress.due(1.0 + EVERY)


def test_a_file_sees_nothing() -> None:
    out = io.StringIO()
    progress = Progress(out)
    assert not progress.due(1.0)
    progress.clear()
    assert out.getvalue() == ""
