def element_schema(kind): return None
