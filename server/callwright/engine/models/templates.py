"""Templates of common endpoints by name: their base URLs, and the parameters that they are known to refuse."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Template:
    base_url: str
    """`{account}` stands for the route's `account`."""
    refuses: frozenset[str] = frozenset()


_NO_JSON_MODE = frozenset({"response_format"})

TEMPLATES = {
    "cloudflare": Template("https://api.cloudflare.com/client/v4/accounts/{account}/ai/v1"),
    "groq": Template("https://api.groq.com/openai/v1", _NO_JSON_MODE),  # it has a JSON mode, but not with streaming
    "sambanova": Template("https://api.sambanova.ai/v1"),
    "together": Template("https://api.together.xyz/v1"),
    "ollama": Template("http://127.0.0.1:11434/v1"),
    "vllm": Template("http://127.0.0.1:8000/v1"),
    "llama.cpp": Template("http://127.0.0.1:8080/v1"),
    "lmstudio": Template("http://127.0.0.1:1234/v1", _NO_JSON_MODE),  # it accepts only a JSON schema
}
