"""Checks of the chat template and of the tokenizer's special tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from finetune.checks.subject import Finding, Subject, error, shown, warning
from finetune.models import stop_token_id

__all__ = ["base_template", "escapes_in_template", "pad_token", "preset_tokens", "prompt_round_trip", "roles", "stop_known", "stop_written"]

_QUESTION, _ANSWER = "ก", "ข"  # letters that no template writes by itself
_TURNS = ({"role": "user", "content": _QUESTION}, {"role": "assistant", "content": _ANSWER})

_PRESET = "name the model's preset (model=...)"

#: A backslash with n, r or t behind it, or a \u escape, as text: what a careless json.dumps or f-string leaves. \nu, \theta are LaTeX.
ESCAPE = re.compile(r"\\[nrt](?![A-Za-z])|\\u[0-9a-fA-F]{4}")

_MARK = re.compile(r"<\|[^|<>\s]+\|>|<(?:start|end)_of_turn>")


def stop_written(about: Subject) -> Finding | None:
    """The template writes one special token behind an answer."""
    problem = _no_stop(about.tokenizer)
    if not problem:
        return None
    return error(f"no model learns to stop from this template: {problem}", f"{_PRESET}, or put a token behind the answer")


def stop_known(about: Subject) -> Finding | None:
    """The tokenizer and the base's generation config name the template's stop token."""
    if _no_stop(about.tokenizer):
        return None
    stop = stop_token_id(about.tokenizer)
    named = {
        "the tokenizer's eos_token": _ids(about.tokenizer.eos_token_id),
        "generation_config.json": _ids(about.base.get("generation_config.json", {}).get("eos_token_id")),
    }
    others = [f"{where} says {_tokens(about, ids)}" for where, ids in named.items() if ids and stop not in ids]
    if not others:
        return None
    return warning(
        f"an answer ends with {_tokens(about, {stop})}, but {' and '.join(others)}: programs that go by it never stop",
        f"generate with `python -m finetune generate`, which asks the template; elsewhere set eos_token_id={stop}",
    )


def preset_tokens(about: Subject) -> Finding | None:
    """The tokenizer holds the preset's special tokens, each as one token."""
    if about.preset is None:
        return None
    wanted = {about.preset.stop_token, about.preset.bos_token, *about.preset.special_tokens} - {""}
    missing = sorted(token for token in wanted if token not in about.tokenizer.get_vocab())
    if not missing:
        return None
    return error(
        f"the tokenizer of {about.config.base} has no {', '.join(missing)}: it is no {about.preset.name}",
        "give another model, or the base that this preset is for",
    )


def pad_token(about: Subject) -> Finding | None:
    """There is a pad token, and it is not the stop token."""
    pad = about.tokenizer.pad_token_id
    if pad is None:
        return error("the tokenizer has no pad token, so rows of several lengths make no batch", f"{_PRESET}, or set tokenizer.pad_token")
    if _no_stop(about.tokenizer) or pad != stop_token_id(about.tokenizer):
        return None
    return warning(
        f"the pad token is the stop token ({about.tokenizer.pad_token}); this trainer masks by length and trains it, others mask it away",
        "give the tokenizer a pad token of its own, such as <unk> or an unused one",
    )


def prompt_round_trip(about: Subject) -> Finding | None:
    """What is trained begins with what is asked."""
    prompt, whole = _render(about, _TURNS[:1], opened=True), _render(about, _TURNS)
    if prompt is None or whole is None or whole.startswith(prompt):
        return None
    return error(
        f"the template asks with {shown(prompt)} and trains {shown(whole)}, which begins otherwise",
        f"{_PRESET}, or let the template write before an answer just what add_generation_prompt writes",
    )


def roles(about: Subject) -> Finding | None:
    """The template writes all turns, and names the two sides as the model learnt them."""
    whole = _render(about, _TURNS)
    if whole is None:
        return None
    if _QUESTION not in whole or _ANSWER not in whole:
        side = "user" if _QUESTION not in whole else "assistant"
        return error(f"the template leaves out the turn of {side!r}: it may know the side by another name", _PRESET, shown(whole))
    if about.preset is None:
        return None
    before, between = whole.split(_QUESTION)[0], whole.split(_QUESTION)[1].split(_ANSWER)[0]
    missing = [name for name, place in zip(about.preset.roles, (before, between), strict=True) if name not in place]
    if not missing:
        return None
    return error(
        f"{about.preset.name} learnt its sides as {' and '.join(about.preset.roles)}; the template does not write {' nor '.join(missing)}",
        "use the preset's template: it maps user and assistant to the model's own names",
        shown(whole),
    )


def base_template(about: Subject) -> Finding | None:
    """The base has seen a chat: it has a template of its own, and the template's marks are tokens of its vocabulary."""
    mend = "show the base beside the tuned model, but compare tuned with tuned; for a baseline take a model that was tuned for chat"
    stored = about.base.get("tokenizer_config.json")
    if stored is not None and not stored.get("chat_template"):
        return warning(
            "the base has no chat template of its own: what it answers before tuning is no baseline, it has never seen a chat", mend
        )
    whole = _render(about, _TURNS)
    if whole is None or (about.preset is not None and about.preset.template):
        return None  # the marks of a preset's template are looked up: some models learnt <|im_start|> as plain text
    unknown = sorted({mark for mark in _MARK.findall(whole) if len(about.tokenizer.encode(mark, add_special_tokens=False)) > 1})
    if not unknown:
        return None
    return warning(f"the template writes {', '.join(unknown)}, which is no token of this base: it has never seen such a chat", mend)


def escapes_in_template(about: Subject) -> Finding | None:
    r"""The template writes newlines, not a backslash and an n."""
    whole = _render(about, _TURNS)
    found = whole and ESCAPE.search(whole)
    if not found:
        return None
    return error(
        rf"the template writes {found[0]} as {len(found[0])} characters: the model learns to write them",
        r"in Jinja a newline inside quotes is '\n' with one backslash; look for '\\n'",
        shown(str(whole)),
    )


def _no_stop(tokenizer: Any) -> str:
    """Why the template has no stop token, "" when it has one."""
    try:
        stop_token_id(tokenizer)
    except ValueError as problem:
        return str(problem)
    return ""


def _render(about: Subject, turns: Iterable[dict[str, str]], *, opened: bool = False) -> str | None:
    """What the template writes; None when it cannot, which ``stop_written`` and the tokenising tell."""
    from jinja2.exceptions import TemplateError

    if not getattr(about.tokenizer, "chat_template", None):
        return None
    try:
        text: str = about.tokenizer.apply_chat_template(list(turns), tokenize=False, add_generation_prompt=opened)
    except TemplateError:
        return None
    return text


def _ids(value: Any) -> set[int]:
    return set(value) if isinstance(value, list) else set() if value is None else {value}


def _tokens(about: Subject, ids: Iterable[int]) -> str:
    return ", ".join(str(about.tokenizer.convert_ids_to_tokens(i)) for i in sorted(ids))
