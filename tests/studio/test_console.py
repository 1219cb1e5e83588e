"""Progress is for terminals, results for stdout."""

from __future__ import annotations

import io
import json

from studio.console import Console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def say(err: io.StringIO, *, as_json: bool = False) -> tuple[str, str]:
    out = io.StringIO()
    console = Console(as_json=as_json, out=out, err=err)
    console.progress("1 of 2")
    console.progress("2 of 2")
    console.step("saved")
    console.result("all good", {"good": True})
    return out.getvalue(), err.getvalue()


def test_progress_is_not_written_to_files() -> None:
    assert say(io.StringIO()) == ("all good\n", "saved\n")


def test_progress_on_a_terminal_is_one_line_that_goes() -> None:
    out, err = say(Terminal())
    assert out == "all good\n"
    assert err == "1 of 2\r\x1b[K2 of 2\r\x1b[Ksaved\n"


def test_a_long_progress_stays_on_its_line() -> None:
    err = Terminal()
    Console(out=io.StringIO(), err=err).progress("x" * 1000)
    assert "\n" not in err.getvalue()
    assert len(err.getvalue()) < 1000


def test_json_replaces_the_text() -> None:
    out, err = say(io.StringIO(), as_json=True)
    assert json.loads(out) == {"good": True}
    assert err == "saved\n"
