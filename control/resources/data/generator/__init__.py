"""Makes the data beside it from published packages; run by developers, never by a cluster.

In a virtual environment of its own, from the root of the repository:

    python -m venv /tmp/inputs
    /tmp/inputs/bin/pip install kubernetes-validate==1.37.0 kmock==0.8
    /tmp/inputs/bin/python -m control.resources.data.generator

kubernetes-validate (Apache-2.0) carries Kubernetes' OpenAPI definitions with all their
`x-kubernetes-*` extensions; kmock (MIT) carries what a real API server says in discovery: short
names, categories, verbs, subresources. Needs nothing but the standard library besides.
"""
