"""The loss curve of a run as an SVG file: training and held-out loss over the steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["loss_curve"]

# Blue and orange of Okabe and Ito: told apart by people with any kind of colour vision; the held-out loss has marks as well.
_TRAINING, _HELD_OUT = "#0072B2", "#D55E00"


def loss_curve(losses: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw ``losses`` (records with ``step`` and ``loss``, ``eval_loss`` or both) into ``path``; nothing without matplotlib.

    The numbers stand in ``record.json`` as well.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        return
    with rc_context({"svg.hashsalt": "thaiwiki-clean", "svg.fonttype": "none", "font.size": 10}):
        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        axes = figure.subplots()
        drawn: tuple[tuple[str, str, dict[str, Any]], ...] = (
            ("loss", "training, each step", {"color": _TRAINING, "linewidth": 1.2}),
            ("eval_loss", "held out", {"color": _HELD_OUT, "marker": "o", "linewidth": 1.6}),
        )
        for name, label, look in drawn:
            points = [(entry["step"], entry[name]) for entry in losses if name in entry]
            if points:
                axes.plot(*zip(*points, strict=True), label=label, **look)
        axes.set_xlabel("optimizer step")
        axes.set_ylabel("loss, nats per trained token")
        axes.spines[["top", "right"]].set_visible(False)
        if axes.lines:
            axes.legend(frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None})
