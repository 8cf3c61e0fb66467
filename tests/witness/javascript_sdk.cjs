// Signs in, creates, gets, lists, patches and deletes with the official SDK, and reads what arcflux made.
//
// Usage: javascript_sdk.cjs URL ARCFLUX SPEC CA_BUNDLE
"use strict";

const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const { ClientSecretCredential } = require("@azure/identity");
const { SourceControlConfigurationClient } = require("@azure/arm-kubernetesconfiguration");

const [url, arcflux, spec, caBundle] = process.argv.slice(2);

const tenant = "5b7f3d70-52b8-4c0e-9a43-0d8f0f1c2a11";
const subscription = fs.readFileSync(spec, "utf8").match(/^subscription: *(\S+)/m)[1];
const place = ["rg-edge", "Microsoft.Kubernetes", "connectedClusters", "store-001"];
const name = "flux-system";
const quickly = { updateIntervalInMs: 500 };

function client(secret) {
  const credential = new ClientSecretCredential(tenant, "witness", secret, {
    authorityHost: url,
    disableInstanceDiscovery: true,
  });
  return new SourceControlConfigurationClient(credential, subscription, {
    endpoint: url,
    credentialScopes: [`${url}/.default`],
  });
}

function run(...args) {
  const env = {
    ...process.env,
    AZURE_AUTHORITY_HOST: url,
    AZURE_TENANT_ID: tenant,
    AZURE_CLIENT_ID: "witness",
    AZURE_CLIENT_SECRET: "any",
  };
  const connects = ["-f", spec, "--arm-endpoint", url, "--ca-bundle", caBundle, "--auth", "environment"];
  return execFileSync(arcflux, [...args, ...connects], { env, encoding: "utf8", stdio: "pipe", timeout: 120_000 });
}

async function names(items) {
  const found = [];
  for await (const item of items) found.push(item.name);
  return found;
}

async function main() {
  const { extensions, fluxConfigurations: flux } = client("any");
  await assert.rejects(client("wrong").fluxConfigurations.get(...place, name), /AADSTS7000215/);
  console.log("SDK: refused with the wrong secret");

  // Nothing is there yet, and the provider is not registered: arcflux sees to both.
  await assert.rejects(flux.get(...place, name), { code: "ResourceNotFound", statusCode: 404 });
  run("apply", "--auto-approve", "--poll-scale", "0.02");
  const made = await flux.get(...place, name);
  assert.equal(made.complianceState, "Compliant");
  assert.deepEqual(made.kustomizations.app.dependsOn, ["infrastructure"]);
  assert.deepEqual(await names(extensions.list(...place)), ["flux"]);
  console.log("SDK: reads what arcflux made,", made.complianceState);

  const change = { gitRepository: { url: "https://github.com/contoso/gitops", repositoryRef: { branch: "next" } } };
  const patched = await flux.beginUpdateAndWait(...place, name, { sourceKind: "GitRepository", ...change }, quickly);
  assert.equal(patched.gitRepository.repositoryRef.branch, "next");
  await flux.beginDeleteAndWait(...place, name, quickly);
  await assert.rejects(flux.get(...place, name), { code: "ResourceNotFound", statusCode: 404 });
  console.log("SDK: patched, deleted; the error maps to ResourceNotFound");

  const { id, systemData, provisioningState, ...wanted } = made;
  const created = await flux.beginCreateOrUpdateAndWait(...place, name, wanted, quickly);
  assert.equal(created.provisioningState, "Succeeded");
  assert.deepEqual(await names(flux.list(...place)), [name]);
  run("apply", "--auto-approve", "--poll-scale", "0.02");
  const plan = run("plan", "--detailed-exitcode");
  assert.match(plan, /^No changes\./m);
  console.log("arcflux:", plan.split("\n")[0]);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
