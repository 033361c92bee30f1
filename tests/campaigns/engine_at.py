"""The embedded platform as a process whose clock is wrong: `python -m tests.campaigns.engine_at MILLISECONDS`."""

import os
import sys

from callwright.app import App
from callwright.clock import now_ms
from callwright.http_server.serving import serve_engine
from callwright.settings import Settings

if __name__ == "__main__":
    wrong = int(sys.argv[1])
    app = App(Settings.from_env(os.environ), "embedded", clock=lambda: now_ms() + wrong)
    sys.exit(serve_engine(app, "127.0.0.1", 0, lambda said: print(said, file=sys.stderr, flush=True)))
