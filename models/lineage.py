"""Which models were live at which place of the log. Pure: a function of the activations that the log holds."""

from __future__ import annotations

from bisect import bisect_left, insort

from schemas.model_log import FROM_THE_BEGINNING, ModelsActivated


class Lineage:
    """Activations, noted in any order and as often as they come; of several first sets the first noted stands."""

    def __init__(self) -> None:
        self.first: str | None = None
        """The version of the set that decides before any activation."""
        self._since: dict[int, list[tuple[int, str]]] = {}

    def note(self, activation: ModelsActivated) -> None:
        """Know `activation`; one offset activates one version, so that noting it again changes nothing."""
        if activation.partition == FROM_THE_BEGINNING:
            self.first = self.first or activation.version
            return
        known = self._since.setdefault(activation.partition, [])
        entry = (activation.offset, activation.version)
        if entry not in known:
            insort(known, entry)

    def at(self, partition: int, offset: int) -> str | None:
        """The version that decides on the event at `offset`: of the newest activation before it."""
        known = self._since.get(partition)
        if not known:
            return self.first
        index = bisect_left(known, (offset, ""))
        return known[index - 1][1] if index else self.first

    def live(self, partition: int) -> str | None:
        """The version that decides on what comes next in `partition`."""
        known = self._since.get(partition)
        return known[-1][1] if known else self.first

    def is_to_come(self, version: str, partition: int, offset: int) -> bool:
        """Whether `version`, which was told to take over, does so in `partition` at or after `offset`."""
        known = [at for at, other in self._since.get(partition, ()) if other == version]
        return known[-1] >= offset if known else version != self.first

    def newest(self, partition: int) -> tuple[int, str | None] | None:
        """Where the set that is live in `partition` took over, and the version before it; None where none was."""
        known: list[tuple[int, str | None]] = [(FROM_THE_BEGINNING, self.first), *self._since.get(partition, ())]
        while len(known) > 1:
            offset, version = known.pop()
            if version != known[-1][1]:  # told once more, it takes over from itself
                return offset, known[-1][1]
        return None

    def activations(self, partition: int) -> tuple[tuple[int, str], ...]:
        """Offset and version of each activation in `partition`, in their order."""
        return tuple(self._since.get(partition, ()))
