"""Patches of documents: JSON Patch, JSON Merge Patch, strategic merge patch.

None of them changes what it is given: documents are shared, so a patch copies what it touches.
"""
