"""Secrets for one purpose each, derived from the cluster key that all processes hold.

Pure: bytes in, text out. HMAC-SHA-256 of the purpose: who has one token learns nothing of others.
"""

import hmac

ADMIN_TOKEN = b"kubehop token: kubernetes admin"  # in the kubeconfig that control writes
ACCOUNT_KEY = b"kubehop key: service account tokens"  # what control signs them with
KUBELET_TOKEN = b"kubehop token: kubelet"  # what control shows a kubelet on another machine


def derived_token(key: bytes, purpose: bytes) -> str:
    """The token for a purpose, 64 hexadecimal digits."""
    return hmac.new(key, purpose, "sha256").hexdigest()
