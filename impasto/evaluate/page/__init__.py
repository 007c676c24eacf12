"""The page of an evaluation: one HTML file that needs no other, in English and Chinese, for light and dark screens.

Everything it shows lies in it: pictures as data, curves as drawings; a line in its head forbids it the network.
"""
