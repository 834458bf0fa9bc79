"""The house itself: its layers hold, its wheel works without its source, its documents are true."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
import typer.main
from command_lines import check_arguments
from pipeline import Pipeline

import dev
from schemas.topics import topic_table
from sinks.archive import TABLES
from sinks.queries import named_queries
from streams.cli import app

ROOT = Path(__file__).parents[1]
ROOMS = ("schemas", "models", "sinks", "streams")
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "HOME": str(Path.home()), "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def copy_of_the_source(folder: Path) -> Path:
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).parent / "lint-imports"
    return run(command, "--no-cache", cwd=folder, PYTHONPATH=str(folder))


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        ("models/text.py", "import streams.settings", "The rooms"),
        ("schemas/events.py", "import models.text", "The rooms"),
        ("sinks/rows.py", "import models.text", "The rooms"),
        ("models/helpers.py", "X = 1", "models: stages do not know each other"),
        ("streams/utils.py", "X = 1", "streams: from the settings"),
        ("models/sentiment.py", "import models.prequential", "models: stages do not know each other"),
        ("models/text.py", "import time", "No I/O and no clock"),
        ("schemas/events.py", "import asyncio", "No I/O and no clock"),
        ("models/rules.py", "import river.naive_bayes", "river is touched where estimators are"),
        ("sinks/archive.py", "import clickhouse_connect", "The ClickHouse driver is touched in one place"),
        ("streams/agents/archive.py", "import streams.agents.triage", "Agents are independent"),
    ],
)
def test_a_planted_violation_of_the_layers_is_found(tmp_path: Path, file: str, line: str, broken: str) -> None:
    planted = copy_of_the_source(tmp_path) / file
    with planted.open("a") as source:
        source.write(f"\n{line}\n")
    result = lint_imports(tmp_path)
    assert result.returncode != 0
    assert re.search(rf"{re.escape(broken)}.* BROKEN", result.stdout), result.stdout + result.stderr


def test_the_layers_hold(tmp_path: Path) -> None:
    result = lint_imports(copy_of_the_source(tmp_path))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.kafka
@pytest.mark.slow
def test_the_installed_wheel_works_without_its_source(tmp_path: Path, pipeline: Pipeline) -> None:
    source = copy_of_the_source(tmp_path / "source")
    built = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "wheels", cwd=source)
    assert built.returncode == 0, built.stderr
    shutil.rmtree(source)

    home = tmp_path / "venv"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    (wheel,) = (tmp_path / "wheels").glob("triage-*.whl")
    installed = run(
        *(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel), cwd=tmp_path
    )
    assert installed.returncode == 0, installed.stderr
    # The dependencies of this environment, but not its editable install: .pth files of a folder that is itself
    # named in a .pth file are not read.
    site_packages = Path(
        run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).stdout.strip()
    )
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    where = run(python, "-c", "import streams.worker, sys; print(streams.worker.__file__)", cwd=tmp_path)
    assert where.stdout.startswith(str(home)), where.stdout + where.stderr
    triage = home / "bin" / "triage"
    environment = {**pipeline.environment(), "TRIAGE_DATA_DIR": str(tmp_path / "data"), "PATH": "/usr/bin:/bin"}
    for arguments, expected in (
        (["--help"], "worker"),
        (["topics", "--check"], "assignments.review.v1"),
        (["migrate"], "applied 0001_events"),
        (["migrate"], "up to date"),
        (["query", "--json"], "[]"),
        (["query", "--list"], "overview"),
    ):
        done = run(triage, *arguments, cwd=tmp_path, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        assert expected in done.stdout


def commands_of(document: Path) -> list[str]:
    """The command lines in the fenced shell blocks of a document, without their comments."""
    blocks = re.findall(r"```(?:sh|bash|console)\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    commands = (re.sub(r"(^|\s)#.*", "", line).strip().removeprefix("$ ") for line in lines)
    return [command for command in commands if command]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_in_the_documents_exists_with_its_options(document: Path) -> None:
    root = typer.main.get_command(app)
    for line in commands_of(document):
        words = shlex.split(line.partition(" | ")[0].partition(" > ")[0])
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if words[:2] == ["python3", "dev.py"]:
            assert words[2] in {*dev.COMMANDS, "lock"}, line
            words = (
                ["triage", words[2], *words[3:]] if words[2] == "demo" else words[2:] if words[2] == "triage" else []
            )
        if words[:1] == [".venv/bin/triage"]:
            words[0] = "triage"
        if words[:1] == ["triage"]:
            check_arguments(root, words[1:], line)


def test_every_topic_table_and_query_is_documented() -> None:
    topics = (ROOT / "docs" / "topics.md").read_text(encoding="utf-8")
    for topic in topic_table(["<team>"]):
        assert f"`{topic.name}`" in topics, topic.name
    store = (ROOT / "docs" / "store.md").read_text(encoding="utf-8")
    views = [view for query in named_queries().values() for view in query.views]
    for name in (
        *TABLES,
        *views,
        "sla_targets",
        "forecasts",
        "schema_migrations",
        "decisions_per_minute",
        "ticket_decisions_latest",
        *named_queries(),
    ):
        assert f"`{name}`" in store, name


def test_every_metric_is_documented() -> None:
    named = re.findall(
        r'name="(triage_\w+)"', "".join(path.read_text(encoding="utf-8") for path in (ROOT / "streams").rglob("*.py"))
    )
    assert "triage_quality_accuracy" in named
    metrics = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    for name in named:
        assert f"`{name}`" in metrics, name


def test_the_readme_opens_with_its_two_commands() -> None:
    commands = commands_of(ROOT / "README.md")
    assert commands[:2] == ["python3 dev.py demo", "python3 dev.py test"]
    assert "python3 dev.py test" in (ROOT / ".ci" / "run").read_text()


def test_no_file_of_the_project_names_a_machine_path() -> None:
    listed = run("git", "ls-files", "-z", cwd=ROOT)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix not in {".bin", ".png"}:
            text = path.read_text(encoding="utf-8", errors="replace")
            assert "/" + "work/" not in text, name
            assert "/" + "root/" not in text, name
