"""What ran an evaluation, so that its episodes can be run again as they were."""

from __future__ import annotations

from pathlib import Path

from curation.errors import StudioError
from recorders.world.scene import scene_from
from studio import evaluating
from studio.paths import runs_home
from training.checkpoint_card import resolve
from training.evaluated import Evaluation
from training.identity import is_of


class CannotRepeat(StudioError):
    """What was evaluated or watched cannot be run again, or comes out otherwise."""


def setup_again(evaluation: Evaluation) -> evaluating.Setup:
    """What ran an evaluation, so that its episodes can be run again.

    Raises:
        CannotRepeat: the checkpoint is gone, is another one, or what was evaluated is not known well enough.
    """
    told = evaluation.told
    named = [f"{evaluation.run}@{evaluation.step:06d}"] if evaluation.run and evaluation.step is not None else []
    for name in (*named, str(told.get("checkpoint") or "")):
        try:
            folder = resolve(name, runs_home())
            same = is_of(folder, dict(told))
        except StudioError:
            continue
        if same:
            return _setup_of(evaluation, folder)
    raise CannotRepeat(
        f"The checkpoint of {evaluation.name} is gone or has other weights, so none of its episodes can be run again."
    )


def _setup_of(evaluation: Evaluation, folder: Path) -> evaluating.Setup:
    from training.policy import settings_from

    told, asked = evaluation.told, evaluation.settings
    try:
        settings = settings_from(asked)
        scene = scene_from(told["scene"]["scene"])
        return evaluating.Setup(
            folder, scene, settings, asked["device"], asked["threads"], asked["task"], evaluation.name,
            int(told["limit_frames"]),
        )  # fmt: skip
    except (KeyError, TypeError) as error:
        raise CannotRepeat(
            f"{evaluation.folder} does not say {error}, so none of its episodes can be run again."
        ) from error
