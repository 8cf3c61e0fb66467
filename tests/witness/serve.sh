# For the witnesses, to be sourced: a working directory that goes away, and simulators that end with the script.

work=$(mktemp -d)
servers=()
cleanup() {
  for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT

cargo build --locked --quiet
arcflux=${CARGO_TARGET_DIR:-target}/debug/arcflux
# Where the traffic is kept for who checks it later.
traffic=${ARCFLUX_WITNESS_TRAFFIC:-$work/traffic.jsonl}

# Starts an empty simulator, sixty times as fast as real time; `url` is where. More arguments go to `sim serve`.
serve() {
  : >"$work/url"
  "$arcflux" sim serve --listen 127.0.0.1:0 --speed 60 --log "$traffic" "$@" >"$work/url" 2>"$work/log" &
  servers+=($!)
  for _ in $(seq 100); do
    [ -s "$work/url" ] && break
    sleep 0.1
  done
  [ -s "$work/url" ] || { cat "$work/log"; exit 1; }
  url=$(cat "$work/url")
}
