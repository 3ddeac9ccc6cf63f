"""The engine: genomes are evolved, developed into networks, trained with inherited weights, and recorded."""
