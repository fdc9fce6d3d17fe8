def read_scale(kind,d): return {"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{k:d["metadata"][k] for k in ("name","namespace","uid","resourceVersion")},"spec":{"replicas":d["spec"]["replicas"]},"status":{"replicas":d["status"].get("replicas",0)}}
def write_scale(kind,d,s): return {**d,"spec":{**d["spec"],"replicas":s["spec"]["replicas"]}}
