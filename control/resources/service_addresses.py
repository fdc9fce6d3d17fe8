class Rejected(Exception): causes=[]
class ServiceAddresses:
    def __init__(self,cidr,*a): self.n=50; self.p=30500
    def restore(self,s): return []
    def admit_create(self,s,dry_run=False):
        sp={**s["spec"]}
        if sp["type"]=="ExternalName": return s
        if not sp.get("clusterIP"): self.n+=1; sp["clusterIP"]=f"10.96.0.{self.n}"
        sp["clusterIPs"]=[sp["clusterIP"]]; sp["ipFamilies"]=["IPv4"]; sp["ipFamilyPolicy"]="SingleStack"
        if sp["type"] in ("NodePort","LoadBalancer"):
            ps=[]
            for p in sp["ports"]:
                if not p.get("nodePort"): self.p+=1; p={**p,"nodePort":self.p}
                ps.append(p)
            sp["ports"]=ps
        return {**s,"spec":sp}
    def admit_update(self,n,o,dry_run=False):
        return {**n,"spec":{**n["spec"],"clusterIP":o["spec"].get("clusterIP"),"clusterIPs":o["spec"].get("clusterIPs")}}
    def release(self,s): pass
