"""Which flows `kubehop trace` is asked for: its options as a query of the recorders.

Pure: options in, a query out.
"""

import argparse
import re

from cluster.errors import ConfigError
from cluster.trace.query import Query
from cluster.trace.record import Outcome
from cluster.wire.addresses import Protocol
from cluster.wire.flow import FlowKind

_FILTERS = ("source", "destination", "protocol", "kind", "outcome")
EVERY_KIND = "all"
_ID = re.compile(r"[0-9a-f]{16}")
_OUTCOMES = [str(each) for each in (Outcome.DELIVERED, Outcome.REFUSED, Outcome.DROPPED)]


def add_filters(parser: argparse.ArgumentParser) -> None:
    """The options that narrow --last and --follow down."""
    group = parser.add_argument_group("which flows (for --last and --follow)")
    add = group.add_argument
    add("--source", metavar="IP[:PORT]", help="from this address, before or after translation")
    add("--destination", metavar="IP[:PORT]", help="to this address, likewise")
    add("--outcome", choices=list(_OUTCOMES), help="what became of it")
    add("--protocol", choices=[str(each) for each in Protocol])
    add(
        "--kind",
        choices=[*(str(each) for each in FlowKind), EVERY_KIND],
        default=str(FlowKind.TRAFFIC),
        help="the cluster's own DNS queries and probes are shown when asked for (default: traffic)",
    )


def query_of(options: argparse.Namespace) -> Query:
    """The query; ConfigError says which option is wrong."""
    given = {name: getattr(options, name) or "" for name in _FILTERS}
    if given["kind"] == EVERY_KIND:
        given["kind"] = ""
    try:
        return Query.parse(given)
    except ConfigError as error:
        raise ConfigError(f"--{error}") from error


def check_id(options: argparse.Namespace) -> None:
    """ConfigError when the id is none, or when filters are given that it leaves nothing to do."""
    if not _ID.fullmatch(options.id):
        raise ConfigError(f"{options.id!r} is no flow's ID: those are 16 hexadecimal digits")
    chosen = any(getattr(options, name) for name in _FILTERS if name != "kind")
    if chosen or options.kind != str(FlowKind.TRAFFIC):
        raise ConfigError("a flow's ID names it already: leave the filters out, or the ID")
