#!/usr/bin/env python3
"""Holds what deploy/ says against itself and against the program.

usage: manifests_test.py HUILIU             what needs PyYAML alone
       manifests_test.py --schemas          Kubernetes' own schemas (PyPI: kubernetes-validate)
"""
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def documents():
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))


def by_kind() -> dict:
    return {document["kind"]: document for document in documents()}


def check_kubernetes(kinds: dict) -> None:
    """What schemas do not see: names that must fit each other."""
    pod = kinds["StatefulSet"]["spec"]["template"]
    container = pod["spec"]["containers"][0]
    labels = pod["metadata"]["labels"]
    for kind in ("StatefulSet", "PodDisruptionBudget", "PodMonitor"):
        assert kinds[kind]["spec"]["selector"]["matchLabels"] == labels, kind
    assert kinds["Service"]["spec"]["selector"] == labels
    assert kinds["StatefulSet"]["spec"]["serviceName"] == kinds["Service"]["metadata"]["name"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    named = [container[probe]["httpGet"]["port"] for probe in ("livenessProbe", "readinessProbe")]
    named += [port["targetPort"] for port in kinds["Service"]["spec"]["ports"]]
    named += [end["port"] for end in kinds["PodMonitor"]["spec"]["podMetricsEndpoints"]]
    assert set(named) <= set(ports), (named, ports)
    volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
    volumes |= {claim["metadata"]["name"] for claim in kinds["StatefulSet"]["spec"]["volumeClaimTemplates"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    topology = yaml.safe_load(kinds["ConfigMap"]["data"]["topology.yaml"])
    assert topology["server"]["listen"].endswith(f":{ports['monitor']}")
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert not any(document["kind"] == "Secret" for document in documents()), "secrets are not kept here"


def check_topologies(huiliu: str, kinds: dict) -> None:
    """The program takes the topologies of the ConfigMap and of the Compose file."""
    with tempfile.TemporaryDirectory() as folder:
        password = Path(folder) / "password"
        password.write_text("p", encoding="utf-8")
        text = kinds["ConfigMap"]["data"]["topology.yaml"].replace("/run/secrets/kafka", folder)
        of_map = Path(folder) / "topology.yaml"
        of_map.write_text(text, encoding="utf-8")
        subprocess.run([huiliu, "validate", str(of_map), str(DEPLOY / "compose/topology.yaml")], check=True,
                       env={**os.environ, "POD_NAME": "huiliu-0"})


def check_compose() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services), name
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} listens beyond loopback: {port}"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            there = (DEPLOY / source).exists() if source.startswith(".") else source in compose["volumes"]
            assert there, f"{name}: {source}"
    for path in DEPLOY.rglob("*.y*ml"):
        list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def check_dashboard() -> None:
    """A panel of a figure that was renamed would be empty, and nobody would hear of it."""
    pages = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "service/monitor").glob("*.cpp"))
    known = set(re.findall(r'"(huiliu_[a-z_]+)"', pages))
    text = (DEPLOY / "compose/grafana/dashboards/huiliu.json").read_text(encoding="utf-8")
    for panel in json.loads(text)["panels"]:
        for name in re.findall(r"huiliu_[a-z_]+", panel["targets"][0]["expr"]):
            assert re.sub(r"_(bucket|sum|count)$", "", name) in known, f"there is no figure {name}"


def check_schemas() -> None:
    """Each version of Kubernetes that the schemas are there for; PodMonitor is no kind of its own."""
    import kubernetes_validate
    versions = sorted(str(version) for version in kubernetes_validate.utils.all_versions())
    kept = [document for document in documents() if document["kind"] != "PodMonitor"]
    for version in versions:
        for document in kept:
            kubernetes_validate.validate(document, version, strict=True)
        wrong = next(document for document in documents() if document["kind"] == "StatefulSet")
        wrong["spec"]["replica"] = 3
        try:
            kubernetes_validate.validate(wrong, version, strict=True)
        except kubernetes_validate.ValidationError:
            continue
        raise AssertionError(f"{version} takes a key that there is not")
    print(f"{len(kept)} manifests keep the schemas of Kubernetes {versions[0]} to {versions[-1]}")


def main() -> int:
    if sys.argv[1] == "--schemas":
        check_schemas()
        return 0
    kinds = by_kind()
    check_kubernetes(kinds)
    check_topologies(sys.argv[1], kinds)
    check_compose()
    check_dashboard()
    print("manifests, Compose file and dashboard fit the program")
    return 0


if __name__ == "__main__":
    sys.exit(main())
