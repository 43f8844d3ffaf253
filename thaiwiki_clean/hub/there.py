"""What a data set on the Hub holds, asked through the real client."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thaiwiki_clean.hub.errors import PublishError, failures

if TYPE_CHECKING:
    from huggingface_hub import HfApi

__all__ = ["TYPE", "At", "There", "look", "tags"]

#: Kind of repository, in the Hub's words.
TYPE = "dataset"


@dataclasses.dataclass(frozen=True)
class At:
    """Where it goes: the client, the data set, and the token, which is only kept out of messages."""

    api: HfApi
    repo: str
    token: str | None

    def failures(self, doing: str) -> contextlib.AbstractContextManager[None]:
        """Turns what the client raises inside into a line that says what was being done."""
        return failures(doing, self.repo, self.api.endpoint, self.token)


@dataclasses.dataclass(frozen=True)
class There:
    """What the Hub holds at one commit: path -> hash of the file (git's, or SHA-256 of a large one), the card, tag -> commit."""

    commit: str
    private: bool
    files: Mapping[str, str]
    card: str
    tags: Mapping[str, str]


def look(at: At, tag: str | None) -> There | None:
    """What is there, the tags only when one is asked for; None when there is no such data set, or the token may not see it."""
    from huggingface_hub.errors import RepositoryNotFoundError

    with at.failures("looking at what is there"):
        try:
            info = at.api.dataset_info(at.repo)
        except RepositoryNotFoundError:
            return None
        tree = at.api.list_repo_tree(at.repo, recursive=True, revision=info.sha, repo_type=TYPE)
        files = {entry.path: _name_of(entry) for entry in tree if hasattr(entry, "blob_id")}  # a folder has none
        card = _card(at, info.sha) if "README.md" in files else ""
        held = tags(at) if tag else {}
    return There(info.sha or "", bool(info.private), files, card, held)


def tags(at: At) -> dict[str, str]:
    """Tag -> its commit."""
    return {ref.name: ref.target_commit for ref in at.api.list_repo_refs(at.repo, repo_type=TYPE).tags}


def _name_of(entry: Any) -> str:
    return str(entry.lfs.sha256 if entry.lfs else entry.blob_id)


def _card(at: At, commit: str | None) -> str:
    with tempfile.TemporaryDirectory() as folder:  # not the cache: nobody needs it again
        data = Path(at.api.hf_hub_download(at.repo, "README.md", repo_type=TYPE, revision=commit, local_dir=folder)).read_bytes()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise PublishError(f"{at.repo}: README.md on the Hub is not in UTF-8; mend it there") from None
