"""Counts tokens as the o200k_base encoding does.

tiktoken brings the algorithm and not the vocabulary. The npm package js-tiktoken carries that inside; it is fetched
once and kept beside the virtual environment's packages. Without npm the count is an estimate, and the table says so.
"""

import base64
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

PACKAGE = "js-tiktoken@1.0.21"
MEMBER = "package/dist/ranks/o200k_base.js"
KEPT = Path(sys.prefix) / "share" / "o200k_base.json"
BYTES_A_TOKEN = 4.0
FETCH_SECONDS = 60


@dataclass(frozen=True)
class Counter:
    count: Callable[[str], int]
    exact: bool

    @property
    def said(self) -> str:
        return "o200k_base tokens" if self.exact else f"tokens ESTIMATED as UTF-8 bytes / {BYTES_A_TOKEN:g}"


ESTIMATE = Counter(lambda text: round(len(text.encode()) / BYTES_A_TOKEN), exact=False)


def counter(kept: Path = KEPT) -> Counter:
    """Exact where the vocabulary is in the file `kept` or npm brings it there, else the estimate."""
    if not kept.exists():
        try:
            _fetch(kept)
        except (OSError, subprocess.SubprocessError, tarfile.TarError, KeyError, ValueError) as exc:
            sys.stderr.write(f"No vocabulary ({type(exc).__name__} while fetching {PACKAGE} with npm).\n")
            return ESTIMATE
    encoding = _encoding(json.loads(kept.read_text(encoding="utf-8")))
    return Counter(lambda text: len(encoding.encode_ordinary(text)), exact=True)


def _fetch(kept: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [npm, "pack", "--silent", "--ignore-scripts", PACKAGE],
            cwd=folder, check=True, capture_output=True, timeout=FETCH_SECONDS,
        )  # fmt: skip
        [packed] = Path(folder).glob("*.tgz")
        with tarfile.open(packed) as archive:
            member = archive.extractfile(MEMBER)
            if member is None:
                raise KeyError(MEMBER)
            text = member.read().decode().strip().removeprefix("export default").rstrip(";\n")
    json.loads(text)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(text, encoding="utf-8")


def _encoding(vocabulary: dict[str, Any]) -> Any:
    """Each line of `bpe_ranks` is: a mark, the rank of its first token, then the tokens in base64."""
    from tiktoken import Encoding

    ranks: dict[bytes, int] = {}
    for line in cast(str, vocabulary["bpe_ranks"]).split("\n"):
        if line:
            _, first, *tokens = line.split(" ")
            ranks |= {base64.b64decode(token): int(first) + i for i, token in enumerate(tokens)}
    return Encoding(
        "o200k_base",
        pat_str=vocabulary["pat_str"],
        mergeable_ranks=ranks,
        special_tokens=vocabulary["special_tokens"],
    )
