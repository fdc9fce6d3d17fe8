"""Ports that have names, as /etc/services gives them to tools.

Pure: a table.
"""

SERVICES = {
    7: "echo", 20: "ftp-data", 21: "ftp", 22: "ssh", 23: "telnet", 25: "smtp", 53: "domain",
    80: "http", 110: "pop3", 123: "ntp", 143: "imap2", 179: "bgp", 389: "ldap", 443: "https",
    587: "submission", 636: "ldaps", 993: "imaps", 3306: "mysql", 5432: "postgresql",
    6379: "redis", 8080: "http-alt",
}  # fmt: skip


def service_name(port: int) -> str:
    """The name of a port; "*" for one without."""
    return SERVICES.get(port, "*")


def port_number(text: str) -> int | None:
    """A port by number or by name; None when it is neither."""
    if text.isdecimal():
        return int(text) if len(text) <= 5 and int(text) <= 65535 else None
    return next((port for port, name in SERVICES.items() if name == text), None)
