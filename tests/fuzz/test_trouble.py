"""The fuzzer sees trouble in the log of a server process, in either form: the negative control of its reading."""

import logging
from pathlib import Path

import pytest

from server.telemetry.logs import FORMATS, log_handler
from tests.fuzz.socket_fuzz import trouble_in


@pytest.mark.parametrize("form", FORMATS)
def test_trouble_is_seen(tmp_path: Path, form: str) -> None:
    path = tmp_path / "log"
    log = logging.Logger("a server")
    with path.open("w") as stream:
        log.addHandler(log_handler(stream, form))
        trouble = trouble_in(path)
        log.warning("somebody sent rubbish")
        assert trouble() == []
        log.error("a part of the server died")
        assert len(trouble()) == 1
        assert trouble() == []
        try:
            raise RuntimeError("a fault of ours")
        except RuntimeError:
            log.warning("went on", exc_info=True)
        assert trouble()
