"""impasto: learn a look, paint a shot."""

__version__ = "0.1.0.dev0"
