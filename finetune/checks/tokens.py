"""Checks of the rows as tokens: what has a loss, what stands twice, what does not fit."""

from __future__ import annotations

import functools
from collections.abc import Callable

from finetune.checks.subject import Finding, Subject, called, error, evenly, of, warning
from finetune.data import Prepared, Tokens, prompt_ids, tokenise
from finetune.models import stop_token_id

__all__ = ["one_begin", "one_stop", "prompt_same", "prompt_untrained", "room", "rows_tokenise", "spelt", "stop_trained", "too_long"]

#: Above this share of rows that do not fit, what is left is another data set.
MOST_LEFT_OUT = 0.5

#: How much longer than the longest training answer a generation may get, so that "did not stop" is not "was cut".
BUDGET = 1.5

_OURS = "tokenise with finetune.data.prepare, which sees to it"


def rows_tokenise(about: Subject) -> Finding | None:
    """The template takes the turns of each row."""
    if about.prepared is not None:
        return None
    try:
        stop_token_id(about.tokenizer)
    except ValueError:
        return None  # stop_written says so; no row can be tokenised then
    problems = [(number, problem) for number in range(len(about.rows)) if (problem := _problem(about, number))]
    if not problems:
        return None
    number, problem = problems[0]
    return error(
        f"{of(len(problems), len(about.rows))} cannot be tokenised: {problem}",
        "bring the rows into a form that the template takes, or leave them out",
        called(about.rows[number], number),
    )


def _problem(about: Subject, number: int) -> str:
    try:
        tokenise(about.rows[number], about.tokenizer)
    except ValueError as problem:
        return str(problem)
    return ""


def on_tokens(check: Callable[[Subject, Prepared], Finding | None]) -> Callable[[Subject], Finding | None]:
    """A check that is silent where the rows could not be tokenised."""

    @functools.wraps(check)
    def run(about: Subject) -> Finding | None:
        return None if about.prepared is None else check(about, about.prepared)

    return run


@on_tokens
def stop_trained(about: Subject, prepared: Prepared) -> Finding | None:
    """Each row ends with the stop token, and it has a loss."""
    stop = prepared.stop
    bad, example = _where(about, prepared, lambda tokens: tokens.input_ids[-1] != stop or not tokens.trained[-1])
    if not bad:
        return None
    found = f"the stop token {about.tokenizer.convert_ids_to_tokens(stop)} is not trained in {of(bad, len(prepared.rows))}"
    if not about.config.train_stop:
        return warning(
            f"{found}, as train_stop=false asks: the model will not stop by itself",
            "train_stop=true, unless this is the experiment",
            example,
        )
    return error(f"{found}: the model never learns to stop", f"train_stop=true; {_OURS}", example)


@on_tokens
def prompt_untrained(about: Subject, prepared: Prepared) -> Finding | None:
    """The loss is on the answer, on all of it, and on nothing before it."""
    rows = prepared.rows
    trained, total = sum(sum(row.trained[: row.n_prompt]) for row in rows), sum(row.n_prompt for row in rows)
    if trained:
        _, example = _where(about, prepared, lambda tokens: any(tokens.trained[: tokens.n_prompt]))
        return error(f"{of(trained, total, 'prompt tokens')} have a loss: the model learns to ask, not only to answer", _OURS, example)
    bad, example = _where(
        about, prepared, lambda tokens: not all(tokens.trained[tokens.n_prompt : -1]) or len(tokens.input_ids) == tokens.n_prompt
    )
    return error(f"{of(bad, len(rows))} have answer tokens without a loss", _OURS, example) if bad else None


@on_tokens
def one_begin(about: Subject, prepared: Prepared) -> Finding | None:
    """A row begins with one begin-of-text token, where the model has one."""
    bos = about.tokenizer.bos_token_id
    if bos is None:
        return None
    wanted = 1 if about.tokenizer.encode("")[:1] == [bos] else 0
    counts = [_leading(row, bos) for row in prepared.rows]
    bad, example = _where(about, prepared, lambda tokens: _leading(tokens, bos) > 1 or _leading(tokens, bos) < wanted)
    if not bad:
        return None
    return error(
        f"{of(bad, len(counts))} begin with {max(counts) if max(counts) > 1 else min(counts)} {about.tokenizer.bos_token}, expected one",
        f"let only the template or only the tokenizer write it, and take it out of the texts; {_OURS}",
        example,
    )


@on_tokens
def one_stop(about: Subject, prepared: Prepared) -> Finding | None:
    """The stop token stands once, behind the answer: inside, the model learns to stop early; twice, to say it twice."""
    stop = prepared.stop
    bad, example = _where(about, prepared, lambda tokens: stop in tokens.input_ids[tokens.n_prompt : -1])
    if not bad:
        return None
    return error(
        f"the answers of {of(bad, len(prepared.rows))} hold {about.tokenizer.convert_ids_to_tokens(stop)} before their end",
        "take it out of the answers: the template writes it; and do not set add_eos_token beside a template",
        example,
    )


@on_tokens
def prompt_same(about: Subject, prepared: Prepared) -> Finding | None:
    """A row's tokens begin with the prompt of generation."""
    looked = evenly(len(prepared.rows), 200)
    for place in looked:
        tokens, number = prepared.rows[place], prepared.kept[place]
        if list(tokens.input_ids[: tokens.n_prompt]) != prompt_ids(about.rows[number].prompt, about.tokenizer):
            return error(
                "the tokens of a training row do not begin with the prompt that generation will ask with",
                "tokenise with the tokenizer and the template of this run, and take prompts from finetune.data.prompt_ids",
                called(about.rows[number], number),
            )
    return None


@on_tokens
def too_long(about: Subject, prepared: Prepared) -> Finding | None:
    """All rows fit ``max_length``."""
    left_out, longest = prepared.left_out.get("too_long", 0), prepared.stats.get("longest", 0)
    if not left_out:
        return None
    kept = set(prepared.kept)
    number = next((n for n in range(len(about.rows)) if n not in kept), 0)
    spoilt = about.config.too_long == "error" or left_out > MOST_LEFT_OUT * len(about.rows)
    tell = error if spoilt else warning
    return tell(
        f"{of(left_out, len(about.rows))} have more than {prepared.max_length:,} tokens, the longest {longest:,}; such rows are left out, never cut",
        f"max_length={longest} keeps all; or build with shorter answers: thaiwiki-clean build --max-tokens {prepared.max_length}",
        called(about.rows[number], number) if about.rows else "",
    )


@on_tokens
def room(about: Subject, prepared: Prepared) -> Finding | None:
    """The model's context holds a prompt and an answer that may run on: what is cut by a limit says nothing about stopping."""
    if not prepared.rows:
        return None
    prompt = max(row.n_prompt for row in prepared.rows)
    answer = int(BUDGET * max(len(row.input_ids) - row.n_prompt for row in prepared.rows))
    stated = about.base.get("config.json", {}).get("max_position_embeddings")
    context = min(x for x in (about.tokenizer.model_max_length, stated) if x is not None)
    if prompt + answer <= context:
        return None
    return warning(
        f"the model's context of {context:,} tokens does not hold the longest prompt ({prompt:,}) and {BUDGET} times the longest answer "
        f"({answer:,}): a loop and an answer that is cut could not be told apart",
        f"max_length={max(8, int((context - prompt) / BUDGET) + prompt)}, or a base with a longer context",
    )


@on_tokens
def spelt(about: Subject, prepared: Prepared) -> Finding | None:
    """The tokenizer can spell the answers."""
    unknown = about.tokenizer.unk_token_id
    if unknown is None:
        return None
    bad, example = _where(about, prepared, lambda tokens: unknown in tokens.input_ids[tokens.n_prompt :])
    if not bad:
        return None
    return warning(
        f"the answers of {of(bad, len(prepared.rows))} hold {about.tokenizer.unk_token}: letters that the tokenizer cannot spell",
        "clean the texts of rare characters, or take a base whose tokenizer falls back on bytes",
        example,
    )


def _where(about: Subject, prepared: Prepared, wrong: Callable[[Tokens], bool]) -> tuple[int, str]:
    """How many rows are wrong, and the name of the first."""
    bad = [number for number, tokens in zip(prepared.kept, prepared.rows, strict=True) if wrong(tokens)]
    return len(bad), called(about.rows[bad[0]], bad[0]) if bad else ""


def _leading(tokens: Tokens, token: int) -> int:
    """How many of ``token`` stand at the start."""
    return next((n for n, one in enumerate(tokens.input_ids) if one != token), len(tokens.input_ids))
