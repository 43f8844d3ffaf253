"""What a reader should know before believing a comparison: what the runs themselves show of how far it goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from finetune.comparable import Arms
from finetune.comparison import Contrasted

__all__ = ["notes"]

# Below these a difference as large as 0.14 in repetition mass is missed in one study of five (measured with a base of 3 million parameters).
FEW_SEEDS, FEW_PROMPTS = 3, 96
#: An answer must have room to end: this times the longest training answer.
ROOM = 1.5
#: A larger share of answers without a letter is worth a word: the ruler folds blanks, so a loop of them has no mass; line ends it counts.
MUTE = 0.05


def notes(arms: Arms, done: Sequence[Contrasted], settings: Sequence[str], measure: str) -> Iterable[str]:
    """What a reader should know before believing a figure."""
    trained = {name: runs for name, runs in arms.items() if next(iter(runs.values())).trained}
    runs = [run for seeds in trained.values() for run in seeds.values()]
    first = next(iter(next(iter(arms.values())).values()))
    if (n_prompts := len(first.answers[settings[0]])) < FEW_PROMPTS:
        yield f"{n_prompts} prompts are few: {FEW_PROMPTS} are the least that we advise."
    if trained and (fewest := min(map(len, trained.values()))) < FEW_SEEDS:
        said = "one seed, so nothing is known of how another training run would have come out" if fewest == 1 else f"{fewest} seeds"
        yield f"Some arm has {said}; {FEW_SEEDS} are the least that we advise."
    if any(not row.get("title") for row in first.answers[settings[0]].values()):
        yield "Some prompts name no title, so it could not be checked that none of them was trained on."
    if (penalty := first.generation[settings[0]].get("repetition_penalty", 1.0)) != 1.0:
        yield f"The headline's answers were drawn with a repetition penalty of {penalty}, which hides what is measured."
    for name, seeds in arms.items():
        answers = [row["answer"] for run in seeds.values() for row in run.answers[settings[0]].values()]
        if (mute := sum(not answer.strip() for answer in answers) / len(answers)) > MUTE:
            yield (
                f"{mute:.0%} of the answers of {name} are empty or nothing but blanks and line ends: "
                "a loop of line ends counts as repetition, one of blanks does not."
            )
    if len({run.titles for run in runs}) > 1:
        yield "The arms were not trained on the same titles: some rows were left out of one arm and not of another."
    if len(steps := {run.record["steps"] for run in runs if "steps" in run.record}) > 1:
        yield f"The arms were not trained for the same number of steps: {min(steps)} to {max(steps)}."
    longest = max((row["n_tokens"] for run in runs for row in run.training if row.get("n_tokens")), default=0)
    for name in settings:
        limit = first.generation[name].get("max_new_tokens")
        if limit and limit < ROOM * (longest - 1):  # in training the stop token counts, too
            yield (
                f"{name}: answers may have {limit} tokens, less than {ROOM} times the longest training answer ({longest}); "
                "an answer that did not stop may only have been long."
            )
    if len({str(run.watched) for run in runs}) > 1:
        yield "The held-out losses are of different rows and are not compared; give all arms the same eval_data."
    for each in done:
        found = each.effects[settings[0]].get(measure)
        if found is not None and found.disputed:
            yield (
                f"{each.contrast.name}: the two intervals do not agree about 0. With {found.n_seeds} seeds the bootstrap is the more "
                "hopeful of the two; take the wider one, or train more seeds."
            )
        if each.contrast.b and not each.differs and all(name in trained for side in each.contrast.sides() for name in side):
            yield f"{each.contrast.name}: the two arms differ in no field; what is seen is chance."
