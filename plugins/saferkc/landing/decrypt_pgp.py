"""A process of its own that decrypts one OpenPGP message from its input to its output.

``pysequoia`` holds Python's lock while it works, so in the process of its reader it could not be read from.
Started by ``unlock`` as a file, so that nothing but the library is imported. The input begins with the length of
what follows, four bytes, and JSON of the key and its passphrase: nothing of them stands in arguments or the
environment. It says nothing of the message: how it ended is in its exit status.
"""

from __future__ import annotations

import json
import os
import sys

WRONG_KEY, NO_MESSAGE, DAMAGED, BAD_KEY = 10, 11, 12, 13


def _exactly(count: int) -> bytes:
    content = b""
    while len(content) < count:
        more = os.read(0, count - len(content))
        if not more:
            sys.exit(BAD_KEY)
        content += more
    return content


def main() -> int:
    """Decrypt, and return the exit status."""
    from pysequoia import Tsk, decrypt_file  # noqa: PLC0415  (only here, where nothing else is)

    secret = json.loads(_exactly(int.from_bytes(_exactly(4), "big")))
    try:
        decryptor = Tsk.from_bytes(secret["private_key"].encode()).decryptor(secret["passphrase"])
    except Exception:
        return BAD_KEY
    try:
        decrypt_file("/dev/stdin", "/dev/stdout", decryptor=decryptor)
    except Exception as error:
        words = str(error)
        if "No key to decrypt" in words or "No session key" in words:
            return WRONG_KEY
        return NO_MESSAGE if "Malformed" in words or "EOF" in words else DAMAGED
    return 0


if __name__ == "__main__":
    sys.exit(main())
