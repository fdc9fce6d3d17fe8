from dataclasses import dataclass
from functools import lru_cache
from cluster.objects import resources as R
from cluster.objects.resources import Resource
@dataclass(frozen=True, slots=True)
class Kind:
    resource: Resource
    singular: str
    short_names: tuple = ()
    categories: tuple = ()
    verbs: tuple = ("create","delete","deletecollection","get","list","patch","update","watch")
    subresources: tuple = ("status",)
SUB={"pods":("status","log","binding"),"namespaces":("status","finalize"),"deployments":("status","scale"),"replicasets":("status","scale")}
SHORT={"pods":("po",),"services":("svc",),"namespaces":("ns",),"nodes":("no",),"deployments":("deploy",),"endpoints":("ep",),"events":("ev",),"configmaps":("cm",)}
@lru_cache
def kinds():
    return tuple(Kind(r, r.kind.lower(), SHORT.get(r.plural,()), ("all",) if r.plural in ("pods","services","deployments","replicasets") else (), subresources=SUB.get(r.plural,("status",))) for r in vars(R).values() if isinstance(r, Resource))
@lru_cache
def _t(): return {(k.resource.group,k.resource.version,k.resource.plural):k for k in kinds()}
def find_kind(g,v,p): return _t().get((g,v,p))
