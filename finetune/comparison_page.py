"""A comparison as one HTML page that needs nothing else: no script, no font, no request. The same comparison gives the same bytes."""

from __future__ import annotations

from typing import Any

from finetune.comparison import BESIDE, PUBLISHED_UNTUNED, SECONDARY, Comparison
from finetune.comparison_charts import SCATTER, curves, forest, scatters
from finetune.comparison_text import NAMES, RECKONED, answer, both_intervals, data_against_output, interval, p_value, signed, span, stated
from finetune.measure import MEASURES, number
from finetune.rate.fold import fold
from thaiwiki_clean.marks import without_controls

__all__ = ["to_html"]


def to_html(c: Comparison) -> str:
    """The page; the question stands before the results, and an answer is text, whatever signs are in it."""
    drawn, steps, losses = curves(c)
    page = _pages().get_template("comparison.html")
    return without_controls(
        page.render(
            c=c,
            found=c.headline.effects[c.setting],
            asked=[(head, text) for head, text in stated(c) if text] if any(c.study) else [],
            forest=forest(c),
            scatters=scatters(c),
            frame=SCATTER,
            curves=drawn,
            steps=steps,
            losses=losses,
            columns=tuple(dict.fromkeys((c.measure, *BESIDE, *SECONDARY))),
            reckoned=RECKONED.format(draws=f"{c.draws:,}", seed=c.seed),
            beside=tuple(dict.fromkeys((c.measure, *BESIDE))),
            secondary=tuple(name for name in SECONDARY if name != c.measure),
            near=_near(c),
            runs=sum(len(arm.runs) for arm in c.arms),
        )
    )


def _near(c: Comparison) -> frozenset[str]:
    """The arms whose answers stand open: the headline's and the base; those of the others unfold."""
    a, b = c.headline.contrast.sides()
    return frozenset((*a, *b, *(arm.name for arm in c.arms if not arm.trained)))


def _pages() -> Any:
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    # Styles and frame are those of the reports of a build.
    both = ChoiceLoader([PackageLoader("finetune"), PackageLoader("thaiwiki_clean")])
    pages = Environment(loader=both, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    pages.filters.update(number=number, signed=signed, p=p_value, fold=fold)
    pages.globals.update(
        answer=answer,
        both_intervals=both_intervals,
        data_against_output=data_against_output,
        interval=interval,
        span=span,
        MEASURES=MEASURES,
        NAMES=NAMES,
        UNTUNED=PUBLISHED_UNTUNED,
        legend=(),
    )
    return pages
