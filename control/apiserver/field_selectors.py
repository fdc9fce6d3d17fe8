def fields_of(kind,doc):
    def get(path):
        v=doc
        for p in path.split("."): v=(v or {}).get(p)
        return v if v is None else str(v)
    return get
