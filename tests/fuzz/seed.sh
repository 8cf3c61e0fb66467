#!/usr/bin/env bash
# Fills tests/fuzz/corpus with inputs to begin from, made of what the repository has: specs, cases, plans and live states
# of the simulator; and of recorded exchanges, where they are kept beside the repository.
set -euo pipefail
cd "$(dirname "$0")/../.."

cargo build --locked --quiet
arcflux=$PWD/${CARGO_TARGET_DIR:-target}/debug/arcflux
corpus=tests/fuzz/corpus
mkdir -p "$corpus"/{spec_text,plan_file,live_file,arm_answers}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for file in specs/*.yaml tests/cases/*/*/arcflux.yaml tests/cases/*/*/spec.yaml; do
  [ -e "$file" ] && cp "$file" "$corpus/spec_text/$(tr / - <<<"$file")"
done

# The number that live_file begins with is that of the spec in arcflux_fuzz::pipeline.
number=0
for spec in quickstart everything long-form; do
  sim=(--cloud sim --sim-state "$work/$spec.json" --sim-pace 1000000 -f "specs/$spec.yaml")
  keep() {
    "$arcflux" plan "${sim[@]}" --out "$work/plan.json" >"$work/out" 2>&1 && cp "$work/plan.json" "$corpus/plan_file/$spec-$1"
    "$arcflux" snapshot "${sim[@]}" --out "$work/live.json" >"$work/out" 2>&1
    { printf %s "$number"; cat "$work/live.json"; } >"$corpus/live_file/$spec-$1"
  }
  keep before
  "$arcflux" apply "${sim[@]}" --auto-approve >"$work/out" 2>&1
  keep after
  "$arcflux" plan "${sim[@]}" --destroy --workloads keep --out "$corpus/plan_file/$spec-destroy" >"$work/out" 2>&1
  number=$((number + 1))
done
for folder in tests/cases/plan/*/; do
  [ -e "$folder/live.json" ] || continue
  name=$(basename "$folder")
  # Cases are refused for many reasons, which is their subject.
  (cd "$folder" && "$arcflux" plan --live live.json --out "$work/plan.json" >"$work/out" 2>&1) || true
  [ -e "$work/plan.json" ] && mv "$work/plan.json" "$corpus/plan_file/$name"
done
for file in tests/cases/plan/*/live*.json; do
  for head in 0 1 2; do
    { printf %s "$head"; cat "$file"; } >"$corpus/live_file/$(tr / - <<<"$file")-$head"
  done
done

# answer NAME HEAD TEXT: HEAD is the first byte, TEXT as arcflux_fuzz::answers reads it.
answer() { printf '%s%b' "$2" "$3" >"$corpus/arm_answers/$1"; }
answer as-it-is 0 ''
answer throttled 0 '12 429\nretry-after: 7\n\n{"error":{"code":"TooManyRequests","message":"Please try again after '"'6'"' seconds."}}'
answer throttled-for-ever 0 '14+ 429\nretry-after: 18446744073709551615\n\n'
answer lost-write 0 '13 lost\n%%\n16 drop\n%%\n22 lost'
answer html 0 '3 503\ncontent-type: text/html\n\n<html><h2>Our services are not available right now</h2></html>\n%%\n15 502'
answer elsewhere 0 '13 201\nazure-asyncoperation: https://evil.example/operations/1?s=signature\n\n~{}'
answer endless-list 0 '4+ 200\n\n{"value":[],"nextLink":"/subscriptions/3f0c/x?api-version=1&p=1"}'
answer failed-operation 0 '15+ 200\n\n{"status":"Failed","error":{"code":"C","message":"M","details":[{"code":"I","message":"i"}]}}'
answer stuck 0 '15+ 200\n\n{"status":"InProgress"}'
answer statuses 2 '20+ =\n\n~{"properties":{"complianceState":"Non-Compliant","statuses":{"statusConditions":{"status":"False","reason":"BuildFailed","message":"no"}}}}'
answer moved 2 '9 =\n\n~{"properties":{"kustomizations":{"app":{"path":"./other","prune":null}}}}'
answer down 6 '12 =\n\n~{"properties":{"provisioningState":"Deleting"}}'
answer long-form 1 '24 409\n\n{"error":{"code":"ResourceOperationInProgress","message":"busy"}}'
answer long-form-again 3 '18+ 404\n\n{"error":{"code":"ResourceNotFound","message":"gone"}}'
answer long-form-down 7 '18 403\n\n{"error":{"code":"AuthorizationFailed","message":"no"}}'

if [ -d ../shared/recordings ] && command -v python3 >/dev/null; then
  python3 - "$corpus/arm_answers" <<'PYTHON'
import json, pathlib, sys

target = pathlib.Path(sys.argv[1])
recordings = pathlib.Path("../shared/recordings")
errors = json.loads((recordings / "arm-error-bodies-catalogue.json").read_text())["errors"]
bodies = [(error.get("status"), error.get("body")) for error in errors if isinstance(error, dict)]
for number, (status, body) in enumerate(bodies):
    text = body if isinstance(body, str) else json.dumps(body)
    for head, request in ((0, 2), (0, 13), (2, 10), (1, 20)):
        (target / f"error-{number}-{request}").write_text(f"{head}{request} {str(status or 400)[:3]}\n\n{text}")


def bodies_in(value):
    if isinstance(value, dict):
        if "properties" in value and ("id" in value or "name" in value):
            yield value
        for member in value.values():
            yield from bodies_in(member)
    elif isinstance(value, list):
        for item in value:
            yield from bodies_in(item)
    elif isinstance(value, str) and value.startswith("{"):
        try:
            yield from bodies_in(json.loads(value))
        except ValueError:
            pass


for file in sorted(recordings.glob("az*/*.json")):
    for number, body in enumerate(list(bodies_in(json.loads(file.read_text())))[:12]):
        for head, request in ((0, 5), (2, 12)):
            text = f"{head}{request}+ =\n\n~" + json.dumps({"properties": body["properties"]})
            (target / f"{file.stem[:30]}-{number}-{request}").write_text(text)
PYTHON
fi
find "$corpus" -type f | sed 's|/[^/]*$||' | sort | uniq -c
