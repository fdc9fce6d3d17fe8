from cluster.dataplane.decision import Code, PodRef


def test_a_pod_is_named_as_people_name_it() -> None:
    assert str(PodRef("shop", "cart-1", "uid", "10.244.1.2", "node-1")) == "shop/cart-1"


def test_codes_keep_the_names_that_observers_know() -> None:
    """O-21, O-22, O-23, O-25, O-27, O-28."""
    known = {
        "POLICY_DENIED",
        "SERVICE_BACKEND_NOT_FOUND",
        "DENIED_BY_LB_SRC_RANGE_CHECK",
        "UNKNOWN_L3_TARGET_ADDRESS",
        "STALE_OR_UNROUTABLE_IP",
        "FIB_LOOKUP_FAILED",
        "NO_TUNNEL_OR_ENCAPSULATION_ENDPOINT",
        "CT_MAP_INSERTION_FAILED",
        "NO_MAPPING_FOR_NAT_MASQUERADE",
    }
    assert known <= set(Code)
