"""Who has an embedded store open: one process can, and the others ask it over HTTP."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sinks.front import USER, StoreFront
from sinks.store import Store, StoreAccess


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The process that has a store open: where its front listens, and the password that only this user can read."""

    url: str
    password: str = field(repr=False)

    def access(self, database: str) -> StoreAccess:
        """How to ask the owner."""
        return StoreAccess(url=self.url, database=database, user=USER, password=self.password)


def find_owner(folder: Path) -> Owner | None:
    """The owner that the store in `folder` names; it may have died since."""
    try:
        given = json.loads(_note(folder).read_text(encoding="utf-8"))
        return Owner(url=str(given["url"]), password=str(given["password"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


@asynccontextmanager
async def serve_as_owner(folder: Path, store: Store) -> AsyncIterator[Owner]:
    """Serve the embedded `store` in `folder` to other processes of this user, and say where."""
    password = secrets.token_urlsafe(24)
    note = _note(folder)
    async with StoreFront(store, password=password) as front:
        owner = Owner(url=front.url, password=password)
        note.unlink(missing_ok=True)
        with os.fdopen(os.open(note, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({"url": owner.url, "password": owner.password}, file)
        try:
            yield owner
        finally:
            note.unlink(missing_ok=True)


def _note(folder: Path) -> Path:
    return folder.parent / f"{folder.name}.owner.json"
