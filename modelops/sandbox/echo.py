"""The smallest worker: answers each message with its kind. For examples and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelops.sandbox.channel import Channel


def main(channel: Channel) -> None:
    """Answer until the parent goes away."""
    while True:
        frame = channel.receive()
        channel.send({"kind": "echo", "text": frame.kind}, frame.buffers)
