#!/usr/bin/env bash
# Breaks the rules of normalising one at a time, in a copy of the tree, and runs the tests that should notice. Prints a
# score; fails when a break was not noticed. It builds once per break, so it takes minutes: `just break-rules`, not the
# gate. Rows of the tables are also broken in process, all of them, by `habit_table::every_rule_earns_its_place`.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir "$copy/arcflux"
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$copy/arcflux"
[ -d ../shared ] && ln -s "$(cd ../shared && pwd)" "$copy/shared"
cd "$copy/arcflux"
# The dependencies are built already; the copy builds only itself.
export CARGO_TARGET_DIR="$here/target" CARGO_TERM_COLOR=never INSTA_UPDATE=no

# The unit tests build fastest; the table, the recordings and the generated specs have the last word.
units() { cargo test --locked --quiet --lib -- diff:: duration >"$copy/log" 2>&1; }
table() { cargo test --locked --quiet --test it -- habit conformance orders >"$copy/log" 2>&1; }

total=0 noticed=0
# broken WHAT FILE FROM TO: replaces the first FROM, which must be there.
broken() {
  local what=$1 file=$2 start=$SECONDS
  cp "$file" "$copy/whole"
  FROM=$3 TO=$4 perl -0pi -e 's/\Q$ENV{FROM}\E/$ENV{TO}/ or die "not found in $ARGV: $ENV{FROM}\n"' "$file"
  total=$((total + 1))
  if units && table; then
    echo "NOT NOTICED  $what ($((SECONDS - start)) s)"
  elif grep -q 'could not compile' "$copy/log"; then
    echo "DOES NOT BUILD  $what"
    cat "$copy/log"
    exit 1
  else
    noticed=$((noticed + 1))
    echo "noticed  $what ($((SECONDS - start)) s): $(grep -om1 '^    [a-z0-9_:]*$' "$copy/log" | tr -d ' ')"
  fi
  cp "$copy/whole" "$file"
}

echo 'whole: every test must pass'
units && table || { cat "$copy/log"; exit 1; }

flux=src/kinds/flux_configuration/rules.rs
broken 'the default of wait is false' $flux 'kustomizations.*.wait", habit: Habit::Default(Scalar::Bool(true))' \
  'kustomizations.*.wait", habit: Habit::Default(Scalar::Bool(false))'
broken 'dependsOn has an order' $flux 'kustomizations.*.dependsOn", habit: Habit::Set' 'kustomizations.*.dependsOn", habit: Habit::Plain'
broken 'the provider has a letter case' $flux 'habit: Habit::Word(Some("Generic"))' 'habit: Habit::Immutable(Some("Generic"))'
broken 'statuses are unknown' $flux 'read_only("properties.statuses"),' ''
broken 'the branch has no letter case' $flux 'text("properties.gitRepository.repositoryRef.branch")' \
  'Rule { path: "properties.gitRepository.repositoryRef.branch", habit: Habit::Word(None) }'
broken 'the release train has a letter case' src/kinds/extension.rs 'releaseTrain", habit: Habit::KeepFoundWord' \
  'releaseTrain", habit: Habit::KeepFound'
broken 'settings that are not declared go' src/kinds/extension.rs 'kept("properties.configurationSettings.*")' \
  'Rule { path: "properties.configurationSettings.*", habit: Habit::Plain }'
broken 'null is a value' src/diff/clean.rs 'Value::Null => None,' 'Value::Null => Some(Value::Null),'
broken 'an empty text is a value' src/diff/clean.rs 'habit.is_some_and(Habit::empty_is_absent)' 'habit.is_some_and(|_| false)'
broken 'an empty object is a value' src/diff/clean.rs '(!is_empty(&member) || place.is_entry())' '(true)'
broken 'an empty entry of a map is none' src/diff/clean.rs '(!is_empty(&member) || place.is_entry())' '(!is_empty(&member))'
broken 'defaults are not spelled out' src/diff/clean.rs 'rule.habit.default()' 'rule.habit.default().filter(|_| false)'
broken 'nor in lists' src/diff/clean.rs 'items.iter_mut().for_each(|item| fill(item, rest, default))' '{ let _ = (items, rest); }'
broken 'keys keep the order that they came in' src/diff/clean.rs 'members.sort_by_key(|(rank, key, _)| (*rank, *key));' \
  'members.sort_by_key(|_| 0);'
broken 'an object of defaults says something' src/diff/clean.rs 'place.habit().and_then(is_default).unwrap_or(false)' \
  'place.habit().and_then(is_default).is_none()'
broken 'what is unknown is dropped' src/diff/normalise.rs '                unknown.push(path.clone());
                path.set(after, live.clone());' '                unknown.push(path.clone());'
broken 'what is unknown is not listed' src/diff/normalise.rs '                unknown.push(path.clone());
' ''
broken 'what is unknown in lists is dropped' src/diff/normalise.rs 'Some(_) => keep_in_items(place, &path, live, after, unknown),' \
  'Some(_) => if false { keep_in_items(place, &path, live, after, unknown) },'
broken 'found values are not kept' src/diff/normalise.rs 'Some(habit) if habit.keeps_found() => {' \
  'Some(habit) if habit.keeps_found() && false => {'
broken 'spellings are not reconciled' src/diff/normalise.rs '        *after = before.clone();' '        let _ = (&before, after);'
broken '600.0 is not 600' src/diff/same.rs 'one == other || same_integer(one, other)' 'one == other && !same_integer(one, other)'
broken 'large numbers are rounded' src/diff/same.rs 'number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)).or_else(|| {' \
  'None.or_else(|| {'
broken 'a set is a list' src/diff/same.rs 'Habit::Set => same_set(one, other)' 'Habit::Set => one == other || (false && same_set(one, other))'
broken 'encoded texts are compared as they are' src/diff/same.rs 'Habit::Base64Text => same_encoded_text(one, other)' 'Habit::Base64Text => one == other || (false && same_encoded_text(one, other))'
broken 'a duration is a text' src/diff/same.rs 'Habit::Duration => same_duration(one, other)' \
  'Habit::Duration => one == other || (false && same_duration(one, other))'
broken 'durations differ by less than a second' src/model/duration.rs 'span.get_milliseconds(), ' '0, '
broken 'a change inside an object is not walked to' src/diff/compare.rs '(Some(Value::Object(old)), Some(Value::Object(new))) => {' \
  '(Some(Value::Object(old)), Some(Value::Object(new))) if path.segments().len() < 2 => {'

echo "score: $noticed of $total breaks noticed, in $SECONDS s"
[ "$noticed" = "$total" ]
