"""What is done to a server, one case each. A case follows from its seed."""

import random
from collections.abc import Awaitable, Callable

from tests.fuzz.broken_frames import frames
from tests.fuzz.floods import floods
from tests.fuzz.handshakes import handshakes
from tests.fuzz.messages import messages
from tests.fuzz.target import Target

FAMILIES: dict[Callable[[Target, random.Random], Awaitable[None]], int] = {
    messages: 60,
    frames: 16,
    handshakes: 22,
    floods: 2,
}
"""How often each is drawn."""
