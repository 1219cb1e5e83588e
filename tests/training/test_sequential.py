"""Looking after every episode: wrong claims stay rare, and candidates that differ are told apart early."""

from __future__ import annotations

import math

import numpy as np
import pytest

from training.sequential import Race, anytime_interval, log_capital


def run(rates: list[float], cap: int, rng: np.random.Generator) -> tuple[Race, int]:
    """A race of candidates on placements of shared difficulty, judged after every episode; and episodes driven."""
    names = [f"c{number}" for number in range(len(rates))]
    race, driven = Race(names, cap), 0
    for index in range(cap):
        luck, alive = rng.random(), race.standing.alive
        for name, rate in zip(names, rates):
            if name in alive:
                # Half of the time candidates succeed at the same places.
                mine = luck if rng.random() < 0.5 else rng.random()
                race.add(name, index, bool(mine < rate))
                driven += 1
        if race.standing.state != "continue":
            break
    return race, driven


def wrong(race: Race, rates: list[float]) -> bool:
    """Whether anyone was said to be beaten by one that is not better."""
    rate = dict(zip(race.names, rates))
    return any(rate[by] <= rate[name] for name, by in race.standing.beaten.items())


def share_of_wrong(rates: list[float], cap: int, repetitions: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    return float(np.mean([wrong(run(rates, cap, rng)[0], rates) for _ in range(repetitions)]))


def test_wrong_claims_are_rare_though_every_episode_is_looked_at() -> None:
    assert share_of_wrong([0.5, 0.5], 80, 300, seed=1) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("rates", [[0.5] * 2, [0.9] * 2, [0.6] * 5, [0.8, 0.8, 0.3, 0.3], [0.5] * 10])
def test_wrong_claims_are_rare_over_many_races(rates: list[float]) -> None:
    repetitions = 4000 if len(rates) == 2 else 300
    error = share_of_wrong(rates, 200, repetitions, seed=2)
    assert error <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / repetitions)


def test_a_better_candidate_wins_before_the_cap() -> None:
    rng = np.random.default_rng(3)
    races = [run([0.85, 0.35, 0.3], 120, rng) for _ in range(60)]
    assert np.mean([race.standing.winner == "c0" for race, _ in races]) > 0.9
    assert np.mean([driven for _, driven in races]) < 0.5 * 3 * 120
    # What is beaten, and by whom, is told.
    assert all(set(race.standing.beaten) == {"c1", "c2"} for race, _ in races if race.standing.winner == "c0")


def test_what_cannot_be_decided_any_more_ends() -> None:
    race = Race(["a", "b"], cap=10)
    assert race.standing.state == "continue"
    for index in range(4):
        race.add("a", index, True)
        race.add("b", index, True)
    # Six episodes that all differ are evidence of 18, and 40 is needed.
    assert race.standing.state == "inconclusive"
    assert race.standing.alive == ("a", "b")


def test_a_clean_sweep_is_a_winner_and_the_order_of_adding_is_none_of_it() -> None:
    first, second = Race(["a", "b"], cap=50), Race(["a", "b"], cap=50)
    for index in range(8):
        first.add("a", index, True)
        first.add("b", index, False)
    for index in reversed(range(8)):
        second.add("b", index, False)
    for index in range(8):
        second.add("a", index, True)
    assert first.standing == second.standing
    assert first.standing.winner == "a"
    assert first.standing.beaten == {"b": "a"}


def test_refusals() -> None:
    for names, cap, error in ((["a"], 9, 0.05), (["a", "a"], 9, 0.05), (["a", "b"], 0, 0.05), (["a", "b"], 9, 1.0)):
        with pytest.raises(ValueError):
            Race(names, cap, error)
    race = Race(["a", "b"], 9)
    race.add("a", 0, True)
    with pytest.raises(ValueError, match="before"):
        race.add("a", 0, True)
    with pytest.raises(KeyError):
        race.add("c", 0, True)


def test_the_bet_is_what_its_integral_says() -> None:
    chance = np.linspace(0.5, 1, 200_001)
    for wins, losses in ((0, 0), (5, 0), (10, 3), (3, 10)):
        capital = np.trapezoid((2 * chance) ** wins * (2 - 2 * chance) ** losses, chance) * 2
        assert math.exp(log_capital(wins, losses)) == pytest.approx(capital, rel=1e-6)
    assert log_capital(0, 2000) == -math.inf or log_capital(0, 2000) < -5


def held_always(rate: float, n: int, rng: np.random.Generator) -> bool:
    wins = np.cumsum(rng.random(n) < rate)
    return all(low <= rate <= high for low, high in (anytime_interval(int(k), i) for i, k in enumerate(wins, start=1)))


def test_the_interval_holds_at_all_counts_at_once() -> None:
    rng = np.random.default_rng(4)
    assert np.mean([held_always(0.7, 40, rng) for _ in range(60)]) >= 0.9
    assert anytime_interval(0, 0) == (0.0, 1.0)
    low, high = anytime_interval(12, 12)
    assert 0.6 < low < 1.0 == high
    with pytest.raises(ValueError):
        anytime_interval(3, 2)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.05, 0.5, 0.9])
def test_the_interval_holds_over_many_runs(rate: float) -> None:
    rng = np.random.default_rng(5)
    assert np.mean([held_always(rate, 200, rng) for _ in range(600)]) >= 0.95 - 0.018
