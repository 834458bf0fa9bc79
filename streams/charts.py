"""Charts as SVG text: they are rectangles and words, for which nobody has to install a plotting library."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

_FONT = "font-family='system-ui, sans-serif'"
_INK = "#1f2937"
_BLUE = (37, 99, 235)
_LONGEST_NAME = 28
_SHOWN_IN_CELLS = 24


def confusion_matrix(labels: Sequence[str], counts: NDArray[np.int64]) -> str:
    """A confusion matrix: rows are true, columns were said; shade is the share of the row.

    `counts` has shape [labels, labels]. Numbers stand in the cells where there are few labels; a pointer that rests
    on a cell shows them always.
    """
    size = len(labels)
    cell = 30 if size <= _SHOWN_IN_CELLS else 14
    left = 12 + 7 * max((min(len(label), _LONGEST_NAME) for label in labels), default=0)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    parts: list[str] = []
    for row, label in enumerate(labels):
        y = left + row * cell
        name = escape(_short(label))
        parts.append(_text(left - 6, y + cell * 0.65, name, anchor="end"))
        parts.append(
            f"<text transform='translate({left + row * cell + cell * 0.65:.0f} {left - 6}) rotate(-90)' "
            f"font-size='11' fill='{_INK}'>{name}</text>"
        )
        for column, said in enumerate(labels):
            count = int(counts[row, column])
            if not count:
                continue
            share = float(shares[row, column])
            x = left + column * cell
            tip = escape(f"{label} said to be {said}: {count:,} ({share:.0%})")
            parts.append(
                f"<rect x='{x}' y='{y}' width='{cell - 1}' height='{cell - 1}' fill='{_shade(share)}'>"
                f"<title>{tip}</title></rect>"
            )
            if size <= _SHOWN_IN_CELLS:
                ink = "#ffffff" if share > 0.5 else _INK  # noqa: PLR2004  half dark
                parts.append(_text(x + cell / 2, y + cell * 0.62, f"{count}", anchor="middle", ink=ink, size=9))
    edge = left + size * cell
    parts.append(_text(left, edge + 18, "rows: true; columns: said; shade: share of the row"))
    return _svg(max(edge + 12, left + 330), edge + 30, "Confusion matrix", parts)


def calibration_plot(bins: Sequence[tuple[float, float, int]]) -> str:
    """A reliability diagram of bins (mean probability, share right, tickets): the diagonal is perfect."""
    side, margin = 360, 50
    most = max((tickets for _, _, tickets in bins), default=1)
    parts = [
        f"<rect x='{margin}' y='{margin}' width='{side}' height='{side}' fill='none' stroke='#9ca3af'/>",
        f"<path d='M{margin} {margin + side}L{margin + side} {margin}' stroke='#9ca3af' stroke-dasharray='4 4'/>",
    ]
    for tick in (0.0, 0.5, 1.0):
        parts.append(_text(margin + tick * side, margin + side + 16, f"{tick:g}", anchor="middle"))
        parts.append(_text(margin - 6, margin + (1 - tick) * side + 4, f"{tick:g}", anchor="end"))
    points: list[str] = []
    for said, right, tickets in bins:
        x, y = margin + said * side, margin + (1 - right) * side
        points.append(f"{x:.1f},{y:.1f}")
        tip = f"said {said:.1%}, right {right:.1%}, {tickets:,} tickets"
        parts.append(
            f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{3 + 9 * (tickets / most) ** 0.5:.1f}' fill='{_shade(0.8)}' "
            f"fill-opacity='0.6'><title>{tip}</title></circle>"
        )
    parts.append(f"<polyline points='{' '.join(points)}' fill='none' stroke='{_shade(1)}'/>")
    parts.append(_text(margin + side / 2, margin + side + 36, "probability said (area: tickets)", anchor="middle"))
    parts.append(_text(margin, margin - 10, "share that was right"))
    return _svg(side + 2 * margin, side + 2 * margin, "Calibration", parts)


def _svg(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    body = "\n".join(parts)
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width:.0f} {height:.0f}' width='{width:.0f}' "
        f"height='{height:.0f}' role='img' aria-label='{title}' {_FONT}>\n"
        f"<rect width='100%' height='100%' fill='#ffffff'/>\n{body}\n</svg>\n"
    )


def _text(x: float, y: float, text: str, *, anchor: str = "start", ink: str = _INK, size: int = 11) -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' font-size='{size}' fill='{ink}'>{text}</text>"


def _shade(share: float) -> str:
    """From white to blue."""
    red, green, blue = (round(255 - (255 - part) * share) for part in _BLUE)
    return f"rgb({red},{green},{blue})"


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST_NAME else label[: _LONGEST_NAME - 1] + "…"
