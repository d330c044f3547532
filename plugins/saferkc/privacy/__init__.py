"""Privacy: identities become keyed tokens, originals are encrypted at rest, and what people read shows no value."""
