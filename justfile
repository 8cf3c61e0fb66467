# The few commands that people type. `just` alone lists them.

default:
    @just --list

# Format, lint, test: what a commit needs.
check:
    cargo fmt --check
    cargo clippy --locked --all-targets -- -D warnings
    cargo test --locked

# Write the generated files anew: the schemas, and the snapshots of the tests.
generate:
    cargo run --locked --quiet -- schema spec > schemas/spec.schema.json.new && mv schemas/spec.schema.json.new schemas/spec.schema.json
    cargo run --locked --quiet -- schema plan > schemas/plan.schema.json.new && mv schemas/plan.schema.json.new schemas/plan.schema.json
    cargo run --locked --quiet -- schema event > schemas/event.schema.json.new && mv schemas/event.schema.json.new schemas/event.schema.json
    cargo run --locked --quiet -- schema report > schemas/report.schema.json.new && mv schemas/report.schema.json.new schemas/report.schema.json
    cargo run --locked --quiet -- schema snapshot > schemas/snapshot.schema.json.new && mv schemas/snapshot.schema.json.new schemas/snapshot.schema.json
    cargo run --locked --quiet -- schema doctor > schemas/doctor.schema.json.new && mv schemas/doctor.schema.json.new schemas/doctor.schema.json
    INSTA_UPDATE=always cargo test --locked

# Simulate the whole system under this many seeds: `just simulate 100000`, `just simulate 1000 5000` from seed 5000 on.
simulate seeds="10000" from="0":
    cargo test --locked --profile simulate --test simulate -- --seeds {{seeds}} --from {{from}}

# One seed of the simulation, with everything that happens in it.
simulate-seed seed:
    cargo test --locked --profile simulate --test simulate -- --seed {{seed}} --trace

# How long fleets of 1, 10, 100 and 1,000 clusters take in virtual time, against what nothing could undercut.
makespan:
    cargo test --locked --profile simulate --test simulate -- --makespan

# Everything that the gate runs.
ci:
    bash .ci/run

# Kill the real binary with -9 in the middle of an apply over TCP, so many times, and run it again.
kill ROUNDS="220":
    ARCFLUX_KILLS={{ROUNDS}} cargo test --locked --quiet --test it -- --exact --nocapture binary_killed::killed_at_random_instants_it_converges_when_run_again

# Fuzz one of spec_text, plan_file, live_file, arm_answers for so many seconds, guided by coverage (needs cargo-fuzz).
fuzz TARGET SECONDS="300":
    bash tests/fuzz/seed.sh
    RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none {{TARGET}} -- -max_total_time={{SECONDS}} -timeout=60 -rss_limit_mb=4096

# Break the rules of normalising one at a time: do the tests notice? Takes minutes.
break-rules:
    bash tests/witness/break-rules.sh

# Licences, bans and sources of dependencies (needs cargo-deny).
deny:
    cargo deny check bans licenses sources
