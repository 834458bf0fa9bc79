"""How well spikes are found: on simulated tickets, on the tweets of the Numenta Anomaly Benchmark, and how fast.

    python3 dev.py bench-spikes                       everything, some twenty minutes
    python3 dev.py bench-spikes --seeds 1 --series 40 --hop 60 --no-river    a first look

Every detector gets the smallest threshold with at most the allowed false alarms on the tuning seeds; what is printed
are the other seeds. All alerts open and close by one rule: open at the threshold, close after an hour below it. One
oracle knows the true rates and differs in nothing else from ours; one knows besides how activity wanders, and follows
it with a filter. The last knows the activity of each minute, which nobody can: little of what it misses is to be found
at that rate of false alarms.
"""

from __future__ import annotations

import argparse
import gc
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nab
import numpy as np
from numpy.typing import NDArray
from oracles import TrueRates, filtered, scan
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rivals import RIVALS, river_rivals

from models import novelty
from models.alerts import AlertBook, AlertSettings
from models.counting import Counted, CountingSettings, PartitionCounter
from models.detector import Detector, DetectorSettings
from models.negative_binomial import NegativeBinomialDetector, threshold
from models.novelty import LeakyPeakDetector, NoveltySettings
from models.simulator import SIZES, Simulation, SimulatorSettings, simulate
from models.watching import SpikeWatch, WatchSettings
from models.weeks import WeekCalendar
from schemas.alerts import SpikeOpened
from schemas.counts import BucketCounts

START = datetime(2026, 3, 2, tzinfo=UTC)
TUNING_SEEDS = (101, 102)
LEAST_EXCESS = 10.0
OURS = "negative binomial (ours)"
ORACLE = "oracle: ours with the true rates"
FILTER = "oracle: activity filtered, with the true rates and how it wanders"
SCAN = "oracle: likelihood-ratio scan with the true activity"
BANDS = (600.0, 3_500.0)
"""Tickets a day between the bands of volume: thirds of 100 to 20,000 on a logarithmic scale."""
CONSTANTS = tuple(field.name for field in fields(NoveltySettings) if field.name != "threshold")
TWEETS = DetectorSettings.for_spacing(timedelta(minutes=5))
DATA = Path(__file__).parents[2].parent / "shared" / "data" / "nab"
err = Console(stderr=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one detector did on one simulation: delays in minutes, None where missed, and false alarms.

    The delays are by the size of spikes and the band of volume of their series, 0 for the smallest.
    """

    delays: dict[tuple[float, int], list[float | None]]
    false_alarms: int
    series_weeks: float


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="seeds that no threshold has seen")
    parser.add_argument("--series", type=int, default=120)
    parser.add_argument("--hop", type=int, default=10, help="seconds between our scores; rivals score every 5 min")
    parser.add_argument("--allowed", type=float, default=2.0, help="false alarms per 100 series and week")
    parser.add_argument("--no-river", action="store_true", help="leave river's detectors out")
    parser.add_argument("--no-oracle", action="store_true", help="leave out all oracles but the scan")
    parser.add_argument("--scan-only", action="store_true", help="leave out ours and the oracle like it")
    parser.add_argument("--no-rivals", action="store_true", help="leave all others out")
    parser.add_argument("--rivals-only", action="store_true", help="leave ours and all oracles out")
    parser.add_argument(
        "--river-series", type=int, default=20, help="of each seed, for river's detectors, which are slow"
    )
    parser.add_argument(
        "--tickets-per-day", type=float, nargs=2, default=(100.0, 20_000.0), metavar=("LEAST", "MOST"), help="of series"
    )
    parser.add_argument(
        "--draws", type=int, default=0, help="of novelty with other constants and fewer tweets; each takes ten seconds"
    )
    parser.add_argument("--only", choices=["simulated", "nab", "speed", "memory"])
    given = parser.parse_args()
    if given.only in (None, "speed"):
        speed()
    if given.only in (None, "memory"):
        memory()
    if given.only in (None, "nab"):
        tweets()
        if given.draws:
            tweets_otherwise(given.draws)
    if given.only in (None, "simulated"):
        simulated(given)


def simulated(given: argparse.Namespace) -> None:
    """Recall by size, delay and false alarms on simulated tickets."""
    allowed = given.allowed
    tables: dict[str, list[tuple[Simulation, NDArray[np.float32]]]] = {}
    seeds = (*TUNING_SEEDS, *range(201, 201 + given.seeds))
    hop = timedelta(seconds=given.hop)
    least, most = given.tickets_per_day
    settings = SimulatorSettings(start=START, series=given.series, hop=hop, tickets_per_day=(least, most))
    drawn = [simulate(replace(settings, seed=seed)) for seed in seeds]
    slims = [slim(simulation) for simulation in drawn]
    shipped: list[Outcome] = []
    if not (given.scan_only or given.rivals_only):
        scores, outcomes = our_scores(drawn, "ours", allowed)
        tables[OURS] = list(zip(slims, scores, strict=True))
        shipped = outcomes[len(TUNING_SEEDS) :]
    if not (given.no_oracle or given.scan_only or given.rivals_only):
        tables[ORACLE] = list(zip(slims, our_scores(drawn, "oracle", allowed, oracle=True)[0], strict=True))
    if not (given.no_oracle or given.rivals_only):
        tables[FILTER] = [(simple, filtered(simulation)) for simulation, simple in zip(drawn, slims, strict=True)]
    if not given.rivals_only:
        tables[SCAN] = [(simple, scan(simulation)) for simulation, simple in zip(drawn, slims, strict=True)]
    if not (given.no_rivals or given.scan_only):
        add_rivals(tables, drawn, slims, river=0 if given.no_river else given.river_series)
    print(
        f"{given.seeds} seeds x {given.series} series of {least:g} to {most:g} tickets a day x 28 days after 14 days "
        f"to learn; spikes with an excess of at least {LEAST_EXCESS:g} tickets; thresholds set on seeds "
        f"{TUNING_SEEDS} to {allowed:g} false alarms per 100 series and week"
    )
    table, by_volume = result_table(), volume_table()
    fixed = f"{OURS} at its stated threshold, own lifecycle, {given.hop} s"
    if shipped:
        add_row(table, fixed, threshold(100, allowed), shipped)
    for name, pairs in tables.items():
        limit = tuned(pairs[: len(TUNING_SEEDS)], allowed)
        judged = [judge(*pair, limit) for pair in pairs[len(TUNING_SEEDS) :]]
        add_row(table, name, limit, judged)
        if name in (OURS, ORACLE, FILTER, SCAN):
            add_volumes(by_volume, name, judged)
    Console(width=150).print(table, by_volume)


def add_rivals(
    tables: dict[str, list[tuple[Simulation, NDArray[np.float32]]]],
    drawn: Sequence[Simulation],
    slims: Sequence[Simulation],
    *,
    river: int,
) -> None:
    """The scores of all rivals, each minute; those of river on the first series alone, so many of each simulation."""
    for simulation, simple in track(list(zip(drawn, slims, strict=True)), "rivals", console=err, transient=True):
        steps = per_step(simulation)
        for name, rival in RIVALS.items():
            tables.setdefault(name, []).append((simple, per_minute(rival(steps))))
        if river:
            few = first_series(simulation, river)
            for name, rival in river_rivals().items():
                found = per_minute(rival(steps[:, :river]))
                tables.setdefault(f"{name} ({river} series)", []).append((few, found))


def our_scores(
    drawn: Sequence[Simulation], title: str, allowed: float, *, oracle: bool = False
) -> tuple[list[NDArray[np.float32]], list[Outcome]]:
    """The highest score of each minute, (minutes, series), and what the alerts of the shipped lifecycle do.

    All simulations run side by side, each with a series that is the sum of its own; they are of one region.
    """
    each, hops = drawn[0].counts.shape[1], drawn[0].counts.shape[0]
    hop, series, total = drawn[0].settings.hop, each * len(drawn), (each + 1) * len(drawn)
    settings, calendar = DetectorSettings(hop=hop), WeekCalendar(UTC, drawn[0].holidays)
    parents = [series + at // each for at in range(series)] + [-1] * len(drawn)
    detector = (
        TrueRates(drawn, settings, calendar) if oracle else NegativeBinomialDetector(total, settings, calendar, parents)
    )
    limit = threshold(100, allowed)
    book = AlertBook([str(at) for at in range(total)], AlertSettings(threshold=limit), settings)
    per = timedelta(minutes=1) // hop
    scores = np.zeros((hops // per, series), dtype=np.float32)
    opened: list[SpikeOpened] = []
    together = zip(*(simulation.hops() for simulation in drawn), strict=True)
    for at, rows in enumerate(track(together, title, total=hops, console=err, transient=True)):
        counts = np.concatenate([*(row[1] for row in rows), [row[1].sum() for row in rows]])
        present = np.concatenate([*(row[2] for row in rows), [row[2].any() for row in rows]])
        found = detector.observe(rows[0][0], counts, present)
        np.maximum(scores[at // per], found.score[:series], out=scores[at // per])
        opened.extend(event for event in book.advance(found) if isinstance(event, SpikeOpened))
    outcomes: list[Outcome] = []
    for place, simulation in enumerate(drawn):
        own = [(int(event.series) - place * each, minutes_in(event.detected_at)) for event in opened]
        outcomes.append(outcome_of(simulation, [(at, minute) for at, minute in own if 0 <= at < each]))
    return np.split(scores, len(drawn), axis=1), outcomes


def per_step(simulation: Simulation) -> NDArray[np.float64]:
    """Counts per 5 minutes, NaN where some of it was not seen."""
    per = timedelta(minutes=5) // simulation.settings.hop
    steps, series = simulation.counts.shape[0] // per, simulation.counts.shape[1]
    counts = simulation.counts.reshape(steps, per, series).sum(axis=1).astype(np.float64)
    counts[~simulation.present.reshape(steps, per, series).all(axis=1)] = np.nan
    return counts


def per_minute(scores: NDArray[np.float64]) -> NDArray[np.float32]:
    """The scores of steps as those of minutes: each stands at the last minute of its step and the four after it."""
    every = np.repeat(scores.astype(np.float32), 5, axis=0)
    return np.vstack([np.zeros((4, every.shape[1]), dtype=np.float32), every[:-4]])


def slim(simulation: Simulation) -> Simulation:
    """The simulation without its counts, which the judging does not need; rates are their mean."""
    return first_series(simulation, 0)


def first_series(simulation: Simulation, most: int) -> Simulation:
    """The spikes of the first series, or of all where `most` is 0; no counts."""
    nothing = np.empty((0, most or simulation.counts.shape[1]))
    return Simulation(
        counts=nothing.astype(np.uint16),
        present=nothing.astype(np.bool_),
        spikes=tuple(spike for spike in simulation.spikes if not most or spike.series < most),
        holidays=simulation.holidays,
        rates=simulation.rates.mean(axis=0, keepdims=True)[:, : nothing.shape[1]],
        active=nothing.astype(np.float32),
        spread=simulation.spread[: nothing.shape[1]],
        stay=simulation.stay[: nothing.shape[1]],
        settings=simulation.settings,
    )


def openings(scores: NDArray[np.float32], limit: float) -> list[tuple[int, float]]:
    """Series and minute of each alert: the first minute at the limit after an hour below it."""
    hot = scores >= limit
    recent = np.cumsum(np.vstack([np.zeros((61, hot.shape[1]), dtype=np.int32), hot]), axis=0)
    fresh = hot & (recent[60:-1] - recent[:-61] == 0)
    at, series = np.nonzero(fresh)
    return [(int(place), float(minute + 1)) for minute, place in zip(at, series, strict=True)]


def outcome_of(simulation: Simulation, alerts: Sequence[tuple[int, float]]) -> Outcome:
    """Which spikes the alerts found, and how many belong to none: an hour after a spike is still of it."""
    quiet = simulation.settings.quiet / timedelta(minutes=1)
    by_series: dict[int, list[float]] = {}
    for series, minute in alerts:
        by_series.setdefault(series, []).append(minute)
    bands = np.searchsorted(BANDS, simulation.rates.mean(axis=0) * 1440)
    delays: dict[tuple[float, int], list[float | None]] = {}
    explained: set[tuple[int, float]] = set()
    for spike in simulation.spikes:
        begin, end = minutes_in(spike.begin), minutes_in(spike.end)
        own = by_series.get(spike.series, [])
        explained.update((spike.series, minute) for minute in own if begin <= minute <= end + 65)
        if spike.excess >= LEAST_EXCESS:
            found = [minute - begin for minute in own if begin < minute <= end + 5]
            delays.setdefault((spike.ratio, int(bands[spike.series])), []).append(min(found, default=None))
    wrong = sum((series, minute) not in explained for series, minute in alerts if minute >= quiet)
    weeks = (simulation.settings.days * 1440 - quiet) / 10_080
    return Outcome(delays=delays, false_alarms=wrong, series_weeks=weeks * simulation.counts.shape[1])


def minutes_in(moment: datetime) -> float:
    """Minutes since the start of the simulation."""
    return (moment - START) / timedelta(minutes=1)


def judge(simulation: Simulation, scores: NDArray[np.float32], limit: float) -> Outcome:
    """The outcome of a detector's scores at a threshold."""
    return outcome_of(simulation, openings(scores, limit))


def tuned(pairs: Sequence[tuple[Simulation, NDArray[np.float32]]], allowed: float) -> float:
    """The smallest threshold, to a hundredth, with at most `allowed` false alarms per 100 series and week."""
    high = max(float(scores.max()) for _, scores in pairs) + 0.01
    low = 0.0
    for _ in range(14):
        middle = (low + high) / 2
        outcomes = [judge(*pair, middle) for pair in pairs]
        rate = 100 * sum(o.false_alarms for o in outcomes) / sum(o.series_weeks for o in outcomes)
        # Alarms merge where the threshold is so low that everything is one: only a small rate at few minutes counts.
        crowded = max(float((scores >= middle).mean()) for _, scores in pairs) > 0.2  # noqa: PLR2004
        low, high = (middle, high) if rate > allowed or crowded else (low, middle)
    return high


def result_table() -> Table:
    """The head of the table."""
    table = Table("detector", "threshold", *(f"x{size:g}" for size in SIZES), "all")
    table.add_column("delay x5 / x10, min")
    table.add_column("false alarms")
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def add_row(table: Table, name: str, limit: float, outcomes: Sequence[Outcome]) -> None:
    """A detector's recall in percent, median delays, and false alarms per 100 series and week."""
    pooled = {size: pool(outcomes, size) for size in SIZES}
    recalls = [recall(pooled[size]) for size in SIZES]
    shown = f"{middle(pooled[5.0])} / {middle(pooled[10.0])}"
    rate = 100 * sum(o.false_alarms for o in outcomes) / sum(o.series_weeks for o in outcomes)
    everything = [delay for size in SIZES for delay in pooled[size]]
    table.add_row(name, f"{limit:.2f}", *recalls, recall(everything), shown, f"{rate:.1f}")


def volume_table() -> Table:
    """The head of the table by volume."""
    low, high = (f"{band:,.0f}" for band in BANDS)
    table = Table("recall (spikes), median delay in min", "size", f"< {low} a day", f"{low} to {high}", f"> {high}")
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def add_volumes(table: Table, name: str, outcomes: Sequence[Outcome]) -> None:
    """A detector's recall in percent, the number of spikes and the median delay in each band of volume."""
    for size in (3.0, 5.0, 10.0):
        pooled = [pool(outcomes, size, band) for band in range(len(BANDS) + 1)]
        table.add_row(name, f"x{size:g}", *(f"{recall(delays)} ({len(delays)}), {middle(delays)}" for delays in pooled))


def pool(outcomes: Sequence[Outcome], size: float, band: int | None = None) -> list[float | None]:
    """The delays of all spikes of a size, in one band or in all."""
    return [
        delay
        for outcome in outcomes
        for (ratio, volume), delays in outcome.delays.items()
        if ratio == size and band in (None, volume)
        for delay in delays
    ]


def middle(delays: Sequence[float | None]) -> str:
    """The median delay of those that were found."""
    found = [delay for delay in delays if delay is not None]
    return f"{np.median(found):.1f}" if found else "-"


def recall(delays: Sequence[float | None]) -> str:
    """The share that was found, in percent."""
    return f"{100 * sum(delay is not None for delay in delays) / len(delays):.0f}" if delays else "-"


def tweets() -> None:
    """The published scoring of NAB on realTweets."""
    if not DATA.exists():
        print(f"NAB: no data at {DATA.name}; put the benchmark's realTweets and combined_windows.json there")
        return
    files = nab.read_tweets(DATA)
    table = Table("NAB realTweets", "own threshold", "score", "leave one file out", "at the shipped threshold")
    detectors: list[tuple[str, Detector, float]] = [
        ("novelty (ours)", LeakyPeakDetector(len(files), TWEETS), novelty.THRESHOLD),
        (OURS, NegativeBinomialDetector(len(files), TWEETS), threshold(1, 0.05)),
    ]
    for name, detector, shipped in detectors:
        limit, scored = judged_tweets(files, scores_of(detector, files), shipped)
        table.add_row(name, f"{limit:.2f}", *(f"{score:.1f}" for score in scored))
    Console(width=150).print(table)


def tweets_otherwise(draws: int) -> None:
    """Novelty on realTweets with other constants, one by one and all at once, and with half of the tweets."""
    if not DATA.exists():
        return
    files, random = nab.read_tweets(DATA), np.random.default_rng(1)
    table = Table("novelty on NAB realTweets", "own threshold", "leave one file out", "at the shipped threshold")
    for name in CONSTANTS:
        for factor in (0.7, 1.3):
            _, scored = judged_tweets(files, novelty_of(files, changed({name: factor})))
            table.add_row(f"{name} x {factor}", *(f"{score:.1f}" for score in scored))
    others, halves = [novelty_of(files, NoveltySettings())], list[tuple[float, float, float]]()
    for _ in range(draws):
        factors = dict(zip(CONSTANTS, np.exp(random.uniform(-0.3, 0.3, len(CONSTANTS))), strict=True))
        others.append(novelty_of(files, changed(factors)))
        thinned = [replace(file, values=random.binomial(file.values.astype(int), 0.5).astype(float)) for file in files]
        halves.append(judged_tweets(thinned, novelty_of(thinned, NoveltySettings()))[1])
    for name, scored in (
        ("all by up to 30 %", [judged_tweets(files, scores)[1] for scores in others[1:]]),
        ("half of the tweets", halves),
    ):
        mean, tenth = np.mean(scored, axis=0), np.quantile(scored, 0.1, axis=0)
        row = (f"{middle:.1f}, {low:.1f}" for middle, low in zip(mean, tenth, strict=True))
        table.add_row(f"{name}: mean and tenth percentile", *row)
    table.add_row("constants, too, chosen without the file", "", f"{nab.left_out(files, *others):.1f}", "")
    Console(width=150).print(table)


def changed(factors: dict[str, float]) -> NoveltySettings:
    """The settings with some of them times a factor; of `new`, what is above 1."""
    usual = NoveltySettings()
    other = {name: factor * getattr(usual, name) for name, factor in factors.items() if name not in ("lasting", "new")}
    if "lasting" in factors:
        other["lasting"] = round(usual.lasting * factors["lasting"])
    if "new" in factors:
        other["new"] = 1 + (usual.new - 1) * factors["new"]
    return replace(usual, **other)


def novelty_of(files: Sequence[nab.Labelled], settings: NoveltySettings) -> list[NDArray[np.float64]]:
    """Each file's novelty, row by row."""
    return scores_of(LeakyPeakDetector(len(files), TWEETS, settings), files)


def judged_tweets(
    files: Sequence[nab.Labelled], scores: Sequence[NDArray[np.float64]], shipped: float = novelty.THRESHOLD
) -> tuple[float, tuple[float, float, float]]:
    """The best threshold; and the scores at it, with one file left out, and at the threshold that is shipped."""
    limit, best = nab.best_threshold(files, scores)
    raw = sum(nab.raw_score(file, own, shipped) for file, own in zip(files, scores, strict=True))
    return limit, (best, nab.left_out(files, scores), nab.normalised(files, raw))


def scores_of(detector: Detector, files: Sequence[nab.Labelled]) -> list[NDArray[np.float64]]:
    """Each file's scores, row by row; the files are series of one detector, as all begin on the same day."""
    rows = max(len(file.values) for file in files)
    values = np.full((rows, len(files)), np.nan)
    for place, file in enumerate(files):
        values[: len(file.values), place] = file.values
    scores = np.zeros_like(values)
    first = float(files[0].times[0])
    for at in track(range(rows), "NAB", console=err, transient=True):
        found = detector.observe(first + 300 * (at + 1), np.nan_to_num(values[at]), ~np.isnan(values[at]))
        scores[at] = np.where(found.learning, 0.0, found.score)
    return [scores[: len(file.values), place] for place, file in enumerate(files)]


def speed() -> None:
    """Series-hops a second on one core, the lessons of each minute included."""
    table = Table("series", "ms a hop of 10 s", "million series-hops/s", "% of a core", "KiB a series")
    for series in (100, 1_000, 20_000, 100_000):
        detector = NegativeBinomialDetector(series)
        random = np.random.default_rng(1)
        rates = random.gamma(0.5, 1 / 30, series)
        tables = random.poisson(rates, size=(60, series)).astype(np.float32)
        hop_s = detector.settings.hop.total_seconds()
        for at in range(400):
            detector.observe(START.timestamp() + at * hop_s, tables[at % 60])
        hops = 600 if series <= 1_000 else 180  # noqa: PLR2004
        began = time.process_time()
        for at in range(400, 400 + hops):
            detector.observe(START.timestamp() + at * hop_s, tables[at % 60])
        seconds = (time.process_time() - began) / hops
        size = sum(value.nbytes for value in detector.snapshot().values()) / series / 1024
        table.add_row(
            f"{series:,}", f"{seconds * 1e3:.2f}", f"{series / seconds / 1e6:.1f}", f"{seconds * 10:.2f}", f"{size:.1f}"
        )
    Console(width=150).print(table)


def memory() -> None:
    """What 100,000 series take: counted by one worker in eight partitions, and watched."""
    table = Table("100,000 series", "MB", "KiB a series")
    names, partitions = 100_000, 8
    before = resident_kib()
    counter = PartitionCounter(CountingSettings(most_series=names))
    for place in range(names):
        series = {"all": ("tickets",), "tag": (f"a tag of some length {place}",)}
        at = START + timedelta(milliseconds=place)
        counter.count(place % partitions, [Counted(offset=place, occurred_at=at, requester="", series=series)])
    add_memory(table, "counted", resident_kib() - before, names)
    before = resident_kib()
    watch = SpikeWatch({}, 1, WatchSettings(slots=names, named_slots=names))
    for hop in range(2):
        counts = {"all=tickets": names} | {f"tag=a tag of some length {place}": 1 for place in range(names - 1)}
        bucket = START + timedelta(seconds=10 * hop)
        watch.take(hop, BucketCounts(partition=0, bucket=bucket, through=hop, counts=counts))
    watch.take(2, BucketCounts(partition=0, bucket=START + timedelta(minutes=2), through=-1, counts={}))
    assert watch.series == names  # noqa: S101  else it is not them that are measured
    watch.restore(watch.to_bytes())  # so that every array is written to, as it is after a week
    add_memory(table, "watched", resident_kib() - before, names)
    Console(width=150).print(table)


def add_memory(table: Table, name: str, kib: float, series: int) -> None:
    """One row: what so many series take."""
    table.add_row(name, f"{kib / 1024:,.0f}", f"{kib / series:.1f}")


def resident_kib() -> float:
    """The memory that this process has now, in KiB."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 1024


if __name__ == "__main__":
    main()
