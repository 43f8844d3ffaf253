"""The whole study as it is typed: what is planned before it runs, what a kill leaves, what comes out, and what it refuses."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from finetune.arms import MAIN, Arm, Article
from finetune.base import SIZES as BASES
from finetune.comparison import Contrast
from finetune.experiment import PLAN, SIZES, Size, _different, _executor, experiment
from finetune.run import read_json, read_jsonl
from thaiwiki_clean.instruct.splits import title_family

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "thaiwiki_clean" / "samples" / "pages.jsonl"


def typed(out: Path, *options: str | Path, size: str = "smoke") -> list[str]:
    return [sys.executable, "-m", "finetune", "experiment", "--size", size, "--out", str(out), *map(str, options)]


def environment(folder: Path) -> dict[str, str]:
    """A machine with nothing beside the repository and a cache of its own, and one thread."""
    own = {"THAIWIKI_CACHE": str(folder / "cache"), "THAIWIKI_SHARED": str(folder / "nothing"), "OMP_NUM_THREADS": "1"}
    return {**os.environ, **own}


def run(folder: Path, *options: str | Path, size: str = "smoke") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        typed(folder / "out", *options, size=size), capture_output=True, text=True, check=False, cwd=ROOT, env=environment(folder)
    )


# --------------------------------------------------------------------------- the plan


def test_every_contrast_is_between_arms_that_are_always_run() -> None:
    contrasts = [Contrast(**each) for each in PLAN["contrast"]]
    named = {name for each in contrasts for side in each.sides() for name in side}
    assert named == {*MAIN, "base"}
    assert PLAN["headline"] in {f"{each.a}:{each.b}" for each in contrasts}
    assert all(each.question and each.label for each in contrasts)


def test_the_plan_says_what_is_asked_expected_measured_and_when_it_ends() -> None:
    assert all(PLAN[name].endswith((".", "?")) for name in ("question", "hypothesis", "measure", "stopping_rule"))


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_the_base_has_room_for_prompt_and_answer(size: Size) -> None:
    answer = int(1.5 * size.max_answer) + 1
    assert BASES[size.base].context >= answer + 50  # the prompts of the sample have 40 tokens at most in the smallest vocabulary


def test_a_study_to_report_has_seeds_and_prompts_enough() -> None:
    for name in ("cpu", "gpu"):
        assert SIZES[name].seeds >= 5
        assert SIZES[name].n_held_out >= 200
        assert SIZES[name].settings == ("greedy", "sampled", "greedy-penalty1.1")


def test_arms_with_the_rows_of_clean_or_of_one_another_are_run_once() -> None:
    page = Article("1", "แมว", "แมว[1] ", "แมว")
    arms = [
        Arm("without_lists", "", lambda a: a.text),
        Arm("without_markup", "", lambda a: a.text + "[1]"),
        Arm("without_reference", "", lambda a: a.text + "[1]"),
        Arm("without_spacing", "", lambda a: a.text + " "),
    ]
    assert [arm.name for arm in _different(arms, [page])] == ["without_markup", "without_spacing"]


# --------------------------------------------------------------------------- a folder holds one study


@pytest.fixture
def claimed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Asks for a study in one folder; it is broken off as soon as the folder is its own."""

    def stop(*_: Any) -> Any:
        raise InterruptedError

    monkeypatch.setattr("finetune.experiment.articles", stop)
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "TOKENIZERS_PARALLELISM"):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # so that what is set there is taken back

    def ask(size: Size = SIZES["smoke"], **changes: Any) -> None:
        with pytest.raises(InterruptedError):
            experiment(tmp_path / "out", size, **{"pages": str(SAMPLE), "prose": [SAMPLE], **changes}, say=lambda line: None)

    return ask


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"size": SIZES["cpu"]}, "size"),
        ({"ablate": True}, "size"),
        ({"seeds": 3}, "size"),
        ({"arms": ["links"]}, "size"),
        ({"settings": ["greedy"]}, "size"),
        ({"learning_rate": 2e-4}, "size"),
        ({"pages": "other.jsonl"}, "pages"),
        ({"prose": []}, "prose"),
        ({"base": "scb10x/typhoon-7b"}, "base"),
        ({"seed": 1}, "seed"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_another_study_in_the_folder_is_refused_by_what_differs(
    claimed: Callable[..., None], tmp_path: Path, changes: dict[str, Any], name: str
) -> None:
    claimed()
    size = changes.get("size", SIZES["smoke"])
    asked = {"pages": str(SAMPLE), "prose": [SAMPLE], **{key: value for key, value in changes.items() if key != "size"}}
    with pytest.raises(ValueError, match=rf"out holds an experiment with another {name} \(.*\); choose another --out$"):
        experiment(tmp_path / "out", size, **asked, say=lambda line: None)


def test_the_same_study_goes_on_with_other_workers(claimed: Callable[..., None]) -> None:
    claimed()
    claimed(workers=1)


def test_a_folder_with_files_of_ones_own_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("")
    with pytest.raises(ValueError, match=r"out is not empty and holds no experiment; choose another --out$"):
        experiment(tmp_path / "out", SIZES["smoke"], say=lambda line: None)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.tex"]


# --------------------------------------------------------------------------- what is missing


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The error of a command that failed: the last line, and the only one that is no note."""
    assert done.returncode in (1, 2), done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.lower().startswith("error: ")]
    assert errors == done.stderr.splitlines()[-1:]
    return errors[0]


def test_without_pages_it_says_what_to_give(tmp_path: Path) -> None:
    said = one_line(run(tmp_path))
    assert said.startswith("error: no pages: there is no ")
    assert "--pages FILE" in said


def test_without_prose_it_says_what_to_give(tmp_path: Path) -> None:
    said = one_line(run(tmp_path, "--pages", SAMPLE))
    assert said.startswith("error: no prose for the base: ")
    assert said.endswith("give files with a column text: --prose FILE, or a model: --base")


def test_pages_that_are_not_there_are_said(tmp_path: Path) -> None:
    assert "nope.jsonl: no such file or folder" in one_line(run(tmp_path, "--pages", "nope.jsonl", "--prose", SAMPLE))


def test_prose_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    done = run(tmp_path, "--prose", "nope.jsonl")
    assert done.returncode == 2
    assert "Path 'nope.jsonl' does not exist" in one_line(done)


def test_too_few_pages_are_said_before_a_base_is_made(tmp_path: Path) -> None:
    said = one_line(run(tmp_path, "--pages", SAMPLE, "--prose", SAMPLE, size="cpu"))
    assert said.endswith("39 held-out titles; the study needs 200: give more pages")
    assert not (tmp_path / "cache").exists()
    assert list((tmp_path / "out").iterdir()) == []  # other pages are welcome in the same folder


def test_whoever_does_what_the_error_says_can_go_on(tmp_path: Path) -> None:
    assert "--pages FILE" in one_line(run(tmp_path))
    assert "holds an experiment with another" not in one_line(run(tmp_path, "--pages", SAMPLE))


# --------------------------------------------------------------------------- its workers


def test_workers_end_with_the_study() -> None:
    code = """
import os, time
from finetune.experiment import _executor
if __name__ == "__main__":
    with _executor(1) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        ended = select.select([process.stdout], [], [], 3)[0]  # at its end when nobody has it open any more
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert ended


def test_an_error_ends_the_study_before_the_runs_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")  # so that what is set there is taken back
    waiting: list[Future[Any]] = []

    def study() -> None:
        with _executor(1) as pool:
            broken = pool.submit(int, "no number")
            waiting.extend(pool.submit(time.sleep, 0.1) for _ in range(8))
            broken.result()

    with pytest.raises(ValueError, match="no number"):
        study()
    assert any(future.cancelled() for future in waiting)


# --------------------------------------------------------------------------- the study, killed in the middle and run again


class Study(NamedTuple):
    """A study of smoke size that was killed after a few runs, and then came to its end."""

    out: Path
    done: subprocess.CompletedProcess[str]
    planned: tuple[bytes, float]  #: plan.json when it was killed, and its time
    begun: float  #: when the first file of the first run was written
    finished: dict[str, int]  #: runs that were finished when it was killed -> time of their record

    @property
    def runs(self) -> dict[str, Path]:
        return {path.name: path for path in sorted((self.out / "runs").iterdir())}

    @property
    def trained(self) -> dict[str, Path]:
        return {name: path for name, path in self.runs.items() if name != "base"}

    def about(self, run: str) -> dict[str, Any]:
        found: dict[str, Any] = read_json(self.runs[run] / "run.json")
        return found

    def record(self, run: str) -> dict[str, Any]:
        found: dict[str, Any] = read_json(self.runs[run] / "record.json")
        return found


def killed_and_run_again(folder: Path) -> Study:
    out, options = folder / "out", ("--pages", SAMPLE, "--prose", SAMPLE, "--workers", "1")
    command = typed(out, *options)
    with (folder / "first.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment(folder), stdout=log, stderr=log, start_new_session=True)
        try:
            wait_for(lambda: len(records(out)) >= 3, process, folder / "first.log")
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # with its workers
            process.wait()
    plan = out / "plan.json"
    begun = min(path.stat().st_mtime for path in (out / "runs").rglob("*") if path.is_file())
    before = Study(
        out,
        subprocess.CompletedProcess(command, 0),
        (plan.read_bytes(), plan.stat().st_mtime),
        begun,
        {path.parent.name: path.stat().st_mtime_ns for path in records(out)},
    )
    return before._replace(done=run(folder, *options))


def records(out: Path) -> list[Path]:
    return sorted((out / "runs").glob("*/record.json"))


def wait_for(come: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, seconds: float = 600) -> None:
    until = time.monotonic() + seconds
    while not come():
        if process.poll() is not None or time.monotonic() > until:
            raise AssertionError(f"it did not come: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.1)


def it_comes_to_its_end(study: Study) -> None:
    assert study.done.returncode == 0, study.done.stderr[-2000:]
    assert study.done.stdout == f"{study.out / 'comparison' / 'comparison.html'}\n"


def what_was_finished_is_not_done_again(study: Study) -> None:
    assert 3 <= len(study.finished) < len(study.trained)
    assert {name: (study.runs[name] / "record.json").stat().st_mtime_ns for name in study.finished} == study.finished


def the_plan_is_older_than_the_first_run(study: Study) -> None:
    plan, planned = study.planned
    assert planned <= study.begun
    assert (study.out / "plan.json").read_bytes() == plan
    assert json.loads(plan)["hypothesis"] == PLAN["hypothesis"]


def every_arm_has_every_seed(study: Study) -> None:
    assert sorted(study.runs) == sorted(["base", *(f"{arm}-{seed}" for arm in MAIN for seed in range(2))])


def the_comparison_names_arms_headline_and_contrasts(study: Study) -> None:
    found = read_json(study.out / "comparison" / "comparison.json")
    assert sorted(found["arms"]) == sorted([*MAIN, "base"])
    assert (found["headline"]["a"], found["headline"]["b"], found["headline"]["measure"]) == ("raw", "clean", "mass")
    assert found["study"]["hypothesis"] == PLAN["hypothesis"]
    assert {path.suffix for path in (study.out / "comparison").iterdir()} == {".json", ".md", ".html"}


def every_contrast_has_an_interval(study: Study) -> None:
    for folder, settings in (("comparison", ["greedy"]), ("comparison-settings", ["greedy", "sampled"])):
        contrasts = read_json(study.out / folder / "comparison.json")["contrasts"]
        assert [each["label"] for each in contrasts] == [each["label"] for each in PLAN["contrast"]]
        for each in contrasts:
            assert list(each["effects"]) == settings
            for effects in each["effects"].values():
                assert effects["mass"]["low"] <= effects["mass"]["effect"] <= effects["mass"]["high"]


def all_runs_have_the_same_steps_rows_and_titles(study: Study) -> None:
    assert {study.record(name)["steps"] for name in study.trained} == {2}
    assert {study.about(name)["data"]["rows"] for name in study.trained} == {12}
    assert len({tuple(study.about(name)["data"]["titles"]) for name in study.trained}) == 1
    assert {str(study.about(name)["data"]["left_out"]) for name in study.trained} == {"{}"}
    in_order = {tuple(row["title"] for row in read_jsonl(path / "training_answers.jsonl")) for path in study.trained.values()}
    assert len(in_order) == 1


def runs_of_an_arm_differ_in_the_seed_alone(study: Study) -> None:
    for arm in MAIN:
        first, second = ({**study.about(f"{arm}-{seed}")["config"], "seed": None} for seed in range(2))
        assert first == second
        assert study.about(f"{arm}-0")["data"] == study.about(f"{arm}-1")["data"]
        losses = [[entry["loss"] for entry in study.record(f"{arm}-{seed}")["losses"]] for seed in range(2)]
        assert losses[0] != losses[1]


def arms_differ_in_rows_and_stop_alone(study: Study) -> None:
    configs = [study.about(name)["config"] for name in study.runs]
    differ = {field for config in configs for field, value in config.items() if value != configs[0][field]}
    assert differ == {"arm", "data", "seed", "train_stop"}
    assert {arm for arm in MAIN if not study.about(f"{arm}-0")["config"]["train_stop"]} == {"clean_nostop", "raw_nostop"}
    assert len({str((study.about(name)["base_fingerprint"], study.about(name)["quantisation"])) for name in study.runs}) == 1


def the_stop_token_has_a_loss_where_it_is_said(study: Study) -> None:
    shares = {arm: study.about(f"{arm}-0")["data"]["share_stop_trained"] for arm in MAIN}
    assert shares == {arm: 0.0 if arm.endswith("_nostop") else 1.0 for arm in MAIN}


def rows_are_the_texts_of_the_pages(study: Study) -> None:
    raw = {page["title"]: page["text"].strip() for page in read_jsonl(SAMPLE)}
    rows = read_jsonl(study.out / "rows" / "raw.jsonl")
    assert [row["messages"][1]["content"] for row in rows] == [raw[row["title"]] for row in rows]
    assert (study.out / "rows" / "clean_nostop.jsonl").read_bytes() == (study.out / "rows" / "clean.jsonl").read_bytes()
    assert (study.out / "rows" / "clean.jsonl").read_bytes() != (study.out / "rows" / "raw.jsonl").read_bytes()


def prompts_are_held_out(study: Study) -> None:
    asked = [row["title"] for row in read_jsonl(study.out / "prompts.jsonl")]
    trained = study.about("raw-0")["data"]["titles"]
    assert (len(asked), len(trained)) == (8, 12)
    assert {title_family(title) for title in asked} & {title_family(title) for title in trained} == set()
    assert [row["title"] for row in read_jsonl(study.out / "rows" / "held_out.jsonl")] == asked


def each_run_answers_each_prompt_in_each_setting(study: Study) -> None:
    ids = [row["prompt_id"] for row in read_jsonl(study.out / "prompts.jsonl")]
    for path in study.runs.values():
        for setting in ("greedy", "sampled"):
            assert [row["prompt_id"] for row in read_jsonl(path / "answers" / f"{setting}.jsonl")] == ids


def answers_have_room_to_end_in(study: Study) -> None:
    longest = max(study.about(name)["data"]["answer_tokens"]["max"] for name in study.trained)
    assert {read_json(path / "answers" / "greedy.json")["max_new_tokens"] for path in study.runs.values()} == {1 + 3 * (longest - 1) // 2}


def the_base_was_not_trained(study: Study) -> None:
    assert study.about("base")["adapter"] is None
    assert [path.name for path in study.runs["base"].iterdir() if path.name.startswith(("adapter", "record"))] == []
    how = read_json(study.runs["base"] / "answers" / "greedy.json")
    assert how["adapter_sha256"] is None
    assert how["base_fingerprint"] == study.about("clean-0")["base_fingerprint"]


def every_run_has_a_held_out_loss_on_clean_text(study: Study) -> None:
    for name in study.trained:
        assert study.record(name)["losses"][-1]["eval_loss"] > 0
    assert len({study.about(name)["eval_data"]["fingerprint"] for name in study.trained}) == 1


def the_base_is_in_the_cache_whole(study: Study) -> None:
    folders = list((study.out.parent / "cache").glob("base-*"))
    assert [study.about("base")["config"]["base"]] == [str(folder) for folder in folders]
    assert read_json(folders[0] / "base.json")["seed"] == 0


CHECKS: Sequence[Callable[[Study], None]] = (
    it_comes_to_its_end,
    what_was_finished_is_not_done_again,
    the_plan_is_older_than_the_first_run,
    every_arm_has_every_seed,
    the_comparison_names_arms_headline_and_contrasts,
    every_contrast_has_an_interval,
    all_runs_have_the_same_steps_rows_and_titles,
    runs_of_an_arm_differ_in_the_seed_alone,
    arms_differ_in_rows_and_stop_alone,
    the_stop_token_has_a_loss_where_it_is_said,
    rows_are_the_texts_of_the_pages,
    prompts_are_held_out,
    each_run_answers_each_prompt_in_each_setting,
    answers_have_room_to_end_in,
    the_base_was_not_trained,
    every_run_has_a_held_out_loss_on_clean_text,
    the_base_is_in_the_cache_whole,
)


@pytest.mark.slow  # a base and fifteen runs are made: some 80 s. One test, for two would make them twice when tests run side by side
def test_a_study_that_was_killed_goes_on_and_answers(tmp_path: Path, subtests: pytest.Subtests) -> None:
    for name in ("torch", "trl", "peft", "bitsandbytes"):
        pytest.importorskip(name, reason=f"{name} is not installed")
    study = killed_and_run_again(tmp_path)
    for check in CHECKS:
        with subtests.test(check.__name__):
            check(study)
