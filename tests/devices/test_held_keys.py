"""Which keys drive, given what a source can tell."""

from __future__ import annotations

import pytest

from recorders.devices.keys import REPEAT_S, TAP_S, HeldKeys, KeyEvent, Stroke

PRESS, REPEAT, RELEASE, BLUR = Stroke.PRESS, Stroke.REPEAT, Stroke.RELEASE, Stroke.BLUR


def told(*strokes: tuple[float, str, Stroke], releases: bool, chords: bool | None = None) -> HeldKeys:
    held = HeldKeys(releases=releases, chords=releases if chords is None else chords)
    for at, key, stroke in strokes:
        held.tell(KeyEvent(key, stroke, at))
    return held


def test_with_key_up_a_key_drives_from_press_to_release() -> None:
    held = told((0.0, "i", PRESS), releases=True)
    assert held.held(0.0) == ("i",)
    assert held.held(100.0) == ("i",)
    held.tell(KeyEvent("i", RELEASE, 100.1))
    assert held.held(100.1) == ()


def test_a_key_pressed_and_released_between_two_frames_counts_exactly_once() -> None:
    held = told((0.0, "i", PRESS), (0.01, "i", RELEASE), releases=True)
    assert held.held(0.03) == ("i",)
    assert held.held(0.06) == ()


def test_a_key_that_was_counted_does_not_count_again_at_its_release() -> None:
    held = told((0.0, "i", PRESS), releases=True)
    held.held(0.0)
    held.tell(KeyEvent("i", RELEASE, 0.02))
    assert held.held(0.03) == ()


def test_a_key_pressed_again_after_a_brief_press_is_held() -> None:
    held = told((0.0, "i", PRESS), (0.01, "i", RELEASE), (0.02, "i", PRESS), releases=True)
    assert held.held(0.03) == ("i",)
    assert held.held(0.06) == ("i",)


def test_chords_are_held_together_and_let_go_one_by_one() -> None:
    held = told((0.0, "i", PRESS), (0.1, "y", PRESS), releases=True)
    assert held.held(0.2) == ("i", "y")
    held.tell(KeyEvent("i", RELEASE, 0.3))
    assert held.held(0.3) == ("y",)


@pytest.mark.parametrize("releases", [True, False])
def test_losing_focus_lets_go_of_everything_even_of_what_was_not_seen(releases: bool) -> None:
    held = told((0.0, "i", PRESS), (0.0, "y", PRESS), (0.01, "", BLUR), releases=releases)
    assert held.held(0.01) == ()


@pytest.mark.parametrize("releases", [True, False])
def test_release_all_lets_go(releases: bool) -> None:
    held = told((0.0, "i", PRESS), releases=releases)
    held.release_all()
    assert held.held(0.0) == ()


def test_with_key_up_repeats_after_a_loss_of_focus_do_not_drive_again() -> None:
    held = told((0.0, "i", PRESS), (0.1, "", BLUR), (0.2, "i", REPEAT), releases=True)
    assert held.held(0.2) == ()


def test_without_key_up_a_tap_is_one_bounded_step() -> None:
    held = told((0.0, "i", PRESS), releases=False)
    assert held.held(0.0) == held.held(TAP_S) == ("i",)
    assert held.held(TAP_S + 0.001) == ()


def test_without_key_up_a_hold_ends_its_time_after_the_last_repeat() -> None:
    held = told((0.0, "i", PRESS), (0.5, "i", REPEAT), (0.53, "i", REPEAT), releases=False)
    assert held.held(0.53 + TAP_S) == ("i",)
    assert held.held(0.53 + TAP_S + 0.001) == ()


def test_without_key_up_a_tap_between_two_late_frames_still_counts_once() -> None:
    held = told((0.0, "i", PRESS), releases=False)
    assert held.held(1.0) == ("i",)
    assert held.held(1.0) == ()


def test_without_chords_the_last_key_counts() -> None:
    held = told((0.0, "i", PRESS), (0.05, "l", PRESS), releases=False)
    assert held.held(0.06) == ("l",)


def test_a_release_that_a_source_cannot_know_of_is_not_believed() -> None:
    held = told((0.0, "i", PRESS), (0.01, "i", RELEASE), releases=False)
    assert held.held(0.02) == ("i",)
    assert held.held(0.05) == ("i",)


def test_without_key_up_what_still_repeats_after_all_was_let_go_does_not_drive() -> None:
    held = told((0.0, "y", PRESS), (0.5, "y", REPEAT), (0.53, "y", REPEAT), releases=False)
    assert held.held(0.54) == ("y",)
    held.release_all()
    for at in (0.56, 0.6, 0.65):
        held.tell(KeyEvent("y", REPEAT, at))
        assert held.held(at) == ()


def test_without_key_up_the_first_repeat_after_all_was_let_go_does_not_drive() -> None:
    held = told((0.0, "y", PRESS), (0.1, "", BLUR), (0.66, "y", REPEAT), (0.69, "y", REPEAT), releases=False)
    assert held.held(0.69) == ()


@pytest.mark.parametrize("again", [(0.2, "y", PRESS), (0.1 + TAP_S + 0.01, "y", REPEAT)])
def test_without_key_up_a_new_press_or_a_pause_ends_an_old_hold(again: tuple[float, str, Stroke]) -> None:
    held = told((0.0, "y", PRESS), (0.05, "y", REPEAT), (0.06, "", BLUR), (0.1, "y", REPEAT), again, releases=False)
    assert held.held(again[0]) == ("y",)


def test_without_key_up_a_pause_after_a_press_is_as_long_as_the_delay_of_repeats() -> None:
    late = REPEAT_S + 0.01
    held = told((0.0, "y", PRESS), (0.06, "", BLUR), (late, "y", REPEAT), releases=False)
    assert held.held(late) == ("y",)


@pytest.mark.parametrize("releases", [True, False])
def test_pressed_tells_presses_from_repeats_and_takes_nothing_from_held(releases: bool) -> None:
    held = told((0.0, "i", REPEAT), releases=releases)
    assert held.pressed(0.0) == ()
    held.tell(KeyEvent("i", PRESS, 0.2))
    assert held.pressed(0.2) == held.pressed(0.2) == held.held(0.2) == ("i",)
    held.release_all()
    assert held.pressed(0.2) == ()


def test_a_tap_between_two_looks_is_pressed() -> None:
    held = told((0.0, "i", PRESS), (0.01, "i", RELEASE), releases=True)
    assert held.pressed(0.03) == ("i",)
    assert held.held(0.03) == ("i",)
    assert held.pressed(0.06) == ()
