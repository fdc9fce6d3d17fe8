"""Names and numbers of signals.

Pure: text in, numbers out.
"""

from node_agent.workloads.tools.options import UsageError

NUMBERS = {
    "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "BUS": 7, "FPE": 8, "KILL": 9,
    "USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15, "STKFLT": 16,
    "CHLD": 17, "CONT": 18, "STOP": 19, "TSTP": 20, "TTIN": 21, "TTOU": 22, "URG": 23,
    "XCPU": 24, "XFSZ": 25, "VTALRM": 26, "PROF": 27, "WINCH": 28, "IO": 29, "PWR": 30, "SYS": 31,
}  # fmt: skip
NUMBER_MAX = 64


def number_of(text: str) -> int:
    """`TERM`, `SIGTERM`, `15`."""
    if text.isdecimal() and int(text) <= NUMBER_MAX:
        return int(text)
    name = text.upper().removeprefix("SIG")
    if name not in NUMBERS:
        raise UsageError(f"{text}: invalid signal specification")
    return NUMBERS[name]


def name_of(number: int) -> str:
    """The name of a signal; its number where it has none."""
    return next((name for name, each in NUMBERS.items() if each == number), str(number))
