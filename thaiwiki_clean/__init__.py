"""Thai Wikipedia into training data, with a reason for every character removed.

    clean, explain, Cleaner          a dirty page in; clean text, and the edits that lead to it, out
    Edit, apply, undo                what an edit is, and how to replay it or take it back
    RULES, REASONS                   the rules in their order, and a sentence for every reason
    judge                            why a whole page should fall
    words, repetition                PyThaiNLP's words, and one ruler of repetition for pages and for model outputs
    instructions, to_messages ...    instruction examples, and the forms that trainers read
    build, publish                   the whole flow into a folder, and the folder to the Hub

Reading it loads none of the heavy libraries: PyThaiNLP, pyarrow, datasets and the Hub client come with the call that needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from thaiwiki_clean._version import __version__
from thaiwiki_clean.build import build
from thaiwiki_clean.clean import Cleaned, Cleaner, clean, explain
from thaiwiki_clean.edits import Edit, apply, undo
from thaiwiki_clean.judge import judge
from thaiwiki_clean.page import Page
from thaiwiki_clean.reasons import REASONS
from thaiwiki_clean.repetition import Repetition, repetition
from thaiwiki_clean.rules import RULES
from thaiwiki_clean.words import words

if TYPE_CHECKING:
    from thaiwiki_clean.hub import publish
    from thaiwiki_clean.instruct import instructions
    from thaiwiki_clean.instruct.formats import to_alpaca, to_messages, to_prompt_completion, to_sharegpt, to_text

__all__ = [
    "REASONS",
    "RULES",
    "Cleaned",
    "Cleaner",
    "Edit",
    "Page",
    "Repetition",
    "__version__",
    "apply",
    "build",
    "clean",
    "explain",
    "instructions",
    "judge",
    "publish",
    "repetition",
    "to_alpaca",
    "to_messages",
    "to_prompt_completion",
    "to_sharegpt",
    "to_text",
    "undo",
    "words",
]

# Names whose modules take longer to load than the cleaner itself; each is loaded when it is first asked for.
_LATER = {
    "instructions": "instruct",
    "publish": "hub",
    "to_alpaca": "instruct.formats",
    "to_messages": "instruct.formats",
    "to_prompt_completion": "instruct.formats",
    "to_sharegpt": "instruct.formats",
    "to_text": "instruct.formats",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
