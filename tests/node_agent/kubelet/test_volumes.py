"""Volumes of pods, from documents to mounts."""

import pytest

from cluster.errors import ApiError
from cluster.objects.resources import CONFIG_MAPS, SECRETS, VOLUME_CLAIMS
from node_agent.kubelet.environment import Surroundings
from node_agent.kubelet.pod_files import NodeFiles
from node_agent.kubelet.volumes import NotMounted, Volumes, host_paths
from node_agent.workloads.tools.files import Files
from node_agent.workloads.tools.root import Root

AROUND = Surroundings(pod_ip="10.244.1.5", host_ip="172.30.0.1")


class TokenApi:
    """An API in memory that also gives tokens."""

    def __init__(self, api):
        self.given = []
        self._api = api

    async def get(self, *arguments, **options):
        return await self._api.get(*arguments, **options)

    async def create(self, resource, document):
        self.given.append((resource.path("shop"), document["spec"]))
        return {"status": {"token": f"token-{len(self.given)}"}}


@pytest.fixture
def tokens(api):
    return TokenApi(api)


@pytest.fixture
def volumes(tokens, clock, tmp_path):
    return Volumes(api=tokens, files=NodeFiles(tmp_path, "node-1"), clock=clock)


def pod(*volumes, **meta):
    metadata = {"name": "web", "namespace": "shop", "uid": "u", **meta}
    return {"metadata": metadata, "spec": {"volumes": list(volumes), "containers": []}}


def container(*mounts):
    return {"name": "app", "volumeMounts": list(mounts)}


async def mounted(volumes, volume, env=None, **mount):
    given = {"name": volume["name"], "mountPath": "/m", **mount}
    (found,) = await volumes.mounts(pod(volume), container(given), AROUND, env or {})
    return found


def put(api, resource, name, **document):
    api.put(resource, {"metadata": {"name": name, "namespace": "shop"}, **document})


async def test_a_config_map_is_read_only_files(volumes, api):
    put(api, CONFIG_MAPS, "c", data={"key": "value"})
    mount = await mounted(volumes, {"name": "v", "configMap": {"name": "c"}})
    assert (mount.path, mount.read_only) == ("/m", True)
    assert (mount.source / "key").read_text() == "value"


async def test_what_is_missing_holds_the_container_and_comes_later(volumes, api):
    volume = {"name": "v", "configMap": {"name": "c"}}
    with pytest.raises(NotMounted) as error:
        await mounted(volumes, volume)
    assert str(error.value) == ('MountVolume.SetUp failed for volume "v" : configmap "c" not found')
    put(api, CONFIG_MAPS, "c", data={"key": "value"})
    assert ((await mounted(volumes, volume)).source / "key").read_text() == "value"


async def test_an_update_reaches_the_files_and_a_failure_leaves_them(volumes, api):
    put(api, CONFIG_MAPS, "c", data={"key": "old"})
    mount = await mounted(volumes, {"name": "v", "configMap": {"name": "c"}})
    put(api, CONFIG_MAPS, "c", data={"key": "new"})
    await volumes.refresh()
    assert (mount.source / "key").read_text() == "new"
    api.failing = OSError("the API is away")
    await volumes.refresh()
    api.failing = None
    assert (mount.source / "key").read_text() == "new"


async def test_labels_of_the_pod_are_followed(volumes):
    item = {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}
    mount = await mounted(volumes, {"name": "v", "downwardAPI": {"items": [item]}})
    volumes.pod_changed(pod(labels={"a": "b"}))
    await volumes.refresh()
    assert (mount.source / "labels").read_text() == 'a="b"'


async def test_a_token_is_bound_to_the_pod_and_renewed_in_time(volumes, tokens, clock):
    sources = [{"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}}]
    mount = await mounted(volumes, {"name": "v", "projected": {"sources": sources}})
    path, spec = tokens.given[0]
    assert path == "/api/v1/namespaces/shop/serviceaccounts/default/token"
    assert spec["boundObjectRef"] == {
        "apiVersion": "v1",
        "kind": "Pod",
        "name": "web",
        "uid": "u",
    }
    assert (spec["expirationSeconds"], spec["audiences"]) == (3607, [])
    await volumes.refresh()
    assert (mount.source / "token").read_text() == "token-1"
    await clock.advance(3000)
    await volumes.refresh()
    assert (mount.source / "token").read_text() == "token-2"


async def test_an_empty_directory_is_the_pods_and_goes_with_it(volumes):
    first = await mounted(volumes, {"name": "v", "emptyDir": {}})
    (first.source / "x").write_text("kept between containers")
    second = await mounted(volumes, {"name": "v"})
    assert (second.source, second.read_only) == (first.source, False)
    volumes.forget("u")
    assert not first.source.exists()


async def test_a_part_of_a_volume_never_lies_outside_it(volumes, tmp_path):
    volume = {"name": "v", "emptyDir": {}}
    root = (await mounted(volumes, volume)).source
    (root / "up").symlink_to("../../..")
    assert (await mounted(volumes, volume, subPath="a/b")).source == root / "a/b"
    assert (await mounted(volumes, volume, subPath="../../x")).source == root / "x"
    assert (await mounted(volumes, volume, subPath="up/y")).source == root / "y"
    expanded = await mounted(volumes, volume, {"NAME": "me"}, subPathExpr="$(NAME)")
    assert expanded.source == root / "me"
    assert (root / "me").is_dir() and not (tmp_path / "y").exists()


async def test_a_single_key_is_copied_and_stays_as_it_was(volumes, api):
    put(api, SECRETS, "s", data={"key": "b25l"})
    volume = {"name": "v", "secret": {"secretName": "s"}}
    mount = await mounted(volumes, volume, subPath="key")
    put(api, SECRETS, "s", data={"key": "dHdv"})
    await volumes.refresh()
    assert (mount.source.read_text(), mount.read_only) == ("one", True)
    with pytest.raises(NotMounted, match="no such file"):
        await mounted(volumes, volume, subPath="nope")


async def test_a_single_key_is_copied_anew_for_each_run(volumes, api):
    put(api, SECRETS, "s", data={"key": "b25l"})
    volume = {"name": "v", "secret": {"secretName": "s", "defaultMode": 0o400}}
    first = (await mounted(volumes, volume, subPath="key")).source
    with first.open() as before:
        put(api, SECRETS, "s", data={"key": "dHdv"})
        second = (await mounted(volumes, volume, subPath="key")).source
        assert (second.read_text(), second.stat().st_mode & 0o777) == ("two", 0o400)
        assert before.read() == "one"  # a file of its own: the one before could not be written


async def test_host_paths_are_directories_of_the_nodes_own(volumes, tmp_path):
    volume = {"name": "v", "hostPath": {"path": "/etc"}}
    mount = await mounted(volumes, volume, readOnly=True)
    assert mount.source == tmp_path / "node-1/host/etc"
    assert mount.read_only and list(mount.source.iterdir()) == []
    file = await mounted(volumes, {"name": "v", "hostPath": {"path": "/x/f", "type": "File"}})
    assert file.source.is_file()
    with pytest.raises(NotMounted, match=r"hostPath type check failed: /run/x\.sock is not"):
        await mounted(volumes, {"name": "v", "hostPath": {"path": "/run/x.sock", "type": "Socket"}})
    assert list(host_paths(pod(volume), container({"name": "v"}))) == ["/etc"]


@pytest.mark.parametrize("kind", ["", "File"])
async def test_a_link_in_a_host_path_leads_into_the_nodes_own_directories(volumes, tmp_path, kind):
    (tmp_path / "machine").mkdir()
    top = await mounted(volumes, {"name": "v", "hostPath": {"path": "/top"}})
    (top.source / "out").symlink_to(tmp_path / "machine")
    (top.source / "in").symlink_to("/other")
    (tmp_path / "node-1/host/other").mkdir()
    out, inside = ({"path": f"/top/{way}/x", "type": kind} for way in ("out", "in"))
    with pytest.raises(NotMounted, match="No such file or directory"):
        await mounted(volumes, {"name": "v", "hostPath": out})
    assert list((tmp_path / "machine").iterdir()) == []
    found = await mounted(volumes, {"name": "v", "hostPath": inside})
    assert found.source == tmp_path / "node-1/host/other/x"


@pytest.mark.parametrize(
    ("volume", "part"),
    [
        ({"name": "v", "emptyDir": {}}, {"subPath": "a/b"}),
        ({"name": "v", "hostPath": {"path": "/top/a/b"}}, {}),
    ],
)
async def test_a_link_put_above_what_is_mounted_leads_nowhere(volumes, tmp_path, volume, part):
    (tmp_path / "machine/b").mkdir(parents=True)
    (tmp_path / "machine/b/secret").write_text("of the machine")
    mount = await mounted(volumes, volume, **part)
    root = tmp_path / "root"
    root.mkdir()
    files = Files(Root.of(root, [mount]))
    files.create("/m/own").close()
    assert files.names("/m") == ["own"]
    above = mount.source.parent
    above.rename(above.with_name("before"))
    above.symlink_to(tmp_path / "machine")
    for look in (files.names, files.stat):
        with pytest.raises(FileNotFoundError):
            look("/m")
    with pytest.raises(FileNotFoundError):
        files.read("/m/secret")


async def test_a_claim_is_the_directory_of_its_volume(volumes, api, tmp_path):
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": "data"}}
    with pytest.raises(NotMounted, match='"data" not found'):
        await mounted(volumes, volume)
    put(api, VOLUME_CLAIMS, "data", spec={})
    with pytest.raises(NotMounted, match='persistentvolumeclaim "data" is not bound'):
        await mounted(volumes, volume)
    put(api, VOLUME_CLAIMS, "data", spec={"volumeName": "pv-1"})
    mount = await mounted(volumes, volume)
    assert mount.source == tmp_path / "persistent/pv-1" and not mount.read_only
    volumes.forget("u")
    assert mount.source.is_dir()


async def test_kinds_that_nobody_serves_are_refused(volumes):
    with pytest.raises(NotMounted, match="a volume of kind nfs is not supported by kubehop"):
        await mounted(volumes, {"name": "v", "nfs": {"server": "x", "path": "/"}})
    with pytest.raises(NotMounted, match="the pod has no such volume"):
        await volumes.mounts(pod(), container({"name": "v", "mountPath": "/m"}), AROUND, {})


async def test_what_admission_added_may_be_filled_later(volumes, api):
    volume = {"name": "kube-api-access-x", "configMap": {"name": "c"}}
    given = container({"name": volume["name"], "mountPath": "/m"})
    with pytest.raises(NotMounted):
        await volumes.mounts(pod(volume), given, AROUND, {})
    (mount,) = await volumes.mounts(pod(volume), given, AROUND, {}, strict=False)
    assert list(mount.source.iterdir()) == []
    put(api, CONFIG_MAPS, "c", data={"ca.crt": "PEM"})
    await volumes.refresh()
    assert (mount.source / "ca.crt").read_text() == "PEM"


async def test_an_api_that_is_away_is_said(volumes, api):
    api.failing = ApiError({"code": 403, "reason": "Forbidden", "message": "no"})
    with pytest.raises(NotMounted, match="no"):
        await mounted(volumes, {"name": "v", "configMap": {"name": "c"}})
    api.failing = TimeoutError()
    with pytest.raises(NotMounted, match="TimeoutError"):
        await mounted(volumes, {"name": "v", "configMap": {"name": "c"}})
