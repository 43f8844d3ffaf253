"""The comparison as a whole: exact where two arms are one, the same whatever the order, and in words that do not take sides."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("pythainlp", reason="pythainlp is not installed")
pytest.importorskip("scipy", reason="scipy is not installed")

from finetune.compare import compare, compare_command, read_study, write
from finetune.comparison import ESTIMATED, SECONDARY, Comparison, Contrast, Study
from finetune.comparison_text import answer, to_json, to_markdown
from finetune.measure import measure_run

Maker = Callable[..., Path]
Alter = Callable[..., None]

DIALS = ("data", "train_stop")
QUESTIONS = (
    ("the base by itself", "base", "", "How much does the base repeat without tuning?"),
    ("the dirt", "raw", "clean", "How much does the dirt add?"),
    ("the lost stop token", "clean_nostop", "clean", "How much does the lost stop token add?"),
)
PLAN = Study("Does dirt make a model repeat itself?", "It does.", "repetition mass, greedy", "three seeds, twelve prompts, once")


def of(runs: list[Path], **more: Any) -> Comparison:
    return compare(runs, **({"headline": ("raw", "clean"), "draws": 300, "dial": DIALS} | more))


@pytest.fixture(scope="module")
def whole(study: list[Path]) -> Comparison:
    """The whole study, for tests that only look."""
    return of(study, attribution=QUESTIONS, study=PLAN)


# ---- exact


def test_identical_arms_have_no_effect(fake: Maker) -> None:
    runs = [fake(arm, seed, kind="clean") for arm in ("one", "other") for seed in range(2)]
    for run in runs:
        rows = [json.loads(line) for line in (run / "answers/greedy.jsonl").read_text(encoding="utf-8").split("\n") if line]
        (run / "answers/greedy.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = of(runs, headline=("one", "other"))
    for effect in found.headline.effects["greedy"].values():
        assert (effect.value, effect.low, effect.high, effect.p) == (0, 0, 0, 1)
    assert "No difference in repetition mass is shown between one and other: 0.000 [0.000, 0.000], p 1.000" in answer(
        found.headline, "greedy", "mass"
    )
    assert any("differ in no field" in note for note in found.notes)


def test_swapping_the_arms_flips_the_sign(study: list[Path]) -> None:
    one, other = (of(study, headline=pair).headline.effects["greedy"] for pair in (("raw", "clean"), ("clean", "raw")))
    for name in one:
        assert (one[name].value, one[name].low, one[name].high) == pytest.approx((-other[name].value, -other[name].high, -other[name].low))
        assert one[name].p == other[name].p


def test_the_order_of_the_runs_does_not_matter(study: list[Path], whole: Comparison) -> None:
    turned = of(study[::-1], attribution=QUESTIONS, study=PLAN)
    assert to_json(turned) == to_json(whole)
    assert to_markdown(turned) == to_markdown(whole)


def test_the_seed_fixes_the_bytes(study: list[Path], tmp_path: Path) -> None:
    first = write(of(study, attribution=QUESTIONS), tmp_path / "a")
    again = write(of(study, attribution=QUESTIONS), tmp_path / "b")
    other = write(of(study, attribution=QUESTIONS, seed=1), tmp_path / "c")
    assert [path.name for path in first.values()] == ["comparison.json", "comparison.md", "comparison.html"]
    for form in first:
        assert first[form].read_bytes() == again[form].read_bytes()
    assert first["json"].read_bytes() != other["json"].read_bytes()


def test_an_effect_is_the_mean_of_paired_differences(study: list[Path], whole: Comparison) -> None:
    masses: dict[str, list[float]] = {}
    for run in study:
        rows = measure_run(run)["settings"]["greedy"]["rows"]
        masses.setdefault(run.name.rpartition("-")[0], []).extend(row["mass"] for row in rows)
    mean = {arm: sum(values) / len(values) for arm, values in masses.items()}
    assert whole.headline.effects["greedy"]["mass"].value == pytest.approx(mean["raw"] - mean["clean"])
    assert whole.arm("base").levels["greedy"]["mass"].value == pytest.approx(mean["base"])


def test_holm_is_that_of_statsmodels_over_the_secondary_measures(whole: Comparison) -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest", reason="statsmodels is not installed")
    for each in whole.contrasts:
        found = each.effects["greedy"]
        expected = multitest.multipletests([found[name].p for name in SECONDARY], method="holm")[1]
        assert [found[name].p_holm for name in SECONDARY] == pytest.approx(list(expected))


def test_contrasts_beside_the_headline_are_corrected_together(study: list[Path]) -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest", reason="statsmodels is not installed")
    found = of(
        study, contrasts=[("raw", "clean"), ("clean", ""), ("raw_nostop", "raw"), ("clean_nostop", "clean"), ("raw_nostop", "clean_nostop")]
    )
    assert found.headline.effects["greedy"]["mass"].p_holm is None  # asked beforehand
    assert found.contrasts[1].effects["greedy"]["mass"].p_holm is None  # no difference
    for setting in ("greedy", "sampled"):
        others = [each.effects[setting]["mass"] for each in found.contrasts[2:]]
        expected = multitest.multipletests([each.p for each in others], method="holm")[1]
        assert [each.p_holm for each in others] == pytest.approx(list(expected))


def test_the_base_stands_against_every_seed(whole: Comparison, study: list[Path]) -> None:
    found = of(study, headline=("clean", "base")).headline
    assert found.seeds == (0, 1, 2)
    base, clean = (whole.arm(name).levels["greedy"]["mass"] for name in ("base", "clean"))
    assert found.effects["greedy"]["mass"].per_seed == pytest.approx([value - base.value for value in clean.per_seed])


def test_a_side_by_itself_is_its_level(whole: Comparison) -> None:
    alone = next(each for each in whole.contrasts if each.contrast.a == "base")
    assert alone.effects["greedy"]["mass"].value == whole.arm("base").levels["greedy"]["mass"].value
    assert answer(alone, "greedy", "mass").startswith("base by itself: repetition mass 0.")


def test_a_sum_of_arms_is_an_interaction(study: list[Path], whole: Comparison) -> None:
    both = of(study, contrasts=[Contrast("raw_nostop + clean", "raw + clean_nostop", "both")]).contrasts[-1].effects["greedy"]["mass"]
    level = {arm.name: arm.levels["greedy"]["mass"].value for arm in whole.arms}
    assert both.value == pytest.approx(level["raw_nostop"] + level["clean"] - level["raw"] - level["clean_nostop"])


def test_sums_of_different_size_are_refused(study: list[Path]) -> None:
    with pytest.raises(ValueError, match="2 arms against 1"):
        of(study, contrasts=[Contrast("raw + clean", "base")])


def test_parts_add_up_to_the_whole(study: list[Path], whole: Comparison) -> None:
    # What the arm with both faults has is what clean data leave, plus the dirt, plus the lost stop token.
    pairs = [("clean", ""), ("raw", "clean"), ("raw_nostop", "raw")]
    found = of(study, contrasts=pairs)
    parts = [next(e for e in found.contrasts if (e.contrast.a, e.contrast.b) == pair).effects["greedy"]["mass"].value for pair in pairs]
    assert sum(parts) == pytest.approx(whole.arm("raw_nostop").levels["greedy"]["mass"].value)


# ---- what stands beside


def test_all_settings_are_estimated(whole: Comparison) -> None:
    assert [setting["name"] for setting in whole.settings] == ["greedy", "sampled"]
    assert set(whole.headline.effects) == {"greedy", "sampled"}
    assert set(whole.headline.effects["sampled"]) == set(ESTIMATED)


def test_measures_that_some_answer_lacks_are_left_out(fake: Maker) -> None:
    runs = [fake("raw"), fake("clean")]
    path = runs[0] / "answers/greedy.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace('"token_ids"', '"other"').replace('"stop"', '"why"'), encoding="utf-8")
    found = of(runs)
    assert {"seq_rep_4", "no_stop"}.isdisjoint(found.headline.effects["greedy"])
    assert "mass" in found.headline.effects["greedy"]
    with pytest.raises(ValueError, match="the answers do not say no_stop in greedy"):
        of(runs, headline=("raw", "clean", "no_stop"))


def test_repetition_in_the_data_stands_beside_that_of_the_output(whole: Comparison) -> None:
    told = json.loads(to_json(whole))["arms"]
    assert told["clean"]["training"]["mass"] == 0
    assert told["raw"]["training"]["mass"] > 0
    assert told["raw"]["excess"]["greedy"] == pytest.approx(
        told["raw"]["levels"]["greedy"]["mass"]["mean"] - told["raw"]["training"]["mass"], abs=2e-6
    )
    assert told["base"]["excess"] is None


def test_held_out_losses_are_paired_by_seed(whole: Comparison) -> None:
    assert whole.headline.held_out is not None
    assert whole.headline.held_out.value == pytest.approx(0.4)
    assert whole.headline.held_out.n_seeds == 3


def test_the_held_out_loss_is_that_of_the_weights_that_were_kept(fake: Maker, alter: Alter) -> None:
    runs = [fake("raw"), fake("clean")]
    alter(runs[0] / "record.json", best_eval_loss=1.25)  # an earlier checkpoint
    alter(runs[1] / "record.json", best_eval_loss=None)  # none was kept: the last
    found = of(runs)
    assert found.arm("raw").held_out == (1.25,)
    last = json.loads((runs[1] / "record.json").read_text(encoding="utf-8"))["losses"][-1]["eval_loss"]
    assert found.arm("clean").held_out == (last,)


def test_held_out_losses_on_other_rows_are_not_compared(fake: Maker, alter: Alter) -> None:
    runs = [fake("raw"), fake("clean")]
    alter(runs[0] / "run.json", eval_data__fingerprint="other")
    found = of(runs)
    assert found.headline.held_out is None
    assert any("held-out losses are of different rows" in note for note in found.notes)


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda runs, alter: None, "12 prompts are few: 96"),
        (lambda runs, alter: None, "Some arm has one seed"),
        (lambda runs, alter: alter(runs[0] / "record.json", steps=44), "same number of steps: 30 to 44"),
        (lambda runs, alter: [alter(run / "answers/greedy.json", max_new_tokens=80) for run in runs], "greedy: answers may have 80 tokens, less than 1.5 times"),
        (lambda runs, alter: [alter(run / "answers/greedy.json", repetition_penalty=1.2) for run in runs], "repetition penalty of 1.2, which hides"),
        (lambda runs, alter: alter(runs[0] / "run.json", data__titles=["เกาะลันตา"]), "not trained on the same titles"),
    ],
)  # fmt: skip
def test_what_a_reader_should_know_is_said(fake: Maker, alter: Alter, change: Callable[..., Any], note: str) -> None:
    runs = [fake("raw"), fake("clean")]
    change(runs, alter)
    assert [said for said in of(runs).notes if note in said]


def test_nothing_is_said_where_all_is_well(fake: Maker) -> None:
    runs = [fake(arm, seed, n_prompts=96) for arm in ("raw", "clean") for seed in range(3)]
    assert [note for note in of(runs).notes if "intervals do not agree" not in note] == []


def test_an_arm_that_is_mute_is_named(fake: Maker) -> None:
    runs = [fake("raw"), fake("clean")]
    path = runs[1] / "answers/greedy.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    rows[:6] = [row | {"answer": " " * 300} for row in rows[:6]]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert [note for note in of(runs).notes if note.startswith("50% of the answers of clean are empty or nothing but blanks")]


def test_tuning_is_a_difference(fake: Maker) -> None:
    found = of([fake("base"), fake("clean")], headline=("clean", "base"))
    assert not any("differ in no field" in note for note in found.notes)
    assert not found.tuned(found.headline)


def test_room_is_counted_without_the_stop_token(fake: Maker, alter: Alter) -> None:
    runs = [fake("raw"), fake("clean")]
    longest = max(arm.longest or 0 for arm in of(runs).arms)
    for run in runs:
        alter(run / "answers/greedy.json", max_new_tokens=int(1.5 * (longest - 1)) + 1)
    assert not any("answers may have" in note for note in of(runs).notes)


def test_which_arms_are_compared_must_be_said(fake: Maker) -> None:
    with pytest.raises(ValueError, match=r"which arms are compared.* Name two of clean, raw: --headline A:B"):
        compare([fake("raw"), fake("clean")])


def test_a_measure_without_a_value_for_each_prompt_is_refused(fake: Maker) -> None:
    with pytest.raises(ValueError, match="no measure 'rep_2' has a value for each prompt"):
        of([fake("raw"), fake("clean")], headline=("raw", "clean", "rep_2"))


def test_prompts_are_shown_from_both_ends_the_middle_and_by_chance(whole: Comparison) -> None:
    why = [shown.why for shown in whole.shown]
    assert len(whole.shown) == 12
    assert len({shown.prompt for shown in whole.shown}) == 12
    assert (
        sum("highest" in w for w in why),
        sum("lowest" in w for w in why),
        why.count("in the middle"),
        why.count("drawn by chance"),
    ) == (4, 2, 2, 4)
    assert [name for name, _, _ in whole.shown[0].answers][:3] == ["raw", "clean", "base"]


def test_prompts_of_the_two_ends_are_those_with_the_largest_differences(fake: Maker) -> None:
    found = of([fake("raw"), fake("clean")])  # one seed, so what is shown is what was compared
    by_end: dict[str, list[float]] = {}
    for shown in found.shown:
        masses = {name: measured["mass"] for name, _, measured in shown.answers}
        by_end.setdefault(shown.why.split(" against")[0], []).append(masses["raw"] - masses["clean"])
    high, low = by_end["among those where raw is highest"], by_end["among those where raw is lowest"]
    rest = by_end["in the middle"] + by_end["drawn by chance"]
    assert min(high) >= max(rest)
    assert max(low) <= min(rest)


# ---- words


def test_json_has_the_names_that_others_rely_on(whole: Comparison) -> None:
    told = json.loads(to_json(whole))
    assert {"arms", "headline", "contrasts", "settings", "attribution", "study", "notes"} <= set(told)
    assert (told["headline"]["measure"], told["headline"]["setting"], told["headline"]["a"], told["headline"]["b"]) == (
        "mass",
        "greedy",
        "raw",
        "clean",
    )
    assert {"effect", "low", "high", "p", "per_seed", "prompts_only", "two_way"} <= set(told["headline"])
    assert set(told["headline"]["beside"]) == {"no_stop", "header_echo", "n_tokens", "n_graphemes"}
    assert [row["question"] for row in told["attribution"]] == [question for *_, question in QUESTIONS]
    assert told["published"]["data_and_output_rep_2_percent"][2] == ["WikiText-103", 10.31, 54.1]


def test_the_question_stands_before_the_results(whole: Comparison) -> None:
    text = to_markdown(whole)
    places = [text.index(part) for part in (*PLAN, "## The answer", "## How much of the repetition is whose")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("value", "says"), [(0.2, "x has more repetition mass than y"), (-0.2, "x has less repetition mass than y"), (0.0, "No difference")]
)
def test_any_result_is_said_with_its_interval_and_size(fake: Maker, value: float, says: str) -> None:
    from finetune.bootstrap import Estimate
    from finetune.comparison import Contrasted

    found = Estimate(value, value - 0.1, value + 0.1, 0.04, (value,), (0, 0), None, 5, 200)
    said = answer(Contrasted(Contrast("x", "y"), (), (0,), {"greedy": {"mass": found}}, None), "greedy", "mass")
    assert says in said
    assert said.endswith("p 0.040; 5 seeds, 200 prompts.")
    assert "[" in said


@given(st.text(max_size=30))
def test_a_cell_of_a_table_is_one_cell(text: str) -> None:
    import re

    from finetune.comparison_text import _cell

    said = _cell(text)
    assert "\n" not in said
    assert not re.search(r"(?<!\\)(?:\\\\)*\|", said)
    assert not re.search(r"(?<!\\)(?:\\\\)*<\S", said)


# ---- the command


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(compare_command, list(map(str, arguments)), catch_exceptions=False)


def test_the_command_writes_three_files_and_says_the_answer(study: list[Path], tmp_path: Path) -> None:
    done = run(
        *study,
        "--out",
        tmp_path / "o",
        "--headline",
        "raw:clean",
        "--contrast",
        "clean_nostop:clean",
        "--dial",
        "data",
        "--dial",
        "train_stop",
        "--draws",
        200,
    )
    assert done.exit_code == 0
    assert "repetition mass" in done.stdout.split("\n")[0]
    assert "clean_nostop − clean: " in done.stdout
    assert "note: 12 prompts are few" in done.stderr
    assert {path.name for path in (tmp_path / "o").iterdir()} == {"comparison.json", "comparison.md", "comparison.html"}


def test_the_command_prints_json(study: list[Path], tmp_path: Path) -> None:
    done = run(
        *study, "--out", tmp_path, "--headline", "raw:clean", "--setting", "sampled", "--measure", "header_echo", "--draws", 200, "--json"
    )
    told = json.loads(done.stdout)
    assert (told["headline"]["measure"], told["headline"]["setting"]) == ("header_echo", "sampled")
    assert done.stdout == (tmp_path / "comparison.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("pair", ["raw", "raw:", ":clean", "a:b:c"])
def test_a_pair_that_is_none_is_named(study: list[Path], tmp_path: Path, pair: str) -> None:
    with pytest.raises(ValueError, match="a pair of arms is written A:B"):
        run(*study, "--out", tmp_path, "--headline", pair)


TOML = """
question = "Does dirt make a model repeat itself?"
hypothesis = "It does."
measure = "repetition mass, greedy"
stopping_rule = "three seeds"
headline = "raw:clean"
dial = ["data", "train_stop"]
settings = ["greedy"]

[[contrast]]
label = "the dirt"
a = "raw"
b = "clean"
question = "How much does it add?"

[[contrast]]
label = "both faults"
a = "raw_nostop"
b = "clean"
question = "How much do both add?"
dial = ["data", "train_stop"]
seeds = [0, 1]
"""


def test_a_study_is_a_plain_file(study: list[Path], tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(TOML, encoding="utf-8")
    done = run(*study, "--out", tmp_path, "--study", tmp_path / "study.toml", "--draws", 200, "--json")
    told = json.loads(done.stdout)
    assert told["study"]["hypothesis"] == "It does."
    assert [(row["label"], row["n_seeds"]) for row in told["attribution"]] == [("the dirt", 3), ("both faults", 2)]
    assert [setting["name"] for setting in told["settings"]] == ["greedy"]


def test_a_study_may_be_json(tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text(json.dumps({"headline": "a:b:no_stop", "contrast": [{"a": "a", "b": "b"}]}), encoding="utf-8")
    planned = read_study(tmp_path / "study.json")
    assert planned["headline"] == ("a", "b", "no_stop")
    assert planned["contrasts"] == [Contrast("a", "b")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("question =", r"study\.toml: .*; a study is TOML"),
        ("qestion = 'x'", "no field 'qestion'; there are "),
        ("headline = 'raw'", "headline is A:B or A:B:measure, got 'raw'"),
        ("[[contrast]]\nb = 'x'", "a contrast names an arm as 'a'"),
        ("[[contrast]]\na = 'x'\nc = 'y'", "no field 'c'; there are a, b"),
    ],
)
def test_a_study_that_cannot_be_read_says_why(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_study(tmp_path / "study.toml")
