"""Dataclasses compiled late are what Python's own would be."""

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field, fields, is_dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar

import pytest

from cluster.dataclass import compile_one, late_dataclass

T = TypeVar("T")
Decorate = Callable[..., Any]
BOTH = pytest.mark.parametrize("decorate", [late_dataclass, dataclasses.dataclass])


@late_dataclass(frozen=True, slots=True)
class Point(Generic[T]):
    """At the module's level, so that it can be pickled."""

    x: T
    y: int = 0
    seen: list[int] = field(default_factory=list)


def made(decorate: Decorate, **options: bool) -> Any:
    class Thing:
        """A thing."""

        KINDS: ClassVar[tuple[str, ...]] = ("a", "b")
        name: str
        size: int = 3
        parts: dict[str, int] = field(default_factory=dict)
        note: str = field(default="none")

        @property
        def twice(self) -> int:
            return self.size * 2

    return decorate(**options)(Thing)


OPTIONS = [
    {},
    {"slots": True},
    {"frozen": True},
    {"frozen": True, "slots": True},
    {"frozen": True, "slots": True, "kw_only": True},
    {"slots": True, "eq": False},
]


@BOTH
@pytest.mark.parametrize("options", OPTIONS)
def test_it_is_made_shown_and_compared(decorate: Decorate, options: dict[str, bool]) -> None:
    thing = made(decorate, **options)
    one, same = thing(name="a", size=4), thing(name="a", size=4)
    assert (one.name, one.size, one.parts, one.note, one.twice) == ("a", 4, {}, "none", 8)
    assert one.parts is not same.parts
    assert repr(one).endswith("Thing(name='a', size=4, parts={}, note='none')")
    assert (one == same) is options.get("eq", True) and one != "a"
    assert one != thing(name="b", size=4)
    assert thing.KINDS == ("a", "b") and thing.__doc__ == "A thing."
    assert hasattr(one, "__dict__") is not options.get("slots", False)


@BOTH
def test_arguments_are_as_they_are_declared(decorate: Decorate) -> None:
    thing = made(decorate, slots=True)
    assert thing("a", 5, {"p": 1}, "n").parts == {"p": 1}
    for arguments, named in (((), {}), (("a", 1, {}, "n", 2), {}), (("a",), {"other": 1})):
        with pytest.raises(TypeError):
            thing(*arguments, **named)
    named_only = made(decorate, kw_only=True)
    with pytest.raises(TypeError):
        named_only("a")
    assert named_only(name="a").size == 3
    assert thing.__match_args__ == ("name", "size", "parts", "note")


@BOTH
def test_frozen_ones_stay_as_they_are_and_can_be_keys(decorate: Decorate) -> None:
    class Pair:
        left: int
        right: int = 2

    pair = decorate(frozen=True, slots=True)(Pair)
    one = pair(1)
    assert {one: "a"}[pair(1, 2)] == "a" and len({one, pair(1), pair(3)}) == 2
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'left'"):
        one.left = 5
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'right'"):
        del one.right
    with pytest.raises((FrozenInstanceError, TypeError)):  # the second is Python 3.11's own
        one.other = 1


@BOTH
def test_changing_ones_are_no_keys(decorate: Decorate) -> None:
    one = made(decorate)(name="a")
    one.size = 9
    assert one.size == 9
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)
    assert hash(made(decorate, eq=False)(name="a"))


@BOTH
@pytest.mark.parametrize("options", OPTIONS)
def test_pythons_own_functions_know_it(decorate: Decorate, options: dict[str, bool]) -> None:
    thing = made(decorate, **options)
    one = thing(name="a")
    assert is_dataclass(thing) and is_dataclass(one)
    assert [each.name for each in fields(thing)] == ["name", "size", "parts", "note"]
    assert fields(thing)[1].default == 3 and fields(one)[2].default_factory is dict
    changed = replace(one, size=7)
    assert type(changed) is thing and (changed.name, changed.size) == ("a", 7)
    expected = {"name": "a", "size": 3, "parts": {}, "note": "none"}
    assert dataclasses.asdict(one) == expected


@BOTH
def test_what_it_defines_itself_stays(decorate: Decorate) -> None:
    class Own:
        x: int

        def __post_init__(self) -> None:
            object.__setattr__(self, "x", self.x + 1)

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

        def __repr__(self) -> str:
            return "own"

    own = decorate(frozen=True, slots=True)(Own)
    assert own(1).x == 2 and own(1) == own(5) and hash(own(1)) == 7 and repr(own(1)) == "own"


def test_it_is_copied_and_pickled() -> None:
    point = Point("a", 2, [3])
    for other in (copy.copy(point), copy.deepcopy(point), pickle.loads(pickle.dumps(point))):
        assert other == point and other is not point
    assert Point[int](1).seen == []


def test_it_is_compiled_once_and_only_when_it_is_used() -> None:
    late = made(late_dataclass, frozen=True, slots=True)
    before = {name: late.__dict__[name] for name in ("__init__", "__eq__", "__hash__")}
    late("a")
    late("b")
    assert late.__init__ is not before["__init__"] and late.__eq__ is before["__eq__"]
    assert late.__init__.__qualname__.endswith("Thing.__init__")
    compiled = late.__init__
    late("c")
    assert late.__init__ is compiled


def test_who_has_time_compiles_what_was_not_called_yet() -> None:
    while compile_one():
        pass
    used, unused = made(late_dataclass, slots=True), made(late_dataclass, slots=True)
    used("a")
    compiled, placeholder = used.__init__, unused.__init__
    assert compile_one() and not compile_one()
    assert used.__init__ is compiled and unused.__init__ is not placeholder
    assert unused("a", 2).size == 2


@BOTH
def test_subclasses_are_what_they_say(decorate: Decorate) -> None:
    base = made(decorate, frozen=True)
    inherited = decorate(frozen=True)(
        type("More", (base,), {"__annotations__": {"more": int}, "more": 1})
    )
    one = inherited("a", more=5)
    assert (one.name, one.size, one.more) == ("a", 3, 5)
    assert [each.name for each in fields(inherited)][-1] == "more"
    plain = type("Plain", (base,), {})("a")
    plain.extra = 1  # not one of the fields, and not the frozen class itself
    assert plain.extra == 1
    with pytest.raises(FrozenInstanceError):
        plain.size = 1


@BOTH
def test_the_unusual_works_too(decorate: Decorate) -> None:
    ordered = decorate(order=True)(type("O", (), {"__annotations__": {"x": int}}))
    assert ordered(1) < ordered(2)

    class Counter:
        name: str
        count: int = field(default=0, init=False)

    assert decorate(slots=True)(Counter)("a").count == 0
    bare = decorate(type("Bare", (), {"__annotations__": {"x": int}}))
    assert bare(1).x == 1
    empty = decorate(frozen=True, slots=True)(type("Empty", (), {}))
    assert empty() == empty() and repr(empty()) == "Empty()"


@BOTH
def test_a_default_that_all_would_share_and_change_is_refused(decorate: Decorate) -> None:
    shared: dict[str, Any] = {"__annotations__": {"x": list}, "x": []}
    with pytest.raises(ValueError, match="mutable default"):
        decorate(slots=True)(type("Shared", (), shared))
