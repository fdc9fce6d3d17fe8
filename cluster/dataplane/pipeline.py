"""What becomes of one new flow: decide() on the node it enters, admit() on the node of its target.

Pure: values in, a Decision out; the time, the chance and the memory are passed in.

    decide   Service (DNAT) -> egress policy -> masquerade (SNAT) -> route
    admit    ingress policy -> is the pod there -> does something listen

`decide` is `ask`, what the flow wants here, then a lot, then `settle`, what comes of it; there is
no chance and no memory in the first and the last. No part of it looks at a source port.
Egress is judged on the endpoint, not on the Service's address, and before the source is translated
(N-58, N-137); ingress on what arrives, so behind SNAT a client is the node that translated it
(N-135), the same whether that node is the target's or another (N-139). A node's own traffic to its
pods is never judged (N-61): its own, not what it masquerades for others, or else a policy would
hold or not by the chance of where a client's flow entered.
Spec: S-84 to S-117, N-11 to N-16, N-57 to N-68, N-134 to N-139, P-2, P-3, P-9 to P-11, O-1 to O-20.
"""

from dataclasses import field

from cluster.dataclass import dataclass
from cluster.dataplane.conntrack import AffinityTable
from cluster.dataplane.decision import (
    Action,
    Code,
    Decision,
    Deliver,
    Drop,
    Host,
    Local,
    Outside,
    Reject,
    Stage,
    Step,
    Verdict,
    Via,
)
from cluster.dataplane.details import closed_port_reply, pod_detail, policy_detail, route_detail
from cluster.dataplane.node_view import NodeView
from cluster.dataplane.pod_table import pod_ref
from cluster.dataplane.policy import Party
from cluster.dataplane.routes import Route, RouteKind
from cluster.dataplane.served_port import Lot
from cluster.dataplane.service_stage import (
    Asked,
    Masquerade,
    Sender,
    Translation,
    ask,
    lot_of,
    translate,
)
from cluster.objects.core import Pod
from cluster.objects.networking import PolicyType
from cluster.wire.addresses import SocketAddress
from cluster.wire.flow import Flow, FlowContext, OriginKind

_WHY_MASQUERADED = {
    Masquerade.OFF_CLUSTER: "to a ClusterIP from outside the pod network",
    Masquerade.EXTERNAL_CLUSTER: "externalTrafficPolicy Cluster: replies return through this node",
    Masquerade.EXTERNAL_FROM_NODE: "from a process of this node",
    Masquerade.HAIRPIN: "hairpin: the pod was chosen to answer itself",
    Masquerade.POD_EGRESS: "a pod leaves the pod network",
    Masquerade.NODE_ORIGINATED: "from a process of this node",
}


@dataclass(slots=True)
class _Path:
    """The steps of one decision as they are taken."""

    flow: Flow
    steps: list[Step] = field(default_factory=list)

    def step(
        self, stage: Stage, reason: str, detail: dict[str, object], after: Flow | None = None
    ) -> None:
        """A step that lets the flow go on, as `after` if it was translated."""
        before, self.flow = self.flow, after or self.flow
        self.steps.append(Step(stage, Action.FORWARDED, before, self.flow, reason, detail=detail))

    def end(self, stage: Stage, verdict: Drop | Reject, detail: dict[str, object]) -> Decision:
        """The step at which the flow ends early."""
        action = Action.DROPPED if isinstance(verdict, Drop) else Action.REJECTED
        last = Step(stage, action, self.flow, self.flow, verdict.reason, verdict.code, detail)
        self.steps.append(last)
        return self.decision(verdict)

    def decision(self, verdict: Verdict) -> Decision:
        """What was decided, by the steps taken."""
        return Decision(verdict, self.flow, tuple(self.steps))


def decide(
    context: FlowContext, view: NodeView, affinity: AffinityTable, *, now: float, draw: float
) -> Decision:
    """The source's half, for a flow that enters the cluster's network at this node.

    Nothing is remembered: the shell does that with `Decision.pin`. `draw` is in [0, 1).
    """
    asked = ask(context, view)
    return settle(context, view, asked, lot_of(asked, affinity, now=now, draw=draw))


def settle(context: FlowContext, view: NodeView, asked: Asked, lot: Lot) -> Decision:
    """The source's half, once it is known which endpoint the lot fell on."""
    path, sender = _Path(context.flow), asked.sender
    translation = translate(context.flow, asked, lot, view)
    if translation.step is not None:
        path.steps.append(translation.step)
    path.flow = translation.flow
    if translation.verdict is not None:
        return path.decision(translation.verdict)
    denied = _egress(path, context, view) if sender is Sender.POD else None
    if denied is not None:
        return denied
    route = view.routes.find(path.flow.destination.ip)
    _masquerade(path, translation, sender, route, view)
    ended = _route(path, route, view)
    decision = ended or path.decision(_towards(path.flow.destination, route, view))
    if translation.pin is None:
        return decision
    return Decision(decision.verdict, decision.flow, decision.steps, translation.pin)


def _egress(path: _Path, context: FlowContext, view: NodeView) -> Decision | None:
    """The source pod's egress policy, judged on its own node only (N-136)."""
    pod = _source_pod(context, view)
    if pod is None or pod.node != view.node_name:
        return None
    destination = path.flow.destination
    peer = Party(destination.ip, view.pods.at(destination.ip))
    if peer.ip == context.flow.source.ip or peer.ip in pod.ips:
        reason = "allowed: a pod always reaches itself"
        path.step(Stage.EGRESS, reason, {"pod": str(pod), "direction": "Egress"})
        return None
    return _judge(path, PolicyType.EGRESS, pod, peer, view)


def _source_pod(context: FlowContext, view: NodeView) -> Pod | None:
    """The pod that the source address belongs to (N-135).

    A pod may dial before the API has its address: until the source is translated, the pod that
    opened the flow is known by name.
    """
    found = view.pods.at(context.flow.source.ip)
    if found is not None or context.origin.kind is not OriginKind.POD:
        return found
    named = view.pods.named(context.origin.name)
    untranslated = context.flow.source == context.original.source
    return named if named is not None and untranslated and not named.host_network else None


def _judge(
    path: _Path, direction: PolicyType, pod: Pod, peer: Party, view: NodeView
) -> Decision | None:
    """Put a flow to the policies of one direction; a Decision if they deny it."""
    port, protocol = path.flow.destination.port, path.flow.protocol
    verdict = view.policies.judge(direction, pod, peer, port, protocol)
    detail = policy_detail(verdict, direction, pod, peer, view)
    stage = Stage.INGRESS if direction is PolicyType.INGRESS else Stage.EGRESS
    if verdict.allowed:
        path.step(stage, verdict.reason, detail)
        return None
    return path.end(stage, Drop(Code.POLICY_DENIED, verdict.reason), detail)


def _masquerade(
    path: _Path, translation: Translation, sender: Sender, route: Route, view: NodeView
) -> None:
    """Give the flow this node's address where the reply must come back through it."""
    rule = translation.masquerade or _leaving(sender, route, view)
    if rule is None:
        return
    source, destination = path.flow.source, path.flow.destination
    ip = view.masquerade_ip(destination.ip)
    if source.ip == ip:
        return
    detail: dict[str, object] = {"rule": str(rule), "address": ip}
    after = path.flow.by(SocketAddress(ip, source.port))
    path.step(Stage.MASQUERADE, _WHY_MASQUERADED[rule], detail, after)


def _leaving(sender: Sender, route: Route, view: NodeView) -> Masquerade | None:
    """A pod's flow out of the pod network bears its node's address (P-11); to its own node not,
    since it never leaves; a node's own flow bears the address the cluster knows it by."""
    if sender is Sender.NODE:
        return Masquerade.NODE_ORIGINATED
    out = route.kind is RouteKind.OUTSIDE or (
        route.kind is RouteKind.HOST and route.node != view.node_name
    )
    return Masquerade.POD_EGRESS if out and sender is Sender.POD else None


def _route(path: _Path, route: Route, view: NodeView) -> Decision | None:
    """The route step; a Decision if the way ends here."""
    ip, detail = path.flow.destination.ip, route_detail(route)
    match route.kind:
        case RouteKind.UNREACHABLE:
            reason = f"{ip} is in {route.prefix}: {route.what}"
            return path.end(Stage.ROUTE, Drop(Code.NO_ROUTE, reason), detail)
        case RouteKind.LOCAL_PODS if view.pods.at(ip) is None:
            return path.end(Stage.ROUTE, _nobody(ip, view), detail)
        case RouteKind.LOCAL_PODS:
            path.step(Stage.ROUTE, f"{route.prefix} local pods", detail)
        case RouteKind.NODE:
            path.step(Stage.ROUTE, f"{route.prefix} via {route.node}", detail)
        case RouteKind.HOST:
            path.step(Stage.ROUTE, f"{route.prefix} {route.what}", detail)
        case RouteKind.OUTSIDE:
            path.step(Stage.ROUTE, f"{route.prefix} outside the cluster", detail)
    return None


def _towards(destination: SocketAddress, route: Route, view: NodeView) -> Verdict:
    match route.kind:
        case RouteKind.LOCAL_PODS:
            return Local()
        case RouteKind.HOST if route.node == view.node_name and view.pods.host_pods:
            return Local()
        case RouteKind.HOST:
            return Host(route.node, destination)
        case RouteKind.NODE:
            return Via(route.node)
        case _:
            return Outside(destination)


def _nobody(ip: str, view: NodeView) -> Drop:
    """No live pod has the address: silence, never a reset (P-10)."""
    finished = view.pods.finished_at(ip)
    if finished is not None:
        return Drop(Code.STALE_TARGET, f"{ip} was {finished}, which has finished")
    return Drop(Code.UNKNOWN_TARGET, f"no pod on {view.node_name} has the address {ip}")


def admit(context: FlowContext, view: NodeView, *, listening: bool) -> Decision:
    """The target's half, on the node of the pod that a flow is for.

    `listening` says whether a program of this node listens at the flow's destination.
    """
    path, destination = _Path(context.flow), context.flow.destination
    if destination.ip in view.own_addresses:
        return _admit_to_host(path, view, listening=listening)
    pod = view.pods.at(destination.ip)
    if pod is None or pod.node != view.node_name:
        return path.end(Stage.DELIVER, _nobody(destination.ip, view), {})
    denied = _ingress(path, context, pod, view)
    if denied is not None:
        return denied
    return _deliver(path, pod, listening=listening)


def _ingress(path: _Path, context: FlowContext, pod: Pod, view: NodeView) -> Decision | None:
    """The target pod's ingress policy, on what arrives (N-57, N-136)."""
    why_exempt = _exempt(context, pod, view)
    if why_exempt:
        detail: dict[str, object] = {"pod": str(pod), "direction": "Ingress"}
        path.step(Stage.INGRESS, f"allowed: {why_exempt}", detail)
        return None
    peer = Party(path.flow.source.ip, _source_pod(context, view))
    return _judge(path, PolicyType.INGRESS, pod, peer, view)


def _exempt(context: FlowContext, pod: Pod, view: NodeView) -> str:
    """Why policy has no say: a pod to itself (N-63, N-64), a node to its own pods (N-61)."""
    source, opened_by = context.flow.source.ip, context.original.source.ip
    reached, at = context.flow.destination.ip, view.own_addresses
    if source == reached or source in pod.ips:
        return "a pod always reaches itself"
    if source in at and (opened_by == reached or opened_by in pod.ips):
        return "a pod always reaches itself, through a Service too"
    if source in at and (opened_by in at or _from_own_process(context, view)):
        return f"from {view.node_name}, the pod's own node"
    return ""


def _from_own_process(context: FlowContext, view: NodeView) -> bool:
    """A process of this node whose socket bore another address, such as a loopback one."""
    origin = context.origin
    return origin.kind is OriginKind.NODE and origin.name == view.node_name


def _admit_to_host(path: _Path, view: NodeView, *, listening: bool) -> Decision:
    """To the node's own address: a pod of its network if that listens, else the host (N-68)."""
    destination, protocol = path.flow.destination, path.flow.protocol
    pods = sorted(view.pods.host_pods.values(), key=lambda pod: pod.meta.key)
    wanted = (destination.port, protocol)
    declaring = [pod for pod in pods if wanted in {(p.port, p.protocol) for p in pod.ports}]
    if not listening or not pods:
        return path.decision(Host(view.node_name, destination))
    return _deliver(path, (declaring or pods)[0], listening=True)


def _deliver(path: _Path, pod: Pod, *, listening: bool) -> Decision:
    port, protocol, detail = path.flow.destination.port, path.flow.protocol, pod_detail(pod)
    if listening:
        reason = f"{pod} listens on {port}"
        path.steps.append(
            Step(Stage.DELIVER, Action.DELIVERED, path.flow, path.flow, reason, detail=detail)
        )
        return path.decision(Deliver(pod_ref(pod, path.flow.destination.ip)))
    reply = closed_port_reply(protocol)
    answers = "a reset" if reply == "RST" else reply
    reason = f"nothing listens on {port}: the pod's kernel answers with {answers}"
    return path.end(Stage.DELIVER, Reject(Code.PORT_CLOSED, reason), {**detail, "reply": reply})
