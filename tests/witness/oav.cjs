// Replays a traffic log of `arcflux sim serve --log` through oav's LiveValidator, against the published contracts.
//
// Usage: oav.cjs LOG CONTRACTS FINDINGS WORK
//
// What it finds is either listed in FINDINGS with what proves that Azure does it, or an error; so is what is listed
// and no longer found. Requests that no contract is there for are listed the same way.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { LiveValidator } = require("oav");

const [log, contracts, findingsFile, work] = process.argv.slice(2);

// The contracts lie as they are published: their references to each other count directories.
function lay() {
  const specification = path.join(work, "specification");
  fs.cpSync(path.join(contracts, "common-types"), path.join(specification, "common-types"), { recursive: true });
  for (const provider of fs.readdirSync(contracts).filter((name) => name.startsWith("Microsoft."))) {
    const home = path.join(specification, provider.toLowerCase(), "resource-manager", provider);
    const common = path.join(contracts, provider, "common");
    if (fs.existsSync(common)) fs.cpSync(common, path.join(home, "common"), { recursive: true });
    const stable = path.join(contracts, provider, "stable");
    for (const version of fs.readdirSync(stable)) {
      const files = fs.readdirSync(path.join(stable, version));
      // Excerpts and drafts say again what the whole contract beside them says.
      for (const file of files.filter((name) => /^[A-Za-z]+\.json$/.test(name))) {
        const source = path.join(stable, version, file);
        const isNested = fs.readFileSync(source, "utf8").includes("../../../../../../common-types");
        const to = path.join(home, ...(isNested ? [path.parse(file).name] : []), "stable", version);
        fs.cpSync(source, path.join(to, file));
        fs.cpSync(path.join(stable, version, "examples"), path.join(to, "examples"), { recursive: true });
      }
    }
  }
}

// Names are the caller's: one entry stands for every name.
function shape(url) {
  return new URL(url).pathname
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/gi, "*")
    .replace(/(operationStatuses|operationresults)\/[^/]+/gi, "$1/*")
    .replace(/(resourcegroups|connectedClusters|extensions|fluxConfigurations|providers\/Microsoft\.\w+\/operations)\/[^/]+/gi, "$1/*");
}

function key(parts) {
  return parts.join(" | ");
}

async function findings() {
  const unread = [];
  const tell = (message) => {
    if (message.startsWith("Failed to load spec")) unread.push(message);
  };
  const options = {
    git: { shouldClone: false },
    directory: work,
    swaggerPathsPattern: ["specification/*/resource-manager/**/stable/**/*.json"],
    excludedSwaggerPathsPattern: ["**/examples/**"],
    isPathCaseSensitive: false,
  };
  const validator = new LiveValidator(options, tell);
  await validator.initialize();
  if (unread.length > 0) throw new Error(unread.join("\n"));
  const found = new Map();
  const note = (finding) => found.set(key(finding), (found.get(key(finding)) ?? 0) + 1);
  let exchanges = 0;
  let checked = 0;
  for (const line of fs.readFileSync(log, "utf8").split("\n").filter(Boolean)) {
    const { request, response } = JSON.parse(line);
    exchanges += 1;
    const { method, url, headers, body } = request;
    const result = await validator.validateLiveRequestResponse({
      liveRequest: { method, url, headers, body: body ?? undefined },
      liveResponse: {
        statusCode: String(response.statusCode),
        headers: response.headers,
        body: response.body ?? undefined,
      },
    });
    const sides = { request: result.requestValidationResult, response: result.responseValidationResult };
    if (sides.request.runtimeException || sides.response.runtimeException) {
      const { code } = sides.request.runtimeException ?? sides.response.runtimeException;
      note(["no contract", method, shape(url), new URL(url).searchParams.get("api-version") ?? "-", code]);
      continue;
    }
    checked += 1;
    for (const [side, { operationInfo, errors }] of Object.entries(sides)) {
      for (const { code, pathsInPayload } of errors) {
        for (const place of pathsInPayload?.length ? pathsInPayload : ["-"]) {
          note([side, operationInfo.operationId, operationInfo.apiVersion, response.statusCode, code, place.replace(/\d+/g, "*")]);
        }
      }
    }
  }
  return { found, exchanges, checked };
}

async function main() {
  lay();
  const { found, exchanges, checked } = await findings();
  const listed = JSON.parse(fs.readFileSync(findingsFile, "utf8"));
  const known = new Set(listed.flatMap(({ findings: of }) => of));
  const surprises = [...found].filter(([finding]) => !known.has(finding));
  const unused = [...known].filter((finding) => !found.has(finding));
  console.log(`oav: ${exchanges} exchanges, ${checked} checked against a contract, ${found.size} findings, ${known.size} listed`);
  for (const [finding, times] of surprises) console.log(`not listed (${times} times): ${finding}`);
  for (const finding of unused) console.log(`listed, and not found: ${finding}`);
  if (checked === 0 || surprises.length > 0 || unused.length > 0) process.exitCode = 1;
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
