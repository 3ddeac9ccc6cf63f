"""What a campaign's record tells. Reads, runs nothing."""

from evonas.analysis.lineage import with_parents
from evonas.record import ancestors

__all__ = ["ancestors", "with_parents"]
