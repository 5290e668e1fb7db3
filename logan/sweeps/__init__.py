"""Sweeps: several experiments by several methods with several seeds, as one command."""
