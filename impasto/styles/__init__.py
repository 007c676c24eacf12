"""Looks as files: the .style file (package), its parts (card, graph, preview, archive), the library, and its commands."""
