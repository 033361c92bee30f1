"""A process that runs tests or campaigns: it touches nothing of whoever runs it, and does not do the same work twice."""

import gc
import os

from .checked_schemas import check_each_schema_once, compile_each_schema_once
from .homes import keep_in_memory
from .shared_statements import compile_statements_once
from .shared_tls import read_certificates_once


def like_a_test_run() -> None:
    # Nothing may write into the keyring of whoever runs it.
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    # Nor open a page in their browser.
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        os.environ.pop(name, None)
    # Nor act on a real account, or read somebody's settings.
    for name in [n for n in os.environ if n.startswith(("CALLWRIGHT_", "ELEVENLABS_"))]:
        del os.environ[name]
    # With the default thresholds a seventh of the time goes into looking for garbage, with the program's a twelfth.
    gc.set_threshold(50_000, 50, 50)
    keep_in_memory()
    check_each_schema_once()
    compile_each_schema_once()
    read_certificates_once()
    compile_statements_once()
