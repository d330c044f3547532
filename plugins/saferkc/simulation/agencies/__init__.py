"""What each agency sends of the simulated world: its own part, in its own format, with its own errors.

Each feed has a function that gives, for a financial year and a block of the world, every state that a record was
ever in, with the day on which the agency's system showed it first (``SEEN``). From this come the extract of any
night: all that stands (history, full extracts), or what is new on the day (changes).
"""
