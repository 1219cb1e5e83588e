"""The publish screen: what must be said, what a look at the Hub shows, and that only what was looked at is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.jobs import Jobs
from studio.tui.messages import PublishSeen
from studio.tui.state import Place
from tests.curation.making import make_ours
from tests.hub.conftest import READER, TOKEN, Ours, hub, lfs_server
from tests.screens import snapshots
from tests.screens.conftest import SIZES, Open, press, settled, text_of, typed, until

__all__ = ["hub", "lfs_server"]


@pytest.mark.parametrize("size", SIZES)
async def test_publishing(open_studio: Open, shelf: Path, size: str) -> None:
    async with open_studio(shelf, Place("publish", shelf / "pos2"), size=SIZES[size]) as pilot:
        await typed(pilot, "you/pos2")
        await press(pilot, "home")
        snapshots.matches(pilot.app, f"publish-{size}")


async def test_what_must_be_said_first(open_studio: Open, shelf: Path, tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "runs")
    async with open_studio(shelf, Place("publish", shelf / "pos2"), jobs=jobs, notes=False, size=(200, 50)) as pilot:

        async def lacks(words: str) -> None:
            await press(pilot, "f5")
            assert words in text_of(pilot.app)
            await press(pilot, "enter")
            assert "› publish" in text_of(pilot.app).splitlines()[0]

        await lacks("Name the repository")
        await typed(pilot, "you/pos2")
        await lacks("Choose a licence")
        await press(pilot, "down", "right", "down", "left")
        assert "--to you/pos2 --licence cc-by-4.0 --public" in text_of(pilot.app)
        await lacks("type you/pos2 once more")
        await press(pilot, "down")
        await typed(pilot, "you/pos2")
        assert "F5 shows what would change" in text_of(pilot.app)
        pilot.app.screen.post_message(PublishSeen(pilot.app.screen.asked, "1 files new", ready=True))
        await settled(pilot)
        assert "Ready: Enter publishes" in text_of(pilot.app)
        await typed(pilot, "x")
        assert "type you/pos2 once more" in text_of(pilot.app), "another answer is another publication"
        await press(pilot, "enter")
        assert jobs.all() == []


async def test_only_what_was_looked_at_is_sent(
    hub: Ours,
    open_studio: Open,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = make_ours(tmp_path / "home/mine", [20], ["pick"]).root
    for name, value in hub.commands(tmp_path, READER).surroundings.items():
        if name.startswith("HF_"):
            monkeypatch.setenv(name, value)
    jobs = Jobs(tmp_path / "runs")
    async with open_studio(tmp_path / "home", Place("publish", root), jobs=jobs, size=(200, 50)) as pilot:
        await typed(pilot, "alice/mine")
        await press(pilot, "down", "right", "down", "down")
        await typed(pilot, "first")
        await press(pilot, "f5")
        await until(pilot, lambda: "It would be refused" in text_of(pilot.app), seconds=60)
        assert "may only read" in text_of(pilot.app)
        await press(pilot, "enter")
        assert jobs.all() == []

        monkeypatch.setenv("HF_TOKEN", TOKEN)
        await press(pilot, "f5")
        await until(pilot, lambda: "Ready: Enter publishes" in text_of(pilot.app), seconds=60)
        assert "+ meta/info.json" in text_of(pilot.app)
        assert not hub.server.repos
        await press(pilot, "enter")
        (job,) = jobs.all()
        await until(pilot, lambda: jobs.get(job.id).state.over, seconds=60)
        assert jobs.get(job.id).code == 0, job.log()
    refs = hub.repo("alice/mine").refs()
    assert refs["main"] == refs["v3.0"] == refs["v3.0.1"]
    repo = hub.server.repos[("dataset", "alice/mine")]
    assert repo.commit(refs["main"])["message"].startswith("first")
