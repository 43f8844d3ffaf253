"""What all tests share: the Hypothesis profiles, and the way to data that lives beside the repository."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# A property test takes its number of examples from the profile. The laws ("cleaning a clean text changes nothing")
# take more: `@settings.get_profile("laws")` above `@given(...)`. A test whose one example costs much asks for a share,
# `@settings(max_examples=settings().max_examples // 10)`, and so grows and shrinks with the profile too.
# No deadline in ci: on a busy machine it fails tests for being slow once. Derandomised: the same examples on every run.
settings.register_profile("dev", max_examples=100, deadline=timedelta(seconds=2))
settings.register_profile(
    "ci", max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI", "").lower() in {"1", "true"} else "dev")
settings.load_profile(PROFILE)
settings.register_profile("laws", settings.get_profile(PROFILE), max_examples=1000 if PROFILE == "ci" else 100)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of data and tools beside the repository; the test is skipped where there is none.

    ``THAIWIKI_SHARED`` names another place.
    """
    folder = Path(os.environ.get("THAIWIKI_SHARED") or ROOT.parent / "shared")
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}: the labelled pages are no part of the repository")
    return folder
