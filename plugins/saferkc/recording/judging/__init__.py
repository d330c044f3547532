"""What signals mean: each module turns one kind of signal into findings, from the most specific to the least."""
