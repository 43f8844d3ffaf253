"""Rows to tokens: what the model reads, which of it has a loss, and how long it is.

A row is the prompt, the answer and one stop token, as the chat template writes them; the loss is on the answer and the
stop token alone. Nothing is ever cut: a row that does not fit is left out and counted, or is an error.

``prompt_ids`` is the prompt of training and of generation. There is no second way to make one.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from finetune.rows import Row, data_fingerprint, read_rows
from thaiwiki_clean.instruct.example_stats import packs

__all__ = ["Prepared", "Row", "Tokens", "data_fingerprint", "prepare", "prompt_ids", "read_rows", "to_dataset", "tokenise"]

#: What a row may do that has more than ``max_length`` tokens.
TOO_LONG = ("leave_out", "error")

_IGNORED = -100  # the label that torch's cross entropy leaves out


class Tokens(NamedTuple):
    """One row as the model reads it."""

    input_ids: tuple[int, ...]
    n_prompt: int  #: tokens before the answer's first
    trained: tuple[bool, ...]  #: whether a token has a loss; as long as ``input_ids``


@dataclasses.dataclass(frozen=True)
class Prepared:
    """The tokens of the rows that fit, in the order of the rows."""

    rows: tuple[Tokens, ...]
    kept: tuple[int, ...]  #: number, from 0, of the row that each of ``rows`` was made from
    left_out: dict[str, int]  #: reason -> rows
    stats: dict[str, Any]  #: see :func:`statistics`
    stop: int  #: id of the stop token
    max_length: int


def prompt_ids(prompt: Sequence[dict[str, str]], tokenizer: Any) -> list[int]:
    """The tokens of a prompt, up to the place where the answer begins; training and generation both begin with them.

    The chat template writes it, with what opens an answer. It has one begin-of-text token where the model has one.
    Raises ValueError when the tokenizer has no template, or the template refuses the turns.
    """
    return _encode(_render(prompt, tokenizer, opened=True), tokenizer)


def tokenise(row: Row, tokenizer: Any, *, train_stop: bool = True) -> Tokens:
    """A row as prompt, answer and stop token; what the template writes behind the stop token, such as a newline, is left away.

    The tokens begin with ``prompt_ids(row.prompt, tokenizer)`` and end with the stop token. ``train_stop=False`` takes
    the loss from the stop token alone. Raises ValueError when the template does not let that be.
    """
    from finetune.models import stop_token_id

    return _tokenise(row, tokenizer, stop_token_id(tokenizer), train_stop)


def _tokenise(row: Row, tokenizer: Any, stop: int, train_stop: bool) -> Tokens:
    answer = {"role": "assistant", "content": row.answer}
    opened, whole = _render(row.prompt, tokenizer, opened=True), _render([*row.prompt, answer], tokenizer)
    if not whole.startswith(opened):
        raise ValueError(
            f"the chat template writes the prompt of {_name(row)} in one way for training ({_end(whole[: len(opened)])}) and in another "
            f"for generation ({_end(opened)}); use a preset's template, or mend it so that an answer follows its generation prompt"
        )
    before = _encode(opened, tokenizer)
    ids = _encode(whole, tokenizer)
    if ids[: len(before)] != before:
        ids = _across_the_seam(row, before, whole[len(opened) :], ids, stop, tokenizer)
    end = _stop_at(ids, len(before), stop, tokenizer, row)
    n_answer = end - len(before)
    return Tokens(tuple(ids[: end + 1]), len(before), (False,) * len(before) + (True,) * n_answer + (train_stop,))


def _across_the_seam(row: Row, before: list[int], rest: str, whole: list[int], stop: int, tokenizer: Any) -> list[int]:
    """The prompt's tokens and then the rest's, where a token of the whole text would reach from the prompt into the answer.

    A generating model is given the prompt's tokens and never sees such a one. Only where both read the same.
    """
    # Behind a special token, for at the start of a text some tokenizers write a blank of their own.
    after = tokenizer.encode(tokenizer.convert_ids_to_tokens(stop) + rest, add_special_tokens=False)
    ids: list[int] = before + after[1:]
    if tokenizer.decode(ids) != tokenizer.decode(whole):
        raise ValueError(
            f"the answer of {_name(row)} cannot be parted from its prompt in tokens: the template's prompt ends with a blank, or the "
            "answer begins with one; take the blank away"
        )
    return ids


def _stop_at(ids: Sequence[int], n_prompt: int, stop: int, tokenizer: Any, row: Row) -> int:
    """Where the stop token stands behind the answer."""
    for at in range(len(ids) - 1, n_prompt - 1, -1):
        if ids[at] == stop:
            if at == n_prompt:
                raise ValueError(f"the answer of {_name(row)} has no tokens; leave such rows out of the data")
            return at
        if tokenizer.decode([ids[at]]).strip():
            break
    raise ValueError(
        f"the chat template writes no stop token ({tokenizer.convert_ids_to_tokens(stop)}) behind the answer of {_name(row)}: "
        "a model trained so never stops; use a preset's template"
    )


def _render(turns: Sequence[dict[str, str]], tokenizer: Any, *, opened: bool = False) -> str:
    if not getattr(tokenizer, "chat_template", None):
        raise ValueError("the tokenizer has no chat template, so nobody knows how to ask the model; name a preset (model=...)")
    from jinja2.exceptions import TemplateError

    try:
        text: str = tokenizer.apply_chat_template(list(turns), tokenize=False, add_generation_prompt=opened)
    except TemplateError as error:
        roles = " ".join(turn["role"] for turn in turns)
        raise ValueError(f"the chat template refuses a chat of {roles}: {error}; bring the rows into that form") from None
    return text


def _encode(text: str, tokenizer: Any) -> list[int]:
    """The tokens of what a template wrote, with one begin-of-text token if the tokenizer puts one before plain text.

    Never with ``add_special_tokens``: most templates write that token themselves, and then there would be two.
    """
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False)
    bos = tokenizer.bos_token_id
    if bos is not None and ids[:1] != [bos] and tokenizer.encode("")[:1] == [bos]:
        return [bos, *ids]
    return ids


def _name(row: Row) -> str:
    """What an error calls a row."""
    return f"row {row.id or row.title or row.prompt[-1]['content'][:40]!r}"


def _end(text: str) -> str:
    return repr(text[-30:] if len(text) <= 30 else "…" + text[-30:])


# ---- many rows


def prepare(rows: Iterable[Row], tokenizer: Any, *, max_length: int, too_long: str = "leave_out", train_stop: bool = True) -> Prepared:
    """The tokens of all rows that have at most ``max_length`` of them; the others are left out and counted, never cut.

    ``too_long="error"`` raises ValueError at the first one instead. Every row is in ``rows`` or counted in ``left_out``.
    """
    from finetune.models import stop_token_id

    if max_length < 1:
        raise ValueError(f"max_length should be positive, got {max_length}")
    if too_long not in TOO_LONG:
        raise ValueError(f"too_long should be {' or '.join(TOO_LONG)}, got {too_long!r}")
    stop = stop_token_id(tokenizer)
    done: list[Tokens] = []
    kept: list[int] = []
    longest = left_out = 0
    for number, row in enumerate(rows):
        tokens = _tokenise(row, tokenizer, stop, train_stop)
        longest = max(longest, len(tokens.input_ids))
        if len(tokens.input_ids) <= max_length:
            done.append(tokens)
            kept.append(number)
        elif too_long == "error":
            raise ValueError(
                f"{_name(row)} has {len(tokens.input_ids)} tokens, max_length is {max_length}; raise max_length, "
                "shorten the answers (thaiwiki-clean build --max-tokens), or set too_long=leave_out"
            )
        else:
            left_out += 1
    stats = statistics(done, stop=stop, max_length=max_length)
    return Prepared(tuple(done), tuple(kept), {"too_long": left_out} if left_out else {}, {**stats, "longest": longest}, stop, max_length)


def statistics(rows: Sequence[Tokens], *, stop: int, max_length: int) -> dict[str, Any]:
    """Numbers of tokenised rows.

    >>> stats = statistics([Tokens((1, 5, 6, 2), 2, (False, False, True, True))], stop=2, max_length=8)
    >>> stats["rows"], stats["tokens"]["p50"], stats["trained_tokens"], stats["share_stop_trained"], stats["packing_efficiency"]
    (1, 4, 2, 1.0, 0.5)

    ``longest``, which :func:`prepare` adds, counts the rows too that were left out. ``packing_efficiency`` is the share of positions
    that hold a token when rows are packed whole, best fit first; ``padding_efficiency`` when each is padded to the longest.
    """
    sizes = sorted(len(row.input_ids) for row in rows)
    answers = sorted(len(row.input_ids) - row.n_prompt for row in rows)
    bins = packs(sizes, max_length)
    stops = sum(row.input_ids[-1] == stop and row.trained[-1] for row in rows)
    return {
        "rows": len(rows),
        "max_length": max_length,
        "tokens": {"total": sum(sizes), **_percentiles(sizes)},
        "answer_tokens": {"total": sum(answers), **_percentiles(answers)},
        "trained_tokens": sum(sum(row.trained) for row in rows),
        "share_stop_trained": stops / len(rows) if rows else 0.0,
        "packs": bins,
        "packing_efficiency": sum(sizes) / (bins * max_length) if bins else 0.0,
        "padding_efficiency": sum(sizes) / (len(sizes) * sizes[-1]) if sizes else 0.0,
    }


def _percentiles(ordered: Sequence[int]) -> dict[str, int]:
    """Nearest ranks: lengths that occur; 0 when there is none."""
    named = {f"p{share}": ordered[max(0, -(-len(ordered) * share // 100) - 1)] if ordered else 0 for share in (5, 50, 95, 99)}
    return {**named, "max": ordered[-1] if ordered else 0}


def to_dataset(prepared: Prepared) -> Any:
    """A ``datasets.Dataset`` of ``input_ids`` and ``labels`` that trl's ``SFTTrainer`` takes as it is.

    trl 1.16 does not tokenise where ``input_ids`` is a column, builds no loss mask where ``labels`` is one, packs both
    alike, and its collator pads labels with -100 by length, so that a stop token which is also the padding keeps its loss.
    Its cut at ``max_length`` meets no row, for none is longer. A row of which nothing is trained it would drop.
    Raises ValueError when there is no row.
    """
    if not prepared.rows:
        reasons = ", ".join(f"{reason}: {rows}" for reason, rows in prepared.left_out.items())
        raise ValueError(f"no row is left to train on ({reasons or 'there was none'}); raise max_length, or look at the data")
    import numpy as np
    import pyarrow as pa
    from datasets import Dataset

    sizes = [len(row.input_ids) for row in prepared.rows]
    ids = np.fromiter(itertools.chain.from_iterable(row.input_ids for row in prepared.rows), np.int64, sum(sizes))
    trained = np.fromiter(itertools.chain.from_iterable(row.trained for row in prepared.rows), bool, sum(sizes))
    ends = pa.array(itertools.accumulate(sizes, initial=0), pa.int32())
    columns = {"input_ids": ids, "labels": np.where(trained, ids, _IGNORED)}
    return Dataset(pa.table({name: pa.ListArray.from_arrays(ends, pa.array(flat)) for name, flat in columns.items()}))
