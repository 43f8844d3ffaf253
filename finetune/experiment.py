"""The whole study in one command: what does cleaning do to degenerate repetition?

    pages -> our build -> articles -> held-out titles | rows of each arm -> train, generate (seeds x arms) -> compare

Everything stands in the folder ``--out`` and is found again there: a run that was killed goes on. The plan, with the question, the hypothesis,
the headline measure and the stopping rule, is written before the first run.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from finetune import base as bases
from finetune import models
from finetune.arms import MAIN, Arm, Article, group_arms, main_arms, rule_arms
from finetune.compare import compare, read_study, write
from finetune.config import Config
from finetune.generate import Prompt, Setting, generate, setting
from finetune.measure import write_measures
from finetune.run import CONFIG, read_json, write_json, write_jsonl
from finetune.study import Material, articles, base_texts, check_generator, generated_pages, material, prompts, shared_folder, write_arm
from thaiwiki_clean.engines import end_with_parent
from thaiwiki_clean.instruct.budget import Ruler, shorten

__all__ = ["PLAN", "SIZES", "Size", "experiment"]


@dataclasses.dataclass(frozen=True)
class Size:
    """How large the study is. The same code runs at every size; only these numbers differ."""

    base: str  #: a key of :data:`finetune.base.SIZES`
    prose: int  #: texts for the base, at most, of each file
    rows: int  #: pages to generate
    n_train: int
    n_held_out: int
    seeds: int
    max_answer: int  #: tokens of the longest training answer, raw
    epochs: float
    batch_size: int
    learning_rate: float
    workers: int
    device: str
    ablate_groups: bool = True
    ablate_rules: bool = False
    arms: tuple[str, ...] = ()  #: only these; (): all
    rule_seeds: int = 3  #: of the arms that leave one rule out; the others have ``seeds``
    settings: tuple[str, ...] = ("greedy", "sampled", "greedy-penalty1.1")  #: of the main arms; arms that leave a rule out have the first


SIZES: dict[str, Size] = {
    "smoke": Size("smoke", 400, 120, 12, 8, 2, 220, 1, 6, 3e-3, 2, "cpu", ablate_groups=False, settings=("greedy", "sampled")),
    "cpu": Size("cpu", 1_200, 2_500, 256, 200, 5, 160, 4, 8, 3e-3, 2, "cpu"),
    "gpu": Size("gpu", 12_500, 2_500, 320, 200, 5, 200, 3, 16, 1e-3, 14, "cuda", ablate_rules=True),
}

#: What is asked and how it is answered, in the form that ``finetune compare --study`` reads; written before anything is run.
PLAN: dict[str, Any] = {
    "question": "How much of the degenerate repetition of a model that was tuned on wiki pages comes from the dirt in the pages?",
    "hypothesis": "Tuned on raw pages a model repeats itself more than tuned on the same pages cleaned, whether or not its stop token is "
    "trained. Lists of links do the damage even where no line of the data is repeated. A stop token without a loss does damage of its own.",
    "measure": "Repetition mass of greedy answers to held-out titles, raw less clean, with a 95 % interval of the paired hierarchical "
    "bootstrap over seeds and prompts.",
    "stopping_rule": "All seeds and all held-out titles are run, then compared once. No run is left out, repeated or added after a look.",
    "headline": "raw:clean",
    "dial": ["data", "train_stop"],
    "contrast": [
        {"a": "base", "label": "the base itself", "question": "How much does the base repeat itself, before any tuning?"},
        {"a": "clean", "b": "base", "label": "tuning on clean pages", "question": "What does tuning on clean pages change?"},
        {"a": "raw", "b": "clean", "label": "the dirt", "question": "What does dirt in the pages add?"},
        {
            "a": "raw_nostop",
            "b": "clean_nostop",
            "label": "the dirt, without a trained stop",
            "question": "And where the stop token has no loss?",
        },
        {"a": "clean_nostop", "b": "clean", "label": "the lost stop token", "question": "What does a stop token without a loss add?"},
        {"a": "raw_nostop", "b": "raw", "label": "the lost stop token, on raw pages", "question": "And on raw pages?"},
        {
            "a": "raw_nostop + clean",
            "b": "raw + clean_nostop",
            "label": "both together",
            "question": "Do the two make each other worse?",
            "dial": ["data", "train_stop"],
        },
        {"a": "raw_short", "b": "clean", "label": "dirt at equal length", "question": "Is it the dirt, or the longer answers?"},
        {"a": "links", "b": "clean", "label": "link lists alone", "question": "Do headers and link lists do it where no line is repeated?"},
        {"a": "raw", "b": "links", "label": "all but link lists", "question": "What does the rest of the dirt add to them?"},
        {"a": "raw", "b": "raw_unrepeated", "label": "repeated lines", "question": "What do repeated lines add?"},
    ],
}

# Errors of preflight that are meant here: the dirt is what is studied, and two arms are not to learn to stop.
_MEANT = ("wiki_residue", "repetitive", "stop_trained", "cut_answers", "escapes", "special_in_text", "duplicates", "lost_titles")


#: The two arms of the headline are always run.
HEADLINE = tuple(PLAN["headline"].split(":"))

#: The preset whose form a base made here has: a Mistral, asked in [INST].
MADE_HERE = "typhoon-7b"


class Task(NamedTuple):
    """One run: an arm and a seed."""

    run: Path
    config: Config
    prompts: tuple[Prompt, ...]
    settings: tuple[Setting, ...]


def experiment(
    out: Path,
    size: Size,
    *,
    pages: str | None = None,
    prose: Sequence[Path] = (),
    base: str | None = None,
    ablate: bool | None = None,
    arms: Sequence[str] = (),
    settings: Sequence[str] = (),
    seeds: int | None = None,
    workers: int | None = None,
    learning_rate: float | None = None,
    seed: int = 0,
    say: Callable[[str], object] = print,
) -> Path:
    """Run the study into ``out`` and give back the folder of the comparison.

    ``pages`` is any source of raw pages, by default generated by the tool beside the repository; ``prose`` are files of clean text
    for the base, by default those beside the repository; ``base`` is a real model instead of one made here.
    ``learning_rate`` is that of the tuning, by default the size's, which was chosen for the base made here.
    ``ablate`` leaves out every single rule in turn; ``arms`` and ``settings`` name those to run, where not all are wanted. Raises ValueError when something is missing, with what to give.
    """
    started = time.monotonic()
    # Before torch is loaded: two pools of threads that wait by spinning cost a shared machine of two cores a factor of three.
    os.environ.update(OMP_WAIT_POLICY="PASSIVE", GOMP_SPINCOUNT="0", TOKENIZERS_PARALLELISM="false")
    rate = size.learning_rate if learning_rate is None else learning_rate
    size = dataclasses.replace(size, seeds=seeds or size.seeds, workers=workers or size.workers, learning_rate=rate)
    size = size if ablate is None else dataclasses.replace(size, ablate_rules=ablate)
    size = dataclasses.replace(size, settings=tuple(settings) or size.settings, arms=tuple(arms) or size.arms)
    shared = shared_folder()
    files = [] if base else list(prose) or [shared / "data/passages_dev.jsonl", shared / "data/thaigov_public_domain.parquet"]
    _check_there(pages, files, shared)
    out.mkdir(parents=True, exist_ok=True)
    with _claimed(out, size, pages, prose, base, seed):
        source = pages or str(generated_pages(out / "pages.jsonl", shared, rows=size.rows, seed=seed))
        say(f"pages: {source}")
        found = articles(source, out / "build")
        say(f"our build keeps {len(found)} articles")
        preset = models.find(base) if base else models.preset(MADE_HERE)
        folder, study = _base_and_material(found, files, size, base, preset, seed, say)
    tasks, lines = _plan(out, folder, study, size, preset)
    asked = [each for each in PLAN["contrast"] if set(re.split(r" \+ ", f"{each['a']} + {each.get('b', 'base')}")) <= set(lines)]
    write_json(out / "plan.json", {**PLAN, "settings": [size.settings[0]], "contrast": [*asked, *_ablations(lines)]})
    write_json(out / "plan-settings.json", {**PLAN, "settings": list(size.settings), "contrast": asked})
    write_json(out / "arms.json", lines)
    say(f"{len(lines)} arms, {size.seeds} seeds: {len(tasks)} runs on {size.workers} workers; base {folder}")
    _run_all(tasks, size)
    write(compare([task.run for task in tasks], **read_study(out / "plan.json")), out / "comparison")
    if len(size.settings) > 1:
        in_all = [task.run for task in tasks if len(task.settings) > 1]
        write(compare(in_all, **read_study(out / "plan-settings.json")), out / "comparison-settings")
    say(f"done in {(time.monotonic() - started) / 60:.1f} minutes: {out / 'comparison' / 'comparison.html'}")
    return out / "comparison"


def _check_there(pages: str | None, prose: Sequence[Path], shared: Path) -> None:
    """Raises ValueError, with what to give, where pages or prose are missing: before the folder is touched."""
    if pages is None:
        check_generator(shared)
    if missing := [str(file) for file in prose if not file.exists()]:
        raise ValueError(f"no prose for the base: {', '.join(missing)}; give files with a column text: --prose FILE, or a model: --base")


@contextmanager
def _claimed(out: Path, size: Size, pages: str | None, prose: Sequence[Path], base: str | None, seed: int) -> Iterator[None]:
    """``out`` as the folder of this study. Given back when the pages turn out not to do: other ones are then welcome in it."""
    new = not (out / "experiment.json").exists()
    _claim(out, size, pages, prose, base, seed)
    try:
        yield
    except ValueError:
        if new:
            shutil.rmtree(out / "build", ignore_errors=True)
            if pages is None:
                (out / "pages.jsonl").unlink(missing_ok=True)
            (out / "experiment.json").unlink()
        raise


def _claim(out: Path, size: Size, pages: str | None, prose: Sequence[Path], base: str | None, seed: int) -> None:
    sizes = {name: value for name, value in dataclasses.asdict(size).items() if name not in ("workers", "device")}
    asked = json.loads(json.dumps({"size": sizes, "pages": pages, "prose": [str(p) for p in prose], "base": base, "seed": seed}))
    file = out / "experiment.json"
    if file.exists():
        there = read_json(file)
        for name, value in asked.items():
            if there.get(name) != value:
                raise ValueError(
                    f"{out} holds an experiment with another {name} ({there.get(name)!r}, now {value!r}); choose another --out"
                )
    elif any(path.name != "pages.jsonl" for path in out.iterdir()):
        raise ValueError(f"{out} is not empty and holds no experiment; choose another --out")
    write_json(file, asked)


def _base_and_material(
    found: Sequence[Article],
    prose: Sequence[Path],
    size: Size,
    base: str | None,
    preset: models.Preset | None,
    seed: int,
    say: Callable[[str], object],
) -> tuple[Path, Material]:
    """The base and the rows. The held-out titles come first: the base must not have read their articles."""
    chosen = material(found, n_train=0, n_held_out=size.n_held_out, seed=seed, fits=lambda a: False)
    if base:
        folder = Path(base)
    else:
        texts = base_texts(prose, chosen.held_out, seed=seed, limit=size.prose)
        say(f"base: {len(texts)} texts (those that share a passage with a held-out article are left out)")
        folder = bases.cached_base(texts, bases.SIZES[size.base], seed=seed, device=size.device)
    tokenizer = models.load_tokenizer(str(folder), preset)

    def fits(article: Article) -> bool:
        return len(tokenizer.encode(article.raw.strip(), add_special_tokens=False)) <= size.max_answer

    return folder, material(found, n_train=size.n_train, n_held_out=size.n_held_out, seed=seed, fits=fits)


def _plan(out: Path, base: Path, study: Material, size: Size, preset: models.Preset | None) -> tuple[list[Task], dict[str, Any]]:
    """Every run, and what the arms are; the rows of each arm are written."""
    tokenizer = models.load_tokenizer(str(base), preset)

    def length(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False))

    groups = group_arms() if size.ablate_groups else ()
    rules = rule_arms(study.train) if size.ablate_rules else ()
    arms = [*main_arms(length), *_different((*groups, *rules), study.train)]
    if odd := sorted(set(size.arms) - {arm.name for arm in arms}):
        raise ValueError(f"no arm {odd[0]!r}; there are {', '.join(arm.name for arm in arms)}")
    arms = [arm for arm in arms if arm.name in (*size.arms, *HEADLINE)] if size.arms else arms
    few = {arm.name for arm in rules}
    asked = tuple(prompts(study.held_out))
    write_jsonl(out / "prompts.jsonl", ({"prompt_id": p.id, "prompt": p.text, "title": p.title} for p in asked))
    longest = max(length(a.raw.strip()) for a in study.train)
    steps = -(-len(study.train) // size.batch_size)
    prompt = max(length(p.text) for p in (*asked, *prompts(study.train))) + 16  # what a template writes around it
    held_out = [a._replace(text=shortened) for a in study.held_out if (shortened := _ended(a.text, longest, length))]
    write_arm(out / "rows" / "held_out.jsonl", None, held_out)
    # Room to end in: half as long again as the longest answer that was trained.
    settings = tuple(setting(name, max_new_tokens=int(1.5 * longest) + 1, batch_size=len(asked)) for name in size.settings)
    tasks: list[Task] = []
    lines: dict[str, Any] = {"base": {"about": "the base, not tuned"}}
    for arm in arms:
        rows = write_arm(out / "rows" / f"{arm.name}.jsonl", arm, study.train)
        lines[arm.name] = {"about": arm.about, "answer_tokens": sum(length(arm.text(a)) for a in study.train)}
        seeds = range(min(size.seeds, size.rule_seeds) if arm.name in few else size.seeds)
        lines[arm.name]["seeds"] = list(seeds)
        for seed in seeds:
            config = Config(
                base=str(base),
                data=str(rows),
                model=preset.name if preset else None,
                eval_data=str(out / "rows" / "held_out.jsonl"),
                arm=arm.name,
                seed=seed,
                max_length=longest + prompt,
                lora_dropout=0.0,
                train_stop=arm.train_stop,
                device=size.device,
                learning_rate=size.learning_rate,
                warmup_steps=max(1, steps // 5),
                epochs=size.epochs,
                batch_size=size.batch_size,
                gradient_checkpointing=False,
                eval_steps=int(steps * size.epochs),
                save_steps=-1,
            )
            how = settings if arm.name in MAIN else settings[:1]
            tasks.append(Task(out / "runs" / f"{arm.name}-{seed}", config, asked, how))
    clean = next(task for task in tasks if task.config.arm == "clean")
    tasks.append(Task(out / "runs" / "base", dataclasses.replace(clean.config, arm="base"), asked, settings))
    order = {name: i for i, name in enumerate((*MAIN, "base"))}
    return sorted(tasks, key=lambda task: (order.get(task.config.arm, len(order)), task.config.seed)), lines


def _ablations(lines: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One contrast for each arm that leaves something out of the cleaning, over the seeds that it has."""
    named = {name: name.replace("_", " ", 1) for name in lines if name.startswith("without_")}
    return [
        {"a": name, "b": "clean", "label": says, "question": f"What does cleaning lose {says}?", "seeds": lines[name]["seeds"]}
        for name, says in named.items()
    ]


def _different(arms: Sequence[Arm], rows: Sequence[Article]) -> list[Arm]:
    """The arms that leave something out, without those whose rows are those of clean, or of an earlier one: they would be the same models."""
    seen: dict[tuple[str, ...], Arm | None] = {tuple(a.text for a in rows): None}
    for arm in arms:
        seen.setdefault(tuple(arm.text(a) for a in rows), arm)
    return [arm for arm in seen.values() if arm]


def _ended(text: str, budget: int, length: Callable[[str], int]) -> str:
    """The text, ended at the last sentence that fits: a held-out loss needs no whole articles, but true ends."""
    return shorten(text, "", Ruler("tokens", length, lambda prompt, answer: length(answer)), budget)


def run_task(task: Task) -> str:
    """Train one arm with one seed, and let it answer. What is done already is not done again."""
    import torch

    torch.set_num_threads(1)
    if task.config.arm == "base":
        _base_run(task)
    else:
        from finetune.train import train

        train(task.config, task.run, allow=_MEANT, say=None, progress=False)
        generate(task.run, task.prompts, task.settings)
    write_measures(task.run)
    return task.run.name


def _base_run(task: Task) -> None:
    """The base without tuning as a run of its own, quantised as in every arm. It has no seeds: nothing was trained."""
    from finetune.train import describe, held_out_rows

    if not (task.run / CONFIG).exists():
        rows = held_out_rows(task.config)
        write_json(task.run / CONFIG, {**describe(task.config, models.load_model(task.config), watched=rows), "adapter": None})
    generate(task.run, task.prompts, task.settings, adapter=False)


def _run_all(tasks: Sequence[Task], size: Size) -> None:
    from tqdm import tqdm

    with _executor(size.workers) as pool:
        waiting: list[Future[str]] = [pool.submit(run_task, task) for task in tasks]
        for done in tqdm(as_completed(waiting), total=len(tasks), unit="run", smoothing=0.05):
            done.result()


@contextmanager
def _executor(workers: int) -> Iterator[Executor]:
    """Processes that keep their imports; spawned, since torch does not survive a fork. One thread each.

    After an error, or Ctrl-C, what has not begun is not run. When this process is killed its workers end, too.
    """
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=end_with_parent) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
