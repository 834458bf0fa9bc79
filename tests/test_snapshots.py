"""Snapshots: what is read back predicts and learns on as what was written; what is damaged is refused."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import fsspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from models.calibration import Calibrator
from models.classifier import TextClassifier
from models.snapshots import FORMAT, Snapshot, from_bytes, to_bytes
from schemas.errors import BadSettings, BadSnapshot
from sinks.snapshots import SnapshotFolder, SnapshotStore, StoredSnapshot, snapshot_store
from streams.charts import confusion_matrix
from streams.cli import app

ROWS = [
    ("Drucker druckt nicht", "hardware"),
    ("Passwort vergessen", "access"),
    ("Rechnung falsch", "billing"),
    ("VPN down", "outage"),
    ("Wo ist mein Paket?", "shipping"),
] * 6


def taught(rows: list[tuple[str, str]] = ROWS) -> Snapshot:
    model, calibrator = TextClassifier(bits=10, rate=0.7), Calibrator()
    for text, label in rows:
        bag = model.read(text)
        calibrator.learn(model.scores([bag])[0], model.column(label))
        model.learn_one(bag, label)
    return Snapshot(model, calibrator, {"file": "x.csv"})


def test_a_snapshot_read_back_predicts_and_learns_on_identically() -> None:
    one = taught()
    other = from_bytes(to_bytes(one))
    assert other.about == {"file": "x.csv"}
    assert other.model.learned == len(ROWS)
    for text, label in [*ROWS, ("Neues Thema", "new label"), ("Noch ein Thema", "another new label")]:
        bag = one.model.read(text)
        scores = one.model.scores([bag])[0]
        np.testing.assert_array_equal(other.model.scores([bag])[0], scores)
        np.testing.assert_array_equal(other.calibrator.probabilities(scores), one.calibrator.probabilities(scores))
        for snapshot in (one, other):
            snapshot.calibrator.learn(scores, snapshot.model.column(label))
            snapshot.model.learn_one(bag, label)
    assert to_bytes(one) == to_bytes(other)


def test_the_same_model_gives_the_same_bytes_and_a_new_one_can_be_written() -> None:
    assert to_bytes(taught()) == to_bytes(taught())
    assert from_bytes(to_bytes(taught([]))).model.labels == []


@settings(max_examples=100, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_changed_byte_anywhere_is_noticed(place: float, flip: int) -> None:
    data = bytearray(to_bytes(taught(ROWS[:3])))
    data[int(place * len(data))] ^= flip
    with pytest.raises(BadSnapshot):
        from_bytes(bytes(data))


@pytest.mark.parametrize("data", [b"", b"\0" * 7, b"\xff" * 64, b"\x02\0\0\0\0\0\0\0{}", b"pickle"])
def test_what_is_no_snapshot_is_refused(data: bytes) -> None:
    with pytest.raises(BadSnapshot, match="damaged"):
        from_bytes(data)


def test_a_truncated_snapshot_is_refused() -> None:
    data = to_bytes(taught())
    with pytest.raises(BadSnapshot):
        from_bytes(data[: len(data) // 2])


def test_another_format_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = to_bytes(taught())
    monkeypatch.setattr("models.snapshots.FORMAT", "triage.head.2")
    with pytest.raises(BadSnapshot, match=f"{FORMAT}.*train it anew"):
        from_bytes(data)


def test_a_label_that_json_does_not_know_cannot_be_written() -> None:
    model = TextClassifier(bits=4)
    model.learn_one("a", ("a", "tuple"))
    with pytest.raises(ValueError, match="cannot be written"):
        to_bytes(Snapshot(model, Calibrator()))


@pytest.fixture(params=["folder", "objects"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SnapshotStore:
    """A folder, and an object store as fsspec has it."""
    where = str(tmp_path) if request.param == "folder" else f"memory://{tmp_path}"
    return snapshot_store(where, "snapshots")


def spoil(store: SnapshotStore, stored: StoredSnapshot, data: bytes | None) -> None:
    """Write `data` in place of a snapshot's, or delete it."""
    if isinstance(store, SnapshotFolder):
        path = store.folder / stored.file_name
        path.unlink() if data is None else path.write_bytes(data)
        return
    files = fsspec.filesystem("memory")
    path = f"{store.where.removeprefix('memory://')}/{stored.file_name}"
    files.rm_file(path) if data is None else files.pipe_file(path, data)


def test_a_store_keeps_every_version_and_gives_back_what_was_saved(store: SnapshotStore) -> None:
    assert store.list("queue") == []
    later = store.save("queue", 200, b"later")
    earlier = store.save("queue", 100, b"earlier")
    store.save("priority", 999, b"other")
    assert store.save("queue", 200, b"later") == later
    assert store.list("queue") == [earlier, later]
    assert store.load(earlier) == b"earlier"
    last = store.save("queue", 300, b"last")
    assert store.prune("queue", 2) == [earlier]
    assert store.list("queue") == [later, last]
    assert store.prune("queue", 2, {last}) == [last], "what is of no use goes first, and makes no other go"
    assert store.list("queue") == [later]
    assert [stored.learned for stored in store.list("priority")] == [999]
    with pytest.raises(BadSnapshot, match="cannot be read"):
        store.load(earlier)


@pytest.mark.parametrize("data", [b"dato", b"dat", b"", None])
def test_a_damaged_or_missing_snapshot_is_refused(store: SnapshotStore, data: bytes | None) -> None:
    stored = store.save("queue", 1, b"data")
    spoil(store, stored, data)
    with pytest.raises(BadSnapshot, match="cannot be read" if data is None else "is damaged; load an earlier one"):
        store.load(stored)


def test_an_object_without_its_entry_is_not_there_and_goes_once_it_is_old(tmp_path: Path) -> None:
    store = snapshot_store(f"memory://{tmp_path}")
    files = fsspec.filesystem("memory")
    half = store.save("lessons", 10, b"half")
    files.rm_file(f"{tmp_path}/{half.file_name}.json")
    whole = store.save("lessons", 20, b"whole")
    assert store.list("lessons") == [whole]
    assert store.prune("lessons", 1) == []
    assert not files.exists(f"{tmp_path}/{half.file_name}")
    files.pipe_file(f"{tmp_path}/{whole.file_name}.json", b"{}")
    with pytest.raises(BadSnapshot, match="its entry is damaged"):
        store.load(whole)


def test_a_url_names_a_folder_or_a_client_and_a_missing_one_is_said(tmp_path: Path) -> None:
    found = snapshot_store(f"file://{tmp_path}/with%20space", "app")
    assert isinstance(found, SnapshotFolder)
    assert found.folder == tmp_path / "with space" / "app"
    with pytest.raises(BadSettings, match=r"s3:// needs a package that is not installed .*triage\[s3\]"):
        snapshot_store("s3://bucket/triage")
    with pytest.raises(BadSettings, match="cannot be used: Protocol not known: nothing"):
        snapshot_store("nothing://bucket")


def test_the_folder_knows_the_latest_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    store = SnapshotFolder(tmp_path / "snapshots")
    assert store.latest("queue") is None
    store.save("queue", 100, b"earlier")
    (tmp_path / "snapshots" / "stray.txt").write_text("x", encoding="utf-8")
    later = store.save("queue", 200, b"later")
    assert store.latest("queue") == later
    assert not list(tmp_path.glob("snapshots/.*"))


def test_a_head_or_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="cannot name a head"):
        SnapshotFolder(tmp_path).save("../x", 1, b"")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(BadSettings, match="name another folder"):
        SnapshotFolder(tmp_path / "file").save("x", 1, b"")


def test_train_saves_a_snapshot_that_can_be_used_and_a_report(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    lines = ["subject;group", *(f"{text};{label}" for text, label in ROWS)]
    file.write_text("\n".join(lines), encoding="cp1252")
    result = CliRunner().invoke(
        app,
        ["--data-dir", str(tmp_path / "data"), "train", str(file), "--text", "subject", "--label", "group", "--json"],
    )
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer["head"] == "group"
    assert [label["tickets"] for label in answer["labels"]] == [6] * 5

    store = SnapshotFolder(tmp_path / "data" / "snapshots")
    latest = store.latest("group")
    assert latest is not None
    assert latest.version == answer["version"]
    model = from_bytes(store.load(latest)).model
    assert [model.predict_one(text) for text, _ in ROWS[:5]] == [label for _, label in ROWS[:5]]

    for path in answer["report"][:2]:
        assert ET.parse(path).getroot().tag.endswith("svg")  # noqa: S314  our own file
    assert json.loads(Path(answer["report"][2]).read_text(encoding="utf-8"))["labels"] == answer["labels"]


def test_labels_with_odd_characters_make_a_sound_chart() -> None:
    svg = confusion_matrix(["<a&b>", "x" * 90], np.array([[3, 1], [0, 2]]))
    titles = [element.text for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}title")]  # noqa: S314
    assert titles[0] == "<a&b> said to be <a&b>: 3 (75%)"
