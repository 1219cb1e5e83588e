"""One self-contained HTML page: text, tables, bars, pictures and films inside one file that opens anywhere."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

from curation.rates import Rate

_STYLE = """
:root { color-scheme: light; --ink: #1c2026; --muted: #70767e; --faint: #deddd7; --paper: #faf9f6; --card: #fff;
  --good: #26946f; --track: #ecebe5; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 40px 28px 80px; }
h1 { font-size: 34px; line-height: 1.2; margin: 0 0 6px; font-weight: 650; letter-spacing: -0.01em; }
h2 { font-size: 21px; margin: 44px 0 12px; font-weight: 620; }
p { margin: 6px 0; max-width: 76ch; }
.muted { color: var(--muted); }
.big { font-size: 52px; font-weight: 650; letter-spacing: -0.02em; line-height: 1.1; }
.warn { border-left: 4px solid #d69e1e; padding: 4px 14px; margin: 12px 0; background: #fdf6e3; }
table { border-collapse: collapse; margin: 10px 0; font-size: 14.5px; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
th { text-align: left; font-weight: 600; color: var(--muted); border-bottom: 1px solid var(--faint);
  padding: 5px 16px 5px 0; vertical-align: bottom; }
td { border-bottom: 1px solid var(--faint); padding: 5px 16px 5px 0; vertical-align: top; overflow-wrap: anywhere; }
thead ~ tbody td:nth-child(-n+3) { white-space: nowrap; }
img, video { max-width: 100%; display: block; border-radius: 6px; background: var(--track); }
figure { margin: 14px 0; }
figcaption { font-size: 14px; color: var(--muted); margin-top: 6px; }
.films { display: grid; grid-template-columns: 1fr; gap: 18px; }
.films figure { margin: 0; }
.rate { position: relative; height: 10px; background: var(--track); border-radius: 5px; margin: 10px 0 4px;
  max-width: 560px; }
.rate i { position: absolute; top: 0; bottom: 0; background: #96cab2; border-radius: 5px; }
.rate b { position: absolute; top: -4px; bottom: -4px; width: 4px; background: var(--good); border-radius: 2px; }
td .rate { width: 220px; margin: 7px 0; }
details { margin: 12px 0; }
summary { cursor: pointer; color: var(--muted); }
pre { white-space: pre-wrap; font-size: 14px; background: var(--card); border: 1px solid var(--faint);
  border-radius: 6px; padding: 12px 16px; }
@media print { details { display: block; } main { padding: 0; } }
"""


class Markup(str):
    """Text that is HTML already; everything else is escaped."""

    __slots__ = ()


def page(title: str, parts: Iterable[str]) -> str:
    """A whole document."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(_safe(part) for part in parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def heading(text: str, level: int = 2) -> Markup:
    """A heading."""
    return Markup(f"<h{level}>{_safe(text)}</h{level}>")


def paragraph(text: str, kind: str = "") -> Markup:
    """A paragraph; kinds are "muted", "big" and "warn"."""
    return Markup(f'<p class="{kind}">{_safe(text)}</p>' if kind else f"<p>{_safe(text)}</p>")


def preformatted(lines: Sequence[str]) -> Markup:
    """Lines as they are."""
    return Markup(f"<pre>{escape(chr(10).join(lines))}</pre>")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Markup:
    """A table; cells that are `Markup` go in as they are."""
    top = "".join(f"<th>{_safe(name)}</th>" for name in head)
    body = "\n".join("<tr>" + "".join(f"<td>{_safe(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return Markup(f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>\n{body}\n</tbody></table></div>')


def facts(pairs: Iterable[tuple[str, object]]) -> Markup:
    """A table of two columns without a head."""
    body = "".join(f"<tr><td>{_safe(name)}</td><td>{_safe(value)}</td></tr>" for name, value in pairs)
    return Markup(f'<div class="wide"><table><tbody>{body}</tbody></table></div>')


def rate_bar(rate: Rate) -> Markup:
    """The interval on a line from 0 to 100 %, with a mark at the rate."""
    return interval_bar(rate.k / rate.n if rate.n else 0.0, rate.low, rate.high, rate.interval)


def interval_bar(middle: float, low: float, high: float, words: str) -> Markup:
    """An interval on a line from 0 to 1, with a mark inside; the words show on hovering."""
    return Markup(
        f'<div class="rate" title="{escape(words)}"><i style="left:{100 * low:.1f}%;'
        f'width:{100 * (high - low):.1f}%"></i><b style="left:calc({100 * middle:.1f}% - 2px)"></b></div>'
    )


def image(png: bytes, caption: str) -> Markup:
    """A picture with a caption."""
    return _figure(f'<img alt="{escape(caption)}" src="{_data("image/png", png)}">', caption)


def film(mp4: bytes, caption: str) -> Markup:
    """A film with a caption; it plays when asked."""
    source = _data("video/mp4", mp4)
    return _figure(f'<video controls muted loop playsinline preload="metadata" src="{source}"></video>', caption)


def films(figures: Iterable[Markup]) -> Markup:
    """Films side by side."""
    return Markup(f'<div class="films">{"".join(figures)}</div>')


def folded(summary: str, content: Markup) -> Markup:
    """Content that opens on a click."""
    return Markup(f"<details><summary>{_safe(summary)}</summary>{content}</details>")


def _figure(inside: str, caption: str) -> Markup:
    return Markup(f"<figure>{inside}<figcaption>{escape(caption)}</figcaption></figure>")


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _safe(value: object) -> str:
    return str(value) if isinstance(value, Markup) else escape(str(value))
