"""A headset's own browser as a source of readings: WebXR over HTTPS and one WebSocket."""

PORT = 8443
"""Where the page is: the same every time, because a browser remembers its consent by address and port."""
