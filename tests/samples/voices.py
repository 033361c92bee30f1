"""Sample calls of the operations on voices."""

from callwright.contract.voices import ListVoices

from . import probing
from .sample import Sample, Sdk

SAMPLES = [
    Sample(
        ListVoices,
        tool="list_voices",
        sdk=[Sdk("voices.search", {"next_page_token": "n+/=", "page_size": 9, "search": "wärm & tief"})],
        calls=[probing.PAGE | {"search": "warm"}],
        phrases=["find a warm British voice"],
    ),
]
