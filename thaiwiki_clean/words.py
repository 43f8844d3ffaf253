"""Words: PyThaiNLP's segmentation of a text, lossless, line by line, in time linear in the text.

    >>> words("แมวกินปลา\\nปลาว่ายน้ำ")
    ['แมว', 'กิน', 'ปลา', '\\n', 'ปลา', 'ว่ายน้ำ']

Two engines: ``nlpo3`` (newmm written again in Rust: some four times faster, nearly the same tokens) and ``newmm``, whose tokens
:mod:`thaiwiki_clean.newmm` makes, twice as fast as nlpo3 where it is compiled (docs/how-to/compile.md).
Segmentation is the dearest step of the whole flow, so a page is segmented once and its tokens are handed on.
"""

from __future__ import annotations

import functools
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from thaiwiki_clean import newmm

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Ints = NDArray[np.int64]

__all__ = ["ENGINES", "WordArrays", "engine_version", "n_words", "word_arrays", "word_ends", "words"]

#: The engines that :func:`words` knows, the default first.
ENGINES = ("nlpo3", "newmm")

Segment = Callable[[str], list[str]]

_DICTIONARY = "thaiwiki_clean"  # nlpo3 knows its dictionaries by name

# Why a guard: newmm searches a graph of dictionary words from one unambiguous cut to the next.
# nlpo3 1.4.0 keeps no set of visited nodes: where no cut is unambiguous it walks every path, 0.2 ms a character
# instead of 0.3 us ("กรอ" or "ส" said 100 times). So a run that may blow up goes to our newmm, which has the set, and nlpo3 sees
# no more than a window.
# Words over and over, and consonants without vowels, are what blows up: a minute's search by random change for dear runs
# of dictionary words found 200 us a character without these two tests and 0.8 with them. That is evidence, no proof.
_RUN_LENGTH = 24
_RUN = re.compile(f"[^ ]{{{_RUN_LENGTH},}}")  # in 65,940 runs of real passages the median is 9 characters, p99 86, the longest 284
_SURROGATE = re.compile(f"[{chr(0xD800)}-{chr(0xDFFF)}]")
_CONSONANTS = re.compile("[ก-ฮ]{16}")  # 4 of 5,494 lines of real passages
_LOOP_SAMPLE, _LOOP_STEP, _LOOP_REACH = 8, 16, 40  # characters; 0.5 % of real text is in runs that match
# Characters that nlpo3 sees at once: of a line, and of a run without a blank. A window ends where a word ends, so few words are touched: 0.5 % of the boundaries in 300,000 characters without a blank.
_LINE_WINDOW, _RUN_WINDOW = 4000, 400
_MARGIN = 40  # words that end so near the end of a window are segmented again with what follows; words are shorter


def words(text: str, engine: str = "nlpo3") -> list[str]:
    """``text`` as a list of words, blanks and other tokens; joined they are ``text`` again, for every str.

    >>> words("ราคา 1,250 บาท")
    ['ราคา', ' ', '1,250', ' ', 'บาท']

    A newline is a token of its own, lines are segmented alone (which changes no token: no dictionary word holds a newline).
    ``nlpo3`` hands the rare run that would take it exponential time to newmm; ``newmm`` gives the tokens of
    ``pythainlp.tokenize.newmm.segment`` throughout, in time linear in the line. These are the engines' own tokens: ``pythainlp.word_tokenize`` also joins broken numbers such as 19:32.
    Raises ValueError for another engine, ImportError when PyThaiNLP or nlpo3 is missing.
    """
    segment = _segmenter(engine)
    out: list[str] = []
    for line in text.split("\n"):
        if line:
            out += segment(line)
        out.append("\n")
    out.pop()
    return out


def n_words(tokens: Iterable[str]) -> int:
    """How many of ``tokens`` are words: those that hold more than blanks and line ends.

    >>> n_words(["แมว", " ", "กิน", "\\n", "ปลา"])
    3

    Punctuation and numbers count, as everywhere in PyThaiNLP.
    """
    return sum(not token.isspace() for token in tokens)


def word_ends(tokens: Iterable[str]) -> list[int]:
    """The offsets at which words end in the text that ``tokens`` make up: with them words are counted in any piece of the text.

    >>> word_ends(["แมว", " ", "กิน", "\\n", "ปลา"])
    [3, 7, 11]
    """
    ends: list[int] = word_arrays(list(tokens)).ends.tolist()
    return ends


class WordArrays(NamedTuple):
    """The words of a text, blanks left out, as arrays of one length."""

    hashes: Hashes  #: the same for the same word; two words share 64 bits once in 10**19
    lengths: Ints  #: characters
    ends: Ints  #: offsets at which they end in the text


def word_arrays(tokens: Sequence[str]) -> WordArrays:
    """The words among the tokens of a text. An empty token is no word.

    Tokens lie all over the memory, and a look at one costs more than what is then done with it: each is asked for its length, and
    what else there is to know comes from the characters of the text.
    """
    import numpy as np

    lengths = np.fromiter(map(len, tokens), np.int64, len(tokens))
    if not lengths.all():
        return word_arrays(list(filter(None, tokens)))
    text = "".join(tokens)
    characters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    ends = lengths.cumsum()
    starts = ends - lengths
    blanks, weights = _tables()
    said = ~blanks[np.minimum(characters[starts], len(blanks) - 1)]
    for i in np.flatnonzero(~said & (lengths > 1)).tolist():  # it begins with a blank
        said[i] = not tokens[i].isspace()
    place = np.ones(len(characters), np.int64)  # of each character in its word
    place[starts[1:]] -= lengths[:-1]
    place = place.cumsum() & (len(weights) - 1)
    hashes = np.add.reduceat(weights[place] * characters, starts) if tokens else weights[:0]
    return WordArrays(hashes[said], lengths[said], ends[said])


@functools.cache
def _tables() -> tuple[NDArray[np.bool_], Hashes]:
    """Which characters are blanks, the last place standing for all that are none; and a weight for every place in a word."""
    import numpy as np

    blanks = np.array([chr(code).isspace() for code in range(0x3002)])  # U+3000 is the last blank
    weights = np.arange(1, 1 + (1 << 12), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    weights ^= weights >> np.uint64(29)
    weights *= np.uint64(0xBF58476D1CE4E5B9)
    return blanks, weights | np.uint64(1)


def engine_version(engine: str = "nlpo3") -> str:
    """The versions behind an engine, for a manifest: with another version the tokens may be others.

    >>> engine_version("newmm").startswith("newmm 5.4, pythainlp ")
    True

    The dictionary is part of PyThaiNLP, and both engines read it; behind ``newmm`` stands the PyThaiNLP whose tokens it gives.
    """
    from importlib.metadata import PackageNotFoundError, version

    _check(engine)
    try:
        ours = f"pythainlp {version('pythainlp')}"
        return f"nlpo3 {version('nlpo3')}, {ours}" if engine == "nlpo3" else f"newmm {newmm.PYTHAINLP}, {ours}"
    except PackageNotFoundError as error:
        raise _missing() from error


def _check(engine: str) -> None:
    if engine not in ENGINES:
        raise ValueError(f"no word engine {engine!r}; there are {' and '.join(ENGINES)}")


def _missing() -> ImportError:
    return ImportError("counting words needs PyThaiNLP and nlpo3: pip install 'thaiwiki-clean[words]'")


@functools.cache
def _segmenter(engine: str) -> Segment:
    """A function that segments one line, loaded on first use."""
    _check(engine)
    try:
        if engine == "newmm":
            from pythainlp.corpus import thai_words

            return newmm.Newmm(thai_words()).segment
        import nlpo3
        from pythainlp.corpus import corpus_path
    except ImportError as error:
        raise _missing() from error
    # What pythainlp.tokenize.nlpo3 does, but once: it imports and asks for its dictionary anew for every line, a twentieth of the time.
    # Never safe (1.4.0 gives back other characters than it got) nor parallel (deadlocks in a forked child).
    dictionary = os.path.join(corpus_path(), "words_th.txt")
    if not os.path.exists(dictionary):  # nlpo3 would panic
        raise ImportError(f"PyThaiNLP has no dictionary {dictionary}: pip install 'pythainlp>=5.4'")
    nlpo3.load_dict(dictionary, _DICTIONARY)
    return functools.partial(_guarded, functools.partial(nlpo3.segment, dict_name=_DICTIONARY), lambda run: _segmenter("newmm")(run))


def _guarded(fast: Segment, slow: Segment, line: str) -> list[str]:
    """``fast`` for the line, but for the runs without a blank that would cost it exponential time."""
    for piece in line.split(" "):  # in nearly every line no run is dear, and nobody has to know where its runs stand
        if len(piece) >= _RUN_LENGTH and (len(piece) > _RUN_WINDOW or _may_blow_up(piece)):
            break
    else:
        return _windows(fast, _LINE_WINDOW, line)
    out: list[str] = []
    at = 0
    for run in _RUN.finditer(line):
        start, end = run.span()
        if end - start > _RUN_WINDOW or _may_blow_up(run[0]):
            if at < start:
                out += _windows(fast, _LINE_WINDOW, line[at:start])
            out += _windows(lambda piece: (slow if _may_blow_up(piece) else fast)(piece), _RUN_WINDOW, run[0])
            at = end
    if at < len(line):
        out += _windows(fast, _LINE_WINDOW, line[at:])
    return out


def _may_blow_up(run: str) -> bool:
    """Whether a few characters come again soon after, looked at every few characters, or vowels are missing for long."""
    for at in range(0, len(run) - _LOOP_SAMPLE, _LOOP_STEP):
        if run[at : at + _LOOP_SAMPLE] in run[at + 1 : at + _LOOP_SAMPLE + _LOOP_REACH]:
            return True
    return _CONSONANTS.search(run) is not None


def _windows(segment: Segment, size: int, line: str) -> list[str]:
    """The tokens of ``line``, never showing ``segment`` more than ``size`` characters of it."""
    if len(line) <= size:
        return _lossless(segment, line)
    out: list[str] = []
    at = 0
    while len(line) - at > size:
        end = at + size
        # A mark stays with its letter; eight marks on one letter are no letter any more.
        for _ in range(8):
            if end < len(line) and unicodedata.category(line[end])[0] == "M":
                end += 1
        tokens = _lossless(segment, line[at:end])
        kept = end - at
        while len(tokens) > 1 and kept > size - _MARGIN:
            kept -= len(tokens.pop())
        out += tokens
        at += kept
    out += _lossless(segment, line[at:])
    return out


def _lossless(segment: Segment, piece: str) -> list[str]:
    """The tokens of ``piece``; half a surrogate pair, which nlpo3 does not take, is segmented as U+FFFD."""
    try:
        return segment(piece)
    except UnicodeEncodeError:
        tokens = segment(_SURROGATE.sub("\ufffd", piece))
    out: list[str] = []
    at = 0
    for token in tokens:
        out.append(piece[at : at + len(token)])
        at += len(token)
    return out
