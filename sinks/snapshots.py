"""Where snapshots are kept: a folder, or an object store by URL. A reader never sees half of one, and checks each."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from schemas.errors import BadSettings, BadSnapshot

_NAME = re.compile(r"(?P<head>[\w.-]+)@(?P<learned>\d{12})-(?P<digest>[0-9a-f]{12})\.safetensors")
_HEAD = re.compile(r"\w[\w.-]*")

_PATIENCE = {"connect_timeout": 5, "read_timeout": 20, "retries": {"max_attempts": 2}}
"""Of S3's client, in seconds: its own would have a worker wait for minutes for a store that is away."""

_OPTIONS: dict[str, dict[str, Any]] = {"s3": {"config_kwargs": _PATIENCE}, "s3a": {"config_kwargs": _PATIENCE}}

_FLAT = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss"}
"""Stores without folders: to make one would make a bucket, for whoever has mistyped its name."""

ENTRY_FORMAT = "triage.snapshot.1"
"""Names what the entry of a snapshot in an object store says."""


@dataclass(frozen=True, slots=True, order=True)
class StoredSnapshot:
    """A snapshot in the store. Later ones are greater: they have learned more tickets."""

    head: str
    learned: int
    digest: str

    @property
    def version(self) -> str:
        """What names it among those of its head."""
        return f"{self.learned:012d}-{self.digest}"

    @property
    def file_name(self) -> str:
        """Its file in the folder."""
        return f"{self.head}@{self.version}.safetensors"


class SnapshotStore(Protocol):
    """Snapshots of all heads. One is never changed once it is there. All calls block.

    All raise BadSettings where the store cannot be reached or written.
    """

    @property
    def where(self) -> str:
        """Its folder or URL, for people."""
        ...

    def save(self, head: str, learned: int, data: bytes) -> StoredSnapshot:
        """Keep `data`, the snapshot of `head` after `learned` tickets. Saving the same twice is saving it once.

        Raises BadSettings for a head whose name cannot be a file's, too.
        """
        ...

    def list(self, head: str) -> list[StoredSnapshot]:
        """The snapshots of `head`, the oldest first."""
        ...

    def load(self, stored: StoredSnapshot) -> bytes:
        """The bytes of `stored`. Raises BadSnapshot where they are gone or are not those that were saved."""
        ...

    def prune(self, head: str, keep: int, useless: Collection[StoredSnapshot] = ()) -> list[StoredSnapshot]:
        """Delete the `useless` snapshots of `head`, and of the others all but the newest `keep`; gives the deleted."""
        ...


def snapshot_store(where: str, *below: str) -> SnapshotStore:
    """The store at a path or URL, in the folder `below` it. Raises BadSettings where no such store can be had."""
    scheme, marker, rest = where.partition("://")
    if not marker:
        return SnapshotFolder(Path(where, *below))
    if scheme in {"file", "local"}:
        return SnapshotFolder(Path(unquote(rest), *below))
    return SnapshotObjects("/".join([where.rstrip("/"), *below]))


class SnapshotFolder:
    """Snapshots in one folder: written beside, then renamed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def where(self) -> str:
        """As the protocol says."""
        return str(self.folder)

    def save(self, head: str, learned: int, data: bytes) -> StoredSnapshot:
        """As the protocol says."""
        stored = _named(head, learned, data)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            part = self.folder / f".{stored.file_name}.{os.getpid()}.part"
            try:
                with part.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(self.folder / stored.file_name)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise BadSettings(f"{self.folder} cannot be written: {error.strerror}; name another folder") from error
        return stored

    def list(self, head: str) -> list[StoredSnapshot]:
        """As the protocol says."""
        if not self.folder.is_dir():
            return []
        return _of_head(head, (path.name for path in self.folder.iterdir()))

    def latest(self, head: str) -> StoredSnapshot | None:
        """The snapshot of `head` that has learned most; None where there is none."""
        found = self.list(head)
        return found[-1] if found else None

    def load(self, stored: StoredSnapshot) -> bytes:
        """As the protocol says."""
        path = self.folder / stored.file_name
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BadSnapshot(f"{path} cannot be read: {error.strerror}; load another one") from error
        if sha256(data).hexdigest()[:12] != stored.digest:
            raise BadSnapshot(f"{path} is damaged; load an earlier one")
        return data

    def prune(self, head: str, keep: int, useless: Collection[StoredSnapshot] = ()) -> list[StoredSnapshot]:
        """As the protocol says."""
        gone, _ = _parted(self.list(head), keep, useless)
        for stored in gone:
            (self.folder / stored.file_name).unlink(missing_ok=True)
        return gone


class SnapshotObjects:
    """Snapshots in an object store that fsspec knows.

    An object is named by its own digest, so that it can be written again and never differs. Its entry, a small JSON
    object beside it with the whole SHA-256, is written last and deleted first: what has no entry is not there.
    """

    def __init__(self, url: str) -> None:
        """Raises BadSettings for a URL that fsspec has no client for."""
        # It and its clients take a while to import, and only who names a URL needs them.
        fsspec = import_module("fsspec")
        shown = urlsplit(url)
        try:
            # Listings that were kept would not show what another process has written since.
            self._files: Any = fsspec.filesystem(
                shown.scheme, use_listings_cache=False, skip_instance_cache=True, **_OPTIONS.get(shown.scheme, {})
            )
            self._root = str(self._files._strip_protocol(url)).rstrip("/")  # noqa: SLF001  its public name is a class's
        except ImportError as missing:
            raise BadSettings(
                f"TRIAGE_SNAPSHOT_STORE: {shown.scheme}:// needs a package that is not installed ({missing}); "
                f'for s3://: pip install "triage[s3]"'
            ) from missing
        except Exception as error:  # each client has errors of its own
            raise BadSettings(f"TRIAGE_SNAPSHOT_STORE: {url} cannot be used: {error}") from error
        self._url = url
        self._has_folders = shown.scheme not in _FLAT

    @property
    def where(self) -> str:
        """As the protocol says."""
        return self._url

    def save(self, head: str, learned: int, data: bytes) -> StoredSnapshot:
        """As the protocol says."""
        stored = _named(head, learned, data)
        entry = {"format": ENTRY_FORMAT, "sha256": sha256(data).hexdigest(), "bytes": len(data)}
        try:
            if self._has_folders:
                self._files.makedirs(self._root, exist_ok=True)
            self._files.pipe_file(self._path(stored), data)
            self._files.pipe_file(_entry(self._path(stored)), json.dumps(entry).encode())
        except Exception as error:  # as above
            raise BadSettings(f"{self._url} cannot be written: {error}") from error
        return stored

    def list(self, head: str) -> list[StoredSnapshot]:
        """As the protocol says."""
        return _of_head(head, (name.removesuffix(".json") for name in self._names() if name.endswith(".json")))

    def load(self, stored: StoredSnapshot) -> bytes:
        """As the protocol says."""
        path = self._path(stored)
        try:
            entry: dict[str, Any] = json.loads(self._files.cat_file(_entry(path)))
            data: bytes = self._files.cat_file(path)
            whole = (entry["format"], entry["bytes"], entry["sha256"])
        except (ValueError, KeyError, TypeError) as error:
            raise BadSnapshot(f"{path}: its entry is damaged; load an earlier one") from error
        except Exception as error:  # as above
            raise BadSnapshot(f"{path} cannot be read: {error}; load another one") from error
        if whole != (ENTRY_FORMAT, len(data), sha256(data).hexdigest()):
            raise BadSnapshot(f"{path} is damaged; load an earlier one")
        return data

    def prune(self, head: str, keep: int, useless: Collection[StoredSnapshot] = ()) -> list[StoredSnapshot]:
        """As the protocol says; with what a publisher that died has left without an entry."""
        known = self.list(head)
        gone, kept = _parted(known, keep, useless)
        left = [
            stored
            for stored in _of_head(head, self._names())
            if kept and stored not in known and stored.learned < kept[0].learned
        ]
        try:
            for stored in (*gone, *left):
                for path in (_entry(self._path(stored)), self._path(stored)):
                    if self._files.exists(path):
                        self._files.rm_file(path)
        except Exception as error:  # as above
            raise BadSettings(f"{self._url} cannot be written: {error}") from error
        return gone

    def _names(self) -> list[str]:
        try:
            self._files.invalidate_cache()
            found: list[str] = self._files.ls(self._root, detail=False)
        except FileNotFoundError:
            return []
        except Exception as error:  # as above
            raise BadSettings(f"{self._url} cannot be read: {error}") from error
        return [path.rpartition("/")[2] for path in found]

    def _path(self, stored: StoredSnapshot) -> str:
        return f"{self._root}/{stored.file_name}"


def _entry(path: str) -> str:
    return f"{path}.json"


def _named(head: str, learned: int, data: bytes) -> StoredSnapshot:
    if not _HEAD.fullmatch(head):
        raise BadSettings(f"{head!r} cannot name a head: use letters, digits, dots, dashes and underscores")
    return StoredSnapshot(head, learned, sha256(data).hexdigest()[:12])


def _parted(
    known: Sequence[StoredSnapshot], keep: int, useless: Collection[StoredSnapshot]
) -> tuple[list[StoredSnapshot], list[StoredSnapshot]]:
    """Those of `known`, the oldest first, that have to go, and those that stay."""
    kept = [stored for stored in known if stored not in useless][-keep:]
    return [stored for stored in known if stored not in kept], kept


def _of_head(head: str, names: Iterable[str]) -> list[StoredSnapshot]:
    found = (_NAME.fullmatch(name) for name in names)
    return sorted(
        StoredSnapshot(name["head"], int(name["learned"]), name["digest"])
        for name in found
        if name and name["head"] == head
    )
