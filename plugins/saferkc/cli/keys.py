"""``saferkc keys``: which keys there are, and making new ones. No key is ever shown."""

from __future__ import annotations

from saferkc.cli.console import say
from saferkc.privacy.keys import KeyRing, KeyRingError, LandingKeys
from saferkc.settings import Settings

LANDING = LandingKeys.PURPOSE


def list_keys(settings: Settings) -> int:
    """Say which keys there are; return 1 where one that was in use is gone."""
    ring, landing = KeyRing(settings), LandingKeys(settings)
    for purpose, (current, count) in ring.listed().items():
        say(f"{purpose}: {current} is current" + (f", {count - 1} older kept" if count > 1 else ""))
    public = landing.public()
    if public:
        say(f"{LANDING}: {public[-1]} is current" + (f", {len(public) - 1} older kept" if len(public) > 1 else ""))
    say(f"They lie in {settings.keys}. Keep a backup of that folder apart from that of the database.")
    missing = ring.missing()
    if missing:
        say(f"Gone: {', '.join(missing)}. Bring {ring.path} back from its backup.")
    return 1 if missing else 0


def rotate_key(settings: Settings, purpose: str) -> None:
    """Make a new current key for a purpose of tokens, or for landed originals; the old one is kept."""
    if purpose == LANDING:
        say(f"New originals are locked for {LandingKeys(settings).rotate()}; the older ones stay readable.")
    elif purpose in KeyRing(settings).listed():
        say(f"{KeyRing(settings).rotate(purpose)} is the current key of {purpose} from now on; older ones are kept.")
        say("Tokens of two keys can't be compared: docs/privacy.md says how to make the history's tokens anew.")
    else:
        raise KeyRingError(f"there are no keys of {purpose}: `saferkc keys list` says which there are")
    say(f"Back up {settings.keys} now.")
