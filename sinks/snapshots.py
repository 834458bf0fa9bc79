"""Where snapshots are kept: a folder, written so that a reader never sees half of one."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from schemas.errors import BadSettings, BadSnapshot

_NAME = re.compile(r"(?P<head>[\w.-]+)@(?P<learned>\d{12})-(?P<digest>[0-9a-f]{12})\.safetensors")
_HEAD = re.compile(r"\w[\w.-]*")


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


class SnapshotFolder:
    """Snapshots of all heads in one folder. A snapshot is never changed once it is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, head: str, learned: int, data: bytes) -> StoredSnapshot:
        """Keep `data`, the snapshot of `head` after `learned` tickets. Saving the same twice is saving it once.

        Raises BadSettings for a head whose name cannot be a file's, and where the folder cannot be written.
        """
        if not _HEAD.fullmatch(head):
            raise BadSettings(f"{head!r} cannot name a head: use letters, digits, dots, dashes and underscores")
        stored = StoredSnapshot(head, learned, sha256(data).hexdigest()[:12])
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
        """The snapshots of `head`, the oldest first."""
        if not self.folder.is_dir():
            return []
        names = (_NAME.fullmatch(path.name) for path in self.folder.iterdir())
        return sorted(
            StoredSnapshot(name["head"], int(name["learned"]), name["digest"])
            for name in names
            if name and name["head"] == head
        )

    def latest(self, head: str) -> StoredSnapshot | None:
        """The snapshot of `head` that has learned most; None where there is none."""
        found = self.list(head)
        return found[-1] if found else None

    def load(self, stored: StoredSnapshot) -> bytes:
        """The bytes of `stored`. Raises BadSnapshot where they are gone or are not those that were saved."""
        path = self.folder / stored.file_name
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BadSnapshot(f"{path} cannot be read: {error.strerror}; load another one") from error
        if sha256(data).hexdigest()[:12] != stored.digest:
            raise BadSnapshot(f"{path} is damaged; load an earlier one")
        return data

    def prune(self, head: str, keep: int) -> None:
        """Delete all snapshots of `head` but the newest `keep`."""
        for stored in self.list(head)[:-keep]:
            (self.folder / stored.file_name).unlink(missing_ok=True)
