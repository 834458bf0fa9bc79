"""The snapshot store on S3's own protocol; with packages that the lock leaves out: pip install s3fs "moto[server]"."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from schemas.errors import BadSettings, BadSnapshot
from sinks.snapshots import SnapshotObjects, snapshot_store

pytest.importorskip("s3fs", reason="the client for S3 is an extra that the lock leaves out")
moto = pytest.importorskip("moto.server", reason="the counterpart of S3 is not in the lock")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[SnapshotObjects]:
    """A store in a bucket of its own on moto's server."""
    import boto3  # noqa: PLC0415  comes with moto

    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="triage")
        store = snapshot_store("s3://triage/models", "app")
        assert isinstance(store, SnapshotObjects)
        yield store
    finally:
        server.stop()


def test_snapshots_come_back_from_s3_and_bad_ones_are_refused(s3: SnapshotObjects) -> None:
    assert s3.list("lessons") == []
    first, second, third = (s3.save("lessons", number, b"%d" % number * 100_000) for number in (500, 1000, 1500))
    assert s3.save("lessons", 500, b"500" * 100_000) == first
    elsewhere = snapshot_store("s3://triage/models", "app")
    assert elsewhere.list("lessons") == [first, second, third]
    assert elsewhere.load(third) == b"1500" * 100_000
    s3._files.pipe_file(s3._path(third), b"damaged")
    with pytest.raises(BadSnapshot, match="is damaged"):
        elsewhere.load(third)
    assert s3.prune("lessons", 2) == [first]
    assert elsewhere.list("lessons") == [second, third]
    with pytest.raises(BadSnapshot, match="cannot be read"):
        elsewhere.load(first)


@pytest.mark.usefixtures("s3")
def test_a_bucket_that_is_not_there_and_a_server_that_is_away_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadSettings, match="cannot be written"):
        snapshot_store("s3://no-such-bucket-of-ours/x").save("lessons", 1, b"x")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(BadSettings, match="cannot be read"):
        snapshot_store("s3://triage/models").list("lessons")
