"""Pictures belong to their states: frame k of a video shows the state of row k, and shows it well."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from curation.store import Store
from tests.end_to_end.commands import Commands
from tests.end_to_end.conftest import Made
from tests.end_to_end.pictures import Evidence, _with_neighbours, compare

MIN_PSNR = 33.0
MIN_TELLING = 0.3
POSITION = ("--at", "0.337", "-0.015", "--jitter", "0.02")


def require_belonging(evidence: dict[str, Evidence], *, psnr: float, misplaced: float = 0.0) -> None:
    """Every frame shows its state well, enough frames tell, and of those at most a share is nearer to a neighbour's."""
    for camera, found in evidence.items():
        told = (
            f"{camera}: {len(found.psnr)} frames, PSNR min {min(found.psnr):.1f} median {np.median(found.psnr):.1f} dB"
        )
        print(f"{told}, {np.mean(found.tells):.0%} telling, misplaced {found.misplaced}")
    for camera, found in evidence.items():
        assert len(found.misplaced) <= misplaced * sum(found.tells), (camera, found.misplaced)
        assert min(found.psnr) >= psnr, camera
    assert np.mean([tells for found in evidence.values() for tells in found.tells]) >= MIN_TELLING


def test_neighbours() -> None:
    for length in range(1, 5):
        seen = list(_with_neighbours(iter([{"cam": np.full((1, 1, 3), k, np.uint8)} for k in range(length)])))
        frames = [{step: int(images["cam"].max()) for step, images in near.items()} for near in seen]
        assert frames == [{s: k + s for s in (-1, 0, 1) if 0 <= k + s < length} for k in range(length)]


def test_pictures_belong_to_their_states(commands: Commands) -> None:
    """Small, so the codec's half-size colour costs 3 dB, and it may leave out a few pixels that jump between frames."""
    commands.studio("generate", "-n", "1", *POSITION, "--width", "320", "--height", "240", "--to", "one")
    require_belonging(compare(Store.open(commands.home / "one"), [0]), psnr=MIN_PSNR - 3, misplaced=0.03)


def test_a_shift_by_one_frame_would_be_seen(plain: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """The measure itself: the same videos against physics that is one frame late."""
    from tests.end_to_end import pictures

    right = pictures.poses
    monkeypatch.setattr(pictures, "poses", lambda *known: right(*known)[[0, *range(len(right(*known)) - 1)]])
    found = compare(plain.store, [0])
    wrong = sum(len(camera.misplaced) for camera in found.values())
    telling = sum(itertools.chain.from_iterable(camera.tells for camera in found.values()))
    assert wrong > 0.8 * telling


@pytest.mark.slow
def test_pictures_belong_to_their_states_in_full_size(commands: Commands, tmp_path: Path) -> None:
    commands.studio(
        "generate", "-n", "3", *POSITION, "--width", "640", "--height", "480", "--to", str(tmp_path / "full")
    )
    require_belonging(compare(Store.open(tmp_path / "full"), [0, 1, 2]), psnr=MIN_PSNR)
