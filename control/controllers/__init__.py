"""The controller manager: every controller that runs, in one table.

To add one: a file with pure functions and `controller(...)`, its row here, its test.
"""

from control.controllers.definition import Controller
from control.controllers.settings import WATCHED, ControllerSettings


def all_controllers(settings: ControllerSettings) -> tuple[Controller, ...]:
    """Every controller of the cluster, built from its settings."""
    from control.controllers import (
        cluster_role_aggregation,
        cronjob,
        custom_resources,
        daemonset,
        deployment,
        disruption,
        endpoints,
        endpointslice,
        endpointslice_mirroring,
        ephemeral_volumes,
        garbage_collector,
        job,
        kubernetes_service,
        load_balancer,
        namespace,
        node_ipam,
        node_lifecycle,
        pod_autoscaler,
        pod_gc,
        replicaset,
        replication_controller,
        resource_quota,
        statefulset,
        taint_eviction,
        volume_claims,
        volumes,
    )

    resources = (*WATCHED, *settings.more_resources)
    return (
        node_ipam.controller(settings),
        node_lifecycle.controller(),
        taint_eviction.controller(),
        deployment.controller(),
        replicaset.controller(),
        replication_controller.controller(),
        statefulset.controller(),
        daemonset.controller(),
        disruption.controller(),
        resource_quota.controller(resources),
        volume_claims.controller(),
        volumes.controller(),
        ephemeral_volumes.controller(),
        job.controller(),
        cronjob.controller(),
        endpointslice.controller(),
        endpointslice_mirroring.controller(),
        endpoints.controller(),
        load_balancer.controller(settings),
        kubernetes_service.controller(settings),
        namespace.controller(settings, resources),
        pod_gc.controller(),
        pod_autoscaler.controller(),
        garbage_collector.controller(resources),
        custom_resources.controller(),
        cluster_role_aggregation.controller(),
    )
