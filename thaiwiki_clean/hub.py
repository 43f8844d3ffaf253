"""A built folder to the Hugging Face Hub: look at what is there, send what differs in one commit, then set the tag.

Nothing is seen on the Hub before the commit, and the commit is all or nothing; so whatever fails, the same call again completes it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thaiwiki_clean._version import __version__
from thaiwiki_clean.card import CONFIGS
from thaiwiki_clean.hub_card import CardError, features, merge_card, metadata_of, problems
from thaiwiki_clean.hub_errors import PublishError, failures
from thaiwiki_clean.manifest import NAME, Manifest

if TYPE_CHECKING:
    from huggingface_hub import HfApi

__all__ = ["PublishError", "Published", "publish"]

# Data files of a build: those on the Hub that this build has not are of an older one, and go.
_SHARD = re.compile(r"(?:data|articles|dropped)/[^/]+\.parquet")

_TYPE = "dataset"


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


@dataclasses.dataclass(frozen=True)
class _Local:
    """What a build would publish: path -> file, or bytes."""

    folder: Path
    manifest: Manifest
    files: Mapping[str, Path | bytes]
    notes: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class _There:
    """What the Hub holds at one commit: path -> hash of the file (git's, or SHA-256 of a large one), the card, tag -> commit."""

    commit: str
    private: bool
    files: Mapping[str, str]
    card: str
    tags: Mapping[str, str]


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
    Of the card only our part is written anew (:func:`~thaiwiki_clean.hub_card.merge_card`). ``tag`` names the commit; ``create_pr``
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
    local, api = _local(Path(folder)), api or hub.HfApi()
    repo, token = _repo_id(repo_id), _token(api)
    if token is None and not dry_run:
        raise PublishError(f"{repo}: no token of the Hub on this machine; log in: hf auth login, or set HF_TOKEN")

    there, notes = _looked(api, repo, tag, token=token, dry_run=dry_run)
    if there is None and not dry_run:
        if create_pr:
            raise PublishError(f"{repo}: no such data set, or none that this token may see, to open a pull request on; check the name")
        with failures("creating the data set", repo, api.endpoint, token):
            api.create_repo(repo, repo_type=_TYPE, private=private, exist_ok=True)
        if (there := _looked(api, repo, tag, token=token)[0]) is None:
            raise PublishError(f"{repo}: the Hub holds it and does not show it to this token; take one that may read it: hf auth login")
    if there and there.private != private:
        notes += (f"{repo} is {'private' if there.private else 'public'} already and stays so; that is changed in its settings",)

    local = _with_card(repo, local, there.card if there else "", there.files if there else {}, replace=replace)
    told = _compared(api, repo, local, there, tag, notes)
    changed = bool(told.sent or told.deleted)
    if tag and there and (at := there.tags.get(tag)) and (changed or at != there.commit):
        raise PublishError(f"{repo}: the tag {tag} is there already, on commit {at[:12]}, and tags do not move; give another one")
    if dry_run or there is None:
        return told
    if changed:
        told = _sent(api, local, there, told, message, token=token, create_pr=create_pr)
    if tag and tag not in there.tags:
        at = told.commit or there.commit
        with failures(f"commit {at[:12]} is published, setting the tag {tag}", repo, api.endpoint, token):
            api.create_tag(repo, tag=tag, revision=at, repo_type=_TYPE)
    return told


def _local(folder: Path) -> _Local:
    """What there is to publish. Raises PublishError when the folder is no finished build, or was changed after it."""
    try:
        manifest = Manifest.read(folder)
    except (ValueError, OSError) as error:
        raise PublishError(str(error)) from None
    if (folder / ".work").exists():
        raise PublishError(
            f"{folder} holds a build that was not finished; run it again first, it goes on where it stopped: {manifest.command}"
        )
    if not any(_SHARD.fullmatch(name) for name in manifest.files):
        raise PublishError(f"{folder} holds a build without a row; there is nothing to publish")
    names = ["README.md", NAME, *(["report.html"] if (folder / "report.html").exists() else []), *manifest.files]
    for name in names:
        path, about = folder / name, manifest.files.get(name)
        if not path.is_file() or (about and (path.stat().st_size != about["bytes"] or _sha256(path) != about["sha256"])):
            raise PublishError(f"{path} is not the file that the build wrote; build again into another folder, or put it back")
    others = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    foreign = [name for name in others if name not in names]
    notes = (f"not sent, no build made them: {', '.join(foreign[:5])}{' …' if len(foreign) > 5 else ''}",) if foreign else ()
    return _Local(folder, manifest, {name: folder / name for name in names}, notes)


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


def _looked(api: HfApi, repo: str, tag: str | None, *, token: str | None, dry_run: bool = False) -> tuple[_There | None, tuple[str, ...]]:
    """What is there; None when there is no such data set. In a dry run a Hub that cannot be asked is a note."""
    try:
        with failures("looking at what is there", repo, api.endpoint, token):
            return _look(api, repo, tag), ()
    except PublishError as error:
        if not dry_run:
            raise
        return None, (f"taken for a new data set, for the Hub could not be asked. {error}",)


def _look(api: HfApi, repo: str, tag: str | None) -> _There | None:
    from huggingface_hub import RepoFile
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        info = api.dataset_info(repo)
    except RepositoryNotFoundError:
        return None
    tree = api.list_repo_tree(repo, recursive=True, revision=info.sha, repo_type=_TYPE)
    files = {file.path: file.lfs.sha256 if file.lfs else file.blob_id for file in tree if isinstance(file, RepoFile)}
    card = ""
    if "README.md" in files:
        with tempfile.TemporaryDirectory() as folder:  # not the cache: what it holds may be older, and lies there for good
            path = api.hf_hub_download(repo, "README.md", repo_type=_TYPE, revision=info.sha, local_dir=folder)
            try:
                card = Path(path).read_bytes().decode("utf-8")
            except UnicodeDecodeError:
                raise PublishError(f"{repo}: README.md on the Hub is not in UTF-8; mend it there") from None
    tags = {ref.name: ref.target_commit for ref in api.list_repo_refs(repo, repo_type=_TYPE).tags} if tag else {}
    return _There(info.sha or "", bool(info.private), files, card, tags)


def _with_card(repo: str, local: _Local, card: str, files: Mapping[str, str], *, replace: bool) -> _Local:
    """The build with the card as it is to be. Raises PublishError when that card, or the columns it tells, cannot go there."""
    try:
        new = (local.folder / "README.md").read_text("utf-8")
        merged = merge_card(card, new)
        told = metadata_of(merged)
        if wrong := problems(told, [*local.files, *(name for name in files if not _SHARD.fullmatch(name))]):
            raise CardError(f"the Hub would not take the card: {'; '.join(wrong)}")
        differ = [] if replace else list(_differences(features(metadata_of(card)), features(told), files))
    except CardError as error:
        raise PublishError(f"{repo}: {error}") from None
    if differ:
        raise PublishError(f"{repo}: {'; '.join(differ)}; whoever reads it now would break: give a new name, or --replace")
    return dataclasses.replace(local, files={**local.files, "README.md": merged.encode()})


def _differences(there: Mapping[str, Any], ours: Mapping[str, Any], files: Mapping[str, str]) -> Iterator[str]:
    """Where the columns of our configurations part from those on the Hub, as its card tells them."""
    for folder, name in CONFIGS.items():
        if name not in ours or not any(_SHARD.fullmatch(path) and path.startswith(f"{folder}/") for path in files):
            continue
        old, new = there.get(name), ours[name]
        if not old:
            yield f"there are files in {folder}/ whose columns the card does not tell"
        elif old != new:
            parts = [f"-{column}" for column in old if column not in new] + [f"+{column}" for column in new if column not in old]
            parts += [f"{column} is of another type" for column in old if column in new and old[column] != new[column]]
            yield f"the columns of {name} differ from those there ({', '.join(parts)})"


def _compared(api: HfApi, repo: str, local: _Local, there: _There | None, tag: str | None, notes: Sequence[str]) -> Published:
    """What has to go, and what has to go away."""
    held = there.files if there else {}
    sent = [name for name, content in local.files.items() if name not in held or _hash(content, like=held[name]) != held[name]]
    return Published(
        repo=repo,
        url=f"{api.endpoint}/datasets/{repo}",
        commit=None,
        tag=tag,
        sent=tuple(sent),
        deleted=tuple(sorted(name for name in held if _SHARD.fullmatch(name) and name not in local.files)),
        unchanged=tuple(name for name in local.files if name not in sent),
        sent_bytes=sum(_size(local.files[name]) for name in sent),
        notes=(*local.notes, *notes),
    )


def _sent(
    api: HfApi, local: _Local, there: _There, told: Published, message: str | None, *, token: str | None, create_pr: bool
) -> Published:
    """One commit on top of the one that was looked at: if somebody else was quicker, the Hub refuses it."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    changes = [CommitOperationAdd(path_in_repo=name, path_or_fileobj=local.files[name]) for name in told.sent]
    message = message or f"thaiwiki-clean {__version__}: {local.manifest.articles:,} articles ({local.manifest.identity_hash})"
    doing = f"sending {len(changes)} files" + (f" (see {told.url}/discussions first: the pull request may be there)" if create_pr else "")
    with warnings.catch_warnings(record=True) as caught, failures(doing, told.repo, api.endpoint, token):
        warnings.simplefilter("always")
        commit = api.create_commit(
            told.repo,
            [*changes, *(CommitOperationDelete(path_in_repo=name) for name in told.deleted)],
            commit_message=message,
            repo_type=_TYPE,
            parent_commit=there.commit,
            create_pr=create_pr,
        )
    card = [" ".join(str(warning.message).split()) for warning in caught if "README.md" in str(warning.message)]
    return dataclasses.replace(told, commit=commit.oid, url=commit.pr_url or told.url, notes=(*told.notes, *card))


def _hash(content: Path | bytes, like: str) -> str:
    """SHA-256 when ``like`` is one, else the name that git gives the content."""
    if len(like) == 64:
        return _sha256(content)
    data = content if isinstance(content, bytes) else content.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _sha256(content: Path | bytes) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(content: Path | bytes) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size
