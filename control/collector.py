"""How often Python's collector looks for garbage among the cluster's objects.

Documents hold no cycles, and there are millions of their parts: reference counts free them, and to
walk through them again and again is half of what a write costs. The collector looks less often,
and at what stands when the cluster does not at all.
"""

import gc

YOUNG, MIDDLE, OLD = 20_000, 20, 50  # upon so many new objects; each so many times more seldom


def look_seldom() -> None:
    """Before there are objects."""
    gc.set_threshold(YOUNG, MIDDLE, OLD)


def leave_alone() -> None:
    """All that is there now."""
    gc.freeze()
