"""kubehop: the first word names the verb, and its module alone is imported.

A verb's module has `add_arguments(parser)` and `run(options, terminal) -> exit status`. So
`kubehop -h` costs no more than starting Python, and no verb pays for another.
"""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from cluster.cli.exits import INTERRUPTED, MISUSED, OK, OUTPUT_CLOSED, failure_of

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from types import ModuleType

    from cluster.cli.terminal import Terminal


class Verb(NamedTuple):
    """A word of the command line, and where it is carried out."""

    name: str
    module: str
    summary: str


VERBS = (
    Verb("up", "cluster.cli.up", "bring a cluster up; returns when it really serves"),
    Verb("status", "cluster.cli.status", "processes, nodes, Services and their real addresses"),
    Verb("curl", "cluster.cli.curl", "send a request from a place in the cluster network"),
    Verb("trace", "cluster.cli.trace", "the way of a connection, hop by hop, and why"),
    Verb("kubeconfig", "cluster.cli.kubeconfig", "print the path of the kubeconfig"),
    Verb("node", "cluster.cli.node", "stop or start a node, as a crash or a power-off"),
    Verb("down", "cluster.cli.down", "end a cluster; nothing of it is left"),
    Verb("demo", "cluster.cli.demo.verb", "a three-node cluster and ten scenarios, explained"),
)

_HEAD = """\
usage: kubehop VERB [OPTIONS]

A Kubernetes cluster network on this machine: real processes, real sockets,
every hop explained.

"""
_TAIL = """
  kubehop up --app-dir examples -f examples/shop/shop.yaml
  kubehop curl http://frontend.shop/cart --trace
  export KUBECONFIG=$(kubehop kubeconfig); kubectl get pods -A -o wide
  kubehop down

`kubehop VERB -h` says more. `--name NAME` says which cluster is meant, where it
is not `default`.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words:
        sys.stderr.write(help_text())
        return MISUSED
    if words[0] in ("-h", "--help", "help"):
        sys.stdout.write(help_text())
        return OK
    if words[0] == "--version":
        from cluster import __version__

        sys.stdout.write(f"kubehop {__version__}\n")
        return OK
    verb = next((each for each in VERBS if each.name == words[0]), None)
    if verb is None:
        from cluster.cli.terminal import Terminal

        Terminal.of_process().complain(_no_verb(words[0]))
        return MISUSED
    return _run(verb, words[1:])


def help_text() -> str:
    """What `kubehop -h` prints."""
    width = max(len(verb.name) for verb in VERBS) + 2
    return _HEAD + "".join(f"  {v.name:<{width}}{v.summary}\n" for v in VERBS) + _TAIL


def parser_of(verb: Verb, module: "ModuleType") -> "ArgumentParser":
    """The parser of one verb's options."""
    from argparse import ArgumentParser, RawDescriptionHelpFormatter

    parser = ArgumentParser(
        prog=f"kubehop {verb.name}",
        description=(module.__doc__ or "").partition("\n\nPure")[0],
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    return parser


def _run(verb: Verb, words: list[str]) -> int:
    from importlib import import_module

    from cluster.cli.terminal import Terminal

    terminal = Terminal.of_process()
    module = import_module(verb.module)
    try:
        options = parser_of(verb, module).parse_args(words)
    except SystemExit as stop:  # argparse has said why
        return int(stop.code or OK)
    return guarded(lambda: int(module.run(options, terminal)), terminal)


def guarded(work: Callable[[], int], terminal: "Terminal") -> int:
    """Run a verb; turn what people can act on into a text and a status."""
    try:
        return work()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return OUTPUT_CLOSED
    except Exception as error:
        failure = failure_of(error)
        if failure is None:
            raise
        status, text = failure
        terminal.complain(text)
        return status


def _forget_output() -> None:
    """Whoever read our output has gone: let Python's own flush at exit find no broken pipe."""
    import os

    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _no_verb(word: str) -> str:
    from difflib import get_close_matches

    names = [verb.name for verb in VERBS]
    near = get_close_matches(word, names, n=1)
    meant = f" Did you mean `kubehop {near[0]}`?" if near else ""
    return f"{word!r} is no verb of kubehop.{meant} There are {', '.join(names)}"


if __name__ == "__main__":
    raise SystemExit(main())
