def prune(kind, d): return d, []
def prepare_create(kind, d, now):
    d={**d}
    md={**d["metadata"],"generation":1}; d["metadata"]=md
    k=kind.resource.kind
    d.setdefault("status",{})
    if k=="Pod": d["status"]={"phase":"Pending","qosClass":"BestEffort"}; _pod(d); d["metadata"].pop("generation")
    if k=="Namespace": d["spec"]={"finalizers":["kubernetes"]}; d["status"]={"phase":"Active"}
    if k=="Service":
        sp={**d["spec"]}; d["spec"]=sp
        sp.setdefault("type","ClusterIP"); sp.setdefault("sessionAffinity","None"); sp.setdefault("internalTrafficPolicy","Cluster")
        sp["ports"]=[{"protocol":"TCP","targetPort":p["port"],**p} for p in sp.get("ports",[])]
        if sp["type"]!="ClusterIP": sp.setdefault("externalTrafficPolicy","Cluster")
        if sp["type"]=="LoadBalancer": sp.setdefault("allocateLoadBalancerNodePorts",True)
        d["status"]={"loadBalancer":{}}
    if k=="Deployment":
        sp={"replicas":1,"revisionHistoryLimit":10,"progressDeadlineSeconds":600,"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":"25%","maxUnavailable":"25%"}},**d["spec"]}
        sp["strategy"]={"type":"RollingUpdate",**sp["strategy"]}
        if sp["strategy"]["type"]=="RollingUpdate": sp["strategy"]["rollingUpdate"]={"maxSurge":"25%","maxUnavailable":"25%",**sp["strategy"].get("rollingUpdate",{})}
        d["spec"]=sp; t={**sp["template"]}; sp["template"]=t; _pod(t)
    if k=="ReplicaSet":
        sp={"replicas":1,**d["spec"]}; d["spec"]=sp
    if k=="EndpointSlice": pass
    return d
def _pod(d):
    sp={"restartPolicy":"Always","dnsPolicy":"ClusterFirst","terminationGracePeriodSeconds":30,"schedulerName":"default-scheduler","securityContext":{},"serviceAccountName":"default",**d["spec"]}; d["spec"]=sp
    cs=[]
    for c in sp["containers"]:
        c={"imagePullPolicy":"Always","terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","resources":{},**c}
        if "ports" in c: c["ports"]=[{"protocol":"TCP",**p} for p in c["ports"]]
        for pr in ("readinessProbe","livenessProbe","startupProbe"):
            if pr in c: c[pr]={"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3,**c[pr]}
        cs.append(c)
    sp["containers"]=cs
KEEP=("uid","creationTimestamp","deletionTimestamp","deletionGracePeriodSeconds","name","namespace","generation")
def prepare_update(kind,new,old,*,subresource):
    md={**new.get("metadata",{})}
    for k in KEEP:
        if k in old["metadata"]: md[k]=old["metadata"][k]
        else: md.pop(k,None)
    if subresource=="status": return {**old,"metadata":{**old["metadata"],"resourceVersion":None},"status":new.get("status",{})}
    n={**new,"metadata":md}
    if subresource=="finalize": return {**old,"spec":new["spec"]}
    if "status" in old: n["status"]=old["status"]
    if n.get("spec")!=old.get("spec") and "generation" in md: md["generation"]=old["metadata"].get("generation",1)+1
    return n
def validate_create(kind,d): return []
def validate_update(kind,n,o): return []
def delete_answer(kind): return "object" if kind.resource.kind in ("Pod","Service") else "status"
