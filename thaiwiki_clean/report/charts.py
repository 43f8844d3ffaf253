"""Charts as inline SVG: before and after as outlines and as bars. Colours are those of the page's style, so that dark mode and print hold.

matplotlib is an extra. Every chart has a table beside it that says the same, so a report without charts lacks no number.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["MISSING", "bars", "have_matplotlib", "histogram"]

MISSING = "pip install 'thaiwiki-clean[report]'"

# What matplotlib paints with, and what stands there in the page: its own style says what that is by day, by night and on paper.
_PAINT = {"#010101": "var(--ink)", "#020202": "var(--line)", "#030303": "var(--h5)", "#040404": "var(--h4)"}
_INK, _LINE, _CAME, _LEFT = _PAINT
# A chart is as wide as a phone: two stand side by side on a desk, and letters keep their size.
_SIZE = (4.6, 2.7)
# What is of no use inside a page: it has a style, fonts and a language of its own.
_TIDY = (
    (r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", ""),
    (r"<defs>\s*</defs>", ""),
    (r"font-family: [^;\"]*;? ?", ""),
    (r'( transform="rotate\(-?0 [^"]*\)")', ""),
    (r"\n\s*", "\n"),
)
_STYLE: Any = {  # names that only matplotlib knows
    "svg.fonttype": "none",
    "svg.hashsalt": "thaiwiki-clean",
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": _LINE,
    "hatch.color": _CAME,
    "hatch.linewidth": 1.0,
    "text.parse_math": False,
}


def have_matplotlib() -> bool:
    """Whether charts can be drawn."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return False
    return True


def histogram(came: Sequence[int], left: Sequence[int], *, name: str, says: str, unit: str) -> Markup:
    """How many texts are how long, on a logarithmic axis: a dashed outline as they came, a filled one as they leave."""
    edges = _log_edges(max([*came, *left], default=1))

    def draw(axes: Any) -> None:
        import numpy as np

        for values, colour, more in (
            (came, _CAME, {"fill": False, "linewidth": 1.6, "linestyle": (0, (4, 2)), "label": "pages, as they came"}),
            (left, _LEFT, {"fill": True, "alpha": 0.3}),
            (left, _LEFT, {"fill": False, "linewidth": 1.6, "label": "articles, as they leave"}),
        ):
            counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
            axes.stairs(counts, edges, color=colour, **more)
        axes.set_xscale("log")
        axes.set_xlabel(f"{unit} (each step is about a quarter more)")
        axes.xaxis.set_major_formatter(lambda value, _: _short(value))
        axes.xaxis.set_minor_formatter(lambda value, _: "")
        axes.yaxis.set_major_formatter(lambda value, _: _short(value))
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(0, 1.24), ncols=2, handlelength=1.6, columnspacing=1.2, borderpad=0)

    return _svg(draw, name, says)


def bars(labels: Sequence[str], came: Sequence[float], left: Sequence[float], *, name: str, says: str, unit: str) -> Markup:
    """Shares in classes, two bars a class: hatched as they came, filled as they leave."""

    def draw(axes: Any) -> None:
        at = range(len(labels))
        axes.bar(
            [x - 0.2 for x in at], [100 * v for v in came], 0.38, facecolor="none", edgecolor=_CAME, hatch="////", label="as they came"
        )
        axes.bar([x + 0.2 for x in at], [100 * v for v in left], 0.38, color=_LEFT, label="as they leave")
        axes.set_xticks(list(at), labels)
        axes.tick_params(axis="x", length=0)
        axes.set_xlabel(unit)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g} %")
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(0, 1.24), ncols=2, handlelength=1.6, columnspacing=1.2, borderpad=0)

    return _svg(draw, name, says)


def _log_edges(longest: int) -> list[float]:
    """Edges from 10 to beyond ``longest``, ten to a power of ten.

    >>> [round(edge) for edge in _log_edges(20)]
    [10, 13, 16, 20, 25]
    """
    edges = [10.0]
    while edges[-1] <= longest or len(edges) < 3:
        edges.append(10 ** (1 + len(edges) / 10))
    return edges


def _short(value: float) -> str:
    """A number as a tick has room for.

    >>> [_short(n) for n in (0, 250, 1000, 12500, 2e6)]
    ['0', '250', '1k', '12.5k', '2M']
    """
    if value >= 1e6:
        return f"{value / 1e6:g}M"
    return f"{value / 1e3:g}k" if value >= 1e3 else f"{value:g}"


def _svg(draw: Callable[[Any], None], name: str, says: str) -> Markup:
    """A drawing as an element that is an image with ``says`` as its text, and ids that start with ``name``."""
    import matplotlib
    from markupsafe import Markup, escape
    from matplotlib.figure import Figure

    held = io.StringIO()
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=_SIZE, layout="constrained")
        figure.patch.set_visible(False)
        axes = figure.add_subplot()
        axes.patch.set_visible(False)
        axes.set_axisbelow(True)
        axes.grid(axis="y", linewidth=0.8)
        draw(axes)
        figure.savefig(held, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    drawn = held.getvalue()
    box = re.search(r'viewBox="[^"]*"', drawn)
    assert box is not None
    inner = drawn[drawn.index(">", drawn.index("<svg")) + 1 : drawn.rindex("</svg>")]
    for pattern, new in (*_TIDY, (r'\bid="', f'id="{name}-'), (r'(href="#|url\(#)', rf"\g<1>{name}-")):
        inner = re.sub(pattern, new, inner, flags=re.DOTALL)
    for paint, style in _PAINT.items():
        inner = inner.replace(paint, style)
    head = f'<svg class="chart" {box[0]} role="img" aria-labelledby="{name}-says"><title id="{name}-says">{escape(says)}</title>'
    return Markup(f"{head}{inner}</svg>")
