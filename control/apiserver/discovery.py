from control.resources.kinds import kinds
def api_versions(): return {"kind":"APIVersions","versions":["v1"]}
def api_group_list():
    gs=sorted({(k.resource.group,k.resource.version) for k in kinds() if k.resource.group})
    return {"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":g,"versions":[{"groupVersion":f"{g}/{v}","version":v}],"preferredVersion":{"groupVersion":f"{g}/{v}","version":v}} for g,v in gs]}
def api_group(g): return None
def api_resource_list(g,v):
    return {"kind":"APIResourceList","apiVersion":"v1","groupVersion":f"{g}/{v}" if g else v,"resources":[{"name":k.resource.plural,"singularName":k.singular,"namespaced":k.resource.namespaced,"kind":k.resource.kind,"verbs":list(k.verbs),"shortNames":list(k.short_names)} for k in kinds() if k.resource.group==g]}
def aggregated(core,version): return {}
def aggregated(core,version):
    items=[]
    for g in sorted({k.resource.group for k in kinds()}):
        if (g=="")!=core: continue
        items.append({"metadata":{"name":g},"versions":[{"version":"v1","freshness":"Current","resources":[{"resource":k.resource.plural,"responseKind":{"group":g,"version":"v1","kind":k.resource.kind},"scope":"Namespaced" if k.resource.namespaced else "Cluster","singularResource":k.singular,"verbs":list(k.verbs),"shortNames":list(k.short_names),"categories":list(k.categories)} for k in kinds() if k.resource.group==g]}]})
    return {"kind":"APIGroupDiscoveryList","apiVersion":f"apidiscovery.k8s.io/{version}","metadata":{},"items":items}
