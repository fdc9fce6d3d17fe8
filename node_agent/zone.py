"""The cluster's names for the DNS pods of this node, from the informers that the node has anyway.

Built when a DNS pod first asks; a node without one pays nothing for it.
"""

import asyncio
from collections.abc import Mapping
from functools import partial

from cluster.client.interface import Document
from cluster.client.mirror import Mirror
from cluster.dns.zone import Change, Zone, ZoneSettings
from cluster.objects.resources import ENDPOINT_SLICES, NAMESPACES, PODS, SERVICES, Resource

READ = (NAMESPACES, SERVICES, ENDPOINT_SLICES, PODS)


class NodeZone:
    """`source()` is what a DNS server asks for the zone of the moment."""

    def __init__(self, informers: Mapping[Resource, Mirror], domain: str) -> None:
        self._informers = {each: informers[each] for each in READ}
        self._settings = ZoneSettings(domain=domain, outside_empty=True)
        self._zone: Zone | None = None
        self._pending: list[Change] = []

    def source(self) -> Zone:
        """The names as they are now."""
        if self._zone is None:
            self._zone = self._build()
        if self._pending:
            changes, self._pending = self._pending, []
            self._zone = self._zone.with_changes(changes)
        return self._zone

    def _build(self) -> Zone:
        listed = {each.plural: informer.objects for each, informer in self._informers.items()}
        for resource, informer in self._informers.items():
            informer.on_change(partial(self._changed, resource))
        return Zone.build(
            services=listed[SERVICES.plural].values(),
            endpoint_slices=listed[ENDPOINT_SLICES.plural].values(),
            namespaces=listed[NAMESPACES.plural].values(),
            pods=listed[PODS.plural].values(),
            settings=self._settings,
        )

    def _changed(self, resource: Resource, old: Document | None, new: Document | None) -> None:
        if not self._pending:
            # nobody may ask for long; what is pending must not grow meanwhile
            asyncio.get_running_loop().call_soon(self.source)
        self._pending.append((resource, old, new))
