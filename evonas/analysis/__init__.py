"""What a campaign's record tells. Reads, runs nothing."""

from evonas.analysis.lineage import ancestors, with_parents

__all__ = ["ancestors", "with_parents"]
