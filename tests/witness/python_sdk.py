"""Builds everything that specs/quickstart.yaml names with the official SDKs on an empty simulator, asks arcflux whether
it agrees, lets arcflux write and reads that, and takes everything down again.

Usage: python_sdk.py URL ARCFLUX SPEC [CA_BUNDLE]

Over https it signs in at the simulator with azure-identity, and so does arcflux. Over http no client signs in, and the
SDKs have to be told that this is meant.
"""

import logging
import os
import subprocess
import sys
import time

from azure.core.credentials import AccessToken
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.identity import ClientSecretCredential, ManagedIdentityCredential
from azure.mgmt.hybridkubernetes import ConnectedKubernetesClient
from azure.mgmt.kubernetesconfiguration.extensions import KubernetesConfigurationExtensionsMgmtClient
from azure.mgmt.kubernetesconfiguration.fluxconfigurations import KubernetesConfigurationFluxConfigurationsMgmtClient
from azure.mgmt.resource.resources import ResourceManagementClient

# What it warns of is asserted here.
logging.getLogger("azure.identity").setLevel(logging.ERROR)

url, arcflux, spec, *ca_bundle = sys.argv[1:]

TENANT = "5b7f3d70-52b8-4c0e-9a43-0d8f0f1c2a11"
GROUP, CLUSTER, NAME = "rg-edge", "store-001", "flux-system"
PLACE = (GROUP, "Microsoft.Kubernetes", "connectedClusters", CLUSTER)
SUBSCRIPTION = next(line.split()[1] for line in open(spec) if line.startswith("subscription:"))
# Simulated seconds pass sixty times as fast as real ones.
PATIENCE = 30


class AnyToken:
    """Over http nobody is asked who they are."""

    def get_token(self, *scopes, **kwargs):
        return AccessToken("simulated", int(time.time()) + 3600)


def signed_in(secret):
    return ClientSecretCredential(TENANT, "witness", secret, authority=url, disable_instance_discovery=True)


if url.startswith("https://"):
    credential, CALL = signed_in("any"), {}
    signs_in = {
        "AZURE_AUTHORITY_HOST": url,
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": "witness",
        "AZURE_CLIENT_SECRET": "any",
    }
    connects = ["--ca-bundle", *ca_bundle, "--auth", "environment"]
else:
    credential, CALL = AnyToken(), {"enforce_https": False}
    signs_in, connects = {}, []


def client(kind, credential=credential, **options):
    scopes = [f"{url}/.default"]
    return kind(credential, SUBSCRIPTION, base_url=url, credential_scopes=scopes, polling_interval=1, **options)


def told(*words):
    print("SDK:", *words, flush=True)


def run(*arguments, expect=0):
    """Runs arcflux against the simulator; its standard output."""
    command = [arcflux, *arguments, "-f", spec, "--arm-endpoint", url, *connects]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, **signs_in})
    assert done.returncode == expect, f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def refused(error, code, call, *arguments, **keywords):
    """That a call is refused, with `error` and ARM's `code` in it."""
    try:
        call(*arguments, **keywords, **CALL)
    except error as refusal:
        assert code == getattr(refusal.error, "code", None), f"{code}: {refusal}"
        told("refused with", type(refusal).__name__, code)
        return
    raise AssertionError(f"{code}: not refused")


def until(what, reached):
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end, f"{what}: not within {PATIENCE} s"
        time.sleep(0.2)


# Over http at the version that the SDK itself asks for, over TLS at the one that there is a contract of.
resources = client(ResourceManagementClient, **({"api_version": "2024-03-01"} if ca_bundle else {}))
clusters = client(ConnectedKubernetesClient)
extensions = client(KubernetesConfigurationExtensionsMgmtClient).extensions
flux = client(KubernetesConfigurationFluxConfigurationsMgmtClient).flux_configurations


def sign_in_by_other_means():
    if not url.startswith("https://"):
        return
    try:
        list(client(ResourceManagementClient, signed_in("wrong")).resource_groups.list())
        raise AssertionError("the wrong secret was accepted")
    except ClientAuthenticationError as refusal:
        assert "AADSTS7000215" in str(refusal), refusal
        told("refused with", type(refusal).__name__, "AADSTS7000215")
    # Managed-identity endpoints are accepted over http; here one answers over TLS.
    os.environ |= {"IDENTITY_ENDPOINT": f"{url}/msi/token", "IDENTITY_HEADER": "any"}
    list(client(ResourceManagementClient, ManagedIdentityCredential()).resource_groups.list())
    del os.environ["IDENTITY_ENDPOINT"], os.environ["IDENTITY_HEADER"]
    told("signed in with a client secret and as a managed identity")


def providers():
    for namespace in ("Microsoft.Kubernetes", "Microsoft.KubernetesConfiguration"):
        resources.providers.register(namespace, **CALL)
        state = lambda: resources.providers.get(namespace, **CALL).registration_state
        until(namespace, lambda: state() == "Registered")
    listed = [provider.namespace for provider in resources.providers.list(**CALL)]
    assert "Microsoft.KubernetesConfiguration" in listed, listed
    refused(HttpResponseError, "InvalidResourceNamespace", resources.providers.get, "Microsoft.Nowhere")
    told("registered and listed providers")


def group():
    refused(ResourceNotFoundError, "ResourceGroupNotFound", resources.resource_groups.get, GROUP)
    made = resources.resource_groups.create_or_update(GROUP, {"location": "westeurope"}, **CALL)
    assert made.properties.provisioning_state == "Succeeded", made
    patched = resources.resource_groups.update(GROUP, {"tags": {"stage": "edge"}}, **CALL)
    assert patched.tags == {"stage": "edge"}, patched
    assert resources.resource_groups.get(GROUP, **CALL).location == "westeurope"
    assert [item.name for item in resources.resource_groups.list(**CALL)] == [GROUP]
    assert resources.resource_groups.check_existence(GROUP, **CALL)
    elsewhere = {"location": "eastus"}
    refused(ResourceExistsError, "InvalidResourceGroupLocation", resources.resource_groups.create_or_update, GROUP, elsewhere)
    told("created, patched, got and listed the resource group")


def connected_cluster():
    connected = clusters.connected_cluster
    made = connected.begin_create_or_replace(
        GROUP,
        CLUSTER,
        {
            "location": "westeurope",
            "identity": {"type": "SystemAssigned"},
            "properties": {"agentPublicKeyCertificate": "MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEA"},
        },
        **CALL,
    ).result()
    assert made.properties.provisioning_state == "Succeeded", made
    patched = connected.begin_update_async(GROUP, CLUSTER, {"tags": {"store": "1"}}, **CALL).result()
    assert patched.tags == {"store": "1"}, patched
    until("the cluster's agents", lambda: connected.get(GROUP, CLUSTER, **CALL).properties.connectivity_status == "Connected")
    assert [item.name for item in connected.list_by_resource_group(GROUP, **CALL)] == [CLUSTER]
    assert [item.name for item in connected.list_by_subscription(**CALL)] == [CLUSTER]
    refused(ResourceNotFoundError, "ResourceNotFound", connected.get, GROUP, "store-002")
    told("connected, patched, got and listed the cluster")


def extension():
    refused(ResourceNotFoundError, "ResourceNotFound", extensions.get, *PLACE, "flux")
    made = extensions.begin_create(
        *PLACE,
        "flux",
        {
            "identity": {"type": "SystemAssigned"},
            "properties": {
                "extensionType": "microsoft.flux",
                "autoUpgradeMinorVersion": True,
                "configurationSettings": {"multiTenancy.enforce": "true"},
                "configurationProtectedSettings": {"some": "secret"},
            },
        },
        **CALL,
    ).result()
    assert made.properties.provisioning_state == "Succeeded", made
    assert made.identity.principal_id, "Arc extensions have an identity"
    change = {"properties": {"configurationSettings": {"multiTenancy.enforce": "false"}}}
    patched = extensions.begin_update(*PLACE, "flux", change, **CALL).result()
    assert patched.properties.configuration_settings["multiTenancy.enforce"] == "false", patched
    assert [item.name for item in extensions.list(*PLACE, **CALL)] == ["flux"]
    told("installed, patched, got and listed the extension")


def configuration(branch):
    return {
        "properties": {
            "scope": "cluster",
            "namespace": NAME,
            "sourceKind": "GitRepository",
            "gitRepository": {"url": "https://github.com/contoso/gitops", "repositoryRef": {"branch": branch}},
            "kustomizations": {
                "infrastructure": {"path": "./clusters/store-001/coral-system/ManifestDeployments", "prune": True},
                "app": {
                    "path": "./clusters/store-001/retail/ApplicationRegistrations",
                    "prune": True,
                    "dependsOn": ["infrastructure"],
                },
            },
        }
    }


def flux_configuration():
    made = flux.begin_create_or_update(*PLACE, NAME, configuration("main"), **CALL).result()
    assert made.properties.provisioning_state == "Succeeded", made
    got = flux.get(*PLACE, NAME, **CALL)
    assert got.properties.git_repository.url == "https://github.com/contoso/gitops"
    assert got.properties.kustomizations["app"].wait is True, "defaults are filled in"
    assert [item.name for item in flux.list(*PLACE, **CALL)] == [NAME]
    nonsense = configuration("main")
    nonsense["properties"]["sourceKind"] = "Nonsense"
    refused(HttpResponseError, "InvalidRequestContent", flux.begin_create_or_update, *PLACE, "bad", nonsense)
    told("created, got and listed the flux configuration")


def arcflux_agrees():
    # What somebody else made, and is as the spec says, needs nothing: apply only waits until Flux has reconciled.
    run("apply", "--auto-approve", "--poll-scale", "0.02")
    plan = run("plan", "--detailed-exitcode")
    assert "No changes." in plan, plan
    print("arcflux:", plan.splitlines()[0], flush=True)

    change = {
        "properties": {
            "sourceKind": "GitRepository",
            "gitRepository": {"url": "https://github.com/contoso/gitops", "repositoryRef": {"branch": "next"}},
        }
    }
    patched = flux.begin_update(*PLACE, NAME, change, **CALL).result()
    assert patched.properties.git_repository.repository_ref.branch == "next"
    plan = run("plan", "--detailed-exitcode", expect=2)
    assert 'branch = "next" -> "main"' in plan, plan
    print("arcflux: shows what the SDK changed", flush=True)


def what_arcflux_made():
    flux.begin_delete(*PLACE, NAME, **CALL).result()
    refused(ResourceNotFoundError, "ResourceNotFound", flux.get, *PLACE, NAME)
    extensions.begin_delete(*PLACE, "flux", **CALL).result()
    refused(ResourceNotFoundError, "ResourceNotFound", extensions.get, *PLACE, "flux")
    run("apply", "--auto-approve", "--poll-scale", "0.02")
    made = flux.get(*PLACE, NAME, **CALL)
    assert made.properties.compliance_state == "Compliant", made
    assert made.properties.kustomizations["app"].depends_on == ["infrastructure"]
    found = [item for item in extensions.list(*PLACE, **CALL) if item.properties.extension_type.lower() == "microsoft.flux"]
    assert found[0].properties.configuration_settings["multiTenancy.enforce"] == "false", found
    told("reads what arcflux made,", made.properties.compliance_state)


def take_down():
    flux.begin_delete(*PLACE, NAME, **CALL).result()
    extensions.begin_delete(*PLACE, "flux", **CALL).result()
    clusters.connected_cluster.begin_delete(GROUP, CLUSTER, **CALL).result()
    refused(ResourceNotFoundError, "ResourceNotFound", clusters.connected_cluster.get, GROUP, CLUSTER)
    resources.resource_groups.begin_delete(GROUP, **CALL).result()
    refused(ResourceNotFoundError, "ResourceGroupNotFound", resources.resource_groups.get, GROUP)
    told("took everything down")


sign_in_by_other_means()
providers()
group()
connected_cluster()
extension()
flux_configuration()
arcflux_agrees()
what_arcflux_made()
take_down()
