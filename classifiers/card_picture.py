"""The calibration card as one picture: what it said and what was true, where it errs, and what it looks at."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from classifiers import card_panels as panels
from classifiers.card import Card
from classifiers.card_text import trust
from curation.atomic import write_aside
from curation.palette import INK, MUTED, PAPER, font

WIDTH, HEIGHT, EDGE = 1680, 1150, 60
PANEL = 340
"""Side of a panel [px]."""
TOP = 225
"""Where the first row of panels begins [px]."""
ROW = PANEL + 130
LEFT = (190, 710, 1270)
"""Where the columns begin [px]."""
SENTENCES = 4
"""Conclusions that have room above the panels."""


def draw_card(card: Card, path: Path) -> None:
    """Write the picture as PNG.

    Raises:
        CannotWrite: the disk refused.
    """
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(image)
    good = int(card.truth.sum())
    counts = f"{len(card.tested)} unseen episodes, {good} successes"
    draw.text((EDGE, 26), f"{card.classifier}: {counts}", INK, font=font(26))
    draw.text((EDGE, 66), f"AUROC {card.auroc}", INK, font=font(18))
    for number, sentence in enumerate(trust(card)[:SENTENCES]):
        draw.text((EDGE, 100 + 24 * number), sentence, MUTED, font=font(15))
    drawn = (panels.outcomes, panels.calibration, panels.precision, panels.table, panels.told_apart, panels.enough)
    for number, panel in enumerate(drawn):
        row, column = divmod(number, len(LEFT))
        left, top = LEFT[column], TOP + row * ROW
        panel(draw, (left, top, left + PANEL, top + PANEL), card)
    out = BytesIO()
    image.save(out, "PNG")
    write_aside(path, out.getvalue())
