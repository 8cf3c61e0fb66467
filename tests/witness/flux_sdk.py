"""Creates, gets, lists and deletes with the official SDK on a simulator, and asks arcflux whether it agrees.

Usage: flux_sdk.py URL ARCFLUX SPEC
"""

import subprocess
import sys
import time
import urllib.request

from azure.core.credentials import AccessToken
from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.kubernetesconfiguration.extensions import KubernetesConfigurationExtensionsMgmtClient
from azure.mgmt.kubernetesconfiguration.fluxconfigurations import KubernetesConfigurationFluxConfigurationsMgmtClient

url, arcflux, spec = sys.argv[1:]

# What specs/quickstart.yaml says.
SUBSCRIPTION = next(line.split()[1] for line in open(spec) if line.startswith("subscription:"))
PLACE = ("rg-edge", "Microsoft.Kubernetes", "connectedClusters", "store-001")
NAME = "flux-system"
HTTP = {"enforce_https": False}


class Credential:
    """Any token will do: the simulator asks nobody who they are."""

    def get_token(self, *scopes, **kwargs):
        return AccessToken("simulated", int(time.time()) + 3600)


def client(kind):
    return kind(
        Credential(), SUBSCRIPTION, base_url=url, credential_scopes=["https://management.azure.com/.default"], polling_interval=1
    )


def run(*arguments, expect=0):
    """Runs arcflux against the simulator; its standard output."""
    command = [arcflux, *arguments, "-f", spec, "--arm-endpoint", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == expect, f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def register(namespace):
    request = urllib.request.Request(
        f"{url}/subscriptions/{SUBSCRIPTION}/providers/{namespace}/register?api-version=2024-03-01", method="POST", data=b""
    )
    urllib.request.urlopen(request).read()
    for _ in range(100):
        with urllib.request.urlopen(
            f"{url}/subscriptions/{SUBSCRIPTION}/providers/{namespace}?api-version=2024-03-01"
        ) as answer:
            if b'"registrationState":"Registered"' in answer.read().replace(b" ", b""):
                return
        time.sleep(0.1)
    raise AssertionError(f"{namespace} was never registered")


register("Microsoft.KubernetesConfiguration")
extensions = client(KubernetesConfigurationExtensionsMgmtClient)
flux = client(KubernetesConfigurationFluxConfigurationsMgmtClient)

extension = extensions.extensions.begin_create(
    *PLACE,
    "flux",
    {
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "extensionType": "microsoft.flux",
            "autoUpgradeMinorVersion": True,
            "configurationSettings": {"multiTenancy.enforce": "false"},
        },
    },
    **HTTP,
).result()
assert extension.properties.provisioning_state == "Succeeded", extension
assert extension.identity.principal_id, "Arc extensions have an identity"

kustomizations = {
    "infrastructure": {"path": "./clusters/store-001/coral-system/ManifestDeployments", "prune": True},
    "app": {
        "path": "./clusters/store-001/retail/ApplicationRegistrations",
        "prune": True,
        "dependsOn": ["infrastructure"],
    },
}
created = flux.flux_configurations.begin_create_or_update(
    *PLACE,
    NAME,
    {
        "properties": {
            "scope": "cluster",
            "namespace": NAME,
            "sourceKind": "GitRepository",
            "gitRepository": {"url": "https://github.com/contoso/gitops", "repositoryRef": {"branch": "main"}},
            "kustomizations": kustomizations,
        }
    },
    **HTTP,
).result()
assert created.properties.provisioning_state == "Succeeded", created
print("SDK: created", created.name)

got = flux.flux_configurations.get(*PLACE, NAME, **HTTP)
assert got.properties.git_repository.url == "https://github.com/contoso/gitops"
assert got.properties.kustomizations["app"].wait is True, "defaults are filled in"
names = [item.name for item in flux.flux_configurations.list(*PLACE, **HTTP)]
assert names == [NAME], names
print("SDK: got and listed", names)

# What somebody else made, and is as the spec says, needs nothing: apply only waits until Flux has reconciled.
run("apply", "--auto-approve", "--poll-scale", "0.02")
plan = run("plan", "--detailed-exitcode")
assert "No changes." in plan, plan
print("arcflux:", plan.splitlines()[0])

patched = flux.flux_configurations.begin_update(
    *PLACE,
    NAME,
    {
        "properties": {
            "sourceKind": "GitRepository",
            "gitRepository": {"url": "https://github.com/contoso/gitops", "repositoryRef": {"branch": "next"}},
        }
    },
    **HTTP,
).result()
assert patched.properties.git_repository.repository_ref.branch == "next"
plan = run("plan", "--detailed-exitcode", expect=2)
assert 'branch = "next" -> "main"' in plan, plan
print("arcflux: shows what the SDK changed")

flux.flux_configurations.begin_delete(*PLACE, NAME, **HTTP).result()
try:
    flux.flux_configurations.get(*PLACE, NAME, **HTTP)
    raise AssertionError("still there after its deletion")
except ResourceNotFoundError as error:
    assert error.error.code == "ResourceNotFound", error
print("SDK: deleted; the error maps to", ResourceNotFoundError.__name__)

run("apply", "--auto-approve", "--poll-scale", "0.02")
made = flux.flux_configurations.get(*PLACE, NAME, **HTTP)
assert made.properties.compliance_state == "Compliant", made
assert made.properties.kustomizations["app"].depends_on == ["infrastructure"]
print("SDK: reads what arcflux made,", made.properties.compliance_state)
