"""Kinds that a cluster's users define: CustomResourceDefinitions, and what follows from them.

Nothing here is read at start but names; the rest is imported when there is a first definition.
"""
