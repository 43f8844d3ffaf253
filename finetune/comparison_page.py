"""The page of a comparison."""

from finetune.comparison import Comparison


def to_html(c: Comparison) -> str:
    """One page."""
    return ""
