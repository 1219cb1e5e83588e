"""The calibration card: what it says follows from what was measured, and it comes back from its file as it was."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifiers.card import Card, HeldOut
from classifiers.card_file import read_card, write_card
from classifiers.card_json import card_json, card_of
from classifiers.card_text import card_lines, card_page, trust
from classifiers.holdout import Novelty
from classifiers.over_time import Stops
from curation.auroc import Measured, measured_auroc
from curation.errors import DataError
from curation.rates import wilson


def made(episodes: int = 60, mistakes: int = 2) -> Card:
    """Half of the episodes succeed; of either kind some are mistaken, all of these in one corner of the table."""
    tested = []
    for at in range(episodes):
        good, wrong = at % 2 == 0, at < 2 * mistakes
        x, y = (0.3, 0.2) if wrong else (0.2 if at % 3 else 0.3, 0.0)
        told = round(0.9 - 0.001 * at if good != wrong else 0.1 + 0.001 * at, 5)
        new = Novelty(at % 3 == 0, session=True, policy=at % 4 < 2)
        outcome = "success" if good else ("missed_goal" if at % 3 else "held_at_timeout")
        driver = "expert+noise6" if at % 4 < 2 else "fumbler"
        tested.append(HeldOut("set", f"id-{at}", x, y, driver, outcome, good, told, new))
    return Card(
        "classifier:done@0123456789ab", 0.5, tuple(tested), passed_over=3,
        controls={"length only": Measured(0.91, 0.85, 0.96), "shuffled labels": Measured(0.5, 0.4, 0.6)},
        pairs={"moved out of the bowl": wilson(29, 30), "still held": wilson(30, 30)},
        looks={"as recorded": Measured(0.99, 0.97, 1.0), "dark ground": Measured(0.7, 0.6, 0.8)},
        stops=Stops(wilson(20, 30), wilson(1, 30), wilson(2, 30), (0.5, 0.8)),
        learned={"datasets": []}, seed=4,
    )  # fmt: skip


def test_a_card_comes_back_from_its_file(tmp_path: Path) -> None:
    card = made()
    write_card(tmp_path, card)
    again = read_card(tmp_path)
    assert json.dumps(card_json(again)) == json.dumps(card_json(card))
    assert again.tested == card.tested
    assert card_lines(again) == card_lines(card)
    assert (tmp_path / "card.png").read_bytes().startswith(b"\x89PNG")
    assert "![the card](card.png)" in (tmp_path / "card.md").read_text()


def test_a_card_remembers_which_thresholds_were_looked_at_on_its_episodes(tmp_path: Path) -> None:
    def said(card: Card) -> str:
        written = write_card(tmp_path, card)
        assert read_card(tmp_path).earlier == written.earlier
        (line,) = (line for line in card_lines(written) if line.startswith("kept from"))
        assert line in (tmp_path / "card.md").read_text()
        assert bool(written.others) == ("may have been chosen by these episodes" in " ".join(trust(written)))
        return line.partition(" on, ")[2]

    def at(threshold: float, *, first: int = 0, last: int = 60) -> Card:
        return replace(made(), threshold=threshold, tested=made().tested[first:last])

    assert said(at(0.5, last=30)) == "chosen before"
    assert said(at(0.5, last=30)) == "chosen before", "it is the only one that was looked at"
    assert said(at(0.9, first=30)) == "chosen before", "on other episodes"
    assert said(at(0.9)) == "the 2nd threshold looked at on these episodes (earlier: 0.5)"
    assert said(at(0.7, first=40)) == "the 2nd threshold looked at on these episodes (earlier: 0.9)"
    assert said(at(0.5, first=40)) == "the 3rd threshold looked at on these episodes (earlier: 0.9, 0.7)"
    (tmp_path / "card.json").write_text("{")
    assert said(at(0.5)) == "and nobody knows which others were looked at before"
    assert said(at(0.6)) == "and nobody knows which others were looked at before"


def test_a_damaged_card_and_none_are_told_apart_and_both_refused(tmp_path: Path) -> None:
    again = f"studio card {tmp_path.name} --on DATASET"
    with pytest.raises(DataError, match="is no classifier: it has no"):
        read_card(tmp_path)
    (tmp_path / "classifier.json").write_text("{}")
    with pytest.raises(DataError, match=f"has no calibration card, and nothing .*{again}") as none:
        read_card(tmp_path)
    assert "Errno" not in str(none.value)
    for text, why in (("{", "no JSON"), ("[]", "none of its kind"), ("{}", "does not say classifier")):
        (tmp_path / "card.json").write_text(text)
        with pytest.raises(DataError, match=f"{why}. Make it anew: {again}") as found:
            read_card(tmp_path)
        assert "Error" not in str(found.value)


@pytest.mark.parametrize("value", [math.nan, -0.1, 1.5, math.inf, "much", None, []])
@pytest.mark.parametrize("at", [("threshold",), ("tested", 3, 7), ("controls", "length only", "low")])
def test_a_card_whose_numbers_cannot_be_is_refused(at: tuple[Any, ...], value: object) -> None:
    if value is None and at[0] == "controls":
        return  # nobody knows it
    told: Any = card_json(made())
    *way, last = at
    inner = told
    for step in way:
        inner = inner[step]
    inner[last] = value
    with pytest.raises(DataError, match=r"is damaged: .* Make it anew: studio card done --on DATASET"):
        card_of(json.loads(json.dumps(told)), "done")


def test_parts_add_up_and_tell_where_it_errs() -> None:
    card = made()
    areas = card.by_area()
    assert sum(part.episodes for part in areas.values()) == 60
    errs = {at: part.false_positives.k + part.recall.n - part.recall.k for at, part in areas.items()}
    assert sum(errs.values()) == max(errs.values()) == 4
    assert {who: part.episodes for who, part in card.by_policy().items()} == {"expert+noise6": 30, "fumbler": 30}
    new = card.where_new()
    assert (new["new positions"].episodes, new["new sessions"].episodes, new["new policies"].episodes) == (20, 60, 30)
    assert sum(rate.n for rate in card.by_outcome().values()) == 60
    assert card.by_outcome()["success"].k == 28


def test_conclusions_name_every_danger() -> None:
    said = " ".join(trust(made()))
    assert "length only would nearly be enough" in said
    assert "shuffled" not in said
    leaks = replace(made(), controls={"shuffled labels": Measured(0.85, 0.62, 1.0)})
    assert "Trainings on shuffled labels tell them apart too" in " ".join(trust(leaks))
    assert "nearly be enough" not in " ".join(trust(leaks))
    assert "does not carry over to: dark ground" in said
    assert "as recorded" not in said
    page = card_page(made(), "card.png")
    for part in ("3 it learned from, and copies, did not count", "recorder that stops", "x, y [m]", "who drove"):
        assert part in page
    one_kind = Card("classifier:a@1", 0.5, tuple(one for one in made().tested if one.success))
    assert "Only one kind" in " ".join(trust(one_kind))
    assert "unknown" in "\n".join(card_lines(one_kind))
    assert "No episode of new policies was among them." in trust(Card("classifier:a@1", 0.5, _old(made())))


def _old(card: Card) -> tuple[HeldOut, ...]:
    return tuple(one for one in card.tested if not one.new.policy)


def test_nothing_out_of_order_is_not_taken_for_certain() -> None:
    truth = np.arange(40) < 20
    found = measured_auroc(truth.astype(float), truth, 0)
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.85 < found.low < 0.96
