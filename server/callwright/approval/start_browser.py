"""A little program that opens an address in the person's browser: `python -I start_browser.py URL`.

It runs in a process of its own, because a browser may write to standard output, which is the protocol of a server on
stdio, and may stay in the foreground. It exits with 0 where a browser was started. Only the standard library is there.
"""

import os
import sys
import threading
import webbrowser

FOREGROUND_SECONDS = 3.0
"""A browser that runs this long has started. It goes on when this program has ended."""
OURS = ("CALLWRIGHT_", "ELEVENLABS_")


def main(url: str) -> bool:
    for name in [*os.environ]:
        # Without a terminal's name no browser for terminals is tried; and a browser needs no keys of the server.
        if name == "TERM" or name.startswith(OURS):
            del os.environ[name]
    opened: list[bool] = []
    opening = threading.Thread(target=lambda: opened.append(webbrowser.open(url)), daemon=True)
    opening.start()
    opening.join(FOREGROUND_SECONDS)
    return opening.is_alive() or opened == [True]


if __name__ == "__main__":
    os._exit(0 if main(sys.argv[1]) else 1)  # without waiting for a browser in the foreground
