"""Changes of columns: what an edit does to every frame of a dataset, and to what its features are called.

A change is a value: it says what it needs, gives the features that result, and maps the numbers of an episode.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from curation.errors import DataError, UnknownChoice, UsageError
from curation.frames import JOINTS, Feature
from curation.layout import BOOKKEEPING
from curation.names import ACTION, STATE
from curation.units import GRIPPER, Line, Span, Units, body_line, gripper_line, joint_of

Features = Mapping[str, Feature]
Numbers = Mapping[str, NDArray[Any]]

JOINT_COLUMNS = (ACTION, STATE)
"""Features that hold joint positions."""
BEYOND = 0.1
"""Share of a gripper's range by which a converted value may lie outside it: real grippers overshoot."""
SUCCESS = "success"
"""As the value of a new feature: 1 on the last frame of an episode that succeeded, else 0, as HIL-SERL has it."""


@dataclass(frozen=True)
class Rename:
    """Call a feature or a camera otherwise."""

    old: str
    new: str
    edit: Literal["rename"] = "rename"

    def features(self, features: Features) -> dict[str, Feature]:
        _require(features, self.old)
        _require_free(features, self.new)
        return {self.new if key == self.old else key: feature for key, feature in features.items()}

    def numbers(self, numbers: Numbers, features: Features, *, success: bool) -> dict[str, NDArray[Any]]:
        return {self.new if key == self.old else key: values for key, values in numbers.items()}

    def words(self) -> str:
        return f"{self.old} is called {self.new}"


@dataclass(frozen=True)
class DropFeature:
    """Leave a feature or a camera out."""

    key: str
    edit: Literal["drop_feature"] = "drop_feature"

    def features(self, features: Features) -> dict[str, Feature]:
        _require(features, self.key)
        return {key: feature for key, feature in features.items() if key != self.key}

    def numbers(self, numbers: Numbers, features: Features, *, success: bool) -> dict[str, NDArray[Any]]:
        return {key: values for key, values in numbers.items() if key != self.key}

    def words(self) -> str:
        return f"{self.key} is left out"


@dataclass(frozen=True)
class AddFeature:
    """A new numeric feature with one value everywhere, or `SUCCESS`."""

    key: str
    value: float | Literal["success"]
    dtype: str = "float32"
    edit: Literal["add_feature"] = "add_feature"

    def __post_init__(self) -> None:
        most = float(np.finfo(self.dtype if np.dtype(self.dtype).kind == "f" else "float64").max)
        if self.value != SUCCESS and not abs(float(self.value)) <= most:
            raise UsageError(f"{self.key} cannot be {self.value} everywhere: statistics need a finite {self.dtype}.")

    def features(self, features: Features) -> dict[str, Feature]:
        _require_free(features, self.key)
        return {**features, self.key: Feature(self.dtype, (1,), (self.key.rpartition(".")[2],))}

    def numbers(self, numbers: Numbers, features: Features, *, success: bool) -> dict[str, NDArray[Any]]:
        if not numbers:
            raise UsageError(f"{self.key} cannot be added: no other number is left to say how many frames there are.")
        length = len(next(iter(numbers.values())))
        values = np.full((length, 1), 0.0 if self.value == SUCCESS else self.value)
        if self.value == SUCCESS and success:
            values[-1] = 1.0
        return {**numbers, self.key: values.astype(self.dtype)}

    def words(self) -> str:
        return f"{self.key} is new: {self.value}"


@dataclass(frozen=True)
class Gripper:
    """The gripper of state and action in another range; values are mapped, never clipped."""

    source: str
    target: str
    edit: Literal["gripper"] = "gripper"

    def features(self, features: Features) -> dict[str, Feature]:
        gripper_line(self.source, self.target)
        _require_alike(features, lambda names: self._lines(names), "gripper")
        return dict(features)

    def numbers(self, numbers: Numbers, features: Features, *, success: bool) -> dict[str, NDArray[Any]]:
        found = _mapped(numbers, features, self._lines)
        low, high = GRIPPER[self.target]
        slack = BEYOND * (high - low)
        for key in sorted(set(JOINT_COLUMNS) & set(found)):
            for column in self._lines(_names(features, key)):
                least, most = found[key][:, column].min(), found[key][:, column].max()
                if least < low - slack or most > high + slack:
                    raise DataError(
                        f"{key}: the gripper would reach {least:.4g} to {most:.4g} in {self.target}, so it was not in "
                        f"{self.source} before. Nothing was changed; convert from the unit it is in."
                    )
        return found

    def _lines(self, names: tuple[str, ...]) -> dict[int, Line]:
        line = gripper_line(self.source, self.target)
        return {index: line for index, name in enumerate(names) if "gripper" in joint_of(name)}

    def units(self, units: Units) -> Units:
        return replace(units, gripper=self.target)  # type: ignore[arg-type]

    def words(self) -> str:
        return f"gripper from {self.source} to {self.target}"


@dataclass(frozen=True)
class Convert:
    """The body joints of state and action in another unit."""

    source: str
    target: str
    spans: tuple[tuple[str, Span], ...] = ()
    """Each joint's range, for -100..100: of the arm, not of a file that may be another one tomorrow."""
    edit: Literal["units"] = "units"

    def features(self, features: Features) -> dict[str, Feature]:
        _require_alike(features, lambda names: self._lines(names), " or ".join(JOINTS[:-1]))
        return dict(features)

    def numbers(self, numbers: Numbers, features: Features, *, success: bool) -> dict[str, NDArray[Any]]:
        return _mapped(numbers, features, self._lines)

    def _lines(self, names: tuple[str, ...]) -> dict[int, Line]:
        known = dict(self.spans)
        joints = {index: joint_of(name) for index, name in enumerate(names)}
        body = {index: joint for index, joint in joints.items() if joint in JOINTS[:-1]}
        return {index: body_line(self.source, self.target, known.get(joint)) for index, joint in body.items()}

    def units(self, units: Units) -> Units:
        return replace(units, body=self.target)  # type: ignore[arg-type]

    def words(self) -> str:
        return f"body joints from {self.source} to {self.target}"


Change = Rename | DropFeature | AddFeature | Gripper | Convert


def changed_features(features: Features, changes: tuple[Change, ...]) -> dict[str, Feature]:
    """The features after all changes, in order.

    Raises:
        UsageError: a change does not fit.
    """
    for change in changes:
        features = change.features(features)
    return dict(features)


def changed_numbers(
    numbers: Numbers, features: Features, changes: tuple[Change, ...], *, success: bool
) -> dict[str, NDArray[Any]]:
    """The numbers of an episode after all changes.

    Args:
        numbers: key to values, shape (N, D).
        features: before the changes.
        changes: in order.
        success: whether the episode succeeded.
    """
    for change in changes:
        numbers, features = change.numbers(numbers, features, success=success), change.features(features)
    return dict(numbers)


def source_of(key: str, changes: tuple[Change, ...]) -> str | None:
    """What a feature of the result was called in the source; None if it is new, though one there may have its name."""
    for change in reversed(changes):
        if isinstance(change, AddFeature) and change.key == key:
            return None
        if isinstance(change, Rename) and change.new == key:
            key = change.old
    return key


def source_key(key: str, changes: tuple[Change, ...]) -> str:
    """The same of a feature that cannot be new, as cameras cannot; its own name if it is."""
    return source_of(key, changes) or key


def _mapped(
    numbers: Numbers, features: Features, lines: Callable[[tuple[str, ...]], dict[int, Line]]
) -> dict[str, NDArray[Any]]:
    """The numbers with the joint columns mapped, in the dtype they had."""
    found = dict(numbers)
    for key in set(JOINT_COLUMNS) & set(numbers):
        wide = numbers[key].astype(np.float64)
        for column, (factor, offset) in lines(_names(features, key)).items():
            wide[:, column] = factor * wide[:, column] + offset
        found[key] = wide.astype(numbers[key].dtype)
    return found


def _names(features: Features, key: str) -> tuple[str, ...]:
    """What the columns of a vector are called; nothing unless each has a name."""
    feature = features.get(key)
    return feature.names if feature is not None and feature.shape == (len(feature.names),) else ()


def _require_alike(features: Features, lines: Callable[[tuple[str, ...]], dict[int, Line]], what: str) -> None:
    """Refuse a conversion that would find its joints in one of action and state, but not in the other."""
    names = {key: _names(features, key) for key in JOINT_COLUMNS if key in features}
    found = {key: {joint_of(own[column]) for column in lines(own)} for key, own in names.items()}
    every = set().union(*found.values())
    if not every:
        raise UsageError(f"No column of action or observation.state is called {what}, so nothing can be converted.")
    for key, joints in found.items():
        if lacking := sorted(every - joints):
            raise UsageError(
                f"{key} has no position called {', '.join(lacking)} (its columns are "
                f"{', '.join(names[key]) or 'nameless'}), so it would stay in another unit than the rest. Name its "
                f"columns in meta/info.json, or leave it out with --drop-feature {key}."
            )


def _require(features: Features, key: str) -> None:
    if key not in features:
        raise UnknownChoice("feature", key, features)


def _require_free(features: Features, key: str) -> None:
    if key in features or key in BOOKKEEPING or "/" in key or not key:
        raise UsageError(f"A feature cannot be called '{key}': it is taken, reserved, empty or has a '/'.")
