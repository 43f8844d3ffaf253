"""One example of instruction data, and the five forms in which trainers take it.

An :class:`Example` keeps where it comes from; every form is a view of it that can be turned back::

    >>> example = Example("แมวคืออะไร", "แมวเป็นสัตว์เลี้ยงลูกด้วยนม", title="แมว")
    >>> from_sharegpt(to_sharegpt(example)) == example
    True

TRL reads ``messages``, ``prompt_completion`` and ``text`` as they are; sharegpt and alpaca rows go through
``to_messages(from_sharegpt(row))``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

__all__ = [
    "FORMATS",
    "Example",
    "Format",
    "from_alpaca",
    "from_messages",
    "from_prompt_completion",
    "from_sharegpt",
    "from_text",
    "to_alpaca",
    "to_messages",
    "to_prompt_completion",
    "to_sharegpt",
    "to_text",
]

Row = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Example:
    """One prompt, one answer, and where both come from.

    A prompt is one line: in the text form the first newline parts it from its answer.
    ``n_words`` counts the answer; ``n_tokens`` the whole example as the named tokenizer sees it, stop token included.
    """

    prompt: str
    answer: str
    id: str = ""
    kind: str = ""
    template: str = ""
    title: str = ""
    section: tuple[str, ...] = ()  #: titles of the sections around the answer, from the outermost
    url: str = ""
    page_id: str = ""
    source: str = ""
    n_words: int | None = None
    n_tokens: int | None = None
    shortened: bool = False  #: the page goes on after the answer's last sentence
    split: str = ""

    def __post_init__(self) -> None:
        if not self.prompt.strip() or "\n" in self.prompt:
            raise ValueError(f"a prompt is one line of text, got {self.prompt!r}")
        if not self.answer.strip():
            raise ValueError(f"the answer to {self.prompt!r} is empty")


_ABOUT = tuple(field.name for field in dataclasses.fields(Example) if field.name not in ("prompt", "answer"))


def to_messages(example: Example) -> Row:
    """Chat form: ``messages`` of roles ``user`` and ``assistant``. The default, and what chat models are trained on.

    >>> to_messages(Example("แมวคืออะไร", "สัตว์"))["messages"]
    [{'role': 'user', 'content': 'แมวคืออะไร'}, {'role': 'assistant', 'content': 'สัตว์'}]
    """
    turns = [{"role": "user", "content": example.prompt}, {"role": "assistant", "content": example.answer}]
    return {"messages": turns, **_about(example)}


def from_messages(row: Mapping[str, Any]) -> Example:
    """The example of a chat row. Raises ValueError unless it is one user turn and one answer."""
    return _of_turns(row, "messages", "role", "content", ("user", "assistant"))


def to_prompt_completion(example: Example) -> Row:
    r"""``prompt`` and ``completion`` as plain text, for models without a chat template; the loss may leave the prompt out.

    >>> row = to_prompt_completion(Example("แมวคืออะไร", "สัตว์"))
    >>> row["prompt"], row["completion"]
    ('แมวคืออะไร\n', 'สัตว์')

    The newline belongs to the prompt, so that both together are the text form and tokens do not join across the seam.
    """
    return {"prompt": example.prompt + "\n", "completion": example.answer, **_about(example)}


def from_prompt_completion(row: Mapping[str, Any]) -> Example:
    """The example of a prompt-completion row."""
    prompt, completion = _strings(row, "prompt", "completion")
    return _example(row, prompt.removesuffix("\n"), completion)


def to_alpaca(example: Example) -> Row:
    """``instruction``, ``input`` (always empty: the title stands in the instruction) and ``output``.

    >>> [to_alpaca(Example("แมวคืออะไร", "สัตว์"))[name] for name in ("instruction", "input", "output")]
    ['แมวคืออะไร', '', 'สัตว์']
    """
    return {"instruction": example.prompt, "input": "", "output": example.answer, **_about(example)}


def from_alpaca(row: Mapping[str, Any]) -> Example:
    """The example of an alpaca row; an ``input`` follows its instruction after a blank, as in rows of older projects.

    >>> from_alpaca({"instruction": "อธิบายคำต่อไปนี้", "input": "แมว", "output": "สัตว์"}).prompt
    'อธิบายคำต่อไปนี้ แมว'
    """
    instruction, output = _strings(row, "instruction", "output")
    given = row.get("input") or ""
    return _example(row, f"{instruction} {given}" if given else instruction, output)


def to_sharegpt(example: Example) -> Row:
    """``conversations`` of ``human`` and ``gpt``. TRL does not read these names: convert with ``to_messages(from_sharegpt(row))``."""
    turns = [{"from": "human", "value": example.prompt}, {"from": "gpt", "value": example.answer}]
    return {"conversations": turns, **_about(example)}


def from_sharegpt(row: Mapping[str, Any]) -> Example:
    """The example of a sharegpt row. Raises ValueError unless it is one human turn and one answer."""
    return _of_turns(row, "conversations", "from", "value", ("human", "gpt"))


def to_text(example: Example) -> Row:
    r"""One ``text``: the prompt's line, then the answer. The trainer adds the stop token.

    >>> to_text(Example("แมวคืออะไร", "สัตว์"))["text"]
    'แมวคืออะไร\nสัตว์'
    """
    return {"text": f"{example.prompt}\n{example.answer}", **_about(example)}


def from_text(row: Mapping[str, Any]) -> Example:
    """The example of a text row: the first line is its prompt."""
    (text,) = _strings(row, "text")
    prompt, _, answer = text.partition("\n")
    return _example(row, prompt, answer)


@dataclasses.dataclass(frozen=True, slots=True)
class Format:
    """A form of rows: from an example and back."""

    to: Callable[[Example], Row]
    back: Callable[[Mapping[str, Any]], Example]


#: name of a form -> its two functions.
FORMATS: dict[str, Format] = {
    "messages": Format(to_messages, from_messages),
    "prompt_completion": Format(to_prompt_completion, from_prompt_completion),
    "alpaca": Format(to_alpaca, from_alpaca),
    "sharegpt": Format(to_sharegpt, from_sharegpt),
    "text": Format(to_text, from_text),
}


def _about(example: Example) -> Row:
    about: Row = {name: getattr(example, name) for name in _ABOUT}
    about["section"] = list(example.section)
    return about


def _example(row: Mapping[str, Any], prompt: str, answer: str) -> Example:
    about = {name: row[name] for name in _ABOUT if name in row}
    about["section"] = tuple(about.get("section") or ())
    return Example(prompt, answer, **about)


def _of_turns(row: Mapping[str, Any], column: str, who: str, what: str, roles: tuple[str, str]) -> Example:
    if column not in row:
        raise ValueError(f"no {column!r} among {', '.join(map(repr, row))}")
    turns = row[column]
    if [turn[who] for turn in turns] != list(roles):
        raise ValueError(f"{column} should be one turn of {roles[0]} and one of {roles[1]}, got {[turn[who] for turn in turns]}")
    return _example(row, turns[0][what], turns[1][what])


def _strings(row: Mapping[str, Any], *names: str) -> list[str]:
    for name in names:
        if not isinstance(row.get(name), str):
            raise ValueError(f"{name!r} should be a str, got {type(row.get(name)).__name__}; the row has {', '.join(map(repr, row))}")
    return [row[name] for name in names]
