"""The finder's text: what is under the cursor, and the list so far."""

from __future__ import annotations

from rich.text import Text

from studio.tui.finder_plan import CLOSE_M, Plan
from studio.tui.words import counted, cut

Colours = dict[str, str]
_CHECKS = (
    ("reach", "within reach", "out of reach"),
    ("view", "in view", "out of view"),
    ("bowl", "clear of it", "in it or too close"),
)
"""What is checked, which is also a word of the problem; what is said if it holds, and if not."""


def cursor_words(plan: Plan, colours: Colours) -> Text:
    """Position, rotation, the three checks, and the nearest neighbours."""
    plain, quiet = colours["foreground"], colours["muted"]
    text = Text()
    text.append(f"x {plan.x:.3f}   y {plan.y:+.3f}", f"bold {plain}").append("  m\n", quiet)
    turned = "free" if plan.rotation is None else f"{plan.rotation:g}°"
    text.append("rotation   ", quiet).append(f"{turned}\n\n", plain)
    problems = plan.problems()
    for name, fine, bad in _CHECKS:
        wrong = any(name in problem for problem in problems)
        text.append(f"{name:<11}", quiet)
        text.append(f"{bad if wrong else fine}\n", colours["error" if wrong else "success"])
    text.append("\n")
    text.append("recorded   ", quiet).append_text(_distance(plan, colours)).append("\n")
    text.append("target     ", quiet)
    near, here = plan.near_target(), plan.here()
    if near is None:
        text.append("none yet", quiet)
    elif here is not None:
        text.append(f"#{here + 1} is here", plain)
    else:
        text.append(f"{100 * near.distance:.1f} cm to #{near.index + 1}", plain)
    return text


def _distance(plan: Plan, colours: Colours) -> Text:
    near = plan.near_data()
    if near is None:
        return Text("d chooses a dataset", colours["muted"])
    close = near.distance < CLOSE_M
    words = Text(f"{100 * near.distance:.1f} cm", colours["warning" if close else "foreground"])
    return words.append("  close" if close else "", colours["warning"])


def list_words(plan: Plan, close: set[int], file: str, room: int, colours: Colours) -> Text:
    """The targets around the one under the cursor; the close ones are marked."""
    text = Text(no_wrap=True)
    state = "" if plan.saved else " *"
    text.append(f"{counted(len(plan.targets), 'target')}", f"bold {colours['foreground']}")
    text.append(f"  {cut(file, 18)}{state}\n", colours["muted"])
    here = plan.here()
    first = max(0, min((here or 0) - room // 2, len(plan.targets) - room))
    for index in range(first, min(len(plan.targets), first + room)):
        target = plan.targets[index]
        look = f"{colours['foreground']} on {colours['chosen']}" if index == here else colours["foreground"]
        turned = "free" if target.rotation is None else f"{target.rotation:g}°"
        text.append(f"{index + 1:>3}  {target.x:.3f} {target.y:+.3f}  {turned:>4}", look)
        if index in close:
            text.append("  close", colours["warning"])
        elif target.note:
            text.append(f"  {cut(target.note, 8)}", colours["muted"])
        text.append("\n")
    more = len(plan.targets) - first - room
    if more > 0:
        text.append(f"     and {more} more", colours["muted"])
    return text
