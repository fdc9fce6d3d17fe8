"""Names and words of a limited alphabet: DNS labels and subdomains, label keys and values.

Pure: text in, faults in words out. What is too long is not looked at further.
Source: k8s.io/apimachinery/pkg/util/validation.
"""

import re

LABEL_MAX, SUBDOMAIN_MAX = 63, 253
CRON_JOB_MAX = 52

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(rf"{_LABEL.pattern}(\.{_LABEL.pattern})*")
_WILDCARD = re.compile(rf"\*\.{_SUBDOMAIN.pattern}")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_ENV_NAME = re.compile(r"[ -<>-~]+")
_HEADER_NAME = re.compile(r"[-A-Za-z0-9]+")
_PORT_NAME = re.compile(r"[-a-z0-9]+")


def label_faults(value: str) -> list[str]:
    """A DNS label as RFC 1123 has it; Services' names too, from 1.37 on."""
    faults = _length(value, LABEL_MAX)
    if not faults and not _LABEL.fullmatch(value):
        faults.append(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
            "and must start and end with an alphanumeric character "
            + _example(_LABEL, "my-name", "123-abc")
        )
    return faults


def subdomain_faults(value: str) -> list[str]:
    """A DNS subdomain: most kinds' names."""
    faults = _length(value, SUBDOMAIN_MAX)
    if not faults and not _SUBDOMAIN.fullmatch(value):
        faults.append(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
            "'-' or '.', and must start and end with an alphanumeric character "
            + _example(_SUBDOMAIN, "example.com")
        )
    return faults


def cron_job_faults(value: str) -> list[str]:
    """A CronJob's name leaves room for what its Jobs' names add."""
    if len(value) > CRON_JOB_MAX:
        return [f"must be no more than {CRON_JOB_MAX} characters"]
    return subdomain_faults(value)


def wildcard_faults(value: str) -> list[str]:
    """A subdomain under `*.`."""
    faults = _length(value, SUBDOMAIN_MAX)
    if not faults and not _WILDCARD.fullmatch(value):
        faults.append(
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain,"
            " which must consist of lower case alphanumeric characters, '-' or '.' and end with an "
            "alphanumeric character " + _example(_WILDCARD, "*.example.com")
        )
    return faults


def path_segment_faults(value: str) -> list[str]:
    """A name that only has to fit into a path: RBAC's kinds."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{each}'" for each in "/%" if each in value]


def qualified_faults(value: str) -> list[str]:
    """A key of a label or annotation: an optional prefix and a name."""
    prefix, slash, name = value.rpartition("/")
    if "/" in prefix:
        return [
            "a qualified name "
            + _name_rule()
            + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        ]
    faults: list[str] = []
    if slash and not prefix:
        faults.append("prefix part must be non-empty")
    elif slash:
        faults += [f"prefix part {each}" for each in subdomain_faults(prefix)]
    if not name:
        faults.append("name part must be non-empty")
    elif len(name) > LABEL_MAX:
        faults.append(f"name part must be no more than {LABEL_MAX} bytes")
    if not _QUALIFIED.fullmatch(name):
        faults.append("name part " + _name_rule())
    return faults


def label_value_faults(value: str) -> list[str]:
    """A label's value."""
    faults = _length(value, LABEL_MAX)
    if not faults and not _VALUE.fullmatch(value):
        faults.append(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' "
            "or '.', and must start and end with an alphanumeric character "
            + _example(_VALUE, "MyValue", "my_value", "12345")
        )
    return faults


def config_key_faults(value: str) -> list[str]:
    """A key of a ConfigMap or Secret, which becomes a file's name."""
    faults = _length(value, SUBDOMAIN_MAX)
    if not faults and not _CONFIG_KEY.fullmatch(value):
        faults.append(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
            + _example(_CONFIG_KEY, "key.name", "KEY_NAME", "key-name")
        )
    if value in (".", ".."):
        faults.append(f"must not be '{value}'")
    elif value.startswith(".."):
        faults.append("must not start with '..'")
    return faults


def env_name_faults(value: str) -> list[str]:
    """The name of an environment variable."""
    if _ENV_NAME.fullmatch(value):
        return []
    return [
        "a valid environment variable name must consist only of printable ASCII characters "
        "other than '='"
    ]


def header_name_faults(value: str) -> list[str]:
    """The name of an HTTP header."""
    if _HEADER_NAME.fullmatch(value):
        return []
    rule = "a valid HTTP header must consist of alphanumeric characters or '-' "
    return [rule + _example(_HEADER_NAME, "X-Header-Name")]


def port_name_faults(value: str) -> list[str]:
    """A container port's name (an IANA service name)."""
    faults = ["must be no more than 15 characters"] if len(value) > 15 else []
    if not _PORT_NAME.fullmatch(value):
        faults.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        faults.append("must contain at least one letter (a-z)")
    if "--" in value:
        faults.append("must not contain consecutive hyphens")
    if value[:1] == "-" or value[-1:] == "-":
        faults.append("must not begin or end with a hyphen")
    return faults


def port_faults(value: int) -> list[str]:
    """A port's number."""
    return [] if 1 <= value <= 65535 else ["must be between 1 and 65535, inclusive"]


def _name_rule() -> str:
    rule = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
    rule += "an alphanumeric character "
    return rule + _example(_QUALIFIED, "MyName", "my.name", "123-abc")


def _length(value: str, bytes_max: int) -> list[str]:
    size = len(value.encode(errors="surrogatepass"))
    return [f"must be no more than {bytes_max} bytes"] if size > bytes_max else []


def _example(pattern: re.Pattern[str], *examples: str) -> str:
    listed = ", or ".join(f"'{each}'" for each in examples)
    return f"(e.g. {listed}, regex used for validation is '{pattern.pattern}')"
