"""The simulated world: what really happened, from which every agency sees its part.

Nothing here is real. The world is the same from the same seed, whatever range of it is asked for, and its 2016/17
has the counts and shares of the Community Safety Plan 2017-2019 (see ``calibration``).
"""
