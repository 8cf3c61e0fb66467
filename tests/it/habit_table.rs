//! What the service does to each field, row by row from the tables of what was seen: a spec that says what was sent
//! plans nothing against what came back, and the nearest value that really differs plans exactly its line. Then every
//! rule of every kind is broken in turn: the table must notice, or the rule has no place.

use std::collections::BTreeSet;
use std::fmt;

use arcflux::diff::{Normalised, compare, normalise};
use arcflux::kinds::extension::ExtensionSpec;
use arcflux::kinds::flux_configuration::{self, ConfigurationSpec};
use arcflux::kinds::resource_group::{self, ResourceGroupSpec};
use arcflux::kinds::{Kind, extension, shown_path};
use arcflux::model::{FieldPath, Habit, Reading, ResourceId, Rule, Rules, Scalar};
use arcflux::plan::Step;
use serde_json::{Value, json};

use crate::habit_rows::{self, Base, Row};
use crate::simulated::fields;
use crate::world;

/// What a comparison says: the lines of the plan, those of them that force a replacement, and what is unknown.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    lines: Vec<String>,
    immutable: Vec<String>,
    unknown: Vec<String>,
}

fn outcome(rules: Rules, live: &Value, wanted: &Value) -> Outcome {
    let Normalised { before, after, unknown, ignored: _ } = normalise(rules, live, wanted, &[]);
    let shown = |path: &FieldPath| shown_path(path).to_string();
    let fields = compare(&before, &after);
    let is_immutable = |path: &FieldPath| rules.iter().any(|rule| rule.habit.is_immutable() && rule.names(path));
    Outcome {
        lines: fields.iter().map(|field| shown(&field.path)).collect(),
        immutable: fields.iter().filter(|field| is_immutable(&field.path)).map(|field| shown(&field.path)).collect(),
        unknown: unknown.iter().map(shown).collect(),
    }
}

/// The body that a spec asks for, at the api-version of its base.
fn wanted(base: &Base) -> Value {
    match base.kind {
        Kind::FluxConfiguration => {
            let spec: ConfigurationSpec = serde_json::from_value(base.spec.clone()).unwrap();
            flux_configuration::body(&spec).for_version(base.kind, base.api_version).json
        }
        Kind::Extension => {
            let spec: ExtensionSpec = serde_json::from_value(base.spec.clone()).unwrap();
            extension::body(&spec, "").for_version(base.kind, base.api_version).json
        }
        Kind::ResourceGroup => {
            let spec: ResourceGroupSpec = serde_json::from_value(base.spec.clone()).unwrap();
            resource_group::body(&spec, &Value::Null).json
        }
        Kind::ProviderRegistration | Kind::ConnectedCluster | Kind::ManagedCluster => panic!("never compared"),
    }
}

/// One comparison of the table: a live body, and what must come out.
struct Case {
    name: String,
    kind: Kind,
    path: FieldPath,
    live: Value,
    wanted: Value,
    outcome: Outcome,
    kept: bool,
}

impl Case {
    fn holds(&self, rules: Rules) -> bool {
        outcome(rules, &self.live, &self.wanted) == self.outcome && (!self.kept || self.is_kept(rules))
    }

    fn is_kept(&self, rules: Rules) -> bool {
        let found = self.path.get(&self.live).filter(|found| !found.is_null());
        self.path.get(&normalise(rules, &self.live, &self.wanted, &[]).after) == found
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = outcome(self.kind.rules(), &self.live, &self.wanted);
        write!(f, "{}\n  expected {:?}\n  found    {found:?}", self.name, self.outcome)
    }
}

/// The body with the row's field at `value`; `None` takes the field out.
fn with(body: &Value, path: &FieldPath, value: Option<&Value>) -> Value {
    let mut body = body.clone();
    match value {
        Some(value) => path.set(&mut body, value.clone()),
        None => {
            path.remove(&mut body);
        }
    }
    body
}

fn cases_of(row: &Row, base: &Base) -> Vec<Case> {
    let wanted = wanted(base);
    let live = base.answer(&wanted);
    let path: FieldPath = row.path.parse().unwrap();
    let rules = base.kind.rules();
    let line = row.line.map_or_else(|| shown_path(&path).to_string(), str::to_owned);
    let case = |value: Option<&Value>, outcome: Outcome| Case {
        name: format!(
            "{} {}: {} = {}",
            row.source,
            base.name,
            row.path,
            value.map_or_else(|| "absent".to_owned(), Value::to_string)
        ),
        kind: base.kind,
        path: path.clone(),
        live: with(&live, &path, value),
        wanted: wanted.clone(),
        outcome,
        kept: row.kept,
    };
    let mut cases = Vec::new();
    for value in &row.same {
        cases.push(case(Some(value), Outcome::default()));
        if value.is_null() {
            cases.push(case(None, Outcome::default()));
        }
    }
    let replaces = habit_rows::FIXED.contains(&line.as_str()) && rules.iter().any(|rule| rule.habit.is_immutable());
    for value in &row.other {
        let immutable = if replaces { vec![line.clone()] } else { Vec::new() };
        let differs = || Outcome { lines: vec![line.clone()], immutable: immutable.clone(), unknown: Vec::new() };
        cases.push(case(Some(value), differs()));
        if value.is_null() {
            cases.push(case(None, differs()));
        }
    }
    for (value, below) in &row.strange {
        let unknown = vec![format!("{}{below}", shown_path(&path))];
        cases.push(case(Some(value), Outcome { unknown, ..Outcome::default() }));
    }
    cases
}

fn cases() -> Vec<Case> {
    let bases = habit_rows::bases();
    let base = |name: &str| bases.iter().find(|base| base.name == name).unwrap_or_else(|| panic!("{name}"));
    habit_rows::rows().iter().flat_map(|row| cases_of(row, base(row.base))).collect()
}

#[test]
fn what_was_sent_plans_nothing_and_what_really_differs_plans_its_line() {
    let wrong: Vec<String> =
        cases().iter().filter(|case| !case.holds(case.kind.rules())).map(ToString::to_string).collect();
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

/// Whether a rule names a field or something in it.
fn leads_through(rule: &Rule, path: &FieldPath) -> bool {
    let steps: Vec<&str> = rule.segments().take(path.segments().len()).collect();
    Rule { path: Box::leak(steps.join(".").into_boxed_str()), habit: rule.habit }.names(path)
}

/// Ways to get a rule wrong: `None` leaves it out.
fn mutants(Rule { path, habit }: Rule) -> Vec<Option<Habit>> {
    let mut mutants = vec![None];
    mutants.extend(
        match habit {
            // Where a text must stand, an empty one is none; in a map of the user's own it is a value.
            Habit::Plain if path.ends_with(".*") => vec![Habit::ReadOnly, Habit::Text, Habit::KeepFound],
            Habit::Plain => vec![Habit::ReadOnly, Habit::KeepFound],
            Habit::Text => vec![Habit::Plain, Habit::Word(None), Habit::ReadOnly, Habit::KeepFound],
            Habit::Default(Scalar::Bool(value)) => {
                vec![Habit::Plain, Habit::Default(Scalar::Bool(!value)), Habit::ReadOnly]
            }
            Habit::Default(Scalar::Int(_)) => vec![Habit::Plain, Habit::Default(Scalar::Int(0)), Habit::ReadOnly],
            Habit::Default(Scalar::Text(text)) => vec![Habit::Plain, Habit::Word(Some(text)), Habit::ReadOnly],
            Habit::ReadOnly | Habit::Secrets => vec![Habit::Plain],
            Habit::Word(None) => vec![Habit::Text, Habit::ReadOnly],
            Habit::Word(Some(_)) => vec![Habit::Text, Habit::Word(None), Habit::ReadOnly],
            Habit::ImmutableWord(word) => vec![Habit::Immutable(word), Habit::Word(word), Habit::ReadOnly],
            Habit::Immutable(word) => vec![Habit::ImmutableWord(word), Habit::Text, Habit::ReadOnly],
            Habit::Set => vec![Habit::Plain, Habit::ReadOnly],
            Habit::Base64Text | Habit::Duration => vec![Habit::Text, Habit::ReadOnly],
            Habit::KeepFound => vec![Habit::Plain, Habit::KeepFoundWord, Habit::KeepFoundImmutable, Habit::ReadOnly],
            Habit::KeepFoundWord => vec![Habit::KeepFound, Habit::Word(None), Habit::ReadOnly],
            Habit::KeepFoundImmutable => vec![Habit::KeepFound, Habit::Immutable(None), Habit::ReadOnly],
        }
        .into_iter()
        .map(Some),
    );
    mutants
}

/// Mutants that nothing can notice, with the reason.
const EQUIVALENT: &[(&str, &str)] = habit_rows::EQUIVALENT;

/// The rules with the one at `position` broken. Tables live as long as the process, as those of the kinds do.
fn broken(rules: Rules, position: usize, habit: Option<Habit>) -> Rules {
    let mut table: Vec<Rule> = rules.to_vec();
    match habit {
        Some(habit) => table[position].habit = habit,
        None => {
            table.remove(position);
        }
    }
    Vec::leak(table)
}

#[test]
fn every_rule_earns_its_place() {
    let cases = cases();
    let mut count = 0;
    let mut survivors = BTreeSet::new();
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::ConnectedCluster) {
        let rules = kind.rules();
        for (position, rule) in rules.iter().enumerate() {
            // The cases of the field itself, or of what it is in.
            let is_about = |path: &FieldPath| leads_through(rule, path);
            let own: Vec<&Case> = cases.iter().filter(|case| case.kind == kind && is_about(&case.path)).collect();
            for habit in mutants(*rule) {
                count += 1;
                let broken = broken(rules, position, habit);
                if own.iter().all(|case| case.holds(broken)) {
                    survivors.insert(format!("{} -> {habit:?}", rule.path));
                }
            }
        }
    }
    let equivalent: BTreeSet<String> = EQUIVALENT.iter().map(|(mutant, _)| (*mutant).to_owned()).collect();
    assert!(count > 300, "{count} mutants");
    assert_eq!(survivors, equivalent, "of {count} mutants, these survived");
}

#[test]
fn every_row_names_a_source_and_every_written_field_has_a_row() {
    let rows = habit_rows::rows();
    for row in &rows {
        assert!(row.source.contains(".md §"), "{}: {}", row.path, row.source);
    }
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::ConnectedCluster) {
        let bases: Vec<Base> = habit_rows::bases().into_iter().filter(|base| base.kind == kind).collect();
        for rule in kind.rules() {
            let is_named = rows.iter().any(|row| {
                let path: FieldPath = row.path.parse().unwrap();
                bases.iter().any(|base| base.name == row.base) && leads_through(rule, &path)
            });
            assert!(is_named, "{kind:?}: no row is about {}", rule.path);
        }
    }
}

#[test]
fn tag_names_have_no_letter_case_and_tag_values_have() {
    let mut desired = world::quickstart();
    desired.clusters[0].resource_group.tags = [("owner".to_owned(), "edge".to_owned())].into();
    let id: ResourceId =
        format!("/subscriptions/{}/resourceGroups/rg-edge", desired.clusters[0].subscription).parse().unwrap();
    let mut live = world::converged(&desired);
    let mut plan = |tags: Value| {
        live.readings
            .insert(id.clone(), Reading::Present(json!({"name": "rg-edge", "location": "westeurope", "tags": tags})));
        world::plan(&desired, &live, &world::options())
    };
    assert!(!plan(json!({"Owner": "edge", "Other": "kept"})).has_changes());
    let changed = plan(json!({"Owner": "Edge", "Other": "kept"}));
    assert_eq!(fields(&changed), ["tags.Owner"]);
    let sent: Vec<&Value> = changed
        .resource_changes
        .iter()
        .flat_map(|change| &change.steps)
        .filter_map(|step| if let Step::Patch { body, .. } = step { Some(body) } else { None })
        .collect();
    assert_eq!(sent, [&json!({"tags": {"Other": "kept", "Owner": "edge"}})]);
}

#[test]
fn the_kinds_without_rules_are_only_read() {
    for kind in [Kind::ProviderRegistration, Kind::ManagedCluster] {
        assert!(kind.rules().is_empty(), "{kind:?}: compared now, so its rows of the tables need a place here");
    }
    // The record of a cluster is compared with itself alone, as it was when the plan was made.
    let is_read_only = |rule: &Rule| matches!(rule.habit, Habit::ReadOnly);
    assert!(Kind::ConnectedCluster.rules().iter().all(is_read_only), "compared with a spec now");
}
