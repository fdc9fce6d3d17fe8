"""Every verb against one running cluster, as people type it."""

import json
import re
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CART = "http://frontend.shop/cart"


@pytest.fixture(scope="module")
def up(kubehop) -> "subprocess.CompletedProcess[str]":
    """The shop on two nodes, in the cluster that needs no name: it is these tests' only one."""
    examples = ROOT / "examples"
    manifest = examples / "shop" / "shop.yaml"
    done = kubehop(
        *("up", "--nodes", "2", "--name", kubehop.named("shop")),
        *("--app-dir", examples, "-f", manifest),
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def shop(kubehop, up):
    """A verb on the shop's cluster."""

    def run(verb: str, *words: str) -> "subprocess.CompletedProcess[str]":
        return kubehop(verb, *words, "--name", kubehop.named("shop"))

    return run


def test_up_tells_plain_lines_and_what_to_do_next(up, kubehop):
    assert up.stdout == ""
    lines = up.stderr.splitlines()
    parts = [line.split()[1] for line in lines if line.startswith("✓")]
    assert parts[0] == "control"
    assert set(parts) == {"control", "node-1", "node-2", "gateway", "dns", "manifests", "cluster"}
    assert parts[-1] == "cluster"
    assert lines[-1] == f"  kubehop down --name {kubehop.named('shop')}"
    assert "\x1b" not in up.stderr
    assert max(map(len, lines)) <= 80


def test_status_shows_all_of_it(shop):
    done = shop("status")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 nodes, programmed on 2/2 nodes" in done.stdout
    assert re.search(r"^node-2 +ready +\d+ +0 +\d+s$", done.stdout, re.M)
    assert re.search(r"^node-2 +Ready +172\.30\.0\.2 +127\.64\.\d+\.2 +\d+$", done.stdout, re.M)
    assert re.search(r"^shop/frontend +LoadBalancer +10\.96\.\d+\.\d+ +80/TCP", done.stdout, re.M)
    tables = done.stdout.split("\n\n", 1)[1]
    assert max(map(len, tables.splitlines())) <= 80


def test_status_for_programs_is_json(shop):
    document = json.loads(shop("status", "-o", "json").stdout)
    assert document["healthy"] is True
    assert document["nodesProgrammed"] == 2
    frontend = next(each for each in document["services"] if each["name"] == "shop/frontend")
    assert frontend["ports"][0]["nodePort"] == 30080


def test_kubeconfig_is_a_path_of_a_file_for_its_owner(shop):
    done = shop("kubeconfig")
    assert done.returncode == 0
    path = Path(done.stdout.strip())
    assert done.stdout == f"{path}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_curl_answers_on_standard_output_alone(shop):
    done = shop("curl", CART)
    assert (done.returncode, done.stderr) == (0, "")
    assert "items" in json.loads(done.stdout)["cart"]


def test_curl_shows_the_way_its_request_took_and_what_it_set_off(shop):
    done = shop("curl", CART, "--trace", "-s", "-o", "/dev/null")
    assert (done.returncode, done.stdout) == (0, "")
    own, onward = re.split(r"\n\n(?=pod )", done.stderr.strip())
    assert own.startswith("internet → service shop/frontend ")
    assert "✓ delivered" in own
    assert "● gateway" in own
    assert onward.startswith("pod shop/frontend-")
    assert "service shop/cart" in onward.splitlines()[0]
    assert max(map(len, done.stderr.splitlines())) <= 80


def test_curls_options_are_curls(shop):
    head = shop("curl", CART, "-I").stdout
    assert head.startswith("HTTP/1.1 200 OK\n")
    written = shop("curl", CART, "-o", "/dev/null", "-w", "%{http_code} %{flow_id}\\n").stdout
    assert re.fullmatch(r"200 [0-9a-f]{16}\n", written)
    failed = shop("curl", "http://frontend.shop/nowhere", "-f")
    assert failed.returncode == 22
    assert failed.stderr.startswith("curl: (22) the server answered 404")


@pytest.mark.parametrize("place", ["deploy/frontend", "node/node-1", "node/node-2", "203.0.113.7"])
def test_a_request_can_come_from_any_place(shop, place):
    url = "http://frontend.shop/" if place == "203.0.113.7" else "http://cart/"
    if place.startswith("node"):
        services = json.loads(shop("status", "-o", "json").stdout)["services"]
        ip = next(each["clusterIp"] for each in services if each["name"] == "shop/cart")
        url = f"http://{ip}/"
    done = shop("curl", url, "--from", place, "-n", "shop")
    assert done.returncode == 0, done.stderr


def test_a_datagram_is_answered(shop):
    done = shop("curl", "udp://clock.shop:9999", "-d", "now")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(" now")


def test_a_failure_has_curls_status_and_says_why(shop):
    unknown = shop("curl", "http://nosuch.shop/", "--from", "deploy/frontend", "-n", "shop")
    assert unknown.returncode == 6
    assert "✗" in unknown.stderr
    refused = shop("curl", "http://frontend.shop:81/")
    assert refused.returncode == 7
    assert refused.stderr.startswith("curl: (7) frontend.shop:81 from internet: connection refused")
    nowhere = shop("curl", CART, "--from", "pod/nobody", "-n", "shop")
    assert nowhere.returncode == 2
    assert nowhere.stderr.startswith("error: there is no pod nobody in namespace shop; pods: ")


def test_a_flow_is_found_again_by_its_id(shop):
    flow_id = shop("curl", CART, "-o", "/dev/null", "-w", "%{flow_id}").stdout
    tree = shop("trace", flow_id)
    assert tree.returncode == 0
    assert flow_id in tree.stdout
    document = json.loads(shop("trace", flow_id, "-o", "json").stdout)
    assert document["complete"] is True
    assert document["endpoint"]["namespace"] == "shop"
    assert document["segments"][0]["process"] == "gateway"


def test_the_newest_flows_are_a_line_each(shop):
    for _ in range(2):
        shop("curl", "http://frontend.shop/", "--from", "203.0.113.9")
    done = shop("trace", "--last", "2", "-o", "line", "--source", "203.0.113.9")
    assert done.stdout.count("\n") == 2
    assert done.stdout.count("✓ delivered") == 2


def test_a_flow_that_nobody_knows_says_so(shop):
    unknown = shop("trace", "0" * 16)
    assert unknown.returncode == 1
    assert unknown.stderr == f"error: no process has recorded a flow with id={'0' * 16}\n"
    assert shop("trace", "frontend").returncode == 2


def test_flows_are_followed_as_they_are_made(kubehop, shop):
    words = ("trace", "--follow", "-o", "json", "--source", "203.0.113.8")
    with kubehop.begin(*words, "--name", kubehop.named("shop")) as following:
        try:
            for _ in range(50):  # until it listens; each request takes its time
                asked = shop("curl", CART, "--from", "203.0.113.8")
                assert asked.returncode == 0, asked.stderr
                if _readable(following):
                    break
            trace = json.loads(following.stdout.readline())
            following.send_signal(2)
            assert following.wait(30) == 130
            assert "Traceback" not in following.stderr.read()
        finally:
            following.kill()  # what failed is told, not waited for
    assert trace["complete"] is True
    assert trace["original"]["source"].startswith("203.0.113.8:")


def _readable(process: "subprocess.Popen[str]") -> bool:
    import select

    return bool(select.select([process.stdout], [], [], 0)[0])


def test_a_reader_that_leaves_is_no_error(kubehop, shop):
    command = kubehop.command(("trace", "--last", "9", "--name", kubehop.named("shop")))
    reading = subprocess.Popen(["true"], stdin=subprocess.PIPE)
    reading.wait()
    done = subprocess.run(
        command,
        env=kubehop.environ,
        stdout=reading.stdin,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    reading.stdin.close()
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    ("how", "state", "seen"),
    [
        ((), "stopped", "its connections have ended"),
        (("--crash",), "stopped", "its connections were reset"),
        (("--power-off",), "frozen", "its connections meet silence"),
    ],
)
def test_a_node_goes_and_comes_back(shop, how, state, seen):
    stopped = shop("node", "stop", "node-2", *how)
    assert stopped.returncode == 0
    assert seen in stopped.stderr
    status = shop("status")
    assert status.returncode == 1
    assert re.search(rf"^node-2 +{state} ", status.stdout, re.M)
    started = shop("node", "start", "node-2")
    assert (started.returncode, started.stderr) == (0, "node-2 runs again\n")
    assert re.search(r"^node-2 +ready ", shop("status").stdout, re.M)


def test_a_node_that_is_none_is_told_which_there_are(shop):
    done = shop("node", "stop", "node-9")
    assert done.returncode == 2
    assert done.stderr == ("error: 'node-9' is not a node of this cluster; nodes: node-1, node-2\n")
    assert shop("node", "start", "node-1").stderr == "error: node-1 runs already\n"


def test_nothing_is_left_after_down(kubehop, shop):
    done = shop("down")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"cluster {kubehop.named('shop')} is down\n"
    assert kubehop.left(kubehop.named("shop")) == []
    assert not kubehop.run_root.exists()
    assert shop("down").returncode == 2
