"""`triage detect` and `triage forecast` on files as people have them."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from typer.testing import CliRunner

from schemas.errors import BadFile, BadSettings, TriageError
from streams.cli import app

START = datetime(2026, 3, 2, tzinfo=UTC)
SPIKE = (400, 406)
"""Rows of the spike in `series()`: ten times as much as usual."""


def series(rows: int = 600, rate: float = 20, seed: int = 1) -> list[int]:
    values = np.random.default_rng(seed).poisson(rate, rows)
    values[SPIKE[0] : SPIKE[1]] *= 10
    return [int(value) for value in values]


def moment(row: int, minutes: int = 5) -> datetime:
    return START + timedelta(minutes=minutes * row)


def counted(values: list[int], minutes: int = 5) -> str:
    lines = [f"{moment(at, minutes):%Y-%m-%d %H:%M:%S},{value}" for at, value in enumerate(values)]
    return "\n".join(["timestamp,value", *lines, ""])


def triage(*arguments: str | Path) -> Any:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def alerts(file: Path, *options: str | Path) -> list[dict[str, Any]]:
    """The alerts of `--json`, whose output has to be nothing else."""
    return [json.loads(line) for line in triage("detect", file, "--json", *options).stdout.splitlines()]


def assert_the_spike_is_found(found: list[dict[str, Any]], minutes: int = 5) -> None:
    (alert,) = found
    onset, detected = (datetime.fromisoformat(alert[name]) for name in ("onset", "detected_at"))
    assert moment(SPIKE[0] - 1, minutes) <= onset <= detected <= moment(SPIKE[0] + 3, minutes)
    ended = datetime.fromisoformat(alert["ended_at"])
    # What goes on for hours is a new level, and ends its alert.
    assert moment(SPIKE[1] - 2 if minutes < 60 else SPIKE[0] + 2, minutes) <= ended <= moment(SPIKE[1] + 1, minutes)
    assert 5 < alert["ratio"] < 13
    assert alert["excess"] == pytest.approx(alert["observed"] - alert["expected"], abs=0.01)
    assert not alert["open"]


@pytest.mark.parametrize("minutes", [1, 5, 60])
def test_a_spike_is_found_whatever_the_spacing(tmp_path: Path, minutes: int) -> None:
    file = tmp_path / "counts.csv"
    file.write_text(counted(series(), minutes))
    assert_the_spike_is_found(alerts(file, "--value", "value"), minutes)


def test_the_same_counts_are_read_from_any_dress(tmp_path: Path) -> None:
    plain = tmp_path / "plain.csv"
    plain.write_text(counted(series()))
    expected = alerts(plain, "--value", "value")
    assert_the_spike_is_found(expected)

    values = series()
    german = "\n".join(["Zeit;Anzahl", *(f"{moment(at):%d.%m.%Y %H:%M};{v},0" for at, v in enumerate(values))])
    jsonl = "\n".join(json.dumps({"time": moment(at).timestamp() * 1000, "n": v}) for at, v in enumerate(values))
    array = json.dumps([{"time": int(moment(at).timestamp()), "n": v} for at, v in enumerate(values)])
    american = "\n".join(["when,n", *(f"{moment(at):%m/%d/%Y %I:%M %p},{v}" for at, v in enumerate(values))])
    zoned = "\n".join(
        ["ts\tn", *(f"{moment(at) + timedelta(hours=2):%FT%T}+02:00\t{v}" for at, v in enumerate(values))]
    )
    for name, content, options in (
        ("bom.csv", "\ufeff" + plain.read_text(), ("--value", "value")),
        ("crlf.csv", plain.read_text().replace("\n", "\r\n"), ("--value", "VALUE")),
        ("german.csv", german, ("--time", "Zeit", "--value", "Anzahl")),
        ("epoch.jsonl", jsonl, ("--value", "n")),
        ("array.json", array, ("--value", "n")),
        ("american.csv", american, ("--time", "when", "--value", "n")),
        ("zoned.tsv", zoned, ("--value", "n")),
    ):
        file = tmp_path / name
        file.write_bytes(content.encode())
        packed = tmp_path / f"{name}.gz"
        packed.write_bytes(gzip.compress(content.encode()))
        for given in (file, packed):
            found = alerts(given, *options)
            # The series is called as its column is, and its ids follow from that.
            for alert, wanted in zip(found, expected, strict=True):
                assert {**alert, "series": "value", "alert_id": wanted["alert_id"]} == wanted, given.name


def test_other_encodings_are_read_when_named_and_asked_for_when_not(tmp_path: Path) -> None:
    file = tmp_path / "umlaut.csv"
    file.write_bytes(counted(series()).replace("value", "Wert für").encode("cp1252"))
    with pytest.raises(BadFile, match="--encoding cp1252"):
        alerts(file, "--value", "Wert für")
    assert_the_spike_is_found(alerts(file, "--value", "Wert für", "--encoding", "cp1252"))
    file.write_bytes(counted(series()).encode("utf-16"))
    assert_the_spike_is_found(alerts(file, "--value", "value"))


def test_rows_out_of_order_twice_or_missing_change_little(tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    head, *rows = counted(series()).splitlines()
    kept = rows[:100] + rows[130:] + rows[200:210]
    order = np.random.default_rng(1).permutation(len(kept))
    file.write_text("\n".join([head, *(kept[at] for at in order)]))
    assert_the_spike_is_found(alerts(file, "--value", "value"))
    notes = triage("detect", file, "--value", "value").stderr
    assert "10 rows repeat a time" in notes
    assert "count as gaps" in notes


def test_counts_that_leave_zeros_out_are_filled_with_them(tmp_path: Path) -> None:
    values = np.random.default_rng(2).poisson(0.7, 2000)
    values[1500:1503] = 9
    file = tmp_path / "sparse.csv"
    lines = [f"{moment(at).isoformat()},{value}" for at, value in enumerate(values) if value]
    file.write_text("\n".join(["time,value", *lines]))
    result = triage("detect", file, "--value", "value", "--json")
    assert "a missing row is taken as 0" in result.stderr
    (alert,) = [json.loads(line) for line in result.stdout.splitlines()]
    assert moment(1499) <= datetime.fromisoformat(alert["detected_at"]) <= moment(1504)


def test_events_are_counted_and_each_series_alerts_for_itself(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    lines: list[str] = []
    for name, rate in (("billing", 0.5), ("login", 0.8)):
        for minute in range(2000):
            more = 10 if name == "login" and 1500 <= minute < 1520 else 1
            seconds = minute * 60 + random.integers(0, 60, random.poisson(rate * more))
            lines.extend(f"{(START + timedelta(seconds=at)).isoformat()},{name}" for at in seconds.tolist())
    file = tmp_path / "events.csv"
    file.write_text("\n".join(["created_at,category", *lines]))
    found = alerts(file, "--series", "category")
    assert {alert["series"] for alert in found} == {"login", "all"}
    (login,) = [alert for alert in found if alert["series"] == "login"]
    delay = datetime.fromisoformat(login["detected_at"]) - (START + timedelta(minutes=1500))
    assert timedelta(0) < delay <= timedelta(minutes=3)


def test_no_more_series_are_kept_than_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    rows = [f"{moment(at).isoformat()},{name}" for at in range(50) for name in ("a", "a", "b", f"rare{at}")]
    file.write_text("\n".join(["time,series", *rows]))
    assert "49 small series are folded" in triage("detect", file, "--series", "series", "--max-series", "3").stderr


def test_scores_are_written_for_every_row(tmp_path: Path) -> None:
    file, scores = tmp_path / "counts.csv", tmp_path / "scores.csv"
    file.write_text(counted(series()))
    triage("detect", file, "--value", "value", "--scores", scores)
    head, *rows = scores.read_text().splitlines()
    assert head == "time,series,count,expected,score"
    assert len(rows) == 600
    best = max(rows, key=lambda row: float(row.rsplit(",", 1)[1]))
    assert moment(SPIKE[0]) <= datetime.fromisoformat(best.split(",")[0]) < moment(SPIKE[1])


def test_a_file_whose_ordinary_is_bursts_is_scored_by_novelty_and_others_as_the_stream_is(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    calm, bursty = (random.poisson(10, 2016 * 3) for _ in range(2))
    for at in range(100, len(bursty), 97):
        bursty[at : at + 2] += random.integers(60, 200)
    bursty[5000:5003] += 3000
    found = {}
    for name, values, method in (("calm", calm, "negative-binomial"), ("bursty", bursty, "novelty")):
        file = tmp_path / f"{name}.csv"
        file.write_text(counted([int(value) for value in values]))
        result = triage("detect", file, "--value", "value", "--json")
        assert f"; {method}, alerts" in result.stderr
        found[name] = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(found["calm"]) <= 1
    assert any(
        moment(5000) <= datetime.fromisoformat(alert["detected_at"]) <= moment(5004) for alert in found["bursty"]
    )
    assert len(found["bursty"]) < 20, "sixty bursts are its ordinary"
    asked = triage("detect", tmp_path / "bursty.csv", "--value", "value", "--score", "4.6")
    assert "; negative-binomial, alerts" in asked.stderr, "a score in decades is the stream's"


@pytest.mark.parametrize("method", ["novelty", "seasonal"])
def test_other_methods_can_be_chosen(tmp_path: Path, method: str) -> None:
    file = tmp_path / "counts.csv"
    values = series(2016 * 4, 30)
    values[7000:7006] = [400] * 6
    file.write_text(counted(values))
    found = alerts(file, "--value", "value", "--method", method)
    times = [datetime.fromisoformat(alert["detected_at"]) for alert in found]
    assert any(moment(7000) <= time <= moment(7004) for time in times)


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("", ("--value", "value"), "is empty"),
        ("\n\n", ("--value", "value"), "is empty"),
        ("timestamp,value\n", ("--value", "value"), "no row that can be used"),
        ("timestamp,value\n2026-01-01,1\n", ("--value", "count"), "has no column 'count'; it has timestamp, value"),
        ("a,b\n1,2\n", ("--value", "b"), "say --time COLUMN"),
        (
            "timestamp,value\n2026-01-01,many\n",
            ("--value", "value"),
            "line 2 has 'many' as its value, which is no number",
        ),
        ("timestamp,value\n2026-01-01,-3\n", ("--value", "value"), "a count cannot be negative"),
        ("timestamp,value\n2026-01-01,inf\n", ("--value", "value"), "no finite number"),
        ("timestamp,value\nyesterday,3\n", ("--value", "value"), "'yesterday' as its time: write ISO 8601"),
        ("timestamp,value\n,3\n", ("--value", "value"), "has no timestamp"),
        ("timestamp,value\n2026-01-01,1,5\n", ("--value", "value"), "has 3 cells where the first line names 2"),
        ("timestamp,value\n2026-01-01,1\n", ("--value", "value"), "one time only"),
        ('{"time": 1}\nnot json\n', (), "line 2 is not JSON"),
        ("timestamp,value\n2026-01-01,1\n", ("--zone", "Mars/Olympus"), "no such time zone"),
        ("timestamp,value\n2026-01-01,1\n", ("--holiday", "christmas"), "--holiday"),
        ("timestamp,value\n2026-01-01,1\n", ("--encoding", "klingon"), "there is no encoding"),
    ],
)
def test_what_cannot_be_used_is_said_with_what_to_do(
    tmp_path: Path, content: str, options: tuple[str, ...], message: str
) -> None:
    file = tmp_path / "file.csv"
    file.write_text(content)
    with pytest.raises(TriageError) as raised:
        alerts(file, *options)
    assert message in str(raised.value)
    assert isinstance(raised.value, BadFile | BadSettings)


def test_a_missing_file_and_a_broken_gzip_say_so(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="cannot be read"):
        alerts(tmp_path / "nowhere.csv")
    file = tmp_path / "counts.csv.gz"
    file.write_bytes(gzip.compress(counted(series()).encode())[:-200])
    with pytest.raises(BadFile, match="ends in the middle"):
        alerts(file, "--value", "value")


def test_rows_that_cannot_be_used_are_left_out_when_asked(tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    lines = counted(series()).splitlines()
    lines.insert(50, "2026-03-02 04:05:00,-1")
    lines.insert(60, "soon,5")
    file.write_text("\n".join(lines))
    result = triage("detect", file, "--value", "value", "--skip-bad", "--json")
    assert "2 rows could not be used; the first: line 51" in result.stderr
    assert_the_spike_is_found([json.loads(line) for line in result.stdout.splitlines()])


def test_a_file_of_minutes_says_that_it_is_too_short(tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    file.write_text(counted(series(5)))
    assert "nothing to find here" in triage("detect", file, "--value", "value").stderr


def test_a_forecast_has_hours_intervals_agents_and_a_plot(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    rates = np.tile(5 + 20 * (np.arange(24) >= 8), 42)
    file, plot = tmp_path / "hours.csv", tmp_path / "plot.svg"
    file.write_text(counted([int(value) for value in random.poisson(rates)], 60))
    result = triage("forecast", file, "--value", "value", "--hours", "48", "--json", "--plot", plot)
    (document,) = [json.loads(line) for line in result.stdout.splitlines()]
    hours = document["hours"]
    assert len(hours) == 48
    assert all(hour["low"] <= hour["expected"] <= hour["high"] for hour in hours)
    by_day = {datetime.fromisoformat(hour["begins"]).hour: hour for hour in hours}
    assert by_day[12]["expected"] == pytest.approx(25, rel=0.2)
    assert by_day[3]["expected"] == pytest.approx(5, rel=0.4)
    assert by_day[12]["agents"] > by_day[3]["agents"] > 0
    assert set(document["wape"]) == {"profile x level", "median of four weeks"}
    assert ET.fromstring(plot.read_text()).tag.endswith("svg")  # noqa: S314  our own file
    assert "tickets" in triage("forecast", file, "--value", "value").stdout


def test_a_forecast_needs_a_day_of_history(tmp_path: Path) -> None:
    file = tmp_path / "hours.csv"
    file.write_text(counted([3] * 10, 60))
    with pytest.raises(BadFile, match="at least 24 hours"):
        triage("forecast", file, "--value", "value")
