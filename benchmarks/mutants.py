"""Whether the tests would notice: each mutant is the package with one fault put in by hand, and some test must fail on it.

    python benchmarks/mutants.py [NAME ...] [--json]

Works on a copy in a temporary folder. For every rule there is a mutant that finds nothing; the others drop a guard, widen a
pattern or swap an order. Without names all mutants run, about five seconds each; a name is a part of a mutant's name.
Prints which test caught which, and exits with status 1 when one is not caught or no longer fits its file.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "thaiwiki_clean"


class Mutant(NamedTuple):
    """A fault: in ``file``, the one piece of text ``old`` is replaced by ``new``."""

    name: str
    file: str
    old: str
    new: str


#: What the tests of each file are asked first; whoever survives them meets all of TESTS.
TESTS = (
    "tests/rules",
    "tests/test_edits.py",
    "tests/test_laws.py",
    "tests/test_clean.py",
    "tests/test_judge.py",
    "tests/test_vocabulary.py",
    "tests/test_marks.py",
    "tests/test_linear.py",
    "tests/test_newmm.py",
)
FIRST = {
    "edits.py": "tests/test_edits.py",
    "judge.py": "tests/test_judge.py",
    "newmm.py": "tests/test_newmm.py",
    "vocabulary/__init__.py": "tests/test_vocabulary.py",
}

BY_HAND = (
    # edits
    Mutant("apply takes empty edits", "edits.py", "if not at <= start < end or len(new) > 1:", "if not at <= start <= end or len(new) > 1:"),
    Mutant("apply lets edits insert", "edits.py", "if not at <= start < end or len(new) > 1:", "if not at <= start < end:"),
    Mutant("apply forgets the length", "edits.py", "    if at > len(raw):\n        raise _bad(edit, at, len(raw))\n    out.append(raw[at:])", "    out.append(raw[at:])"),
    Mutant("check forgets the length", "edits.py", "if not at <= edit.start < edit.end <= len(raw) or", "if not at <= edit.start < edit.end or"),
    Mutant("undo forgets folds", "edits.py", "at += kept + len(edit.new)", "at += kept"),
    Mutant("undo takes any piece", "edits.py", "if edit.end - edit.start != len(piece):", "if edit.end - edit.start < len(piece) - 9:"),
    Mutant("compose folds twice", "edits.py", '                    new = ""\n', ""),
    Mutant("compose forgets what is left", "edits.py", "    out += first[i:]\n    return out", "    return out"),
    Mutant("compose keeps a fold that a drop took", "edits.py", "out.append(Edit(e.start, e.end, e.reason) if e.new else e)", "out.append(e)"),
    Mutant("merge prefers the later group", "edits.py", "for group in ordered:\n        old, out, i", "for group in reversed(ordered):\n        old, out, i"),
    # clean
    Mutant("one round is enough", "rounds.py", "        if not fresh:\n            return now, edits\n", "        if not fresh or not number:\n            return now, compose(edits, fresh)\n"),
    Mutant("dirt that uncovers dirt is not cut short", "rounds.py", "number >= _DEEP", "number > _MAX_ROUNDS"),
    Mutant("what is cut short keeps its signs", "rounds.py", "return merge(signs, blocks)", "return blocks"),
    Mutant("what is cut short keeps its lines", "rounds.py", "return merge(signs, blocks)", "return signs"),
    Mutant("anything is a text", "clean.py", "    if not isinstance(text, str):\n        raise TypeError", "    if False:\n        raise TypeError"),
    Mutant("local rules never run again", "rounds.py", "stages = plan.stages if changed and", "stages = plan.stages if not changed and"),
    Mutant("a joined line counts as seen", "rounds.py", "if (opens and (closes or before[end - 1] == \"\\n\")) or (closes and before[start] == \"\\n\"):", "if opens or closes:"),
    Mutant("rounds are forgotten", "rounds.py", "        edits = compose(edits, fresh)\n        # What", "        edits = fresh\n        # What"),
    # markup
    Mutant("a header's level is ignored", "rules/sections.py", "if other.level <= head.level or", "if other.level <= 6 or"),
    Mutant("every header ends in signs", "markup.py", "not right and (left < 2 or", "not right or (left < 2 or"),
    Mutant("names may go on", "markup.py", " and not goes_on(line)", ""),
    # rules
    Mutant("redirect: prose too", "rules/redirects.py", 'if match is None or _is_prose(match):', 'if match is None:'),
    Mutant("redirect: any number of lines below", "rules/redirects.py", "or not all(is_name(line) for line in rest)", ""),
    Mutant("boilerplate: a trap is no trap", "rules/sections.py", "        elif any(map(_says, body)):\n            continue\n", ""),
    Mutant("boilerplate: paragraphs do not end it", "rules/sections.py", "                    last = i\n                    break", "                    break"),
    Mutant("section_header: bare ones too", "rules/sections.py", 'if not shape.bare]', 'if True]'),
    Mutant("section_header: signs without a title stay", "rules/sections.py", 'if nameless := [Edit(', 'if nameless := [] and [Edit('),
    Mutant("bare_header: unknown titles never", "rules/sections.py", "if len(titles) >= DIALECT and", "if len(titles) >= 99 and"),
    Mutant("table: sentences in cells go", "rules/tables.py", 'or (kind == "cell" and not _keeps_sentence(found[i]))', 'or kind == "cell"'),
    Mutant("table: one that is never closed takes the page", "rules/tables.py", "                depth = 0  # a table", "                pass  # a table"),
    Mutant("table: the announcement stays", "rules/tables.py", "if run and is_intro(found[run - 1]):", "if False:"),
    Mutant("image: cells of two sides too", "rules/images.py", "if _SURE.search(m.group())]", "if m]"),
    Mutant("image: options of any line length", "rules/images.py", "if word in _options() or", "if word.split(' ')[0] in _options() or"),
    Mutant("image: links stay", "rules/images.py", 'if "[" in text and "[[" in text and', 'if "[" in text and "[[[" in text and'),
    Mutant("category: nothing need be said above", "rules/lists.py", "if tail < len(found) and _trusted(found, tail):", "if tail < len(found):"),
    Mutant("category: quoted and dated names too", "rules/lists.py", " and is_name(line) and _NO_CATEGORY.match(line) is None)", " and is_name(line))"),
    Mutant("link_list: two names are a list", "rules/lists.py", "LIST_LENGTH = 3", "LIST_LENGTH = 2"),
    Mutant("link_list: verse too", "rules/lists.py", " and not _is_verse(found, block)", ""),
    Mutant("list_intro: over anything", "rules/lists.py", 'if after == len(found) or after in listed or after in heads(text):', 'if True:'),
    Mutant("hatnote: any clause count", "rules/lists.py", " and clauses(line) <= 3", ""),
    Mutant("navigation: one word is enough", "rules/lists.py", "if words >= 2 and words * 2 >= len(parts):", "if words >= 1:"),
    Mutant("source_line: sentences too", "rules/lists.py", "_SOURCE.fullmatch(line) is not None and clauses(line) < 3", "_SOURCE.fullmatch(line) is not None"),
    Mutant("list_marker: smileys too", "rules/lists.py", "if _SMILEY.match(line, end) or not (m := _MARKER.match(line, end)):", "if not (m := _MARKER.match(line, end)):"),
    Mutant("repeated_line: short ones too", "rules/repeats.py", "REPEAT_LENGTH = 8", "REPEAT_LENGTH = 2"),
    Mutant("repeated_line: the first goes", "rules/repeats.py", "again.append(i)", "again.append(found.index(line))"),
    Mutant("repeated_title: any second line", "rules/repeats.py", ".startswith(title):", ":"),
    Mutant("reference: years too", "rules/inline.py", r"[1-9]\d{0,2}(?:[-–][1-9]\d{0,2})? ", r"[1-9]\d{0,3}(?:[-–][1-9]\d{0,3})? "),
    Mutant("reference: in code too", "rules/inline.py", "_CODE.search(_line_at(text, start))", "False"),
    Mutant("reference: bodies stay", "rules/inline.py", r"(?:/>|>[^<]{0,2000}</ref\s*>)", r"(?:/>|>)"),
    Mutant("html: any tag", "rules/inline.py", "if (name := m.group(1).lower()) in _TAGS", "if (name := m.group(1).lower())"),
    Mutant("html: breaks leave nothing", "rules/inline.py", '_PARTING = {"br", ', "_PARTING = {"),
    Mutant("html_entity: invisible characters too", "rules/inline.py", "char if char.isprintable()", "char if True or char.isprintable()"),
    Mutant("html_entity: a blank of its own kind", "rules/inline.py", 'Edit(m.start(), m.end(), "html_entity", " ")', 'Edit(m.start(), m.end(), "html_entity", char)'),
    Mutant("edit_link: any word in brackets", "rules/inline.py", r'r"\[(?:แก้|แก้ไข|แก้ไขต้นฉบับ', r'r"\[(?:แก้\w*|แก้ไข|แก้ไขต้นฉบับ'),
    Mutant("url: any brackets that end with it go", "rules/inline.py", "if m := _POINTER.search(text[max(0, start - 40) : start])", "if m := re.search(r\" ?\\([^()]*$\", text[max(0, start - 40) : start])"),
    Mutant("url: the words beside it go", "rules/inline.py", "if m.group(2) and not m.group(2).isspace():", "if False:"),
    Mutant("url: a full stop behind it too", "rules/inline.py", r"(?<![.,;:!?)])", ""),
    Mutant("wiki_markup: a template in an argument", "rules/inline.py", "return merge(arguments, edits, links, stray) if arguments or", "return merge(edits, links, stray) if"),
    Mutant("wiki_markup: feet and inches too", "rules/inline.py", "if not text[m.start() - 1 : m.start()].isdigit() or", "if True or"),
    Mutant("wiki_markup: the words of a link go", "rules/inline.py", "links += (Edit(m.start(), m.start(1), \"wiki_markup\"), Edit(m.end(1), m.end(), \"wiki_markup\"))", 'links.append(Edit(m.start(), m.end(), "wiki_markup"))'),
    Mutant("template_parameter: outside brackets too", "rules/inline.py", 'for m in _PARAMETER.finditer(text) if _in_brackets(text, m.start(), m.end())]', "for m in _PARAMETER.finditer(text)]"),
    Mutant("magic_word: any word between underscores", "rules/inline.py", "|[A-Z]{{3,30}})__", r"|\w+)__"),
    Mutant("empty_brackets: calls too", "rules/brackets.py", '    if before.isascii() and (before.isalnum() or before in "_]"):\n        return []\n', ""),
    Mutant("empty_brackets: open dates lose their blank", "rules/brackets.py", "if edits or at < end - 1:", "if True:"),
    Mutant("line_end: a lone one goes", "rules/characters.py", '"line_end", "" if text[at + 1 : at + 2] == "\\n" else "\\n"', '"line_end", ""'),
    Mutant("invisible: beside Arabic too", "rules/characters.py", " if not _means(text, m.start(), m.end())]", "]"),
    Mutant("invisible: never beside a dash", "rules/characters.py", "    if _JOINER.match(text, start) is None:\n        return False\n", ""),
    Mutant("odd_blank: line separators are blanks", "rules/characters.py", '"\\n" if m.group() in "\\x85\\u2028\\u2029" else " "', '" "'),
    Mutant("thai_vowel: the tone is lost", "rules/characters.py", 'Edit(m.end() - 1, m.end(), "thai_vowel", "\\u0e33")', 'Edit(m.end() - 2, m.end(), "thai_vowel", "\\u0e33")'),
    Mutant("spacing: paragraphs are joined", "rules/spacing.py", "newlines < 2", "newlines < 1"),
    Mutant("spacing: ends stay", "rules/spacing.py", '    if last < len(text):\n        edits.append(Edit(last, len(text), "spacing"))\n', ""),
    # order, verdicts, words
    Mutant("an order: brackets before templates", "rules/__init__.py", "    (line_end,),\n", "    (line_end,),\n    (spacing,),\n"),
    Mutant("local: a rule that is none", "rules/__init__.py", '        list_marker,\n        empty_brackets,\n    )\n', '        list_marker,\n        empty_brackets,\n        category,\n    )\n'),
    Mutant("judge: redirects stay", "judge.py", '    ("redirect", is_redirect),\n', ""),
    Mutant("judge: any first line may mean", "judge.py", ' or clauses(lead) > 6:', ':'),
    Mutant("judge: lists stay", "judge.py", '    ("list_page", is_list_page),\n', ""),
    Mutant("judge: Thai need not be", "judge.py", "THAI_SHARE = 0.3", "THAI_SHARE = 0.0"),
    Mutant("judge: short pages stay", "judge.py", "STUB_LETTERS = 32", "STUB_LETTERS = 1"),
    Mutant("judge: short true pages fall", "judge.py", "STUB_LETTERS = 32", "STUB_LETTERS = 64"),
    Mutant("judge: an earlier verdict is forgotten", "judge.py", "    if page.dropped is not None:\n        return page.dropped\n", ""),
    Mutant("vocabulary: no slip is forgiven", "vocabulary/__init__.py", "if len(key) >= SLIP_LENGTH:", "if len(key) >= 999:"),
    Mutant("vocabulary: one known part is enough", "vocabulary/__init__.py", 'all(part in ("certain", "maybe") for part in parts)', 'any(part in ("certain", "maybe") for part in parts)'),
    # newmm
    Mutant("newmm: one edge more", "newmm.py", "if room < 0:", "if room < -1:"),
    Mutant("newmm: edges are counted over cuts", "newmm.py", "                n_edges = 0\n", ""),
    Mutant("newmm: words end anywhere", "newmm.py", "if here & 1 and marks[at]:", "if here & 1:"),
    Mutant("newmm: two consonants are a word to stop at", "newmm.py", "return longest > 2 or not _is_consonant(ord(text[begin])) or", "return True or"),
    Mutant("newmm: Thai digits are letters", "newmm.py", " or 0x0E50 <= c <= 0x0E59", ""),
    Mutant("newmm: a carriage return is foreign", "newmm.py", "(_is_foreign(c) and c != 0x0D)", "_is_foreign(c)"),
    Mutant("newmm: a silencer takes one consonant", "newmm.py", "_silencer(text, at + 2) if _is_consonant(ord(text[at + 1])) else ", ""),
    Mutant("newmm: a cluster knows no end of line", "newmm.py", "return at == n or ", "return "),
)  # fmt: skip


def silent_rules(package: Path) -> list[Mutant]:
    """For every rule the mutant that finds nothing: ``return []`` stands before its first statement."""
    out = []
    for path in sorted((package / "rules").glob("*.py")):
        source = path.read_text(encoding="utf-8")
        names = ast.literal_eval(re.search(r"(?s)__all__ = (\[.*?\])", source)[1])  # type: ignore[index]
        for node in ast.parse(source).body:
            if (
                isinstance(node, ast.FunctionDef)
                and node.name in names
                and node.args.args[0].arg == "text"
                and "list[Edit]" in ast.unparse(node.returns or node)
            ):
                line = source.split("\n")[node.body[1].lineno - 1]
                head = ast.get_source_segment(source, node.body[0])
                assert head is not None
                out.append(Mutant(f"{node.name}: finds nothing", f"rules/{path.name}", f"{head}\n{line}", f"{head}\n    return []\n{line}"))
    return out


def pytest(folder: Path, tests: tuple[str, ...], deselect: list[str], *, first: bool) -> list[str]:
    """The tests that fail; with ``first`` only the first of them."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no", "-rfE", *(["-x"] if first else []), *tests]
    command += [f"--deselect={name}" for name in deselect]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env={**os.environ, "HYPOTHESIS_PROFILE": "dev", "PYTHONDONTWRITEBYTECODE": "1"}
    )
    found = re.findall(r"(?m)^(?:FAILED|ERROR) (.+?)(?: - .*)?$", done.stdout)
    if done.returncode not in (0, 1) and not found:
        return [f"pytest stopped with status {done.returncode}"]
    return found


def caught_by(mutant: Mutant, folder: Path, deselect: list[str]) -> str:
    """The first test that fails on a mutant; empty when none does."""
    path = folder / PACKAGE / mutant.file
    source = path.read_text(encoding="utf-8")
    if source.count(mutant.old) != 1:
        return "?"
    path.write_text(source.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        first = FIRST.get(mutant.file) or _own_tests(folder, mutant.file)
        for tests in ((first,), tuple(test for test in TESTS if test != first)):
            if found := pytest(folder, tests, deselect, first=True):
                return found[0]
        return ""
    finally:
        path.write_text(source, encoding="utf-8")


def _own_tests(folder: Path, file: str) -> str:
    """The test file of a module of rules, or all tables."""
    own = f"tests/rules/test_{Path(file).stem}.py"
    return own if (folder / own).exists() else "tests/rules"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="run only the mutants with this in their name")
    parser.add_argument("--json", action="store_true", help="a row for every mutant as JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "copy"
        for part in (PACKAGE, "tests", "docs", "pyproject.toml"):
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            folder.mkdir(exist_ok=True)
            copy(ROOT / part, folder / part)
        mutants = [m for m in [*silent_rules(folder / PACKAGE), *BY_HAND] if not given.names or any(part in m.name for part in given.names)]
        broken = pytest(folder, TESTS, [], first=False)
        if broken:
            print(f"{len(broken)} tests fail without any mutant and are left out: {', '.join(broken[:5])} ...", file=sys.stderr)
        rows = []
        for mutant in mutants:
            test = caught_by(mutant, folder, broken)
            rows.append({"mutant": mutant.name, "file": mutant.file, "caught_by": test})
            if not given.json:
                says = {"": "NOT CAUGHT", "?": "no longer fits its file: write it anew"}.get(test, test)
                print(f"| {mutant.name} | `{mutant.file}` | {_short(says)} |", flush=True)
    if given.json:
        print(json.dumps(rows, ensure_ascii=False))
    lost = sum(row["caught_by"] in ("", "?") for row in rows)
    print(f"{len(rows) - lost} of {len(rows)} mutants caught", file=sys.stderr)
    raise SystemExit(lost > 0)


def _short(test: str) -> str:
    """A test's name without its parameters: texts of Thai in escapes say nothing to a reader."""
    return re.sub(r"\[.*", "", test)


if __name__ == "__main__":
    main()
