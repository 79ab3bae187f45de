"""What `usher soak` refuses before anything is started: options that make no sense, folders that are of no use."""

import argparse
import math

from bots import open_files
from bots.behaviours import ENDLESS, MIXES, QUEUING


class Misused(Exception):
    """The options make no sense together."""


def check(options: argparse.Namespace) -> None:
    """Look at all options; paths are absolute afterwards, and what an earlier run wrote to `--json` is gone.

    Raises:
        Misused: in a sentence.
    """
    _check_together(options)
    _check_open_files(options)
    try:
        _check_paths(options)
    except OSError as problem:
        raise Misused(f"{problem.filename}: {problem.strerror}") from problem


def behaviours(options: argparse.Namespace) -> set[str]:
    """Who takes part."""
    return {options.behaviour} if options.behaviour else set(MIXES[options.mix])


def _check_together(options: argparse.Namespace) -> None:
    if options.url is not None and options.event is None:
        raise Misused("--url needs --event: the id of an event of that server")
    if options.seats is not None and options.event is not None:
        raise Misused("--seats is of a new event: it says nothing with --event")
    if options.slots is not None and (options.event is not None or not QUEUING & behaviours(options)):
        raise Misused("--slots is of a new event where bots queue, as those of --mix waiting-room do")
    if options.pace is not None and options.behaviour != "paced":
        raise Misused("--pace is for --behaviour paced")
    if options.duration is not None and not ENDLESS & behaviours(options):
        raise Misused(f"--duration says nothing with --behaviour {options.behaviour}, which ends by itself")
    if options.timeout is not None and options.timeout < (options.duration or 0):
        raise Misused("--timeout is less than --duration")
    if options.processes > options.bots:
        raise Misused("there are more --processes than --bots")


def _check_open_files(options: argparse.Namespace) -> None:
    """A process of bots opens one for each; so does a server of one's own, for all of them."""
    most = open_files.most() - open_files.RESERVED
    bots = options.bots if options.url is None else math.ceil(options.bots / options.processes)
    if bots > most:
        raise Misused(
            f"{bots:,} bots are too many for one process: it may open {open_files.most():,} files (ulimit -Hn)"
        )


def _check_paths(options: argparse.Namespace) -> None:
    if options.answers is not None:
        options.answers = options.answers.resolve()
        options.answers.mkdir(parents=True, exist_ok=True)
        if any(options.answers.glob("answers-*")):
            raise Misused(f"{options.answers} has the answers of an earlier run: take another folder")
    if options.json is not None:
        options.json = options.json.resolve()
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.open("ab").close()
        if options.json.is_file():
            options.json.unlink()
