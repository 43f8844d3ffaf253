"""The build hook ``custom``: some modules of the wheel are compiled to C by mypyc. Off unless asked for, see docs/how-to/compile.md.

The wheel holds each module twice, as C and as the source it was made from; Python takes the first.
The tree is left as it is: an extension beside a source that has changed since would go on being imported.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SETUP = """
import sys
from mypyc.build import mypycify
from setuptools import setup

settings, level, *modules = sys.argv[4:]
del sys.argv[4:]
mypy = ["--config-file", settings, "--follow-imports=silent", *modules]  # silent: what they import is not compiled, nor judged
setup(name="thaiwiki-clean", packages=[], ext_modules=mypycify(mypy, opt_level=level))
"""


class CompiledWheel(BuildHookInterface[Any]):
    """Options: ``modules``, globs below the root of the project; ``opt-level``, 0 to 3, what the C compiler is told (``THAIWIKI_OPT_LEVEL`` goes before it)."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile in a folder of its own and hand the extensions to the wheel. Raises RuntimeError with what the compiler said."""
        if version == "editable":
            raise RuntimeError("an editable install runs the source, and compiled modules would hide it; install without --editable")
        root = Path(self.root)
        modules = sorted(path.relative_to(root) for pattern in self.config["modules"] for path in root.glob(pattern))
        level = os.environ.get("THAIWIKI_OPT_LEVEL", self.config.get("opt-level", "3"))
        self.work = Path(tempfile.mkdtemp())
        shutil.copytree(root / "thaiwiki_clean", self.work / "thaiwiki_clean", ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        (self.work / "setup.py").write_text(_SETUP, "utf-8")
        command = [sys.executable, "setup.py", "build_ext", "--build-lib", "made", str(root / "pyproject.toml"), level, *map(str, modules)]
        done = subprocess.run(command, cwd=self.work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            shutil.rmtree(self.work, ignore_errors=True)
            raise RuntimeError(
                f"mypyc or the C compiler failed; without HATCH_BUILD_HOOK_ENABLE_CUSTOM the wheel is pure Python\n{done.stdout}"
            )
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["force_include"][str(self.work / "made")] = ""

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what the wheel now holds."""
        shutil.rmtree(self.work, ignore_errors=True)
