"""Dataclasses whose methods are compiled when they are first called.

    from cluster.dataclass import dataclass          in place of dataclasses.dataclass

Python's own compiles up to six methods from text for each class as it is imported, which was more
than a third of all the time that imports take, and most of them are never called. Here a method is
a placeholder until its first call compiles it, from the text that Python's own would use, but that
a frozen class with slots fills its slots directly, which takes half the time. What is asked of a
class by `fields`, `replace`, `asdict` and the like is Python's own answer, made when it is asked.

Whatever is out of the ordinary (an order, a base that is a dataclass, a field that is not in
`__init__`) is left to Python's own.
Pure: classes in, classes out.
"""

import dataclasses
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, FrozenInstanceError
from typing import TYPE_CHECKING, Any

KINDS = {"frozen", "slots", "kw_only", "eq"}  # what may be asked for here
FIELDS, PARAMS = "__dataclass_fields__", "__dataclass_params__"

Make = Callable[[type], Callable[..., Any]]

_waiting: list[tuple[type, Any, Callable[[], Any]]] = []  # one a class


def late_dataclass(cls: type | None = None, /, **options: bool) -> Any:
    """`dataclasses.dataclass`, but late."""

    def decorate(decorated: type) -> type:
        shape = _Shape.of(decorated, options)
        return shape.build(decorated) if shape else _pythons(options)(decorated)

    return decorate if cls is None else decorate(cls)


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    dataclass = late_dataclass


class _Shape:
    """What a dataclass is to be."""

    def __init__(self, annotations: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
        self.annotations = annotations
        self.names = tuple(annotations)
        self.defaults = defaults
        self.options: Mapping[str, bool] = {}

    @classmethod
    def of(cls, decorated: type, options: Mapping[str, bool]) -> "_Shape | None":
        """The shape; None for what is left to Python's own."""
        own = decorated.__dict__
        annotations = {
            name: each
            for name, each in own.get("__annotations__", {}).items()
            if not _of_the_class(each)
        }
        defaults = {name: own[name] for name in annotations if name in own}
        plain = options.keys() <= KINDS and not any(hasattr(b, FIELDS) for b in decorated.__bases__)
        ordinary = all(map(_ordinary, defaults.values())) and not any(
            map(_special, annotations.values())
        )
        if not plain or not ordinary:
            return None
        shape = cls(annotations, defaults)
        shape.options = options
        return shape

    def build(self, decorated: type) -> type:
        """The class."""
        made = self._with_slots(decorated) if self.options.get("slots") else decorated
        for name, default in self.defaults.items():
            if isinstance(default, Field) and made.__dict__[name] is default:
                self._put_default(made, name, default)
        for name, method in self._methods(made).items():
            if name not in decorated.__dict__:
                setattr(made, name, method)
        if not self.options.get("kw_only"):
            made.__match_args__ = self.names  # type: ignore[attr-defined, misc]
        setattr(made, FIELDS, _Asked(self, FIELDS))
        setattr(made, PARAMS, _Asked(self, PARAMS))
        return made

    def _with_slots(self, decorated: type) -> type:
        left_out = {*self.names, "__dict__", "__weakref__"}
        members = {name: each for name, each in decorated.__dict__.items() if name not in left_out}
        made = type(decorated)(
            decorated.__name__, decorated.__bases__, {**members, "__slots__": self.names}
        )
        made.__qualname__ = decorated.__qualname__
        return made

    def _put_default(self, made: type, name: str, default: "Field[Any]") -> None:
        if default.default is MISSING:
            delattr(made, name)
        else:
            setattr(made, name, default.default)

    def _methods(self, made: type) -> dict[str, Any]:
        frozen, compared = self.options.get("frozen", False), self.options.get("eq", True)
        methods: dict[str, Any] = {"__init__": _late(made, "__init__", self._init)}
        methods["__repr__"] = self._repr()
        if compared:
            methods["__eq__"] = _late(made, "__eq__", self._eq)
            methods["__hash__"] = _late(made, "__hash__", self._hash) if frozen else None
        if frozen:
            methods |= self._guards(made)
        if frozen and self.options.get("slots"):
            methods |= {"__getstate__": _state, "__setstate__": _set_state}
        return methods

    # -- the methods

    def _init(self, made: type) -> Callable[..., Any]:
        frozen, slots = self.options.get("frozen"), self.options.get("slots")
        known: dict[str, Any] = {"_missing": MISSING, "_set": object.__setattr__}
        lines, parameters = (
            [],
            ["self", *(["*"] if self.options.get("kw_only") and self.names else [])],
        )
        for name in self.names:
            value, parameter = self._value(name, known)
            parameters.append(parameter)
            if frozen and slots:
                known[f"_set_{name}"] = made.__dict__[name].__set__
                lines.append(f"_set_{name}(self, {value})")
            else:
                lines.append(
                    f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}"
                )
        if hasattr(made, "__post_init__"):
            lines.append("self.__post_init__()")
        return _compiled("__init__", parameters, lines, known)

    def _value(self, name: str, known: dict[str, Any]) -> tuple[str, str]:
        """What a field is set to, and its parameter."""
        default = self.defaults.get(name, MISSING)
        if isinstance(default, Field):
            if default.default_factory is not MISSING:
                known[f"_make_{name}"] = default.default_factory
                value = f"_make_{name}() if {name} is _missing else {name}"
                return value, f"{name}=_missing"
            default = default.default
        if default is MISSING:
            return name, name
        known[f"_default_{name}"] = default
        return name, f"{name}=_default_{name}"

    def _eq(self, _: type) -> Callable[..., Any]:
        mine, other = self._all("self"), self._all("other")
        lines = [f"if other.__class__ is self.__class__: return {mine} == {other}"]
        return _compiled("__eq__", ["self", "other"], [*lines, "return NotImplemented"], {})

    def _hash(self, _: type) -> Callable[..., Any]:
        return _compiled("__hash__", ["self"], [f"return hash({self._all('self')})"], {})

    def _all(self, of: str) -> str:
        return "(" + "".join(f"{of}.{name}," for name in self.names) + ")"

    def _repr(self) -> Callable[[Any], str]:
        names = self.names

        def __repr__(self: Any) -> str:
            fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
            return f"{self.__class__.__qualname__}({fields})"

        return __repr__

    def _guards(self, made: Any) -> dict[str, Any]:
        names = frozenset(self.names)

        def __setattr__(self: Any, name: str, value: object) -> None:
            if type(self) is made or name in names:
                raise FrozenInstanceError(f"cannot assign to field {name!r}")
            super(made, self).__setattr__(name, value)

        def __delattr__(self: Any, name: str) -> None:
            if type(self) is made or name in names:
                raise FrozenInstanceError(f"cannot delete field {name!r}")
            super(made, self).__delattr__(name)

        return {"__setattr__": __setattr__, "__delattr__": __delattr__}


class _Asked:
    """What Python's own functions ask of a dataclass: answered by a twin that Python made."""

    def __init__(self, shape: _Shape, name: str) -> None:
        self._shape = shape
        self._name = name

    def __get__(self, _: object, owner: type) -> Any:
        answer = getattr(self._twin(), self._name)
        holder = next(each for each in owner.__mro__ if each.__dict__.get(self._name) is self)
        setattr(holder, self._name, answer)
        return answer

    def _twin(self) -> Any:
        """Of the same fields; without methods where nobody asks for those."""
        shape = self._shape
        members = {"__annotations__": dict(shape.annotations), **shape.defaults}
        bare = {"init": False, "repr": False, "eq": False}
        bare["kw_only"] = shape.options.get("kw_only", False)
        whole = {**shape.options, "slots": False}
        return _pythons(bare if self._name == FIELDS else whole)(type("twin", (), members))


def _pythons(options: Mapping[str, bool]) -> Callable[[type], Any]:
    decorate: Any = dataclasses.dataclass(**options)
    return lambda decorated: decorate(decorated)


def _late(made: type, name: str, make: Make) -> Callable[..., Any]:
    """A method that replaces itself as it is first called."""

    def compiled() -> Callable[..., Any]:
        method = make(made)
        method.__qualname__ = f"{made.__qualname__}.{name}"
        method.__module__ = made.__module__
        setattr(made, name, method)
        return method

    def first(self: Any, *arguments: Any, **named: Any) -> Any:
        return compiled()(self, *arguments, **named)

    if name == "__init__":
        _waiting.append((made, first, compiled))
    return first


def compile_one() -> bool:
    """Compile an `__init__` that has not been called yet; False when there is none.

    For a process that has time, and whose children will want them all.
    """
    while _waiting:
        made, first, compiled = _waiting.pop()
        if made.__dict__.get("__init__") is first:
            compiled()
            getattr(made, FIELDS)  # `replace` asks for them
            return True
    return False


def _compiled(
    name: str, parameters: list[str], lines: list[str], known: dict[str, Any]
) -> Callable[..., Any]:
    """A function of these lines; the names in them are those of fields."""
    body = "\n ".join(lines or ["pass"])
    exec(f"def {name}({', '.join(parameters)}):\n {body}", known)
    method: Callable[..., Any] = known[name]
    return method


def _state(self: Any) -> list[Any]:
    """For copy and pickle: a frozen object's slots cannot be set one by one."""
    return [getattr(self, name) for name in self.__slots__]


def _set_state(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__slots__, state, strict=True):
        object.__setattr__(self, name, value)


def _of_the_class(annotation: Any) -> bool:
    return annotation is typing.ClassVar or typing.get_origin(annotation) is typing.ClassVar


def _special(annotation: Any) -> bool:
    """What Python's own gives a meaning to, or what hides what it is."""
    special = isinstance(annotation, dataclasses.InitVar) or annotation is dataclasses.KW_ONLY
    return special or (isinstance(annotation, str) and "Var" in annotation)


def _ordinary(default: Any) -> bool:
    """A value that all may share, or a field that says no more than how its value is made."""
    if not isinstance(default, Field):
        return default.__class__.__hash__ is not None
    flags = (default.init, default.repr, default.compare, default.hash, default.kw_only)
    return flags == (True, True, True, None, MISSING) and not default.metadata
