"""The direct encoding: any directed acyclic graph of operations."""

from genomes.dag.encoding import Dag
from genomes.dag.genome import DagGenome

__all__ = ["Dag", "DagGenome"]
