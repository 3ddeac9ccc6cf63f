"""Weights painted on a substrate by a CPPN."""
