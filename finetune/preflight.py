"""Preflight: what is wrong with a run, said before anything heavy is loaded.

    >>> len(CHECKS), len({mistake for check in CHECKS.values() for mistake in check.mistakes})
    (38, 22)

Each check looks at one thing and says what it found, in numbers, with one row to look at, and how to mend it.
The numbers of ``mistakes`` are those of the table in docs/reference/preflight.md, which also has the mistakes that no check can see.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from finetune.checks import settings, template, text, tokens
from finetune.checks.subject import Finding, Machine, Subject
from finetune.config import Config
from finetune.data import Prepared, Row
from finetune.presets import choose

__all__ = ["CHECKS", "Check", "Finding", "Machine", "machine", "preflight", "report"]


class Check(NamedTuple):
    """A check, and which of the starting project's mistakes it would have told."""

    run: Callable[[Subject], Finding | None]
    mistakes: tuple[int, ...] = ()

    @property
    def sees(self) -> str:
        """What holds when the check is silent."""
        return (self.run.__doc__ or "").strip()


#: Name -> check, in the order of a report: first what makes all else useless.
CHECKS: dict[str, Check] = {
    check.run.__name__: check
    for check in (
        Check(template.preset_tokens),
        Check(template.stop_written, (1,)),
        Check(template.stop_known, (1,)),
        Check(template.pad_token, (1,)),
        Check(template.prompt_round_trip, (5,)),
        Check(template.roles, (5,)),
        Check(template.escapes_in_template, (3,)),
        Check(template.base_template, (10,)),
        Check(tokens.rows_tokenise, (5,)),
        Check(tokens.stop_trained, (1,)),
        Check(tokens.prompt_untrained, (7,)),
        Check(tokens.one_begin, (2,)),
        Check(tokens.one_stop, (2,)),
        Check(tokens.prompt_same, (5,)),
        Check(tokens.too_long, (16,)),
        Check(tokens.room, (11,)),
        Check(tokens.spelt),
        Check(text.overlap, (12,)),
        Check(text.special_in_text, (2,)),
        Check(text.escapes, (3,)),
        Check(text.wiki_residue, (4,)),
        Check(text.repetitive, (4,)),
        Check(text.cut_answers, (16,)),
        Check(text.duplicates, (14,)),
        Check(text.lost_titles, (15,)),
        Check(text.prompt_wording, (5,)),
        Check(text.mixed_prompt, (6,)),
        Check(text.one_wording, (6,)),
        Check(text.few_prompts, (26,)),
        Check(text.file_blocks, (13,)),
        Check(settings.held_out, (22,)),
        Check(settings.compute_dtype, (19,)),
        Check(settings.lora_targets, (20,)),
        Check(settings.lora_scale, (20,)),
        Check(settings.warmup, (21,)),
        Check(settings.out_folder, (23,)),
        Check(settings.pinned_base, (24,)),
        Check(settings.remote_code, (27,)),
    )
}


def preflight(
    config: Config,
    tokenizer: Any,
    rows: Sequence[Row],
    prepared: Prepared | None,
    eval_rows: Sequence[Row] = (),
    *,
    machine: Machine | None = None,
    out: Path | None = None,
    allow: Collection[str] = (),
) -> list[Finding]:
    """What the checks found, errors first. Needs no weights; of the base it reads the small JSON files, where the base is a folder.

    ``prepared`` is None where the rows could not be tokenised: the other checks say why. ``allow`` names checks whose errors are meant,
    as dirt is in an experiment about dirt: they come as warnings. Raises ValueError for a name that no check has.
    """
    if unknown := sorted(set(allow) - set(CHECKS)):
        raise ValueError(f"no check {', '.join(map(repr, unknown))} to allow; there are {', '.join(CHECKS)}")
    model = choose(config.model, config.base)
    about = Subject(config, tokenizer, rows, prepared, eval_rows, model, _base_files(config.base), machine, out)
    findings = []
    for name, check in CHECKS.items():
        if found := check.run(about):
            level = "warning" if name in allow else found.level
            findings.append(found._replace(check=name, level=level))
    return sorted(findings, key=lambda finding: finding.level != "error")


def machine(device: str) -> Machine:
    """What the run will compute on; ``device`` as in the config. Imports torch."""
    import torch

    if device == "cpu" or not torch.cuda.is_available():
        return Machine("cpu")
    return Machine("cuda", torch.cuda.get_device_name(), torch.cuda.is_bf16_supported(including_emulation=False))


def _base_files(base: str) -> Mapping[str, Mapping[str, Any]]:
    """The base's ``config.json`` and the like, {} where it is no folder: nothing is fetched."""
    folder = Path(base)
    names = ("config.json", "generation_config.json", "tokenizer_config.json")
    files = {name: json.loads((folder / name).read_text("utf-8")) for name in names if (folder / name).is_file()}
    if (folder / "chat_template.jinja").is_file():  # where transformers 5 writes it; older ones write it into the JSON file
        files.setdefault("tokenizer_config.json", {})["chat_template"] = (folder / "chat_template.jinja").read_text("utf-8")
    return files


def report(findings: Iterable[Finding], prepared: Prepared | None) -> str:
    """The findings for a terminal: level and check, then what was found, an example, and how to mend it."""
    lines = []
    counts = {"error": 0, "warning": 0}
    for finding in findings:
        counts[finding.level] += 1
        lines.append(f"{finding.level}: {finding.check}: {finding.found}")
        if finding.example:
            lines.append(f"    see: {finding.example}")
        lines += [f"    mend: {finding.mend}", ""]
    if prepared is not None:
        stats = prepared.stats
        lines.append(
            f"{stats['rows']:,} rows of {stats['rows'] + sum(prepared.left_out.values()):,}; tokens a row: half at most {stats['tokens']['p50']:,}, "
            f"the longest {stats['tokens']['max']:,}; {stats['trained_tokens']:,} trained; stop token trained in {stats['share_stop_trained']:.0%}; "
            f"packing would fill {stats['packing_efficiency']:.0%}"
        )
    lines.append(f"{_count(counts['error'], 'error')}, {_count(counts['warning'], 'warning')}; {len(CHECKS)} checks")
    return "\n".join(lines)


def to_json(findings: Iterable[Finding], prepared: Prepared | None) -> str:
    """The same for programs."""
    told = [finding._asdict() | {"message": finding.message} for finding in findings]
    stats = None if prepared is None else {**prepared.stats, "left_out": prepared.left_out}
    return json.dumps({"findings": told, "stats": stats}, ensure_ascii=False, indent=2)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
