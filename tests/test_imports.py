"""Data flows one way, and the imports show it: lower modules never import higher ones, wherever the import stands."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("torch", "datasets", "pandas", "pythainlp", "pyarrow", "fsspec")

#: From the ground up. A module, or a package with all that is in it, imports from its own floor and from those below.
#: What is named nowhere stands on the floor of the stages, "".
FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"_version", "edits", "reasons", "newmm", "vocabulary"}),
    frozenset({"markup", "marks", "page", "words"}),
    frozenset({"repetition"}),
    frozenset({"rules"}),
    frozenset({"rounds"}),
    frozenset({"clean", "testing"}),
    frozenset({"judge"}),
    frozenset({""}),
    frozenset({"build", "hub"}),
    frozenset({"cli"}),
    frozenset({"__main__"}),
)


def modules(package: str) -> dict[str, Path]:
    """Dotted name below the package -> file; the package itself is left out: its face may name everything."""
    root = ROOT / package
    found = {".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path for path in sorted(root.rglob("*.py"))}
    return {name: path for name, path in found.items() if name != "__init__"}


def imported(path: Path) -> set[str]:
    """Every dotted name that a file imports, module or not."""
    out = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            out |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides where it goes"
            out |= {f"{node.module}.{alias.name}" for alias in node.names}
    return out


def graph(package: str) -> dict[str, set[str]]:
    """Module -> the modules of the same package that it imports."""
    known = modules(package)

    def module(name: str) -> str | None:
        short = name.removeprefix(f"{package}.")
        return next((part for part in (short, short.rpartition(".")[0]) if part in known), None) if name.startswith(f"{package}.") else None

    return {name: {found for other in imported(path) if (found := module(other)) and found != name} for name, path in known.items()}


def floor(name: str) -> int:
    return next((i for i, names in enumerate(FLOORS) if name.split(".")[0] in names), FLOORS.index(frozenset({""})))


CORE = graph("thaiwiki_clean")


def test_every_module_that_has_a_floor_exists() -> None:
    assert {name for names in FLOORS for name in names if name and name not in CORE and name != "hub"} == set()


@pytest.mark.parametrize("name", CORE)
def test_lower_never_imports_higher(name: str) -> None:
    assert {other for other in CORE[name] if floor(other) > floor(name)} == set()


@pytest.mark.parametrize("package", ["thaiwiki_clean", "finetune"])
def test_imports_go_in_no_circle(package: str) -> None:
    try:
        TopologicalSorter(_without_faces(graph(package))).prepare()
    except CycleError as circle:
        pytest.fail(" imports ".join(reversed(circle.args[1])))


def _without_faces(imports: dict[str, set[str]]) -> dict[str, set[str]]:
    """A package and its modules name each other: the face names its modules, a module finds its neighbours by way of the face."""
    return {name: {other for other in others if not name.startswith(f"{other}.")} for name, others in imports.items()}


@pytest.mark.parametrize("name", modules("thaiwiki_clean"))
def test_cleaning_does_not_know_training(name: str) -> None:
    assert [other for other in imported(modules("thaiwiki_clean")[name]) if other.split(".")[0] == "finetune"] == []


@pytest.mark.parametrize("name", [name for name in CORE if floor(name) < floor("")])
def test_the_core_needs_no_heavy_library(name: str) -> None:
    """But for the words, which ask PyThaiNLP inside their functions."""
    heavy = {other.split(".")[0] for other in imported(modules("thaiwiki_clean")[name])} & set(HEAVY)
    assert heavy <= ({"pythainlp"} if name == "words" else set())


@pytest.mark.parametrize("module", ["thaiwiki_clean", "thaiwiki_clean.cli", "thaiwiki_clean.testing"])
def test_importing_loads_no_heavy_library(module: str) -> None:
    code = f"import sys, {module}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_testing_without_hypothesis_says_what_to_install() -> None:
    code = "import sys; sys.modules['hypothesis'] = None\nimport thaiwiki_clean.testing"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr.strip().split("\n")[-1] == "ImportError: thaiwiki_clean.testing needs Hypothesis: pip install hypothesis"
