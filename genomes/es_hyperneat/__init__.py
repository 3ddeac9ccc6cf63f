"""Hidden neurons placed, and connected, where a CPPN's pattern has information."""

from genomes.es_hyperneat.encoding import EsHyperNeat

__all__ = ["EsHyperNeat"]
