"""The rows of the setup form, and which of them matter for what was chosen."""

from __future__ import annotations

from recorders.operators.named import PEOPLE
from studio.tui.setup_form import HANDS, HEADSETS, KEYS, WHERE, Form
from studio.tui.widgets.form_row import NO, YES, Question, yes_no

_SWITCH = (YES, NO)


def setup_questions(form: Form) -> list[Question]:
    """Every row, filled with a form."""
    return [
        Question("to", "dataset", form.to, hint="a name, such as pos2", wide=True),
        Question("operator", "who drives", form.operator, options=("expert", *PEOPLE)),
        Question("where", "where", form.where, options=WHERE),
        Question("at", "X Y", form.at, "m"),
        Question("box", "X and Y", form.box, "m", wide=True),
        Question("file", "file", form.file, hint="targets.json", wide=True),
        Question("per_position", "per position", form.per_position, "episodes"),
        Question("jitter", "jitter", form.jitter, "m along each axis"),
        Question("yaw", "yaw", form.yaw, "degrees, or free"),
        Question("episodes", "episodes", form.episodes, "there at the end"),
        Question("limit", "time limit", form.limit, "s for a take", hint="60 or 10"),
        Question("auto_stop", "on success", yes_no(form.auto_stop), "ends a take by itself", options=_SWITCH),
        Question("hand", "hand", form.hand, "holds the controller", options=HANDS),
        Question("port", "port", form.port, hint="the only one there is", wide=True),
        Question("headset", "headset", form.headset, "web: its own browser", options=HEADSETS),
        Question("lan", "network", yes_no(form.lan), "may reach the page, with its secret", options=_SWITCH),
        Question("keys", "keys from", form.keys, options=KEYS),
        Question("practice", "practice", yes_no(form.practice), "records nothing", options=_SWITCH),
    ]


def shown_questions(form: Form) -> set[str]:
    """Names of the rows that matter."""
    shown = {"operator", "where", "jitter", "yaw", "limit"}
    if not form.practice:
        shown |= {"to"} if form.where == "file" else {"to", "episodes"}
    if form.by_person:
        shown |= {"auto_stop", "keys", "practice"}
    if form.operator == "vr":
        shown |= {"hand", "headset", "lan"} if form.headset == "web" else {"hand", "headset"}
    if form.operator == "leader":
        shown.add("port")
    match form.where:
        case "file":
            shown |= {"file", "per_position"}
        case "at" | "box":
            shown.add(form.where)
    return shown
