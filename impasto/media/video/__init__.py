"""Movies in and out, through the ffmpeg that comes with PyAV.

files.py reads and writes them, container.py opens them safely and knows when each frame is shown, decode.py finds a frame, yuv.py
is the exact way between their planes and RGB, codecs.py chooses encoders; join.py puts pieces together without encoding them
again, sound.py and recode.py bring along what goes with a picture.
"""
from __future__ import annotations

from impasto.media.video.files import SegmentWriter, VideoReader, VideoWriter, open_reader, open_writer

__all__ = ["SegmentWriter", "VideoReader", "VideoWriter", "open_reader", "open_writer"]
