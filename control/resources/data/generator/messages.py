"""The messages of Kubernetes' protobuf encoding, from the Go types that it is made of.

A field's number, its name in JSON, whether a zero value is left out there, and whether a struct is
inlined: all of that stands in the types' tags. A message is a list of `[number, name, kind]`, with
`"+"` in front of the name of a field that JSON omits when it is zero; name "" is inlined. Kinds:

    s b i t d        string, bytes, integer, truth, double
    =NAME            a type with a spelling of its own: quantity, int-or-string, time, micro-time,
                     raw, schema-or-bool, schema-or-list, schema-or-names
    @NAME            a message, as it is called in schema.json: core.v1.Pod
    [KIND  {KIND     a list, a map from texts
    *NAME            a list that is a message of its own, with its items in field 1
"""

import re
import subprocess
from dataclasses import field
from pathlib import Path
from typing import Any

from cluster.dataclass import dataclass

RELEASE = "v0.37.0"
API = "k8s.io/api"
MACHINERY = "k8s.io/apimachinery"
EXTENSIONS = "k8s.io/apiextensions-apiserver"
AGGREGATOR = "k8s.io/kube-aggregator"
META = f"{MACHINERY}/pkg/apis/meta/v1"
EXTENSIONS_V1 = f"{EXTENSIONS}/pkg/apis/apiextensions/v1"
SPELLED = {
    f"{MACHINERY}/pkg/api/resource.Quantity": "=quantity",
    f"{MACHINERY}/pkg/util/intstr.IntOrString": "=int-or-string",
    f"{MACHINERY}/pkg/runtime.RawExtension": "=raw",
    f"{META}.Time": "=time",
    f"{META}.MicroTime": "=micro-time",
    f"{META}.FieldsV1": "=raw",
    f"{EXTENSIONS_V1}.JSON": "=raw",
    f"{EXTENSIONS_V1}.JSONSchemaPropsOrBool": "=schema-or-bool",
    f"{EXTENSIONS_V1}.JSONSchemaPropsOrArray": "=schema-or-list",
    f"{EXTENSIONS_V1}.JSONSchemaPropsOrStringArray": "=schema-or-names",
}
BASIC = {
    "string": "s",
    "bool": "t",
    "float64": "d",
    **dict.fromkeys(("int", "int32", "int64", "uint8", "uint32", "uint64"), "i"),
}
# Groups whose clients send protobuf; the versions that have ever been read by a client of today.
PACKAGES = (
    *(f"{API}/{group}/v1" for group in ("admissionregistration", "apps", "authentication")),
    *(f"{API}/{group}/v1" for group in ("authorization", "autoscaling", "batch", "certificates")),
    *(f"{API}/{group}/v1" for group in ("coordination", "core", "discovery", "events")),
    *(f"{API}/{group}/v1" for group in ("flowcontrol", "networking", "node", "policy", "rbac")),
    *(f"{API}/{group}/v1" for group in ("resource", "scheduling", "storage", "storagemigration")),
    f"{API}/autoscaling/v2",
    f"{API}/authentication/v1beta1",
    EXTENSIONS_V1,
    f"{AGGREGATOR}/pkg/apis/apiregistration/v1",
)
OPTIONS = ("DeleteOptions", "CreateOptions", "UpdateOptions", "PatchOptions")
_STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.M | re.S)
_EMPTY = re.compile(r"^type (\w+) struct ?\{\}", re.M)
_NAMED = re.compile(r"^type (\w+) =?\s*(?!struct)([\w\[\]*.]+)\s*$", re.M)
_FIELD = re.compile(r"^\t(?:(\w+)\s+)?([\w\[\]*.]+)\s+`([^`]*)`", re.M)
_IMPORT = re.compile(r'^\t(?:(\w+) )?"([^"]+)"$', re.M)
_GROUP = re.compile(r'GroupName = "([^"]*)"')
_TAG = re.compile(r'(\w+):"([^"]*)"')


@dataclass
class _Package:
    """One Go package: its structs' bodies, its other types, who its imports are."""

    path: str
    structs: dict[str, str] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    group: str = ""


def message_table() -> dict[str, Any]:
    """`{"roots": {group/version/kind: message}, "messages": {name: fields}}`."""
    reader = _Reader()
    roots: dict[str, str] = {}
    for path in PACKAGES:
        package = reader.package(path)
        version = path.rpartition("/")[2]
        for name, body in package.structs.items():
            if "metav1.TypeMeta" in body and "protobuf" in body and not _answered(name):
                roots[f"{package.group}/{version}/{name}"] = reader.message(path, name)
    for name in OPTIONS:
        roots[f"meta/v1/{name}"] = reader.message(META, name)
    while reader.waiting:
        reader.read(*reader.waiting.pop())
    return {"roots": dict(sorted(roots.items())), "messages": dict(sorted(reader.messages.items()))}


class _Reader:
    """Reads messages as others refer to them."""

    def __init__(self) -> None:
        self.messages: dict[str, list[list[Any]]] = {}
        self.waiting: list[tuple[str, str]] = []
        self._packages: dict[str, _Package] = {}
        cache = subprocess.run(
            ["go", "env", "GOMODCACHE"], capture_output=True, text=True, check=True
        )
        self._folder = Path(cache.stdout.strip())

    def package(self, path: str) -> _Package:
        """A package's types, read once."""
        if path not in self._packages:
            self._packages[path] = self._read_package(path)
        return self._packages[path]

    def message(self, path: str, name: str) -> str:
        """The name that a struct goes by; it will be read."""
        called = _called(path, name)
        if called not in self.messages:
            self.messages[called] = []
            self.waiting.append((path, name))
        return called

    def read(self, path: str, name: str) -> None:
        """A struct's fields."""
        package = self.package(path)
        rows = self.messages[_called(path, name)]
        for _, type_, tags in _FIELD.findall(package.structs[name]):
            tag = dict(_TAG.findall(tags))
            if "protobuf" not in tag:
                continue  # TypeMeta: it is in the envelope
            json_name, *words = tag["json"].split(",")
            plain = not type_.startswith(("*", "[", "map"))
            kind = self._kind(package, type_)
            if kind.startswith("*") and "rep" in tag["protobuf"].split(","):
                kind = "[" + kind[1:]
            # JSON omits no struct; nor is anything lost where a zero stands behind a pointer
            omitted = "omitempty" in words and plain and kind[0] in "sbitd=*"
            rows.append([int(tag["protobuf"].split(",")[1]), "+" * omitted + json_name, kind])

    def _kind(self, package: _Package, type_: str) -> str:
        type_ = type_.removeprefix("*")
        if type_ == "[]byte":
            return "b"
        if type_.startswith("[]"):
            return "[" + self._kind(package, type_[2:])
        if type_.startswith("map["):
            return "{" + self._kind(package, type_.partition("]")[2])
        if type_ in BASIC:
            return BASIC[type_]
        alias, dot, name = type_.rpartition(".")
        path = package.imports[alias] if dot else package.path
        if f"{path}.{name}" in SPELLED:
            return SPELLED[f"{path}.{name}"]
        if path.endswith("/types"):
            return "s"  # UID
        other = self.package(path)
        if name in other.structs:
            return "@" + self.message(path, name)
        meant = other.named[name]
        if meant.startswith("[]"):
            return "*" + self._kind(other, meant[2:])
        return self._kind(other, meant)

    def _read_package(self, path: str) -> _Package:
        for module in (API, MACHINERY, EXTENSIONS, AGGREGATOR):
            if path == module or path.startswith(f"{module}/"):
                folder = self._folder / f"{module}@{RELEASE}" / path[len(module) + 1 :]
        if not folder.is_dir():
            raise SystemExit(f"{folder} is missing: see this package's docstring")
        made = _Package(path)
        for file in sorted(folder.glob("*.go")):
            if file.name.endswith("_test.go") or file.name.startswith(("zz_", "generated")):
                continue
            text = file.read_text()
            made.structs |= dict(_STRUCT.findall(text)) | dict.fromkeys(_EMPTY.findall(text), "")
            made.named |= dict(_NAMED.findall(text))
            for alias, imported in _IMPORT.findall(text):
                made.imports[alias or imported.rpartition("/")[2]] = imported
            group = _GROUP.search(text)
            made.group = group[1] if group else made.group
        return made


def _answered(name: str) -> bool:
    """Whether clients never send it: a list, or options that stand in a query."""
    return name.endswith(("List", "ProxyOptions", "ExecOptions", "AttachOptions", "LogOptions"))


def _called(path: str, name: str) -> str:
    """As in schema.json, but for apiextensions, whose name there is long."""
    if path == META:
        return f"meta.v1.{name}"
    *_, group, version = path.split("/")
    return f"{group}.{version}.{name}"
