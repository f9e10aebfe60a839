"""The part of llamatelemetry's client that notebook 14 uses, over plain HTTP."""

import json
import urllib.error
import urllib.request
from types import SimpleNamespace


class ServerError(OSError):
    """The server refused; the text is its own message."""


class LlamaCppClient:
    """`client.chat.completions.create(messages=...)` on an OpenAI-compatible server."""

    def __init__(self, base_url, timeout_seconds=300):
        self._url = f"{base_url.rstrip('/')}/v1/chat/completions"
        self._timeout_seconds = timeout_seconds
        self.chat = SimpleNamespace(completions=SimpleNamespace(create=self._create))

    def _create(self, messages, **parameters):
        body = json.dumps({"messages": messages, **parameters}).encode()
        request = urllib.request.Request(self._url, body, {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_seconds) as response:
                return json.load(response, object_hook=lambda fields: SimpleNamespace(**fields))
        except urllib.error.HTTPError as error:
            raise ServerError(_message(error)) from error


def _message(error):
    text = error.read().decode(errors="replace")
    try:
        return f"{error.code}: {json.loads(text)['error']['message']}"
    except (ValueError, KeyError, TypeError):
        return f"{error.code}: {text[:300]}"
