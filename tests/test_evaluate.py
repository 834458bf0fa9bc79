"""`triage evaluate`: files as people export them, the figures, and the rivals in the same run."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score
from typer.testing import CliRunner, Result

from models.calibration import Calibrator
from models.prequential import Answer, prequential
from models.quality import Outcome, calibration_error, coverage, per_label, quality
from schemas.errors import BadFile, BadSettings
from streams.baselines import SklearnHashing
from streams.cli import app
from streams.labelled import Columns, FileLayout, LabelledFile

PAIRS = [("printer does not print", "hardware"), ("password forgotten", "access"), ("Größe der Rechnung", "billing")]
ROWS = PAIRS * 30


def jsonl(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return jsonl(tmp_path / "tickets.jsonl", [{"body": text, "queue": label} for text, label in ROWS])


def read(path: Path, text: str = "body", label: str = "queue", **options: Any) -> LabelledFile:
    return LabelledFile(path=path, columns=Columns(text=text.split(","), label=label), **options)


def pairs(found: LabelledFile) -> list[tuple[str, str]]:
    return [(row.text, row.label) for row in found.rows]


def evaluate(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def test_the_figures_come_as_json_alone_on_standard_output(file: Path) -> None:
    result = evaluate(file, "--text", "body", "--label", "queue", "--delay", "5", "--json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert (answer["rows"], answer["labels"], answer["delay"]) == (90, 3, 5)
    (ours,) = answer["results"]
    assert ours["contestant"] == "triage"
    assert ours["documents_per_second"] > 0
    assert ours["accuracy"] > 0.8
    assert ours["last_20_percent"]["accuracy"] == 1.0
    assert ours["last_20_percent"]["tickets"] == 18


def test_rivals_run_on_the_same_rows(file: Path) -> None:
    result = evaluate(file, "--text", "body", "--label", "queue", "--against", "river, sklearn", "--json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert [found["contestant"] for found in answer["results"]] == [
        "triage",
        "river TFIDF -> softmax SGD",
        "river TFIDF -> OvR LR AdaGrad",
        "scikit-learn hashing -> SGD",
    ]
    for found in answer["results"]:
        assert found["tickets"] == 90
        assert found["last_20_percent"]["accuracy"] > 0.6, found


def test_a_table_is_printed_for_people(file: Path) -> None:
    result = evaluate(file, "--text", "body", "--label", "queue", "--shuffle", "3", "--limit", "40")
    assert result.exit_code == 0
    assert "macro-F1" in result.stdout
    assert "40 rows" in result.stderr


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_of_a_csv_are_found(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "export.csv"
    lines = [delimiter.join(["Frage", "Gruppe"]), *(f'"{text}"{delimiter}{label}' for text, label in PAIRS)]
    path.write_bytes("\r\n".join(lines).encode(encoding))
    assert pairs(read(path, "Frage", "Gruppe")) == PAIRS


def test_a_gzipped_csv_with_line_breaks_and_quotes_in_its_cells(tmp_path: Path) -> None:
    path = tmp_path / "export.csv.gz"
    path.write_bytes(gzip.compress(b'id,body,queue\n1,"a, ""b""\nc",x\n2,short\n3,too,many,cells\n\n4,"d",y\n'))
    found = read(path)
    assert pairs(found) == [('a, "b"\nc', "x"), ("d", "y")]
    assert (found.skipped.without_label, found.skipped.unreadable) == (1, 1)
    assert "4 cells" in str(found.skipped)


def test_nested_columns_lists_and_numbers_are_read(tmp_path: Path) -> None:
    rows = [
        {"ticket": {"subject": "a", "parts": ["b", "c"]}, "fields": {"code": 7}},
        {"ticket": {"subject": "d"}, "fields": {"code": None}},
        {"ticket": None, "fields": {"code": 8}},
    ]
    found = read(jsonl(tmp_path / "x.jsonl", rows), "ticket.subject,ticket.parts", "fields.code")
    assert pairs(found) == [("a\nb c", "7")]
    assert (found.skipped.without_label, found.skipped.without_text) == (1, 1)


def test_a_json_array_and_one_object_a_line_are_both_json(tmp_path: Path) -> None:
    rows = [{"body": text, "queue": label} for text, label in PAIRS]
    array = tmp_path / "array.json"
    array.write_text(json.dumps(rows), encoding="utf-8")
    wrapped = tmp_path / "wrapped.json"
    wrapped.write_text(json.dumps({"count": 3, "tickets": rows}), encoding="utf-8")
    assert pairs(read(array)) == pairs(read(wrapped)) == pairs(read(jsonl(tmp_path / "lines.json", rows))) == PAIRS


def test_lines_that_are_no_json_are_skipped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"body": "a", "queue": "x"}\n{"body": "b", \n[1]\n\n{"body": " ", "queue": "x"}\n', encoding="utf-8"
    )
    found = read(path)
    assert pairs(found) == [("a", "x")]
    assert (found.skipped.unreadable, found.skipped.without_text) == (2, 1)
    assert "line 2" in str(found.skipped)


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", BadFile, "is empty"),
        (b"\xef\xbb\xbf \n", BadFile, "is empty"),
        (b"not json\n", BadFile, "line 1: no JSON"),
        (b'{"body": "a", "team": "x"}\n', BadSettings, "no column 'queue'; it has body, team"),
        (b'{"body": "", "queue": ""}\n', BadFile, "1 without label"),
        (b"\x1f\x8bbroken", BadFile, "damaged gzip"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(
    tmp_path: Path, content: bytes, error: type[Exception], message: str
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    with pytest.raises(error, match=message):
        read(path)


def test_wrong_files_and_options_say_what_to_do_next(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "x.jsonl", [{"body": "ü", "queue": "y"}])
    path.write_text('{"body": "ü", "queue": "y"}\n', encoding="utf-8")
    with pytest.raises(BadFile, match="No such file"):
        read(tmp_path / "absent.jsonl")
    with pytest.raises(BadFile, match="cannot be read"):
        read(tmp_path, layout=FileLayout.CSV)
    with pytest.raises(BadSettings, match="--format"):
        read(tmp_path / "x.xlsx")
    with pytest.raises(BadFile, match="try --encoding"):
        read(path, encoding="ascii")
    with pytest.raises(BadSettings, match="'klingon' is no encoding"):
        read(path, encoding="klingon")
    result = evaluate(path, "--text", "body", "--label", "queue", "--against", "magic")
    assert isinstance(result.exception, BadSettings)


class Memorizer:
    """Answers with what it learned last, and writes down what happens."""

    def __init__(self) -> None:
        self.last: str | None = None
        self.happened: list[str] = []

    def answer(self, text: str) -> Answer:
        self.happened.append(f"answer {text}")
        return Answer(self.last, 0.5, f"memory of {text}")

    def learn(self, text: str, label: Any, memory: Any) -> None:
        assert memory == f"memory of {text}"
        self.happened.append(f"learn {text}")
        self.last = label


def test_a_row_is_answered_first_and_learned_so_many_rows_later() -> None:
    watched = Memorizer()
    rows = [("1", "a"), ("2", "b"), ("3", "c"), ("4", "d")]
    outcomes = list(prequential(rows, watched, delay=2, passes=2))
    assert watched.happened == [
        *("answer 1", "answer 2", "answer 3", "learn 1", "learn 1", "answer 4", "learn 2", "learn 2")
    ]
    assert [outcome.said for outcome in outcomes] == [None, None, None, "a"]


def test_without_delay_the_next_row_profits() -> None:
    outcomes = list(prequential([("1", "a"), ("2", "a")], Memorizer()))
    assert [outcome.said for outcome in outcomes] == [None, "a"]


def outcomes_of(truth: str, said: str, sure: Sequence[float]) -> list[Outcome]:
    return [Outcome(*row) for row in zip(truth, said, sure, strict=True)]


def test_the_figures_agree_with_scikit_learn() -> None:
    random = np.random.default_rng(1)
    truth, said = random.choice(list("abc"), 200), random.choice(list("abcd"), 200)
    figures = quality(outcomes_of("".join(truth), "".join(said), [0.5] * 200))
    assert figures.accuracy == pytest.approx(accuracy_score(truth, said))
    assert figures.macro_f1 == pytest.approx(f1_score(truth, said, average="macro", labels=list("abc")))


def test_precision_and_recall_per_label() -> None:
    first, second, third = per_label(outcomes_of("aaab", "aabc", [1] * 4))
    assert (first.label, first.tickets, first.precision, first.recall) == ("a", 3, 1.0, pytest.approx(2 / 3))
    assert (second.label, second.precision, second.recall, second.f1) == ("b", 0.0, 0.0, 0.0)
    assert (third.label, third.tickets, third.said) == ("c", 0, 1)


def test_calibration_error_is_the_gap_between_said_and_done() -> None:
    right = np.array([True, False, True, True])
    assert calibration_error(right, np.array([0.9, 0.9, 0.7, 0.7])) == pytest.approx(0.5 * 0.4 + 0.5 * 0.3)


def test_coverage_cuts_at_one_probability_only() -> None:
    right = np.array([True, True, False, True])
    assert coverage(right, np.array([0.9, 0.8, 0.7, 0.6]), precision=0.9) == 0.5
    # Two tickets are equally sure and one of them is wrong: neither can be taken without the other.
    assert coverage(right, np.array([0.9, 0.8, 0.8, 0.6]), precision=0.9) == 0.25
    assert coverage(right, np.array([0.9, 0.8, 0.7, 0.6]), precision=0.75) == 1.0
    assert coverage(~right, np.array([0.9, 0.8, 0.7, 0.6]), precision=0.95) == 0.0


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("ab"), st.floats(0, 1)), max_size=30))
def test_every_figure_is_a_share(rows: list[tuple[str, str, float]]) -> None:
    figures = quality([Outcome(*row) for row in rows])
    assert figures.tickets == len(rows)
    for share in (figures.accuracy, figures.macro_f1, figures.ece, figures.coverage_90, figures.coverage_95):
        assert 0 <= share <= 1
    assert figures.coverage_95 <= figures.coverage_90


@pytest.mark.parametrize("factor", [0.4, 3.0])
def test_calibration_finds_the_scale_of_scores_that_are_too_sure_or_not_sure_enough(factor: float) -> None:
    random = np.random.default_rng(5)
    calibrator = Calibrator()
    for _ in range(4_000):
        truth = random.normal(0, 1.5, 4)
        column = random.choice(4, p=np.exp(truth) / np.exp(truth).sum())
        calibrator.learn(truth * factor, int(column))
    assert calibrator.scale == pytest.approx(1 / factor, rel=0.25)


def test_calibration_follows_labels_that_become_frequent() -> None:
    random = np.random.default_rng(5)
    calibrator, scores = Calibrator(), np.zeros(2)
    for _ in range(6_000):
        calibrator.learn(scores, int(random.random() < 0.9))
    assert calibrator.probabilities(scores)[1] == pytest.approx(0.9, abs=0.05)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.lists(st.floats(-9, 9), min_size=3, max_size=3), st.integers(0, 4)), max_size=30))
def test_both_kernels_calibrate_the_same(rows: list[tuple[list[float], int]]) -> None:
    compiled, plain = Calibrator(compiled=True), Calibrator(compiled=False)
    for scores, column in rows:
        given = np.array(scores)
        np.testing.assert_allclose(compiled.probabilities(given), plain.probabilities(given), rtol=1e-9)
        compiled.learn(given, column)
        plain.learn(given, column)
    assert compiled.scale == pytest.approx(plain.scale)


def test_calibration_keeps_what_it_knows_when_a_label_is_new() -> None:
    calibrator = Calibrator()
    calibrator.learn(np.array([1.0, 0.0]), 1)
    before = calibrator.probabilities(np.array([1.0, 0.0]))
    calibrator.learn(np.array([1.0, 0.0]), 2)
    after = calibrator.probabilities(np.array([1.0, 0.0, -1.0]))
    assert after.shape == (3,)
    assert after[0] / after[1] == pytest.approx(before[0] / before[1])


def test_scikit_learn_keeps_its_weights_when_a_label_is_new() -> None:
    rival = SklearnHashing()
    for text, label in PAIRS[:2] * 160 + PAIRS * 96:
        rival.learn(text, label, None)
    assert [rival.answer(text).label for text, _ in PAIRS] == [label for _, label in PAIRS]
