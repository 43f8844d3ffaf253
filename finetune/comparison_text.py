"""A comparison in words: JSON for a program, Markdown for a repository, and the sentences that the page says, too.

A difference that was found and one that was not are said in the same form: what was measured, the interval, the number of runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from finetune.bootstrap import Estimate
from finetune.comparison import BESIDE, PUBLISHED, PUBLISHED_UNTUNED, SECONDARY, Arm, Comparison, Contrasted
from finetune.measure import MEASURES, number

__all__ = ["NAMES", "answer", "both_intervals", "interval", "p_value", "signed", "span", "to_json", "to_markdown"]

#: Measures as a sentence calls them.
NAMES = {
    "mass": "repetition mass",
    "no_stop": "answers without a stop",
    "header_echo": "answers with a wiki header",
    "n_tokens": "tokens",
    "n_graphemes": "graphemes",
    "dup_line_chars": "characters in repeated lines",
    "rep16g": "repeated 16-grapheme sequences",
    "seq_rep_4": "seq-rep-4",
    "diversity": "diversity",
}


def signed(value: float, measure: str = "") -> str:
    """A difference as people read it.

    >>> signed(0.4071), signed(-3.25, "n_tokens"), signed(-0.0001)
    ('+0.407', '−3.2', '0.000')
    """
    plain = number(abs(value), measure)
    return plain if float(plain) == 0 else f"{'+' if value > 0 else '−'}{plain}"


def interval(low: float, high: float, measure: str = "", *, difference: bool = True) -> str:
    """``[low, high]``, with signs where it is one of a difference; the level of a measure is not below 0.

    >>> interval(-0.1, 0.25), interval(-0.1, 0.25, difference=False)
    ('[−0.100, +0.250]', '[0.000, 0.250]')
    """
    said = [signed(each, measure) if difference else number(max(0.0, each), measure) for each in (low, high)]
    return f"[{said[0]}, {said[1]}]"


def p_value(value: float | None) -> str:
    """A p value with three places.

    >>> p_value(0.0002), p_value(0.0312), p_value(None)
    ('< 0.001', '0.031', '-')
    """
    return "-" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def both_intervals(found: Estimate, measure: str = "", *, difference: bool = True) -> tuple[str, str]:
    """The bootstrap's interval and the t interval, as tables show them."""
    return (
        interval(found.low, found.high, measure, difference=difference),
        "-" if found.two_way is None else interval(*found.two_way, measure, difference=difference),
    )


def answer(each: Contrasted, setting: str, measure: str) -> str:
    """What a contrast says, in one sentence of the same form whatever it says."""
    found, contrast = each.effects[setting][measure], each.contrast
    what = NAMES[measure]
    sample = f"{_count(found.n_seeds, 'seed') if each.seeds else 'one base'}, {_count(found.n_prompts, 'prompt')}"
    if not contrast.b:
        return f"{contrast.a} by itself: {what} {number(found.value, measure)} {interval(found.low, found.high, measure, difference=False)}; {sample}."
    figures = f"{signed(found.value, measure)} {interval(found.low, found.high, measure)}, p {p_value(found.p)}; {sample}."
    if not found.differs:
        return f"No difference in {what} is shown between {contrast.a} and {contrast.b}: {figures}"
    return (
        f"{contrast.a} has {'more' if found.value > 0 else 'fewer' if measure in _COUNTED else 'less'} {what} than {contrast.b}: {figures}"
    )


_COUNTED = frozenset({"no_stop", "header_echo", "n_tokens", "n_graphemes", "dup_line_chars", "rep16g"})


def _count(number_of: int, what: str) -> str:
    return f"{number_of} {what}" if number_of == 1 else f"{number_of} {what}s"


# ---- Markdown


def to_markdown(c: Comparison) -> str:
    """The comparison as a Markdown page; the question stands before the results."""
    main, found = c.headline, c.headline.effects[c.setting]
    parts = [f"# {_cell(main.contrast.a)} against {_cell(main.contrast.b)}" if main.contrast.b else f"# {_cell(main.contrast.a)}"]
    if any(c.study):
        parts += ["## What was asked", "\n".join(f"- {head}: {_cell(text)}" for head, text in stated(c) if text)]
    parts += ["## The answer", f"**{_cell(answer(main, c.setting, c.measure))}**"]
    parts += [_estimates(found, [c.measure, *BESIDE], "beside")]
    if main.held_out:
        parts += [
            f"Held-out loss, {_cell(main.contrast.name)}: {signed(main.held_out.value)} {interval(main.held_out.low, main.held_out.high)} (t interval over seeds)."
        ]
    if c.attribution:
        parts += ["## How much of the repetition is whose", _contrasts(c, c.attribution, questions=True)]
    if len(c.attribution) < len(c.contrasts):
        parts += ["## All contrasts", _contrasts(c, c.contrasts)]
    parts += ["## Secondary measures", _estimates(found, SECONDARY, "secondary")]
    parts += ["## The arms", _arms(c), "## In other settings", _settings(c), "## Repetition in the data, and in the output", _data(c)]
    parts += ["## To know before believing it", "\n".join(f"- {_cell(note)}" for note in c.notes) or "Nothing."]
    parts += ["## How it was reckoned", RECKONED.format(draws=f"{c.draws:,}", seed=c.seed)]
    return "\n\n".join(parts) + "\n"


RECKONED = (
    "Unit: one prompt in one run; all arms answer the same prompts. Interval: hierarchical paired bootstrap, {draws} draws (seed {seed}): training "
    "seeds are drawn, then prompts, the same ones for all drawn seeds; percentiles of 95 %. t interval: seeds and prompts as random effects, "
    "Satterthwaite's degrees of freedom; with few seeds it is the safer of the two. p: two-sided, from the draws. Holm's correction: over the "
    "secondary measures of a contrast, and over all contrasts beside the headline."
)


def stated(c: Comparison) -> Sequence[tuple[str, str]]:
    """What was written down before the runs, with what each is called."""
    return (
        ("Question", c.study.question),
        ("Hypothesis", c.study.hypothesis),
        ("Headline", c.study.measure or f"{NAMES[c.measure]}, {MEASURES[c.measure]}; {c.headline.contrast.name}, {c.setting}"),
        ("Stopping rule", c.study.stopping_rule),
    )


def _estimates(found: Mapping[str, Estimate], names: Sequence[str], what: str) -> str:
    rows = [
        (
            NAMES[n],
            signed(e.value, n),
            *both_intervals(e, n),
            p_value(e.p if what == "beside" else e.p_holm),
            " ".join(signed(v, n) for v in e.per_seed),
        )
        for n in dict.fromkeys(names)
        if (e := found.get(n)) is not None
    ]
    return _table(("measure", "difference", "bootstrap", "t interval", "p" if what == "beside" else "p, Holm", "by seed"), rows)


def _contrasts(c: Comparison, contrasts: Sequence[Contrasted], *, questions: bool = False) -> str:
    rows = []
    for each in contrasts:
        e, two = each.effects[c.setting].get(c.measure), bool(each.contrast.b)
        if e is not None:
            value = signed(e.value, c.measure) if two else number(e.value, c.measure)
            first = (each.contrast.name, each.contrast.question) if questions else (each.contrast.name,)
            shown = both_intervals(e, c.measure, difference=two)
            rows.append(
                (*first, value, *shown, p_value(e.p) if two else "-", p_value(e.p_holm), _count(e.n_seeds, "seed") if each.seeds else "-")
            )
    head = ("contrast", "question") if questions else ("contrast",)
    return _table((*head, NAMES[c.measure], "bootstrap", "t interval", "p", "p, Holm", "runs"), rows, len(head))


def _arms(c: Comparison) -> str:
    rows = [
        (
            arm.name,
            *(_level(arm, c.setting, n) for n in (c.measure, *BESIDE, *SECONDARY)),
            _mean(arm.held_out),
            span(arm.steps),
            span(arm.trained_tokens),
        )
        for arm in c.arms
    ]
    return _table(("arm", *(NAMES[n] for n in (c.measure, *BESIDE, *SECONDARY)), "held-out loss", "steps", "trained tokens"), rows)


def _level(arm: Arm, setting: str, measure: str) -> str:
    found = arm.levels[setting].get(measure)
    return "-" if found is None else number(found.value, measure)


def _mean(values: Sequence[float]) -> str:
    return number(sum(values) / len(values)) if values else "-"


def span(values: Sequence[float]) -> str:
    """The values of several runs: one number, or the least and the most.

    >>> span([30, 30]), span([9000, 11000]), span([])
    ('30', '9,000 to 11,000', '-')
    """
    if not values:
        return "-"
    low, high = min(values), max(values)
    return f"{low:,.0f}" if low == high else f"{low:,.0f} to {high:,.0f}"


def _settings(c: Comparison) -> str:
    rows = []
    for setting in c.settings:
        for each in (c.headline, *(other for other in c.attribution if other is not c.headline)):
            e = each.effects[setting["name"]].get(c.measure)
            if e is not None:
                two = bool(each.contrast.b)
                value = signed(e.value, c.measure) if two else number(e.value, c.measure)
                rows.append(
                    (
                        setting["name"],
                        each.contrast.name,
                        value,
                        *both_intervals(e, c.measure, difference=two),
                        p_value(e.p) if two else "-",
                    )
                )
    return _table(("setting", "contrast", NAMES[c.measure], "bootstrap", "t interval", "p"), rows, 2)


def _data(c: Comparison) -> str:
    rows = [(arm.name, *(number(value) for value in data_against_output(arm, c))) for arm in c.arms]
    ours = _table(("arm", f"{NAMES[c.measure]}: data", "output", "excess", "rep-2, words: data", "output"), rows)
    theirs = [(name, f"{data:.2f} %", f"{output:.2f} %") for name, data, output in PUBLISHED] + [
        ("without tuning", "-", f"{PUBLISHED_UNTUNED:.2f} %")
    ]
    said = "Published (Li et al. 2023, Llama-2-7B by QLoRA, another base, language and cut of words; not to be read on our scale):"
    return f"{ours}\n\n{said}\n\n{_table(('fine-tuned on', 'rep-2: data', 'output'), theirs)}"


def data_against_output(arm: Arm, c: Comparison) -> tuple[float | None, ...]:
    """The headline measure in the training answers, in the output, the excess; rep-2 in the training answers and in the output."""
    level, data = arm.levels[c.setting].get(c.measure), arm.training.get(c.measure)
    value = None if level is None else level.value
    return data, value, None if data is None or value is None else value - data, arm.training.get("rep_2"), arm.rep_2[c.setting]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> str:
    """The first columns, ``texts`` of them, stand left, figures right."""
    lines = [head, ["---"] * texts + ["---:"] * (len(head) - texts), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    """Text that is no markup, in one line."""
    text = " ".join(text.split()) if text.strip("-: ") or not text else text
    for sign in ("\\", "`", "*", "~", "$", "|", "](", "]["):  # brackets alone are no link, and intervals are full of them
        text = text.replace(sign, f"\\{sign}")
    return re.sub(r"<(?=\S)", r"\<", text)


# ---- JSON


def to_json(comparison: Comparison) -> str:
    """The figures with their names, for a program; floats have six places."""
    c = comparison
    found = c.headline.effects[c.setting]
    told = {
        "study": c.study,
        "headline": {
            "measure": c.measure,
            "setting": c.setting,
            "a": c.headline.contrast.a,
            "b": c.headline.contrast.b,
            "seeds": c.headline.seeds,
            **_estimate(found[c.measure]),
            "beside": {name: _estimate(found[name]) for name in BESIDE if name in found},
            "held_out_loss": c.headline.held_out and _estimate(c.headline.held_out),
        },
        "attribution": [_row(each, c.setting, c.measure) for each in c.attribution],
        "contrasts": [
            {
                **each.contrast._asdict(),
                "seeds": each.seeds,
                "differs": each.differs,
                "effects": {s: {m: _estimate(e) for m, e in effects.items()} for s, effects in each.effects.items()},
                "held_out_loss": each.held_out and _estimate(each.held_out),
            }
            for each in c.contrasts
        ],
        "arms": {arm.name: _told(arm, c) for arm in c.arms},
        "settings": c.settings,
        "prompts": c.n_prompts,
        "bootstrap": {"draws": c.draws, "seed": c.seed, "level": 0.95},
        "published": {"source": "arXiv 2310.10226", "data_and_output_rep_2_percent": PUBLISHED, "untuned_rep_2_percent": PUBLISHED_UNTUNED},
        "notes": c.notes,
    }
    return json.dumps(_plain(told), ensure_ascii=False, indent=2) + "\n"


def _row(each: Contrasted, setting: str, measure: str) -> dict[str, Any]:
    contrast = each.contrast
    told = {"label": contrast.name, "question": contrast.question, "a": contrast.a, "b": contrast.b, "measure": measure, "setting": setting}
    return told | _estimate(each.effects[setting][measure])


def _estimate(found: Estimate) -> dict[str, Any]:
    return {"effect" if name == "value" else name: value for name, value in found._asdict().items()}


def _told(arm: Arm, c: Comparison) -> dict[str, Any]:
    in_data = arm.training.get(c.measure)
    levels = {s: {m: _estimate(e) for m, e in level.items()} for s, level in arm.levels.items()}
    return {
        **{name: getattr(arm, name) for name in ("trained", "seeds", "runs", "config", "data", "training", "longest", "rep_2")},
        "levels": {
            s: {m: {"mean" if k == "effect" else k: v for k, v in e.items() if k not in ("p", "p_holm")} for m, e in level.items()}
            for s, level in levels.items()
        },
        "excess": None if in_data is None else {s: level[c.measure].value - in_data for s, level in arm.levels.items()},
        **{name: getattr(arm, name) for name in ("held_out", "steps", "trained_tokens", "seconds")},
    }


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6) + 0.0  # no -0.0
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (tuple, list)) else value
