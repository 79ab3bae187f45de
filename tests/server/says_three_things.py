"""A process that sets up its log as the server does, and says something at three levels."""

import logging
import os

from server.telemetry import logs

logs.set_up(os.environ)
log = logging.getLogger("three")
log.info("a")
log.warning("b")
log.error("c")
