"""Signalling over the instant-message cloud: its reports come in over HTTP, texts to users go out by its API."""
