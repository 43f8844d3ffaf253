"""Thai Wikipedia into training data, with a reason for every character removed."""

from thaiwiki_clean._version import __version__
from thaiwiki_clean.clean import Cleaned, Cleaner, clean, explain
from thaiwiki_clean.edits import Edit, apply, undo
from thaiwiki_clean.page import Page
from thaiwiki_clean.reasons import REASONS
from thaiwiki_clean.rules import RULES

__all__ = ["REASONS", "RULES", "Cleaned", "Cleaner", "Edit", "Page", "__version__", "apply", "clean", "explain", "undo"]
