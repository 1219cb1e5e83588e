"""Training a success classifier: minutes on a CPU, from random weights, reproducible from its seed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.evidence import Weighing, evidence, fit_weighing, last_frames
from classifiers.holdout import rarer, whole_parts
from classifiers.labels import Instant, Labelled
from classifiers.look import CutOut
from classifiers.pictures import Pictures, pictures_of
from curation.errors import DataError, UsageError
from curation.store import Store

LEAST = 8
"""Episodes of either kind without which nothing is trained (assumed): fewer cannot be held out and counted."""
CALIBRATION_SHARE = 0.2
"""Share of the training episodes kept from the network, on which the verdict is calibrated."""
LEAST_CALIBRATION = 2
"""Episodes of either kind that are calibrated on at least."""
WARM_UP = 0.1
"""Share of the steps in which the learning rate rises."""
BLIND_SHARE = 0.25
"""How often an instant is learned from without one camera. Of 100 successes drawn again with the block on the rim of
the bowl, 98 or 99 are told apart in four trainings; in nine with both cameras always there, 85 to 92 in three and 97 or
98 in six (measured on one dataset)."""
PER_EPISODE = 10
"""Instants of either kind that an episode gives at most."""
MOST_INSTANTS = 6000
"""Instants that all episodes give at most, about: half a gigabyte, and ten minutes of two cores."""


@dataclass(frozen=True)
class Settings:
    """How it is trained.

    Attributes:
        seed: of weights, draws and augmentation.
        epochs: times every instant is seen.
        batch: instants per step.
        rate: peak learning rate of AdamW, with a warm-up over a tenth and a cosine to zero.
    """

    seed: int = 0
    epochs: int = 6
    batch: int = 16
    rate: float = 1e-3

    def __post_init__(self) -> None:
        if not (1 <= self.epochs <= 1000 and 2 <= self.batch <= 1024 and 0 < self.rate <= 0.1):
            raise UsageError(
                f"epochs {self.epochs}, batch {self.batch}, rate {self.rate} do not train. Valid: epochs 1 to 1000, "
                "batch 2 to 1024, rate up to 0.1."
            )


@dataclass(frozen=True)
class Fitted:
    """A trained classifier.

    Attributes:
        network: gives log-odds of pictures.
        look: cut-out of each camera.
        weighing: from evidence to an episode's probability.
        settings: how it was trained.
        losses: mean loss of every epoch, of pictures as they were changed for learning.
        instants: how many it learned from, and how many of them show a success.
        seconds: decoding and fitting took.
    """

    network: Any
    look: dict[str, CutOut]
    weighing: Weighing
    settings: Settings
    losses: tuple[float, ...]
    instants: tuple[int, int]
    seconds: float

    def judge(self, pictures: Sequence[Pictures]) -> NDArray[np.float64]:
        """Probability that episodes succeeded, from each one's last pictures, shape (N,)."""
        return self.weighing.probability(gathered(self.network, pictures))


@dataclass(frozen=True)
class Lessons:
    """What is learned from.

    Attributes:
        pictures: of instants.
        labels: whether each shows a success, 0 or 1, shape (N,).
        ends: last pictures of episodes kept for the calibration, as if they had ended there.
        truth: whether each of those would be a success, shape (M,).
    """

    pictures: Pictures
    labels: NDArray[np.float32]
    ends: list[Pictures]
    truth: NDArray[np.bool_]

    def dealt_out(self, rng: np.random.Generator, share: float) -> Lessons:
        """A share of the instants, drawn at random; labels are dealt out at random, of instants and of ends apart."""
        some = np.sort(rng.permutation(len(self.labels))[: max(2, round(share * len(self.labels)))])
        return replace(
            self,
            pictures=self.pictures[some],
            labels=rng.permutation(self.labels[some]),
            truth=rng.permutation(self.truth),
        )


def fit(
    stores: Sequence[Store],
    episodes: Sequence[Labelled],
    look: Mapping[str, CutOut],
    settings: Settings,
    said: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Fitted:
    """Train on labelled episodes.

    Args:
        stores: the datasets they are of.
        episodes: to learn from; a share is kept for calibration.
        look: cut-out of each camera.
        settings: how.
        said: told (what is being done, how much, of how much).

    Raises:
        DataError: too few of one kind.
        UnreadableVideo: a video cannot be decoded.
    """
    began = time.monotonic()
    rng = np.random.default_rng(settings.seed)
    lessons = lessons_of(stores, episodes, look, rng, said)
    network, weighing, losses = learned(lessons, look, settings, rng, lambda done, total: said("learning", done, total))
    took = time.monotonic() - began
    counts = (len(lessons.labels), int(lessons.labels.sum()))
    return Fitted(network, dict(look), weighing, settings, tuple(losses), counts, took)


def lessons_of(
    stores: Sequence[Store],
    episodes: Sequence[Labelled],
    look: Mapping[str, CutOut],
    rng: np.random.Generator,
    said: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Lessons:
    """Draw instants and ends of labelled episodes and decode their pictures; arguments and errors as `fit`'s."""
    require_enough(episodes)
    learn, check = set_aside(episodes, rng)
    each = max(2, min(PER_EPISODE, MOST_INSTANTS // (2 * len(learn))))
    instants = [one for episode in learn for one in episode.instants(rng, each, stores[episode.dataset].fps)]
    pictures = pictures_of(stores, instants, look, lambda done, total: said("decoding", done, total))
    labels = np.array([instant.success for instant in instants], np.float32)
    ends = [one for episode in check for one in episode.ends(rng, stores[episode.dataset].fps)]
    return Lessons(pictures, labels, pictures_until(stores, ends, look), np.array([end.success for end in ends]))


def learned(
    lessons: Lessons,
    look: Mapping[str, CutOut],
    settings: Settings,
    rng: np.random.Generator,
    said: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Any, Weighing, list[float]]:
    """A new network that has had its lessons, the weighing of what it says, and the mean loss of every epoch."""
    from classifiers.network import new_network

    network = new_network(sorted(look), settings.seed)
    losses = taught(network, lessons.pictures, lessons.labels, settings, rng, said)
    return network, fit_weighing(gathered(network, lessons.ends), lessons.truth), losses


def taught(
    network: Any,
    pictures: Pictures,
    labels: NDArray[np.float32],
    settings: Settings,
    rng: np.random.Generator,
    said: Callable[[int, int], None],
) -> list[float]:
    """Teach a network what its pictures show.

    Args:
        network: is changed; in the end it has the running mean of its weights.
        pictures: of every instant.
        labels: 1 for a success, else 0, shape (N,).
        settings: how.
        rng: of order and augmentation.
        said: told (epochs done, of how many).

    Returns:
        The mean loss of every epoch.
    """
    import torch

    batches = math.ceil(len(labels) / settings.batch)
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.rate, weight_decay=0.01)
    # OneCycleLR divides by zero where it rises or falls in a single step.
    steps = max(3, settings.epochs * batches)
    warm_up = max(WARM_UP, 2 / steps)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.rate, total_steps=steps, pct_start=warm_up)
    balance = torch.tensor(float((labels == 0).sum() / max(1.0, labels.sum())))
    mean = _running_mean(network)
    losses = []
    # A third faster on a CPU; weights are saved in the usual order.
    network.encoder.to(memory_format=torch.channels_last)
    # Dropout draws from torch's own generator, which is put back as it was.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        for epoch in range(settings.epochs):
            network.train()
            total = 0.0
            for batch in np.array_split(rng.permutation(len(labels)), batches):
                optimizer.zero_grad()
                loss = _loss(network, augmented(pictures[batch], rng), labels[batch], balance)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                mean.update_parameters(network)
                total += float(loss.detach()) * len(batch)
            losses.append(total / len(labels))
            said(epoch + 1, settings.epochs)
    network.load_state_dict(mean.module.state_dict())
    network.encoder.to(memory_format=torch.contiguous_format)
    return losses


def _running_mean(network: Any) -> Any:
    """Mean of a network's weights and batch statistics over about the last tenth of the steps so far."""
    import torch

    def averaged(mean: Any, now: Any, steps: Any) -> Any:
        return now + (mean - now) * float((1 + steps) / (10 + steps)) if now.dtype.is_floating_point else now

    return torch.optim.swa_utils.AveragedModel(network, avg_fn=averaged, use_buffers=True)


def _loss(network: Any, pictures: Pictures, labels: NDArray[np.float32], balance: Any) -> Any:
    import torch

    from classifiers.network import as_tensor, logits

    odds = logits(network, as_tensor(pictures))
    truth = torch.from_numpy(labels)
    return torch.nn.functional.binary_cross_entropy_with_logits(odds, truth, pos_weight=balance)


def require_enough(episodes: Sequence[Labelled], held: int = 0) -> None:
    """Raise DataError where one kind is too rare to learn from; `held` episodes beside them are kept for the card."""
    if rarer(episodes) >= LEAST:
        return
    good = sum(episode.success for episode in episodes)
    kinds = f"{_counted(good, 'success', 'es')} and {_counted(len(episodes) - good, 'failure', 's')}"
    beside = f", beside {_counted(held, 'episode', 's')} held out for the card," if held else ""
    raise DataError(
        f"{kinds}{beside} are too few to learn from; {LEAST} of each are the least. studio generate --operator fumbler "
        "--keep all makes both."
    )


def _counted(count: int, what: str, more: str) -> str:
    return f"{count} {what}{'' if count == 1 else more}"


def set_aside(episodes: Sequence[Labelled], rng: np.random.Generator) -> tuple[list[Labelled], list[Labelled]]:
    """Episodes to learn from and to calibrate on, both kinds in both.

    Squares of the table stay on one side where that leaves enough of both kinds, else recordings do: on what it has
    learned by heart a network is surer than elsewhere.
    """
    learn, check = whole_parts(episodes, CALIBRATION_SHARE, rng)
    if min(rarer(learn), rarer(check)) >= LEAST_CALIBRATION:
        return learn, check
    chosen: set[str] = set()
    for kind in (True, False):
        recordings = sorted({one.recording for one in episodes if one.success is kind})
        count = max(LEAST_CALIBRATION, round(CALIBRATION_SHARE * len(recordings)))
        chosen |= {recordings[at] for at in rng.permutation(len(recordings))[:count]}
    sides: tuple[list[Labelled], list[Labelled]] = ([], [])
    for one in episodes:
        sides[one.recording in chosen].append(one)
    return sides


def last_pictures(stores: Sequence[Store], episodes: Sequence[Labelled], look: Mapping[str, CutOut]) -> list[Pictures]:
    """Each episode's last pictures."""
    ends = [Instant(one.dataset, one.episode.index, one.episode.length - 1, one.success) for one in episodes]
    return pictures_until(stores, ends, look)


def pictures_until(stores: Sequence[Store], ends: Sequence[Instant], look: Mapping[str, CutOut]) -> list[Pictures]:
    """The last pictures that each episode would have had if it had ended there."""
    frames = [last_frames(end.frame + 1, stores[end.dataset].fps) for end in ends]
    instants = [replace(end, frame=frame) for end, some in zip(ends, frames, strict=True) for frame in some]
    found = pictures_of(stores, instants, look)
    return np.split(found, np.cumsum([len(some) for some in frames])[:-1])


def gathered(network: Any, pictures: Sequence[Pictures]) -> NDArray[np.float64]:
    """Evidence of episodes, from each one's last pictures, shape (N, 3)."""
    from classifiers.network import predict

    if not len(pictures):
        return np.zeros((0, 3))
    odds = np.split(predict(network, np.concatenate(pictures)), np.cumsum([len(some) for some in pictures])[:-1])
    return np.array([evidence(some, shown) for some, shown in zip(odds, pictures, strict=True)])


def augmented(pictures: Pictures, rng: np.random.Generator) -> Pictures:
    """Shifted by up to 6 pixels, and brighter or darker by up to a fifth; each picture by itself.

    Every fourth lacks one camera, whose picture is of one grey: what is seen has to be told from the others.
    """
    out = np.empty_like(pictures)
    for number, picture in enumerate(pictures):
        dy, dx = rng.integers(-6, 7, 2)
        moved = np.roll(picture, (dy, dx), axis=(1, 2))
        gain, offset = rng.uniform(0.8, 1.2), rng.uniform(-12, 12)
        out[number] = np.clip(moved * gain + offset, 0, 255).astype(np.uint8)
    cameras = pictures.shape[1]
    if cameras > 1:
        blind = np.flatnonzero(rng.random(len(out)) < BLIND_SHARE)
        out[blind, rng.integers(0, cameras, len(blind))] = rng.integers(0, 256, (len(blind), 1, 1, 1))
    return out
