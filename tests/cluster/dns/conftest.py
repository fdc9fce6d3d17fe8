"""A small cluster's names, as documents."""

from typing import Any

import pytest

from cluster.dns.answer import Answer
from cluster.dns.zone import Zone, ZoneSettings
from cluster.wire.dns import Question, RRType

Document = dict[str, Any]
HTTP: Document = {"name": "http", "port": 80, "protocol": "TCP"}


class Make:
    """Builds documents and asks zones."""

    def namespace(self, name: str) -> Document:
        return {"metadata": {"name": name}}

    def service(self, name: str, *ips: str, namespace: str = "ns", **spec: Any) -> Document:
        spec = {"ports": [HTTP], "clusterIPs": list(ips), **spec}
        if ips:
            spec["clusterIP"] = ips[0]
        return {"metadata": {"namespace": namespace, "name": name}, "spec": spec}

    def headless(self, name: str, **spec: Any) -> Document:
        return self.service(name, "None", **spec)

    def alias(self, name: str, target: str) -> Document:
        return self.service(name, type="ExternalName", externalName=target, ports=[])

    def endpoint(self, ip: str, *, ready: bool | None = True, **more: Any) -> Document:
        conditions = {} if ready is None else {"ready": ready}
        return {"addresses": [ip], "conditions": conditions, **more}

    def slice(
        self,
        service: str,
        *endpoints: Document | str,
        name: str = "",
        ports: list[Document] | None = None,
        address_type: str = "IPv4",
    ) -> Document:
        listed = [self.endpoint(each) if isinstance(each, str) else each for each in endpoints]
        given = [{"name": "http", "port": 8080, "protocol": "TCP"}] if ports is None else ports
        return {
            "metadata": {
                "namespace": "ns",
                "name": name or f"{service}-1",
                "labels": {"kubernetes.io/service-name": service},
            },
            "addressType": address_type,
            "endpoints": listed,
            "ports": given,
        }

    def pod(self, name: str, ip: str, *, namespace: str = "ns", **more: Any) -> Document:
        status = {"podIP": ip, "podIPs": [{"ip": ip}], **more.pop("status", {})}
        metadata = {"namespace": namespace, "name": name}
        return {"metadata": metadata, "spec": more, "status": status}

    def zone(
        self,
        *services: Document,
        slices: tuple[Document, ...] = (),
        pods: tuple[Document, ...] = (),
        settings: ZoneSettings | None = None,
    ) -> Zone:
        return Zone.build(
            namespaces=[self.namespace("ns"), self.namespace("kube-system")],
            services=services,
            endpoint_slices=slices,
            pods=pods,
            settings=settings,
        )

    def ask(self, zone: Zone, name: str, type_: str = "A") -> Answer:
        """A question in dig's words; a name ends in Z for the cluster's domain."""
        full = name[:-1] + "cluster.local" if name.endswith("Z") else name
        return zone.answer(Question(full, RRType[type_]))

    def data(self, zone: Zone, name: str, type_: str = "A") -> list[str]:
        """The data of the answers alone."""
        return [str(each.data) for each in self.ask(zone, name, type_).answers]


@pytest.fixture
def make() -> Make:
    return Make()


@pytest.fixture
def worked(make: Make) -> Zone:
    """The cluster of the worked answers (D-137 to D-144): web, and its headless twin hl."""
    return make.zone(
        make.service("web", "10.96.0.20"),
        make.headless("hl"),
        slices=(
            make.slice("web", "10.244.1.5", "10.244.2.6"),
            make.slice("hl", "10.244.1.5", "10.244.2.6"),
        ),
    )
