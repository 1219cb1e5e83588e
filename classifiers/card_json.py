"""The calibration card as JSON, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from classifiers.card import BASE_RATES, Card, HeldOut, Part
from classifiers.holdout import Novelty
from classifiers.over_time import Stops
from curation.auroc import Measured
from curation.errors import DataError
from curation.rates import Rate, wilson


def card_json(card: Card) -> dict[str, Any]:
    """JSON values; `card_of` reads the card back from them."""
    rates = card.rates
    return {
        "version": 2,
        "classifier": card.classifier,
        "threshold": card.threshold,
        "earlier": None if card.earlier is None else [_look(*each) for each in card.earlier.items()],
        "seed": card.seed,
        "auroc": card.auroc.as_json(),
        "recall": _rate(rates.recall),
        "false_positives": _rate(rates.false_positives),
        "precision": _rate(rates.precision),
        "precision_at_recall_90": [_number(value) for value in card.precision_at_recall()],
        "precision_by_base_rate": {str(base): [_number(v) for v in rates.precision_at(base)] for base in BASE_RATES},
        "brier": _number(card.brier),
        "calibration": [{"said": _number(one.said), **_rate(one.true)} for one in card.curve],
        "kept_by_outcome": {word: _rate(rate) for word, rate in card.by_outcome().items()},
        "new": {what: _part(part) for what, part in card.where_new().items()},
        "by_policy": {who: _part(part) for who, part in card.by_policy().items()},
        "by_area": [{"x": x, "y": y, **_part(part)} for (x, y), part in card.by_area().items()],
        "controls": {what: one.as_json() for what, one in card.controls.items()},
        "pairs": {what: _rate(rate) for what, rate in card.pairs.items()},
        "looks": {what: one.as_json() for what, one in card.looks.items()},
        "stops": None if card.stops is None else _stops(card.stops),
        "passed_over": card.passed_over,
        "learned": dict(card.learned),
        "tested": [_told(one) for one in card.tested],
    }


def card_of(told: Mapping[str, Any], name: str = "NAME") -> Card:
    """A card from what `card_json` gave, of a classifier of that name.

    Raises:
        DataError: it is damaged; says what is, and how it is made anew.
    """
    try:
        return Card(
            told["classifier"],
            _share(told["threshold"], "threshold"),
            tuple(_tested(one) for one in told["tested"]),
            int(told["passed_over"]),
            {what: _measured(one) for what, one in told["controls"].items()},
            {what: _rate_of(rate) for what, rate in told["pairs"].items()},
            {what: _measured(one) for what, one in told["looks"].items()},
            None if told["stops"] is None else _stops_of(told["stops"]),
            told["learned"],
            int(told["seed"]),
            _earlier(told.get("earlier")),
        )
    except KeyError as error:
        raise DataError(damaged(name, f"it does not say {error.args[0]}")) from error
    except _NoNumber as error:
        raise DataError(damaged(name, str(error))) from error
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise DataError(damaged(name, "a value in it is none of its kind")) from error


def damaged(name: str, why: str) -> str:
    """What to say of the damaged card of a classifier."""
    return f"The calibration card of {name} is damaged: {why}. Make it anew: studio card {name} --on DATASET."


class _NoNumber(ValueError):
    """A number of the file is none that it can be; says which."""


def _share(value: Any, what: str) -> float:
    number = float(value)
    if not 0.0 <= number <= 1.0:
        raise _NoNumber(f"{what} {number:g} is not from 0 to 1")
    return number


def _look(threshold: float, ids: frozenset[str]) -> dict[str, Any]:
    return {"threshold": threshold, "episodes": sorted(ids)}


def _earlier(told: Sequence[Mapping[str, Any]] | None) -> dict[float, frozenset[str]] | None:
    if told is None:
        return None
    return {_share(one["threshold"], "an earlier threshold"): frozenset(map(str, one["episodes"])) for one in told}


def _told(one: HeldOut) -> list[Any]:
    what = [one.dataset, one.episode_id, _number(one.x), _number(one.y), one.operator, one.outcome, one.success]
    return [*what, one.probability, one.new.position, one.new.session, one.new.policy]


def _tested(told: Sequence[Any]) -> HeldOut:
    name, episode_id, x, y, operator, outcome, success, probability, *new = told
    place = (_float(x), _float(y))
    said = _share(probability, f"the probability of episode {episode_id}")
    return HeldOut(name, episode_id, *place, operator, outcome, bool(success), said, Novelty(*new))


def _measured(told: Mapping[str, float | None]) -> Measured:
    found = (told[name] for name in ("value", "low", "high"))
    return Measured(*(math.nan if value is None else _share(value, "an AUROC") for value in found))


def _rate(rate: Rate) -> dict[str, float]:
    return {"k": rate.k, "n": rate.n, "low": round(rate.low, 4), "high": round(rate.high, 4)}


def _rate_of(told: Mapping[str, Any]) -> Rate:
    return wilson(int(told["k"]), int(told["n"]))


def _part(part: Part) -> dict[str, Any]:
    rates = {"recall": _rate(part.recall), "false_positives": _rate(part.false_positives)}
    return {"n": part.episodes, "auroc": part.auroc.as_json(), **rates}


def _stops(stops: Stops) -> dict[str, Any]:
    rates = {name: _rate(getattr(stops, name)) for name in ("seen", "early", "wrong")}
    return {**rates, "delays_s": [round(delay, 3) for delay in stops.delays_s]}


def _stops_of(told: Mapping[str, Any]) -> Stops:
    seen, early, wrong = (_rate_of(told[name]) for name in ("seen", "early", "wrong"))
    return Stops(seen, early, wrong, tuple(_finite(delay) for delay in told["delays_s"]))


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 4)


def _float(value: float | None) -> float:
    return math.nan if value is None else _finite(value)


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise _NoNumber(f"it has {value} for a number")
    return float(value)
