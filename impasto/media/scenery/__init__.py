"""What the procedural plate is made of: light, sky, land, trees, houses, water, and one who walks through it.

Everything is made once for a seed, as painted cards at known depths; a frame then only places the cards, so what moves where is
known exactly. Lengths on cards are units: 720 of them make the frame's height, whatever its pixels. x runs right and y down from
the point where the middle column meets the horizon.
"""
