"""The files under deploy/: their settings make working nodes, and they give no more than needed."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from edgewright.edge_runtime.config import NodeConfig, load_config
from edgewright.edge_runtime.keys import KeyRing
from edgewright.tools.errors import AuthenticationError, ScopeError

DEPLOY = Path(__file__).parents[2] / "deploy"
MANIFESTS = sorted(path for path in (DEPLOY / "k3s").glob("*.yaml") if path.stem != "kustomization")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
CONTAINERFILE = (DEPLOY / "Containerfile").read_text("utf-8")
UNIT = DEPLOY / "systemd/edgewright-node.service"
#: By systemd-analyze, of 10; what is left is above all that a node uses the network.
MAX_EXPOSURE = 1.2


def documents() -> list[dict[str, Any]]:
    return [each for path in MANIFESTS for each in yaml.safe_load_all(path.read_text("utf-8"))]


def pod_of(role: str) -> dict[str, Any]:
    (pod,) = (
        each["spec"]["template"]["spec"]
        for each in documents()
        if each["kind"] == "StatefulSet" and each["metadata"]["name"] == role
    )
    return dict(pod)


def image_environment() -> dict[str, str]:
    """Return the variables that the image sets."""
    final = CONTAINERFILE.rpartition("\nFROM ")[2]
    words = final.partition("\nENV ")[2].partition("\nUSER")[0].replace("\\\n", " ").split()
    return dict(word.split("=", 1) for word in words)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deploy") / "secrets"
    subprocess.run(["sh", DEPLOY / "make-secrets.sh", folder], check=True, timeout=20)
    return folder


def configured(environment: Mapping[str, str], secrets: Path) -> NodeConfig:
    """Return the configuration of a container whose secrets lie where the files say."""
    local = {
        name: value.replace("/run/secrets/", f"{secrets}/") for name, value in environment.items()
    }
    return load_config(None, environ={**image_environment(), **local})


def check_pair(edge: NodeConfig, device: NodeConfig, secrets: Path) -> None:
    """Check that a device may call its edge server, and that only its client may call it."""
    assert (edge.role, device.role) == ("edge", "device")
    (peer,) = device.peers
    assert peer.api_key is not None
    assert peer.url == f"http://edge:{edge.port}"
    to_edge = b"Bearer " + peer.api_key.get_secret_value().encode()
    to_device = b"Bearer " + (secrets / "client-to-device").read_bytes()
    assert KeyRing(edge.keys).check(to_edge, "infer", "").name == "device"
    assert KeyRing(device.keys).check(to_device, "admin", "").name == "client"
    with pytest.raises(AuthenticationError):
        KeyRing(edge.keys).check(to_device, "infer", "")
    with pytest.raises(ScopeError):
        KeyRing(edge.keys).check(to_edge, "admin", "")


def test_secrets_are_made_once_and_lie_in_a_closed_folder(secrets: Path) -> None:
    before = {path.name: path.read_text() for path in secrets.iterdir()}
    assert set(before) == {"client-to-device", "device-keys", "device-to-edge", "edge-keys"}
    assert secrets.stat().st_mode & 0o777 == 0o700
    subprocess.run(["sh", DEPLOY / "make-secrets.sh", secrets], check=True, timeout=20)
    assert {path.name: path.read_text() for path in secrets.iterdir()} == before


# -- container and compose -------------------------------------------------------------------------


def test_the_containerfile_is_well_made() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    run = subprocess.run(
        [hadolint, DEPLOY / "Containerfile"], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stdout


def test_the_image_runs_as_a_user_of_its_own() -> None:
    user = CONTAINERFILE.rpartition("\nUSER ")[2].split()[0]
    assert user == "10001:10001"
    assert "HEALTHCHECK" in CONTAINERFILE.rpartition("\nUSER ")[2]


def test_the_image_is_built_from_what_it_needs_alone() -> None:
    lines = (DEPLOY / "Containerfile.dockerignore").read_text("utf-8").split()
    assert lines[0] == "*"
    copied = [DEPLOY.parent / line[1:] for line in lines if line.startswith("!")]
    copied.remove(DEPLOY / "models")  # exported by whoever builds the image
    assert all(path.exists() for path in copied)
    mapping = ("agents", "cli", "edge_runtime", "edgewright", "graphs", "servers", "tools")
    assert {path.name for path in copied if path.is_dir()} == set(mapping)


def test_composed_nodes_are_configured(secrets: Path) -> None:
    edge, device = (
        configured(COMPOSE["services"][name]["environment"], secrets) for name in ("edge", "device")
    )
    check_pair(edge, device, secrets)


@pytest.mark.parametrize("name", ["edge", "device"])
def test_composed_nodes_have_no_privileges(name: str, secrets: Path) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "user", "cap_add", "devices", "network_mode"} & service.keys()
    for secret in service["secrets"]:
        assert (secrets / Path(COMPOSE["secrets"][secret]["file"]).name).exists()
    used = {value for value in service["environment"].values() if "/run/secrets" in value}
    assert used == {f"/run/secrets/{secret}" for secret in service["secrets"]}


def test_only_the_composed_device_is_reachable_and_on_loopback() -> None:
    services = COMPOSE["services"]
    assert "ports" not in services["edge"]
    assert COMPOSE["networks"][services["edge"]["networks"][0]]["internal"] is True
    assert all(port.startswith("127.0.0.1:") for port in services["device"]["ports"])


# -- k3s -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_manifests_follow_the_schemas_of_kubernetes(path: Path) -> None:
    version = kubernetes_validate.latest_version()
    for document in yaml.safe_load_all(path.read_text("utf-8")):
        kubernetes_validate.validate(document, version, strict=True)


def test_a_misspelt_field_would_be_found() -> None:
    document = yaml.safe_load((DEPLOY / "k3s/namespace.yaml").read_text("utf-8"))
    document["metadata"]["label"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


def test_pods_are_configured(secrets: Path) -> None:
    edge, device = (
        configured(
            {each["name"]: each["value"] for each in pod_of(role)["containers"][0]["env"]}, secrets
        )
        for role in ("edge", "device")
    )
    check_pair(edge, device, secrets)


@pytest.mark.parametrize("role", ["edge", "device"])
def test_pods_are_restricted(role: str) -> None:
    """What the pod security standard ``restricted`` requires, and a read-only root."""
    pod = pod_of(role)
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    assert pod["automountServiceAccountToken"] is False
    security = container["securityContext"]
    assert security["capabilities"]["drop"] == ["ALL"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["readOnlyRootFilesystem"] is True
    mounted = {each["mountPath"] for each in container["volumeMounts"]}
    assert mounted == {image_environment()["EDGEWRIGHT_HOME"], "/tmp", "/run/secrets"}


def test_the_kustomization_has_every_manifest_and_secret(secrets: Path) -> None:
    overlay = yaml.safe_load((DEPLOY / "k3s/kustomization.yaml").read_text("utf-8"))
    assert sorted(overlay["resources"]) == [path.name for path in MANIFESTS]
    generated = {
        each["name"]: {Path(file).name for file in each["files"]}
        for each in overlay["secretGenerator"]
    }
    for role in ("edge", "device"):
        (keys,) = (each for each in pod_of(role)["volumes"] if "secret" in each)
        named = {
            Path(each["value"]).name
            for each in pod_of(role)["containers"][0]["env"]
            if each["name"].endswith("_FILE")
        }
        assert generated[keys["secret"]["secretName"]] == named
        assert all((secrets / name).exists() for name in named)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_the_kustomization_is_rendered(tmp_path: Path, secrets: Path) -> None:
    shutil.copytree(DEPLOY / "k3s", tmp_path / "k3s", ignore=shutil.ignore_patterns("secrets"))
    shutil.copytree(secrets, tmp_path / "k3s/secrets")
    run = subprocess.run(
        ["kubectl", "kustomize", tmp_path / "k3s"], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    rendered = list(yaml.safe_load_all(run.stdout))
    assert [each["kind"] for each in rendered].count("Secret") == 2
    for document in rendered:
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


# -- systemd ---------------------------------------------------------------------------------------

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not installed"
)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with its drop-in, for this environment's program."""
    folder = tmp_path / "units"
    shutil.copytree(UNIT.parent, folder)
    installed = UNIT.read_text("utf-8")
    program = str(Path(sys.executable).with_name("edgewright"))
    assert "/opt/edgewright/bin/edgewright " in installed
    path = folder / UNIT.name
    path.write_text(installed.replace("/opt/edgewright/bin/edgewright", program), "utf-8")
    return path


@needs_systemd
def test_the_unit_is_valid(unit: Path) -> None:
    run = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=60
    )
    assert (run.returncode, run.stderr) == (0, "")


@needs_systemd
def test_the_unit_is_confined(unit: Path) -> None:
    limit = f"--threshold={MAX_EXPOSURE * 10:.0f}"
    run = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", limit, unit],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stdout[-300:] + run.stderr


def test_the_unit_has_time_to_drain() -> None:
    seconds = int(UNIT.read_text("utf-8").partition("TimeoutStopSec=")[2].split()[0])
    assert seconds > NodeConfig().limits.drain_s
    for role in ("edge", "device"):
        assert pod_of(role)["terminationGracePeriodSeconds"] > NodeConfig().limits.drain_s
