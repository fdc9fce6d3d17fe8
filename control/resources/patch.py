from cluster.errors import ClusterError
class PatchError(ClusterError): pass
def merge_patch(t,p):
    if not isinstance(p,dict): return p
    r=dict(t) if isinstance(t,dict) else {}
    for k,v in p.items():
        if v is None: r.pop(k,None)
        else: r[k]=merge_patch(r.get(k),v)
    return r
def strategic_merge(d,p,s): return merge_patch(d,p)
def json_patch(d,ops):
    import jsonpatch
    return jsonpatch.apply_patch(dict(d),ops)
