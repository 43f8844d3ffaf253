"""What the reference makes of docstrings: their examples become code blocks, their roles links. Loaded by griffe, see zensical.toml."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe

#: What the reference has a place for: only that can be linked to.
IN_REFERENCE = {
    name
    for page in (Path(__file__).parent.parent / "reference").rglob("*.md")
    for name in re.findall(r"(?m)^::: ([\w.]+)$", page.read_text(encoding="utf-8"))
}

_ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):`~?([\w.]+)`")


class Docstrings(griffe.Extension):
    """Every docstring of a package as Markdown."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Called when the whole package is read."""
        for one in _objects(pkg):
            if one.docstring is None and isinstance(one, griffe.Attribute) and (comment := _comment(one)):
                one.docstring = griffe.Docstring(comment, parent=one)
            if one.docstring is not None:
                one.docstring.value = as_markdown(one.docstring.value, one.module)


def _objects(one: griffe.Object) -> Iterator[griffe.Object]:
    yield one
    for member in one.members.values():
        if isinstance(member, griffe.Object):
            yield from _objects(member)


def _comment(one: griffe.Attribute) -> str:
    """The ``#:`` comment above an attribute, or at the end of its line."""
    lines, at = one.lines_collection[one.filepath], (one.lineno or 1) - 1  # type: ignore[index]
    above: list[str] = []
    while at > len(above) and lines[at - len(above) - 1].lstrip().startswith("#:"):
        above.append(lines[at - len(above) - 1].lstrip().removeprefix("#:").strip())
    return " ".join(reversed(above)) or lines[at].partition("  #:")[2].strip()


def as_markdown(text: str, module: griffe.Module) -> str:
    """A docstring of ``module``, as Markdown."""
    linked = _ROLE.sub(lambda role: _link(role[1], module), text)
    return "\n".join(_fenced(re.sub(r"::$", ":", linked, flags=re.MULTILINE).split("\n")))


def _link(name: str, module: griffe.Module) -> str:
    """What a role names: a link where the reference has it, else code."""
    short = name.rpartition(".")[2]
    # A name of the face, such as thaiwiki_clean.Page, stands in the reference under the module that defines it.
    face = [path for path in IN_REFERENCE if name == f"thaiwiki_clean.{short}" and path.endswith(f".{short}")]
    for path in (name, f"{module.path}.{name}", *sorted(face, key=len)):
        if path in IN_REFERENCE:
            return f"[`{short}`][{path}]"
    return f"`{name}`"


def _fenced(lines: list[str]) -> Iterator[str]:
    """The lines with a fence around every example; a blank line ends one."""
    indent: int | None = None
    for line in [*lines, ""]:
        if indent is None and line.lstrip().startswith(">>> "):
            indent = len(line) - len(line.lstrip())
            yield from ("", "```pycon")
        elif indent is not None and not line.strip():
            indent = None
            yield "```"
        yield line[indent or 0 :]
