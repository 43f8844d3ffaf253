"""A built folder to the Hugging Face Hub: look at what is there, send what differs in one commit, then set the tag.

Nothing is seen on the Hub before the commit, and the commit is all or nothing; so whatever fails, the same call again completes it.
"""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thaiwiki_clean._version import __version__
from thaiwiki_clean.card import CONFIGS
from thaiwiki_clean.hub.card import CardError, features, merge_card, metadata_of, problems
from thaiwiki_clean.hub.errors import PublishError
from thaiwiki_clean.hub.folder import SHARD, Local, hash_like, local, size
from thaiwiki_clean.hub.there import TYPE, At, There, look, tags

if TYPE_CHECKING:
    from huggingface_hub import HfApi

__all__ = ["PublishError", "Published", "publish"]


@dataclasses.dataclass(frozen=True)
class Published:
    """What was published, or with ``dry_run`` what would be."""

    repo: str
    url: str  #: of the data set, or of the pull request
    commit: str | None  #: None when nothing changed, and in a dry run
    tag: str | None
    sent: tuple[str, ...]  #: paths
    deleted: tuple[str, ...]
    unchanged: tuple[str, ...]
    sent_bytes: int
    notes: tuple[str, ...]  #: what a person should know

    def to_text(self) -> str:
        """The same in a few lines."""
        planned = not self.commit and (self.sent or self.deleted)
        done = [f"{what} {value}" for what, value in (("commit", (self.commit or "")[:12]), ("tag", self.tag)) if value and not planned]
        lines = [f"{self.url}: {', '.join(done)}" if done else self.url]
        lines += [f"  send    {path}" for path in self.sent] + [f"  delete  {path}" for path in self.deleted]
        total = f"{len(self.sent)} files, {self.sent_bytes:,} bytes" if self.sent else "nothing to send, all of it is there"
        lines.append(total + (f"; {len(self.unchanged)} files are there already" if self.sent and self.unchanged else ""))
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def publish(
    folder: str | Path,
    repo_id: str,
    *,
    private: bool = True,
    tag: str | None = None,
    create_pr: bool = False,
    replace: bool = False,
    dry_run: bool = False,
    message: str | None = None,
    api: HfApi | None = None,
) -> Published:
    """Publish the build in ``folder`` as the data set ``repo_id``, and say what was sent.

    A data set that is not there is created, ``private`` unless said; one that is there stays as visible as it is.
    Files that are there already are not sent again. Data files of an older build are deleted, all others are left alone.
    Of the card only our part is written anew (:func:`~thaiwiki_clean.hub.card.merge_card`). ``tag`` names the commit; ``create_pr``
    asks for it in a pull request. Columns that differ from those on the Hub are refused, unless ``replace`` is said.
    ``dry_run`` changes nothing and needs no token.

    The token is the client's own affair: ``hf auth login`` or HF_TOKEN. ``api`` is the client to use, with its own endpoint.
    Raises PublishError in one line, whatever failed. The same call again completes it.
    """
    try:
        import huggingface_hub as hub
    except ImportError as error:
        raise ImportError("publishing needs the Hub client: pip install 'thaiwiki-clean[hub]'") from error
    if tag and create_pr:
        raise PublishError("a pull request makes no commit on the main branch that a tag could name; set the tag when it is merged")
    build, api = local(Path(folder)), api or hub.HfApi()
    at = At(api, _repo_id(repo_id), _token(api))
    if at.token is None and not dry_run:
        raise PublishError(f"{at.repo}: no token of the Hub on this machine; log in: hf auth login, or set HF_TOKEN")

    there, notes = _asked(at, tag, dry_run=dry_run)
    merged = _with_card(at, build, there, replace=replace)  # before a data set is made for it
    if there is None and not dry_run:
        there = _created(at, tag, private=private, create_pr=create_pr)
        merged = _with_card(at, build, there, replace=replace)
    if there and there.private != private:
        notes += (f"{at.repo} is {'private' if there.private else 'public'} already and stays so; that is changed in its settings",)
    told = _compared(at, merged, there, tag, notes)
    changed = bool(told.sent or told.deleted)
    if tag and there and (held := there.tags.get(tag)) and (changed or held != there.commit):
        raise PublishError(f"{at.repo}: the tag {tag} is there already, on commit {held[:12]}, and tags do not move; give another one")
    if dry_run or there is None:
        return told
    if changed:
        told = _sent(at, merged, there, told, message, create_pr=create_pr)
    if tag and tag not in there.tags:
        commit = told.commit or there.commit
        with at.failures(f"commit {commit[:12]} is published, setting the tag {tag}"):
            api.create_tag(at.repo, tag=tag, revision=commit, repo_type=TYPE)
            if tag not in tags(at):  # the client takes any answer for a yes, a proxy's page too
                raise PublishError(
                    f"{at.repo}: commit {commit[:12]} is published, and the tag {tag} is not there; run the same command again"
                )
    return told


def _repo_id(repo_id: str) -> str:
    if not re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", repo_id, re.ASCII) or re.search(r"\.\.|--|\.git$", repo_id) or len(repo_id) > 96:
        raise PublishError(f"{repo_id!r} is no name of a data set; expected user/name, in letters, digits, - _ and .")
    return repo_id


def _token(api: HfApi) -> str | None:
    """The token that the client will use; asked for only to say that there is none, and to keep it out of messages."""
    from huggingface_hub import get_token

    if api.token is None or api.token is True:
        return get_token()
    return api.token or None


def _asked(at: At, tag: str | None, *, dry_run: bool) -> tuple[There | None, tuple[str, ...]]:
    """What is there; None when there is no such data set. In a dry run a Hub that cannot be asked is a note."""
    try:
        return look(at, tag), ()
    except PublishError as error:
        if not dry_run:
            raise
        return None, (f"taken for a new data set, for the Hub could not be asked. {error}",)


def _created(at: At, tag: str | None, *, private: bool, create_pr: bool) -> There:
    """What is there once the data set is made."""
    if create_pr:
        raise PublishError(f"{at.repo}: no such data set, or none that this token may see, to open a pull request on; check the name")
    with at.failures("creating the data set"):
        at.api.create_repo(at.repo, repo_type=TYPE, private=private, exist_ok=True)
    if (there := look(at, tag)) is None:
        raise PublishError(f"{at.repo}: the Hub holds it and does not show it to this token; take one that may read it: hf auth login")
    return there


def _with_card(at: At, build: Local, there: There | None, *, replace: bool) -> Local:
    """The build with the card as it is to be. Raises PublishError when that card, or the columns it tells, cannot go there."""
    card, files = (there.card, there.files) if there else ("", {})
    try:
        merged = merge_card(card, (build.folder / "README.md").read_text("utf-8"))
        told = metadata_of(merged)
        if wrong := problems(told, build.files):
            raise CardError(f"the Hub would not take the card: {'; '.join(wrong)}")
        differ = [] if replace else list(_differences(features(metadata_of(card)), features(told), files))
    except CardError as error:
        raise PublishError(f"{at.repo}: {error}") from None
    if differ:
        raise PublishError(f"{at.repo}: {'; '.join(differ)}; whoever reads it now would break: give a new name, or --replace")
    return dataclasses.replace(build, files={**build.files, "README.md": merged.encode()})


def _differences(there: Mapping[str, Any], ours: Mapping[str, Any], files: Mapping[str, str]) -> Iterator[str]:
    """Where the columns of our configurations part from those on the Hub, as its card tells them."""
    for folder, name in CONFIGS.items():
        if name not in ours or not any(SHARD.fullmatch(path) and path.startswith(f"{folder}/") for path in files):
            continue
        old, new = there.get(name), ours[name]
        if not old:
            yield f"there are files in {folder}/ whose columns the card does not tell"
        elif old != new:
            parts = [f"-{column}" for column in old if column not in new] + [f"+{column}" for column in new if column not in old]
            parts += [f"{column} is of another type" for column in old if column in new and old[column] != new[column]]
            yield f"the columns of {name} differ from those there ({', '.join(parts)})"


def _compared(at: At, build: Local, there: There | None, tag: str | None, notes: Sequence[str]) -> Published:
    """What has to go, and what has to go away."""
    held = there.files if there else {}
    sent = [name for name, content in build.files.items() if name not in held or hash_like(content, held[name]) != held[name]]
    return Published(
        repo=at.repo,
        url=f"{at.api.endpoint}/datasets/{at.repo}",
        commit=None,
        tag=tag,
        sent=tuple(sent),
        deleted=tuple(sorted(name for name in held if SHARD.fullmatch(name) and name not in build.files)),
        unchanged=tuple(name for name in build.files if name not in sent),
        sent_bytes=sum(size(build.files[name]) for name in sent),
        notes=(*build.notes, *notes),
    )


def _sent(at: At, build: Local, there: There, told: Published, message: str | None, *, create_pr: bool) -> Published:
    """One commit on top of the one that was looked at: if somebody else was quicker, the Hub refuses it."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    changes = [CommitOperationAdd(path_in_repo=name, path_or_fileobj=build.files[name]) for name in told.sent]
    message = message or f"thaiwiki-clean {__version__}: {build.manifest.articles:,} articles ({build.manifest.identity_hash})"
    doing = f"sending {len(changes)} files" + (f" (see {told.url}/discussions first: the pull request may be there)" if create_pr else "")
    with warnings.catch_warnings(record=True) as caught, at.failures(doing):
        warnings.simplefilter("always")
        commit = at.api.create_commit(
            told.repo,
            [*changes, *(CommitOperationDelete(path_in_repo=name) for name in told.deleted)],
            commit_message=message,
            repo_type=TYPE,
            parent_commit=there.commit,
            create_pr=create_pr,
        )
    card = [" ".join(str(warning.message).split()) for warning in caught if "README.md" in str(warning.message)]
    return dataclasses.replace(told, commit=commit.oid, url=commit.pr_url or told.url, notes=(*told.notes, *card))
