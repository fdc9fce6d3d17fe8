"""kubehop: a Kubernetes cluster network on one machine, explained hop by hop.

This package is the vocabulary every process shares, and the tools that build and watch a cluster.
Imports go one way, each line may import only the lines below it:

    cli, testing          what people and tests hold
    launcher              starts, watches and stops the processes
    gateway               the cloud's load balancer, a process (also: node_agent, control)
    dns                   the cluster DNS, a process and a workload
    client, trace         the API seen from outside; what happened to each connection
    aio                   asyncio shells everyone needs: process, tasks, clock, relay
    dataplane             pure decisions: which endpoint, allowed or not, which way
    objects, ipam         Kubernetes objects as far as decisions read them; address pools
    wire                  formats on the wire: addresses, flows, preambles, datagrams, DNS
    errors                the exception tree
"""

__version__ = "0.1.0"
KUBERNETES = ("1", "37")  # whose API and behaviour this is, major and minor
