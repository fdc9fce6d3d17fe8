"""Workload `coredns`: the cluster DNS as pods run it, the same code as `python -m cluster.dns`.

It answers from the names that its node knows (`ctx.zone_source`), on port 53 of the pod's address,
and serves what CoreDNS serves besides: /health on 8080, /ready on 8181, /metrics on 9153. Each
query is recorded by the node (`ctx.recorder`) as a flow of kind DNS.
Spec: D-93, D-123, O-13.
"""

from node_agent.workloads.workload import EXIT_FAILED, ContainerContext

DNS_PORT, HEALTH_PORT, READY_PORT, METRICS_PORT = 53, 8080, 8181, 9153


async def run(ctx: ContainerContext) -> int:
    """Serve until SIGTERM."""
    from cluster.dns.server import DnsServer

    if ctx.zone_source is None:
        print("coredns: this node gives no zone to serve", file=ctx.stderr)
        return EXIT_FAILED
    server = DnsServer(ctx.zone_source, recorder=ctx.recorder)
    try:
        address = await server.start(
            ctx.pod_ip,
            DNS_PORT,
            health_port=HEALTH_PORT,
            ready_port=READY_PORT,
            metrics_port=METRICS_PORT,
        )
        print(f"listening on {address}, UDP and TCP", file=ctx.stdout)
        await ctx.until_terminated()
    finally:
        await server.close()
    return 0
