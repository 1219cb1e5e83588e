"""A headset's own browser as a source of readings: WebXR over HTTPS and one WebSocket."""
