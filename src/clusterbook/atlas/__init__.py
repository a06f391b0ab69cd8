"""The atlas: an edition rendered as a self-contained site."""
