"""How long an example is for the model that will read it, and where to end an answer that is too long for it."""

from __future__ import annotations

import dataclasses
from bisect import bisect_right
from collections.abc import Callable, Sized
from functools import lru_cache
from typing import Any

from thaiwiki_clean.instruct.sentences import best_end, ends

__all__ = ["CHARACTERS", "Counter", "Ruler", "ruler", "shorten"]

#: Instead of a tokenizer's name: count characters, with no word segmentation at all.
CHARACTERS = "characters"

#: A callable that gives the tokens of a text, or their number.
Counter = Callable[[str], int | Sized]

# Begin-of-text, the newline after the prompt, and the stop token, for a tokenizer without a chat template.
_PLAIN_WRAP = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Ruler:
    """Counts an example as a trainer will: ``unit`` is tokens, words or characters."""

    unit: str
    count: Callable[[str], int]
    size: Callable[[str, str], int]  #: prompt and answer together, with everything that a trainer puts around them
    stops: bool = True  #: False when the chat template writes nothing after an answer: no model learns to stop from it


def ruler(tokenizer: str | Counter | None = None) -> Ruler:
    """The ruler for a tokenizer: a name or path for ``transformers``, a tokenizer, or any callable; words when it is None.

    >>> ruler("characters").size("แมวคืออะไร", "สัตว์")
    18
    >>> ruler(str.split).count("one two three")
    3

    With a tokenizer the size holds its chat template, or begin and stop tokens where it has none.
    ``"characters"`` counts characters, and has to be asked for.
    Raises ImportError when words or ``transformers`` are asked for and missing, OSError when there is no such tokenizer.
    """
    if isinstance(tokenizer, str) and tokenizer != CHARACTERS:
        return _named(tokenizer)
    if tokenizer is None:
        return _plain("words", _count_words)
    if tokenizer == CHARACTERS:
        return _plain(CHARACTERS, len)
    if hasattr(tokenizer, "encode"):
        return _of_tokenizer(tokenizer)
    given: Any = tokenizer

    def count(text: str) -> int:
        tokens = given(text)
        return tokens if isinstance(tokens, int) else len(tokens)

    return _plain("tokens", count)


def shorten(
    answer: str,
    prompt: str,
    measure: Ruler,
    budget: int,
    upto: Callable[[int], int] | None = None,
    *,
    after: str = "",
    broken: Callable[[], bool] = bool,
) -> str:
    """``answer``, ended at the last place where it may end and fits; "" when there is no such place.

    >>> shorten("แมวเป็นสัตว์\\n\\nหมาก็เป็นสัตว์", "แมว", ruler("characters"), 20)
    'แมวเป็นสัตว์'

    The end of a paragraph is preferred to a sentence's end a little further on.
    ``upto(end)`` says how much ``answer[:end]`` counts, where that is known already; then nothing of the answer is counted here.
    ``after`` and ``broken`` tell of the page around it, see :func:`thaiwiki_clean.instruct.sentences.ends`.
    """
    if upto is None:
        fits = measure.size(prompt, answer) <= budget
        until = len(answer) if fits else _last_that_fits(answer, prompt, measure, budget, ends(answer, after, broken=broken))
    elif measure.unit != "tokens" and upto(len(answer)) + len(prompt) + _PLAIN_WRAP <= budget:
        # A word has one character at least: a prompt that fits by its characters need not be segmented.
        until = len(answer)
    else:
        room = budget - measure.size(prompt, "")
        until = bisect_right(range(len(answer) + 1), room, key=upto) - 1
    return answer[: best_end(answer, until, after, broken=broken)]


def _last_that_fits(answer: str, prompt: str, measure: Ruler, budget: int, places: list[int]) -> int:
    """The last end of the answer that fits, or 0. Counting the pieces costs one pass; their sum is close to the whole, and size has the last word."""
    room = budget - measure.size(prompt, "")
    fitting: list[int] = []
    before = used = 0
    for end in places:
        used += measure.count(answer[before:end])
        before = end
        if used > room:
            break
        fitting.append(end)
    while fitting and measure.size(prompt, answer[: fitting[-1]]) > budget:
        fitting.pop()
    return fitting[-1] if fitting else 0


def _plain(unit: str, count: Callable[[str], int]) -> Ruler:
    wrap = _PLAIN_WRAP if unit != "words" else 0
    return Ruler(unit, count, lambda prompt, answer: count(prompt) + count(answer) + wrap)


@lru_cache(maxsize=1 << 10)
def _count_words(text: str) -> int:
    from thaiwiki_clean.words import n_words, words

    return n_words(words(text))


@lru_cache(maxsize=4)
def _named(name: str) -> Ruler:
    try:
        from transformers import AutoTokenizer
    except ImportError:
        raise ImportError(f"counting in tokens of {name!r} needs transformers: pip install 'thaiwiki-clean[train]'") from None
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError) as error:
        raise OSError(f"no tokenizer {name!r}: give a folder that holds one, or a Hub id that can be reached from here") from error
    return _of_tokenizer(tokenizer)


def _of_tokenizer(tokenizer: Any) -> Ruler:
    def count(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False))

    if not getattr(tokenizer, "chat_template", None):
        return _plain("tokens", count)

    def turns(prompt: str, answer: str) -> list[dict[str, str]]:
        return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]

    def size(prompt: str, answer: str) -> int:
        chat = len(tokenizer.apply_chat_template(turns(prompt, answer), return_dict=False))
        return max(chat, count(prompt) + count(answer) + _PLAIN_WRAP)

    rendered = tokenizer.apply_chat_template(turns("ก", "ข"), tokenize=False)
    return Ruler("tokens", count, size, stops=not rendered.rstrip().endswith("ข"))
