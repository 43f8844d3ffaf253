"""Preflight: each check fires on what it is for and says how to mend it, and is silent on what only looks like it."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("transformers", reason="tokenizers come from transformers")

from finetune.checks.subject import Machine, Subject
from finetune.config import Config
from finetune.data import Prepared, Row, Tokens, prepare
from finetune.models import load_tokenizer, preset
from finetune.preflight import CHECKS, preflight, report, to_json
from finetune.preflight_cli import preflight_command
from finetune.run import write_json
from finetune.tiny import make_tiny

pytestmark = pytest.mark.filterwarnings("ignore")

ROOT = Path(__file__).resolve().parent.parent.parent

# A template of our own, so that these tests say what is in it.
PLAIN = (
    "{% for m in messages %}{{ m.role }}: {{ m.content }}{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)

ANSWERS = (
    "แมวเป็นสัตว์เลี้ยงลูกด้วยนมขนาดเล็ก มักนอนในเวลากลางวันและออกหากินในเวลากลางคืน",
    "ปลาช่อนเป็นปลาน้ำจืดที่พบได้ทั่วประเทศไทย อาศัยอยู่ในแม่น้ำ ลำคลอง หนอง และบึง",
    "จังหวัดน่านตั้งอยู่ทางภาคเหนือของประเทศไทย\nมีแม่น้ำน่านไหลผ่านตัวเมือง",
    "ข้าวเหนียวมะม่วงเป็นขนมไทย ทำจากข้าวเหนียวมูนกับกะทิ กินกับมะม่วงสุก",
)
QUESTIONS = ("อธิบายความหมายและให้ข้อมูลของคำดังต่อไปนี้ {}", "{} คืออะไร")


def row(answer: str = ANSWERS[0], title: str = "แมว", question: str = QUESTIONS[0], page: str = "", turns: tuple = ()) -> Row:
    return Row((*turns, {"role": "user", "content": question.format(title)}), answer, title, page)


def rows_of(start: int, count: int, step: int = 1) -> tuple[Row, ...]:
    return tuple(
        row(f"{ANSWERS[n // 4 % 4]} เรื่องที่ {n} ของชุดนี้", f"คำที่{n}", QUESTIONS[n // 4 % 2], f"thaiwikipedia/{n}/whole")
        for n in range(start, start + count * step, step)
    )


ROWS, HELD_OUT = rows_of(0, 40, 4), rows_of(1, 96, 2)


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    return make_tiny("typhoon-7b", tmp_path_factory.mktemp("models") / "typhoon-7b")


@pytest.fixture(scope="module")
def plain(base):
    tokenizer = load_tokenizer(str(base), preset("typhoon-7b"))
    tokenizer.chat_template = PLAIN
    return tokenizer


@pytest.fixture(scope="module")
def sailor(tmp_path_factory):
    return load_tokenizer(str(make_tiny("sailor-chat", tmp_path_factory.mktemp("models") / "sailor")), preset("sailor-chat"))


@pytest.fixture
def good(plain, sailor, tmp_path):
    """A subject about which every check is silent, and the means to spoil it."""
    return Good(plain, sailor, tmp_path)


class Good:
    def __init__(self, plain, sailor, folder: Path) -> None:
        self.plain, self.sailor, self.folder = plain, sailor, folder
        self.config = Config(base="bases/mine", data="rows.jsonl", warmup_steps=1)

    def subject(self, tokenizer=None, rows=ROWS, max_length: int = 200, **changes) -> Subject:
        tokenizer = tokenizer or self.plain
        if "prepared" not in changes:
            changes["prepared"] = prepare(rows, tokenizer, max_length=max_length)
        if isinstance(changes.get("config"), dict):
            changes["config"] = dataclasses.replace(self.config, **changes["config"])
        ours = {"config": self.config, "eval_rows": HELD_OUT, "base": BASE, "machine": Machine("cuda", "A100"), "out": self.folder / "new"}
        return Subject(tokenizer=tokenizer, rows=rows, **{**ours, **changes})

    def template(self, template: str | None, tokenizer=None, **attributes):
        changed = copy.deepcopy(tokenizer or self.plain)
        changed.chat_template = template
        for name, value in attributes.items():
            setattr(changed, name, value)
        return changed

    def tokens(self, change) -> Prepared:
        """The good rows with each one's tokens changed."""
        prepared = prepare(ROWS, self.plain, max_length=200)
        return dataclasses.replace(prepared, rows=tuple(map(change, prepared.rows)))

    def one(self, *rows: Row, **changes) -> Subject:
        """The good rows, and these behind them."""
        return self.subject(rows=(*ROWS, *rows), **changes)


BASE = {
    "config.json": {"max_position_embeddings": 4096},
    "generation_config.json": {"eos_token_id": 2},
    "tokenizer_config.json": {"chat_template": PLAIN},
}


def untrained_stop(tokens: Tokens) -> Tokens:
    return tokens._replace(trained=(*tokens.trained[:-1], False))


def longer(tokens: Tokens, *first: int) -> Tokens:
    return Tokens((*first, *tokens.input_ids), tokens.n_prompt + len(first), (False,) * len(first) + tokens.trained)


def with_answer_token(tokens: Tokens, token: int) -> Tokens:
    n = tokens.n_prompt + 1
    return Tokens((*tokens.input_ids[:n], token, *tokens.input_ids[n:]), tokens.n_prompt, (*tokens.trained[:n], True, *tokens.trained[n:]))


CHAT = ({"role": "user", "content": "ปลา"}, {"role": "assistant", "content": "สัตว์"})
SYSTEM = {"role": "system", "content": "ตอบสั้น ๆ"}
REFUSES = "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('ไม่รู้จัก') }}{% endif %}{% endfor %}" + PLAIN
SEED_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj")
GLUED = [row(answer, f"คำ{answer[:3]}", "อธิบายคำต่อไปนี้ here are the inputs {}") for answer in ANSWERS * 2]
LIST = "== ดูเพิ่ม ==\nเสือ\nสิงโต"

#: check -> what it fires on (a subject), what it says of it, and how it says to mend it. The first of several is what the check is for.
FIRES = {
    "preset_tokens": [
        (lambda g: g.subject(preset=preset("sailor-chat")), r"has no .*<\|im_end\|>.* it is no sailor-chat", "another model")
    ],
    "stop_written": [
        (
            lambda g: g.subject(g.template(PLAIN.replace("{{ eos_token }}", "")), prepared=None),
            "writes nothing behind an answer",
            "name the model's preset",
        ),
        (lambda g: g.subject(g.template(None), prepared=None), "no chat template", "preset"),
    ],
    "stop_known": [
        (
            lambda g: g.subject(base={**BASE, "generation_config.json": {"eos_token_id": 0}}),
            "ends with </s>, but generation_config.json says <unk>",
            "eos_token_id=2",
        ),
        (lambda g: g.subject(g.sailor), r"ends with <\|im_end\|>, but the tokenizer's eos_token says <\|endoftext\|>", "finetune generate"),
    ],
    "pad_token": [
        (lambda g: g.subject(g.template(PLAIN, pad_token="</s>")), "the pad token is the stop token", "a pad token of its own"),
        (lambda g: g.subject(g.template(PLAIN, pad_token=None)), "has no pad token", "set tokenizer.pad_token"),
    ],
    "prompt_round_trip": [
        (
            lambda g: g.subject(g.template(PLAIN.replace("assistant: {% endif %}", "ผู้ช่วย {% endif %}")), prepared=None),
            "asks with .*ผู้ช่วย.* and trains .*assistant: .*which begins otherwise",
            "add_generation_prompt",
        )
    ],
    "roles": [
        (
            lambda g: g.subject(g.template(preset_template("sailor"), g.sailor), preset=preset("sailor-chat")),
            "does not write question nor answer",
            "use the preset's template",
        ),
        (
            lambda g: g.subject(g.template(PLAIN.replace("{{ m.content }}", "{{ m.content if m.role != 'assistant' }}")), prepared=None),
            "leaves out the turn of 'assistant'",
            "preset",
        ),
    ],
    "escapes_in_template": [
        (
            lambda g: g.subject(g.template(PLAIN.replace("{{ '\n' }}", r"{{ '\\n' }}")), prepared=None),
            r"writes \\n as 2 characters",
            "one backslash",
        )
    ],
    "base_template": [
        (lambda g: g.subject(base={**BASE, "tokenizer_config.json": {}}), "no chat template of its own", "compare tuned with tuned"),
        (
            lambda g: g.subject(g.template(preset_template("sailor")), prepared=None),
            r"<\|im_start\|>, which is no token of this base",
            "compare tuned with tuned",
        ),
    ],
    "rows_tokenise": [
        (
            lambda g: g.one(row(turns=(SYSTEM,)), tokenizer=g.template(REFUSES), prepared=None),
            r"1 of 41 rows \(2\.4 %\) cannot be tokenised: the chat template refuses a chat of system user",
            "leave them out",
        )
    ],
    "stop_trained": [
        (
            lambda g: g.subject(prepared=g.tokens(untrained_stop)),
            r"</s> is not trained in 40 of 40 rows \(100 %\): the model never learns to stop",
            "train_stop=true",
        ),
        (
            lambda g: g.subject(prepared=g.tokens(lambda t: Tokens(t.input_ids[:-1], t.n_prompt, t.trained[:-1]))),
            "not trained in 40 of 40",
            "finetune.data.prepare",
        ),
        (
            lambda g: g.subject(prepared=g.tokens(untrained_stop), config={"train_stop": False}),
            "as train_stop=false asks",
            "unless this is the experiment",
        ),
    ],
    "prompt_untrained": [
        (
            lambda g: g.subject(prepared=g.tokens(lambda t: t._replace(trained=(True,) * len(t.trained)))),
            r"of [\d,]+ prompt tokens \(100 %\) have a loss",
            "finetune.data.prepare",
        ),
        (
            lambda g: g.subject(prepared=g.tokens(lambda t: t._replace(trained=(*t.trained[:-2], False, True)))),
            "40 of 40 rows .* answer tokens without a loss",
            "finetune.data.prepare",
        ),
    ],
    "one_begin": [
        (
            lambda g: g.subject(prepared=g.tokens(lambda t: longer(t, 1))),
            r"40 of 40 rows \(100 %\) begin with 2 <s>, expected one",
            "only the template or only the tokenizer",
        ),
        (
            lambda g: g.subject(prepared=g.tokens(lambda t: Tokens(t.input_ids[1:], t.n_prompt - 1, t.trained[1:]))),
            "begin with 0 <s>, expected one",
            "only the template or only the tokenizer",
        ),
    ],
    "one_stop": [
        (
            lambda g: g.subject(prepared=g.tokens(lambda t: Tokens((*t.input_ids, 2), t.n_prompt, (*t.trained, True)))),
            "hold </s> before their end",
            "add_eos_token",
        ),
        (lambda g: g.one(row("แมว</s> เป็นสัตว์")), r"1 of 41 rows \(2\.4 %\) hold </s>", "take it out"),
    ],
    "prompt_same": [
        (
            lambda g: g.subject(prepared=prepare(ROWS, g.template(PLAIN.replace(": ", ":")), max_length=200)),
            "do not begin with the prompt that generation",
            "prompt_ids",
        )
    ],
    "too_long": [
        (
            lambda g: g.one(row(ANSWERS[0] * 9)),
            r"1 of 41 rows \(2\.4 %\) have more than 200 tokens, the longest \d+;.*left out, never cut.*row 41, แมว",
            r"max_length=\d+ keeps all",
        ),
        (lambda g: g.subject(max_length=20), r"40 of 40 rows \(100 %\)", "--max-tokens 20"),
    ],
    "room": [
        (
            lambda g: g.subject(base={**BASE, "config.json": {"max_position_embeddings": 60}}),
            "context of 60 tokens does not hold",
            r"max_length=\d+, or a base with a longer",
        )
    ],
    "spelt": [
        (lambda g: g.subject(prepared=g.tokens(lambda t: with_answer_token(t, 0))), "40 of 40 rows .* hold <unk>", "falls back on bytes")
    ],
    "overlap": [
        (
            lambda g: g.one(row(title="แมว"), eval_rows=(*HELD_OUT, row("อื่น", "แมว (สัตว์)"))),
            r"1 of 97 held-out rows \(1\.0 %\).*held-out แมว \(สัตว์\) and training row 41, แมว",
            "--evaluation FILE",
        ),
        (
            lambda g: g.one(row(title="แมว"), eval_rows=(*HELD_OUT, row(f"{ANSWERS[0]} ", "วิฬาร์"))),
            "held-out วิฬาร์ and training row 41",
            "--evaluation FILE",
        ),
        (lambda g: g.one(row(title="")._replace(answer="อื่น"), eval_rows=(*HELD_OUT, row(title=""))), "1 of 97 held-out rows", "own splits"),
    ],
    "special_in_text": [
        (lambda g: g.one(row(question="<s> [INST] {} คืออะไร [/INST]")), r"1 of 41 rows \(2\.4 %\) hold <s> in their text", "bare"),
        (lambda g: g.one(row("แมว<|im_end|>")), r"hold <\|im_end\|> in their text", "bare"),
    ],
    "escapes": [
        (lambda g: g.one(row("\\nแมวเป็นสัตว์")), r"1 of 41 rows \(2\.4 %\) hold an escape such as \\n as text", "decode JSON once more"),
        (lambda g: g.subject(rows=(row("\\nแมว"), row("\\nปลา", "ปลา"))), "2 of 2 rows .*row 1, แมว", "decode JSON once more"),
        (lambda g: g.one(row("แมว\\u0e01")), r"such as \\u0e01 as text", "decode JSON once more"),
        (lambda g: g.one(row(question="อธิบาย\\t{}")), r"such as \\t as text", "decode JSON once more"),
    ],
    "wiki_residue": [
        (
            lambda g: g.one(*(row(f"{a}\n{LIST}") for a in ANSWERS)),
            r"4 of 44 answers looked at \(9\.1 %\).*boilerplate_section in 4.*row 41, แมว: '== ดูเพิ่ม ==",
            "thaiwiki-clean build",
        ),
        (lambda g: g.one(row("redirect ผำ")), r"1 of 41 answers looked at \(2\.4 %\).*redirect in 1", "thaiwiki-clean build"),
    ],
    "repetitive": [
        (
            lambda g: g.one(row("ปลาช่อนเป็นปลา\n" + "ปลาช่อน \n" * 6)),
            r"1 of 41 answers .* repeat themselves.*row 41, แมว, mass 0\.\d\d",
            "is_repetitive",
        )
    ],
    "cut_answers": [
        (lambda g: g.one(*(row(f"{a} ได้แก่") for a in ANSWERS * 4)), r"16 of 56 answers looked at \(29 %\) break off.*ได้แก่", "--max-tokens")
    ],
    "duplicates": [(lambda g: g.one(ROWS[3]), r"1 of 41 rows .* copies of an earlier one.*row 41, คำที่12, and row 4", "drop_duplicates")],
    "lost_titles": [
        (lambda g: g.one(row(title="nan")), r"1 of 41 rows .* lost their title \('nan'\)", "keep_default_na=False"),
        (lambda g: g.subject(rows=(row(title="nan"),) * 3), "3 of 3 rows", "parquet or jsonl"),
        (lambda g: g.one(row(title="")), r"lost their title \(''\)", "parquet or jsonl"),
    ],
    "prompt_wording": [
        (
            lambda g: g.subject(eval_rows=(*HELD_OUT, row(title="วันศุกร์", question="{}คือ อะไร"))),
            r"1 of 97 held-out rows .* no training row has.*held-out row 97, วันศุกร์: 'วันศุกร์คือ อะไร'",
            "letter for letter",
        ),
        (
            lambda g: g.subject(eval_rows=(*HELD_OUT, row(title="วันศุกร์", question="{} คืออะไร "))),
            "1 of 97 held-out rows",
            "letter for letter",
        ),
    ],
    "mixed_prompt": [
        (
            lambda g: g.one(*GLUED),
            "8 of 48 rows .*'here are the inputs'",
            "say it in Thai",
        ),
        (lambda g: g.subject(rows=tuple(GLUED[:3])), "3 of 3 rows", "leave it out"),
        (lambda g: g.subject(rows=(*ROWS[:27], *GLUED[:3])), "3 of 30 rows", "leave it out"),
    ],
    "one_wording": [
        (
            lambda g: g.subject(rows=tuple(row(title=f"คำที่{n}") for n in range(1000)), prepared=None),
            "all 1,000 rows ask 'อธิบาย.*{title}'",
            "--kind varied",
        )
    ],
    "few_prompts": [
        (lambda g: g.subject(eval_rows=HELD_OUT[:5]), "few, 5: 96 show", "hold out 96 or more"),
        (lambda g: g.subject(eval_rows=HELD_OUT[:1]), "few, 1: 96", "--eval FILE"),
    ],
    "file_blocks": [
        (
            lambda g: g.subject(rows=rows_of(0, 10), eval_rows=rows_of(9, 10)),
            "all training rows stand before",
            "by chance",
        ),  # a page on both sides
        (
            lambda g: g.subject(rows=rows_of(0, 20), eval_rows=rows_of(20, 20)),
            r"all training rows stand before all held-out rows .*0-19 and 20-39",
            "by chance",
        ),
        (
            lambda g: g.subject(rows=rows_of(20, 20), eval_rows=rows_of(0, 20)),
            "all held-out rows stand before all training rows",
            "by chance",
        ),
    ],
    "held_out": [
        (lambda g: g.subject(eval_rows=()), "there are no held-out rows", "eval_data=FILE"),
        (lambda g: g.subject(config={"eval_steps": -1}), "eval_steps=-1 looks at none", "eval_steps=0"),
    ],
    "compute_dtype": [
        (lambda g: g.subject(machine=Machine("cuda", "Tesla V100", bfloat16=False)), "Tesla V100 has no bfloat16", "compute_dtype=float16"),
        (
            lambda g: g.subject(machine=Machine("cpu"), config={"compute_dtype": "float16"}),
            "a CPU computes float16 slowly",
            "compute_dtype=bfloat16",
        ),
    ],
    "lora_targets": [
        (lambda g: g.subject(config={"lora_targets": SEED_TARGETS}), "the adapter skips up_proj, down_proj", "lora_targets=all-linear"),
        (
            lambda g: g.subject(config={"lora_targets": r".*self_attn\.\w+"}),
            "skips gate_proj, up_proj, down_proj",
            "lora_targets=all-linear",
        ),
    ],
    "lora_scale": [
        (lambda g: g.subject(config={"lora_alpha": 16, "lora_r": 64}), r"16 / 64 = 0\.25, so the adapter speaks softly", "lora_alpha=128"),
        (lambda g: g.subject(config={"lora_alpha": 128, "lora_r": 16}), "128 / 16 = 8, so the adapter speaks loudly", "lora_alpha=32"),
    ],
    "warmup": [
        (lambda g: g.subject(config={"warmup_steps": 10}), "rises for 10 of 5 steps", "warmup_steps=0"),
        (lambda g: g.subject(config={"warmup_steps": 10, "max_steps": 12}), "rises for 10 of 12 steps", "or more steps"),
        (lambda g: g.subject(config={"warmup_steps": 2, "packing": True}), "rises for 2 of 3 steps", "or more steps"),
    ],
    "out_folder": [
        (lambda g: g.subject(out=held(g.folder / "old", "adapter.bin")), "old holds adapter.bin, of another run", "name a new folder"),
        (
            lambda g: g.subject(out=held(g.folder / "run", run=Config(base="b", data="d"))),
            r"run holds run\.json, of another run",
            "name a new folder",
        ),
        (lambda g: g.subject(out=held(g.folder / "old", "file") / "file"), "is a file", "name a new folder"),
    ],
    "pinned_base": [
        (
            lambda g: g.subject(base={}, config={"base": "scb10x/typhoon-7b"}),
            "scb10x/typhoon-7b is read from the Hub as it stands there today",
            "--revision COMMIT --local-dir bases/typhoon-7b",
        )
    ],
    "remote_code": [
        (
            lambda g: g.subject(base={**BASE, "config.json": {"auto_map": {"AutoModel": "m.py"}}}),
            r"config\.json of bases/mine ask for program code",
            "remove auto_map",
        )
    ],
}

#: check -> what it must not fire on, although it looks like it.
SPARES = {
    "preset_tokens": [lambda g: g.subject(g.sailor, preset=preset("sailor-chat"))],
    "stop_written": [lambda g: g.subject(g.sailor)],
    "stop_known": [
        lambda g: g.subject(base={**BASE, "generation_config.json": {"eos_token_id": [0, 2]}}),
        lambda g: g.subject(base={**BASE, "generation_config.json": {}}),
        lambda g: g.subject(g.template(None), prepared=None),  # stop_written tells that
    ],
    "pad_token": [lambda g: g.subject(g.template(None), prepared=None)],
    "prompt_round_trip": [lambda g: g.subject(g.sailor), lambda g: g.subject(g.template(None), prepared=None)],
    "roles": [
        lambda g: g.subject(g.sailor, preset=preset("sailor-chat")),
        lambda g: g.subject(g.template(preset_template("sailor"), g.sailor)),
    ],
    "escapes_in_template": [lambda g: g.subject(g.sailor)],
    "base_template": [
        lambda g: g.subject(base={}),
        lambda g: g.subject(g.sailor),
        lambda g: g.subject(g.template(preset_template("seallm-7b-v2")), preset=preset("seallm-7b-v2")),
    ],
    "rows_tokenise": [lambda g: g.one(row(turns=(SYSTEM,))), lambda g: g.subject(g.template(None), prepared=None)],
    "one_begin": [
        lambda g: g.subject(g.sailor),  # Qwen has no begin token
        lambda g: g.subject(g.template(g.sailor.chat_template, g.sailor, bos_token="<|endoftext|>")),  # has one, and never writes it
    ],
    "one_stop": [lambda g: g.one(row(turns=CHAT))],
    "too_long": [lambda g: g.subject(max_length=max(len(t.input_ids) for t in prepare(ROWS, g.plain, max_length=200).rows))],
    "room": [lambda g: g.subject(base={}), lambda g: g.subject(base={**BASE, "config.json": {"max_position_embeddings": just_enough(g)}})],
    "overlap": [lambda g: g.one(row(title="แมว"), eval_rows=(*HELD_OUT, row("อื่น", "แมวน้ำ")))],
    "special_in_text": [lambda g: g.one(row("ดู [1] และ x < s > y เป็นสัตว์"))],
    "escapes": [lambda g: g.one(row("ค่า \\nu และ \\theta และ \\text{x} ใน C:\\new\nบรรทัดใหม่ครับ"))],
    "wiki_residue": [lambda g: g.one(*(row(f"{a}\u00a0\u200b ") for a in ANSWERS))],  # characters, and no wiki
    "repetitive": [lambda g: g.one(row("ไก่จิกเด็กตายเด็กตายบนปากโอ่ง ต่าง ๆ นานา นกเขาเขาเขา"))],
    "cut_answers": [lambda g: g.one(*(row(f"{a} ได้แก่") for a in ANSWERS))],
    "duplicates": [
        lambda g: g.one(ROWS[3]._replace(prompt=(*CHAT, *ROWS[3].prompt))),  # asked behind something else
        lambda g: g.one(ROWS[3]._replace(answer="คำตอบอื่น")),
        lambda g: g.one(row(ROWS[3].answer)),
    ],
    "lost_titles": [lambda g: g.subject(rows=tuple(one._replace(title="") for one in ROWS)), lambda g: g.one(row(title="NA"))],
    "prompt_wording": [
        lambda g: g.subject(eval_rows=(*HELD_OUT, row(title="วันศุกร์", question="{} คืออะไร"))),
        lambda g: g.subject(eval_rows=(*HELD_OUT, row(title="วันศุกร์", turns=CHAT))),  # the last question is what counts
        lambda g: g.subject(eval_rows=(*HELD_OUT, row(title="", question="ถามอย่างอื่น"))),
    ],
    "mixed_prompt": [
        lambda g: g.subject(rows=tuple(GLUED[:2])),
        lambda g: g.subject(rows=(*ROWS[:28], *GLUED[:3])),
        lambda g: g.one(*(row(a, f"Deep Learning {a[:3]}", "{} คืออะไร") for a in ANSWERS * 2)),
        lambda g: g.subject(rows=tuple(row(a, a, "Tell me about {}") for a in ANSWERS)),
    ],
    "one_wording": [
        lambda g: g.subject(rows=tuple(row(title=f"คำที่{n}") for n in range(999)), prepared=None),
        lambda g: g.subject(rows=tuple(row(title=f"คำที่{n}", question=QUESTIONS[n == 7]) for n in range(1000)), prepared=None),
    ],
    "few_prompts": [lambda g: g.subject(eval_rows=())],  # held_out tells that
    "file_blocks": [
        lambda g: g.subject(rows=rows_of(0, 20), eval_rows=rows_of(20, 9)),
        lambda g: g.subject(rows=rows_of(0, 20), eval_rows=rows_of(18, 20)),
    ],
    "compute_dtype": [lambda g: g.subject(machine=None), lambda g: g.subject(machine=Machine("cpu"))],
    "lora_targets": [
        lambda g: g.subject(config={"lora_targets": preset("typhoon-7b").lora_targets}),
        lambda g: g.subject(config={"lora_targets": r".*_proj"}),
        lambda g: g.subject(
            config={"lora_targets": ("qkv",)}, preset=dataclasses.replace(preset("typhoon-7b"), lora_targets=("qkv",)), prepared=None
        ),
    ],
    "lora_scale": [
        lambda g: g.subject(config={"lora_alpha": 16, "lora_r": 32}),
        lambda g: g.subject(config={"lora_alpha": 64, "lora_r": 16}),
    ],
    "warmup": [
        lambda g: g.subject(config={"warmup_steps": 10, "epochs": 4.0}),
        lambda g: g.subject(config={"warmup_steps": 10, "max_steps": 20}),
    ],
    "out_folder": [
        lambda g: g.subject(out=held(g.folder / "empty")),
        lambda g: g.subject(out=held(g.folder / "asked", "answers")),
        lambda g: g.subject(out=held(g.folder / "run", run=g.config)),
        lambda g: g.subject(out=None),
    ],
}


def just_enough(good: Good) -> int:
    rows = prepare(ROWS, good.plain, max_length=200).rows
    return max(one.n_prompt for one in rows) + int(1.5 * max(len(one.input_ids) - one.n_prompt for one in rows))


def preset_template(name: str) -> str:
    return (ROOT / "finetune" / "templates" / preset(name).template).read_text("utf-8")


def held(folder: Path, *names: str, run: Config | None = None) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).write_text("")
    if run is not None:
        from finetune.config import to_dict

        write_json(folder / "run.json", {"config": to_dict(run)})
    return folder


def test_each_check_has_its_tests():
    assert list(FIRES) == list(CHECKS)
    assert set(SPARES) <= set(CHECKS)


@pytest.mark.parametrize(("name", "number"), [(name, number) for name, cases in FIRES.items() for number in range(len(cases))])
def test_it_fires_and_says_how_to_mend_it(good, name, number):
    make, found, mend = FIRES[name][number]
    finding = CHECKS[name].run(make(good))
    assert finding is not None
    assert re.search(found, f"{finding.found}{finding.example}")
    assert re.search(mend, finding.mend)
    assert "\n" not in finding.message


@pytest.mark.parametrize("name", CHECKS)
def test_it_is_silent_on_a_good_run(good, name):
    assert CHECKS[name].run(good.subject()) is None


@pytest.mark.parametrize(("name", "number"), [(name, number) for name, cases in SPARES.items() for number in range(len(cases))])
def test_it_spares_what_only_looks_like_it(good, name, number):
    assert CHECKS[name].run(SPARES[name][number](good)) is None


@pytest.mark.parametrize("name", CHECKS)
def test_no_check_falls_over_without_tokens_or_rows(good, name):
    CHECKS[name].run(good.subject(prepared=None))
    CHECKS[name].run(good.subject(rows=(), eval_rows=()))


@pytest.mark.parametrize(
    ("name", "number", "level"),
    [
        ("too_long", 0, "warning"),
        ("too_long", 1, "error"),
        ("wiki_residue", 0, "error"),
        ("wiki_residue", 1, "warning"),
        ("stop_trained", 0, "error"),
        ("stop_trained", 2, "warning"),
    ],
)
def test_how_much_of_it_makes_a_warning_an_error(good, name, number, level):
    assert CHECKS[name].run(FIRES[name][number][0](good)).level == level


def test_a_row_that_must_not_be_left_out_is_an_error(good):
    assert CHECKS["too_long"].run(good.one(row(ANSWERS[0] * 9), config={"too_long": "error"})).level == "error"


def test_the_gpu_is_asked_what_it_can(monkeypatch):
    torch = pytest.importorskip("torch", reason="it is what knows the GPU")
    from finetune.preflight import machine

    assert machine("cpu") == Machine("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Tesla V100")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    assert machine("auto") == Machine("cuda", "Tesla V100", bfloat16=False)


# ---- all together


def look(good, rows, **options):
    return preflight(good.config, good.plain, rows, prepare(rows, good.plain, max_length=200), HELD_OUT, **options)


def test_a_good_run_has_one_finding_only_because_its_base_is_not_pinned(good):
    assert [finding.check for finding in look(good, ROWS)] == ["pinned_base"]


def test_errors_stand_before_warnings(good):
    levels = [finding.level for finding in look(good, (*ROWS, ROWS[0], row("\\nแมว")))]
    assert levels == ["error", "warning", "warning"]


def test_an_error_that_is_allowed_is_a_warning(good):
    dirty = tuple(row(f"{a}\n{LIST}") for a in ANSWERS)
    assert "error" in {finding.level for finding in look(good, dirty)}
    assert "error" not in {finding.level for finding in look(good, dirty, allow=("wiki_residue",))}
    with pytest.raises(ValueError, match=r"no check 'dirt' to allow; there are preset_tokens, "):
        look(good, dirty, allow=("dirt",))


def test_the_starting_projects_data_is_told_apart_from_a_good_build(good):
    title = "ปลาช่อน"
    prompt = f"<s>[INST] อธิบายความหมายและให้ข้อมูลของคำดังต่อไปนี้ here are the inputs {title} [/INST] \\n"
    rows = tuple(row(f"{ANSWERS[1]}\n\n{LIST}\n\n== แหล่งข้อมูลอื่น ==\n{title}\n{title} \n", title, prompt, str(n)) for n in range(20))
    told = {finding.check for finding in look(good, rows)}
    assert {"special_in_text", "escapes", "wiki_residue", "duplicates", "mixed_prompt"} <= told


def test_the_report_names_check_level_row_and_remedy(good):
    rows = (*ROWS, row("\\nแมว"))
    told = report(look(good, rows), prepare(rows, good.plain, max_length=200))
    assert "error: escapes: 1 of 41 rows (2.4 %) hold an escape such as \\n as text" in told
    assert "    see: row 41, แมว: " in told
    assert "    mend: write the real character" in told
    assert told.splitlines()[-1] == f"1 error, 1 warning; {len(CHECKS)} checks"


def test_json_says_the_same(good):
    told = json.loads(to_json(look(good, ROWS), prepare(ROWS, good.plain, max_length=200)))
    assert [(one["check"], one["level"]) for one in told["findings"]] == [("pinned_base", "warning")]
    assert told["stats"]["rows"] == len(ROWS)
    assert "mend" in told["findings"][0]["message"]


# ---- the command


@pytest.fixture
def run(base, tmp_path):
    """The command on rows written to a file, with the tiny base, whose weights are away."""
    if (base / "model.safetensors").exists():
        (base / "model.safetensors").unlink()

    def call(*options: str, rows=ROWS, base_given: bool = True):
        for name, held in (("rows", rows), ("held-out", HELD_OUT)):
            lines = (
                json.dumps({"messages": [*one.prompt, {"role": "assistant", "content": one.answer}], "title": one.title, "id": one.id})
                for one in held
            )
            (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
        given = ["--base", str(base)] if base_given else []
        outcome = CliRunner().invoke(preflight_command, [*given, *options])
        assert outcome.exception is None or isinstance(outcome.exception, SystemExit), outcome.exception
        return outcome

    return call


def test_a_good_run_passes_without_weights(run, tmp_path):
    outcome = run(str(tmp_path / "rows.jsonl"), "--eval", str(tmp_path / "held-out.jsonl"), "--set", "warmup_steps=1")
    assert outcome.exit_code == 0
    assert "0 errors, 0 warnings" in outcome.output


def test_errors_exit_with_1(run, tmp_path):
    outcome = run(str(tmp_path / "rows.jsonl"), rows=(row("\\nแมว"),))
    assert outcome.exit_code == 1
    assert run(str(tmp_path / "rows.jsonl"), "--allow", "escapes", rows=(row("\\nแมว"),)).exit_code == 0


def test_the_options_reach_the_config(run, tmp_path):
    outcome = run(str(tmp_path / "rows.jsonl"), "--max-length", "20", "--set", "lora_alpha=100", "--json")
    told = {one["check"]: one for one in json.loads(outcome.stdout)["findings"]}
    assert "20 tokens" in told["too_long"]["found"]
    assert "100 / 16" in told["lora_scale"]["found"]


def test_a_config_file_says_it_all(run, tmp_path, base):
    (tmp_path / "run.toml").write_text(f'base = "{base}"\ndata = "{tmp_path / "rows.jsonl"}"\nlora_alpha = 100')
    outcome = run("--config", str(tmp_path / "run.toml"), base_given=False)
    assert outcome.exit_code == 0
    assert "100 / 16" in outcome.output


def test_a_template_that_cannot_be_trained_is_an_error_and_not_wrong_usage(run, tmp_path, base, good):
    spoilt = good.template(PLAIN.replace("{{ eos_token }}", ""))
    spoilt.save_pretrained(tmp_path / "spoilt")
    outcome = run(str(tmp_path / "rows.jsonl"), "--base", str(tmp_path / "spoilt"), base_given=False)
    assert outcome.exit_code == 1
    assert "error: stop_written" in outcome.output


def test_rows_that_a_template_refuses_are_counted(run, tmp_path, good):
    good.template(REFUSES).save_pretrained(tmp_path / "refuses")
    outcome = run(str(tmp_path / "rows.jsonl"), "--base", str(tmp_path / "refuses"), base_given=False, rows=(*ROWS, row(turns=(SYSTEM,))))
    assert outcome.exit_code == 1
    assert "error: rows_tokenise: 1 of 41 rows" in outcome.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["none.jsonl"], "no such file or folder"),
        (["rows.jsonl", "--set", "lora_rank=3"], "lora_rank: no such setting; did you mean lora_r"),
        (["rows.jsonl", "--model", "typhoon-8b"], "no preset 'typhoon-8b'; did you mean"),
        (["rows.jsonl", "--allow", "dirt"], "no check 'dirt' to allow"),
        (["rows.jsonl", "--base", "/bases/none"], "no tokenizer '/bases/none'"),
        ([], "data: missing"),
    ],
)
def test_wrong_usage_is_one_line_and_exits_with_2(run, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    outcome = run(*options)
    assert outcome.exit_code == 2
    assert message in outcome.output
    assert outcome.stderr.count("\n") == 1


# ---- the page


def table(heading: str) -> list[list[str]]:
    """The rows of the table below a heading of the page, as cells."""
    page = (ROOT / "docs" / "reference" / "preflight.md").read_text("utf-8")
    below = page.split(f"## {heading}\n", 1)[1].split("\n## ")[0]
    lines = [line for line in below.split("\n") if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_the_page_says_of_each_check_what_it_sees():
    told = {name.strip("`"): sees for name, sees, _ in table("The checks")}
    assert told == {name: inspect.cleandoc(check.sees).split("\n\n")[0].replace("\n", " ") for name, check in CHECKS.items()}


def test_the_page_names_the_checks_of_each_mistake():
    mistakes = {int(number): re.findall(r"`([a-z_]+)`", checks) for number, _, checks, _ in table("The 27 mistakes")}
    assert list(mistakes) == list(range(1, 28))
    for number, names in mistakes.items():
        assert names == [name for name, check in CHECKS.items() if number in check.mistakes], number


def test_the_page_names_tests_that_there_are():
    here = {
        test
        for file in (ROOT / "tests" / "finetune").rglob("test_*.py")
        for test in re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)
    }
    named = {name for *_, instead in table("The 27 mistakes") for name in re.findall(r"`(test_\w+)`", instead)}
    assert named <= here
    assert named
