"""Makes the data beside it from published packages; run by developers, never by a cluster.

A cluster takes only the two writers of OpenAPI from here, for the kinds that its users define.

In a virtual environment of its own, from the root of the repository:

    python -m venv /tmp/inputs
    /tmp/inputs/bin/pip install kubernetes-validate==1.37.0 kmock==0.8
    cd /tmp/inputs && go mod init inputs && go mod download k8s.io/api@v0.37.0 \
        k8s.io/apimachinery@v0.37.0 k8s.io/apiextensions-apiserver@v0.37.0 \
        k8s.io/kube-aggregator@v0.37.0; cd -
    /tmp/inputs/bin/python -m control.resources.data.generator

kubernetes-validate (Apache-2.0) carries Kubernetes' OpenAPI definitions with all their
`x-kubernetes-*` extensions; kmock (MIT) carries what a real API server says in discovery: short
names, categories, verbs, subresources; Kubernetes' Go types (Apache-2.0) say how their protobuf
encoding numbers the fields. Needs nothing but the standard library besides.
"""
