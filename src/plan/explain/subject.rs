//! The story of every field: which there are, what each side says, and what that comes down to.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Value, json};

use super::source::Origins;
use super::{EqualBy, FieldStory, FieldVerdict, RuleStory, UnknownName, WantedFrom};
use crate::graph::{Graph, Node, Want};
use crate::kinds::words::renamed;
use crate::kinds::{Hole, Kind, shown_path};
use crate::model::{
    FieldPath, Habit, LiveState, Rule, Scalar, Segment, did_you_mean_or_list, leads_to_a_rule, rule_of,
};
use crate::plan::decide::{self, Decision, Obstacle};
use crate::plan::sensitive::masked_at;
use crate::plan::{Action, ChartFrom, Choices, Options, SecretPolicy};

/// Both sides of one resource, and what was decided about them.
pub(super) struct Subject<'a> {
    node: &'a Node,
    origins: Origins<'a>,
    pub(super) decision: Decision,
    /// What the spec says, as it is sent, beside secrets.
    wanted: Value,
    holes: Vec<Hole>,
    /// What ARM shows.
    live: Value,
    /// The kustomizations of either side.
    kustomizations: BTreeSet<String>,
}

impl<'a> Subject<'a> {
    pub(super) fn of(graph: &Graph, live: &LiveState, origins: Origins<'a>) -> Result<Self, Obstacle> {
        let node = origins.node;
        // What may be sent where, and what is waited for, changes nothing about the fields.
        let options = Options {
            origin: String::new(),
            tenant: None,
            base: None,
            choices: Choices::default(),
            allow_auth_hosts: Vec::new(),
            secrets: SecretPolicy::Placeholders,
            chart: ChartFrom::Service,
        };
        let decision = decide::towards(node, graph, live, &options)?;
        let is_made_anew = decision.action == Action::Create && decision.before.is_null();
        let live = decide::live_body(node, live)?.filter(|_| !is_made_anew).cloned().unwrap_or_default();
        let body = decide::wanted(node, &live);
        let (mut wanted, holes) = body.map_or((Value::Null, Vec::new()), |body| (body.json, body.holes));
        if is_made_anew {
            wanted = decision.after.clone();
        }
        match &node.want {
            Want::Registered => wanted = json!({"registrationState": "Registered"}),
            Want::Group(spec) => {
                if let Some(location) = &spec.location {
                    wanted["location"] = json!(location);
                }
            }
            Want::Cluster(cluster_type, _) => {
                wanted = json!({"name": node.id.name(), "type": cluster_type.resource_type()});
            }
            Want::Extension(spec, _) => wanted["name"] = json!(spec.name),
            Want::Configuration(_) | Want::Absent(_) | Want::Dropped(_) => {}
        }
        let map = FieldPath::dotted("properties.kustomizations");
        let kustomizations = [&wanted, &live]
            .into_iter()
            .filter_map(|body| map.get(body)?.as_object())
            .flatten()
            .filter(|(_, body)| !body.is_null())
            .map(|(name, _)| name.clone())
            .collect();
        Ok(Self { node, origins, decision, wanted, holes, live, kustomizations })
    }

    pub(super) fn must_have(&self, kustomization: &str) -> Result<(), UnknownName> {
        if self.kustomizations.contains(kustomization) {
            return Ok(());
        }
        let known: Vec<&str> = self.kustomizations.iter().map(String::as_str).collect();
        Err(UnknownName {
            message: format!("{} has no kustomization `{kustomization}`, in the spec or live", self.node.address),
            hint: did_you_mean_or_list(kustomization, &known),
        })
    }

    /// The fields that either side says something about, in the order of what is wanted and then of what is live.
    pub(super) fn present(&self) -> Vec<FieldPath> {
        let mut found = Vec::new();
        match self.node.kind {
            Kind::ProviderRegistration => found.push(FieldPath::of(["registrationState"])),
            Kind::ConnectedCluster | Kind::ManagedCluster => {
                found.extend([FieldPath::of(["name"]), FieldPath::of(["type"])]);
            }
            Kind::ResourceGroup | Kind::Extension | Kind::FluxConfiguration => {
                for body in [&self.decision.after, &self.wanted, &self.decision.before, &self.live] {
                    self.collect(&FieldPath::default(), body, &mut found);
                }
                found.extend(self.holes.iter().map(|hole| hole.path.clone()));
            }
        }
        let mut known = HashSet::new();
        found.retain(|path| known.insert(path.clone()));
        found
    }

    /// Collects the fields of a body: everything that is not an object, and what is one to its rule.
    fn collect(&self, path: &FieldPath, value: &Value, found: &mut Vec<FieldPath>) {
        let rules = self.node.kind.rules();
        match (rule_of(rules, path).map(|rule| rule.habit), value) {
            (_, Value::Null) => {}
            (Some(Habit::ReadOnly), _) => found.push(path.clone()),
            (Some(Habit::Secrets), Value::Object(map)) => found.extend(map.keys().map(|key| path.key(key))),
            (_, Value::Object(object)) if path.segments().is_empty() || leads_to_a_rule(rules, path) => {
                for (key, value) in object {
                    self.collect(&path.key(key), value, found);
                }
            }
            (_, Value::Object(object)) if object.is_empty() => {}
            (_, Value::Array(items)) if items.is_empty() => {}
            (_, Value::Object(_) | Value::Array(_) | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                found.push(path.clone());
            }
        }
    }

    /// The fields that could be there and that neither side says anything about: those of the table, and `asked` where the
    /// table takes any name.
    pub(super) fn absent(&self, asked: &str) -> Vec<FieldPath> {
        let rules = self.node.kind.rules();
        let mut fields: Vec<FieldPath> = renamed(self.node.kind).collect();
        for rule in rules {
            match rule.path.split_once(".*.") {
                None if rule.path.contains('*') => {}
                None => fields.push(FieldPath::dotted(rule.path)),
                Some((map, rest)) if map == "properties.kustomizations" && !rest.contains('*') => {
                    let of = |name: &String| FieldPath::dotted(map).key(name).join(&FieldPath::dotted(rest));
                    fields.extend(self.kustomizations.iter().map(of));
                }
                Some(_) => {}
            }
        }
        if let Ok(asked) = asked.parse::<FieldPath>() {
            let named = [FieldPath::of(["properties"]).join(&asked), asked];
            fields.extend(named.into_iter().filter(|path| self.is_open(path)));
        }
        let present: HashSet<FieldPath> = self.present().into_iter().collect();
        let mut known = HashSet::new();
        fields.retain(|path| !present.contains(path) && known.insert(path.clone()));
        fields
    }

    /// Whether the table takes any name where this path ends.
    fn is_open(&self, path: &FieldPath) -> bool {
        let is_of_nobody = match path.segments() {
            [Segment::Key(_), Segment::Key(map), Segment::Key(name), ..] if map == "kustomizations" => {
                !self.kustomizations.contains(name)
            }
            _ => false,
        };
        !is_of_nobody && rule_of(self.node.kind.rules(), path).is_some_and(|rule| rule.path.ends_with('*'))
    }

    /// The rule that classifies a field: of the field, or of the secret or the service's own object that it lies in.
    fn rule(&self, path: &FieldPath) -> Option<&'static Rule> {
        let rules = self.node.kind.rules();
        let covers = |rule: &&'static Rule| {
            matches!(rule.habit, Habit::ReadOnly | Habit::Secrets) && path.starts_with(&FieldPath::dotted(rule.path))
        };
        rule_of(rules, path).or_else(|| rules.iter().find(covers))
    }

    /// What a body says about a field.
    fn said<'v>(&self, body: &'v Value, path: &FieldPath) -> Option<&'v Value> {
        let habit = self.rule(path).map(|rule| rule.habit);
        path.get(body).filter(|value| says(value, habit))
    }

    pub(super) fn story(&self, path: &FieldPath) -> FieldStory {
        let rule = self.rule(path);
        let habit = rule.map(|rule| rule.habit);
        let (verdict, equal_by) = self.verdict(path, habit);
        let masked = |value: &Value| masked_at(path, value);
        let is_secret = verdict == FieldVerdict::WriteOnly;
        let wanted = self.wanted_value(path, verdict).filter(|_| !is_secret).map(masked);
        FieldStory {
            path: path.clone(),
            spec_word: self.spec_word(path),
            verdict,
            equal_by,
            because: self.because(path, verdict, equal_by),
            wanted,
            wanted_from: self.wanted_from(path, verdict, habit.and_then(Habit::default)),
            live: self.said(&self.live, path).filter(|_| !is_secret).map(masked),
            rule: RuleStory::of(self.node.kind, rule),
        }
    }

    /// What the spec calls a field, where that is another word than ARM's.
    fn spec_word(&self, path: &FieldPath) -> Option<FieldPath> {
        let word = self.origins.word(path);
        (word != shown_path(path)).then_some(word)
    }

    fn verdict(&self, path: &FieldPath, habit: Option<Habit>) -> (FieldVerdict, Option<EqualBy>) {
        let alone = |verdict| (verdict, None);
        match self.node.kind {
            Kind::ConnectedCluster | Kind::ManagedCluster => return alone(FieldVerdict::ReadOnly),
            Kind::ProviderRegistration if self.live.is_null() => return alone(FieldVerdict::Unread),
            Kind::ProviderRegistration | Kind::ResourceGroup | Kind::Extension | Kind::FluxConfiguration => {}
        }
        match habit {
            Some(Habit::ReadOnly) => return alone(FieldVerdict::ReadOnly),
            Some(Habit::Secrets) => return alone(FieldVerdict::WriteOnly),
            Some(_) | None => {}
        }
        let Decision { fields, unknown, ignored, before, after, .. } = &self.decision;
        if fields.iter().any(|field| path.starts_with(&field.path)) {
            let is_new = self.decision.action == Action::Create && before.is_null();
            let is_fixed = habit.is_some_and(Habit::is_immutable) && !is_new;
            return alone(match (is_fixed, self.said(before, path), self.said(after, path)) {
                (true, _, _) => FieldVerdict::ForcesReplacement,
                (false, None, _) => FieldVerdict::NotLive,
                (false, Some(_), None) => FieldVerdict::NotInSpec,
                (false, Some(_), Some(_)) => FieldVerdict::Differs,
            });
        }
        if ignored.iter().any(|field| path.starts_with(&field.path)) {
            return alone(FieldVerdict::Ignored);
        }
        if unknown.iter().any(|unknown| path.starts_with(unknown)) {
            return alone(FieldVerdict::Unknown);
        }
        let (wanted, live) = (self.said(&self.wanted, path), self.said(&self.live, path));
        if self.live.is_null() {
            return alone(FieldVerdict::Unread);
        }
        match (habit, wanted, live) {
            (Some(habit), None, Some(_)) if habit.keeps_found() => alone(FieldVerdict::Kept),
            (_, wanted, live) if wanted == live && (wanted.is_some() || self.said(after, path).is_none()) => {
                alone(FieldVerdict::Equal)
            }
            (_, wanted, live) => (FieldVerdict::EqualByRule, Some(equal_by(habit, wanted, live))),
        }
    }

    /// What is wanted of a field: what is sent, else what its absence means.
    fn wanted_value(&self, path: &FieldPath, verdict: FieldVerdict) -> Option<&Value> {
        let meant = match verdict {
            FieldVerdict::Kept | FieldVerdict::Unknown | FieldVerdict::ReadOnly => None,
            FieldVerdict::ForcesReplacement
            | FieldVerdict::Differs
            | FieldVerdict::NotInSpec
            | FieldVerdict::NotLive
            | FieldVerdict::Equal
            | FieldVerdict::EqualByRule
            | FieldVerdict::WriteOnly
            | FieldVerdict::Unread => self.said(&self.decision.after, path),
            FieldVerdict::Ignored => self.left_aside(path),
        };
        self.said(&self.wanted, path).or(meant)
    }

    /// What would be wanted of a field if it were not ignored.
    fn left_aside(&self, path: &FieldPath) -> Option<&Value> {
        let field = self.decision.ignored.iter().find(|field| path.starts_with(&field.path))?;
        let value = path.without_prefix(&field.path).get(field.after.as_ref()?)?;
        says(value, self.rule(path).map(|rule| rule.habit)).then_some(value)
    }

    fn wanted_from(&self, path: &FieldPath, verdict: FieldVerdict, default: Option<Scalar>) -> WantedFrom {
        let default = default.map(Scalar::to_json);
        match verdict {
            FieldVerdict::WriteOnly => match self.holes.iter().find(|hole| hole.path == *path) {
                Some(hole) => self.origins.of_secret(path, &hole.secret),
                None => WantedFrom::Nothing,
            },
            FieldVerdict::Kept | FieldVerdict::Unknown => WantedFrom::Live,
            FieldVerdict::ForcesReplacement
            | FieldVerdict::Differs
            | FieldVerdict::NotInSpec
            | FieldVerdict::NotLive
            | FieldVerdict::Equal
            | FieldVerdict::EqualByRule
            | FieldVerdict::Unread
            | FieldVerdict::Ignored
            | FieldVerdict::ReadOnly => match self.wanted_value(path, verdict) {
                Some(_) => self.origins.of(path, default, self.said(&self.wanted, path).is_some()),
                None => WantedFrom::Nothing,
            },
        }
    }

    fn because(&self, path: &FieldPath, verdict: FieldVerdict, by: Option<EqualBy>) -> String {
        let is_extension = self.node.kind == Kind::Extension;
        let text = match verdict {
            FieldVerdict::ForcesReplacement if is_extension => {
                "it cannot change after creation, and the extension is never replaced on the way: a plan refuses this"
            }
            FieldVerdict::ForcesReplacement => {
                "it cannot change in place: the configuration must be deleted and created again, which needs \
                 `--allow-replace`"
            }
            FieldVerdict::Differs => "both sides say something, and not the same: a plan changes it",
            FieldVerdict::NotInSpec => "it is live, and the spec does not name it: a plan removes it",
            FieldVerdict::NotLive if self.live.is_null() => "the resource does not exist: a plan creates it with this",
            FieldVerdict::NotLive => "it is wanted, and not live: a plan adds it",
            FieldVerdict::Equal if self.said(&self.wanted, path).is_none() => "neither side says anything about it",
            FieldVerdict::Equal => "both sides say the same",
            FieldVerdict::EqualByRule => return self.equal_sentence(path, by).to_owned(),
            FieldVerdict::Kept => "the spec does not name it, so it stays as it is found",
            FieldVerdict::Unknown => "this version of arcflux does not know it, so it stays as it is found",
            FieldVerdict::WriteOnly => self.secret_sentence(path),
            FieldVerdict::Ignored => "the two differ, and the spec says to ignore that: it stays as it is live",
            FieldVerdict::Unread => "the live side may not be read; it is taken to be as it should",
            FieldVerdict::ReadOnly => match &self.node.want {
                Want::Cluster(..) => "the spec refers to a cluster by it; a cluster that is connected is never written",
                Want::Extension(..) if path.to_string() == "name" => {
                    "the extension is found by its type, whatever its name"
                }
                Want::Group(_) if path.to_string() == "location" => {
                    "a group cannot move; the location is used to create one that is missing"
                }
                Want::Registered
                | Want::Group(_)
                | Want::Extension(..)
                | Want::Configuration(_)
                | Want::Absent(_)
                | Want::Dropped(_) => "it belongs to the service, which fills it in",
            },
        };
        text.to_owned()
    }
}

impl Subject<'_> {
    fn equal_sentence(&self, path: &FieldPath, by: Option<EqualBy>) -> &'static str {
        let (is_sent, is_live) = (self.said(&self.wanted, path).is_some(), self.said(&self.live, path).is_some());
        match by {
            Some(EqualBy::Case) => "the two differ in letter case alone",
            Some(EqualBy::Order) => "the two lists hold the same, in another order",
            Some(EqualBy::Items) => "each item of the two lists says the same as the other",
            Some(EqualBy::Default) if !is_sent && !is_live => {
                "nothing is sent and the API shows nothing, which means one and the same"
            }
            Some(EqualBy::Default) if is_live => "nothing is sent, and what is live is what that means",
            Some(EqualBy::Default) => "the API shows nothing, which means what is wanted",
            Some(EqualBy::Encoding) => {
                "the two are one text, but for white space at its ends and the kind of its line ends"
            }
            Some(EqualBy::Duration) => "the two are one length of time",
            Some(EqualBy::Number) => "the two are one number",
            Some(EqualBy::UnderWay) => "it is under way: an apply waits for it",
            None => "the two mean the same",
        }
    }

    fn secret_sentence(&self, path: &FieldPath) -> &'static str {
        let is_given = self.holes.iter().any(|hole| hole.path == *path);
        let is_extension = self.node.kind == Kind::Extension;
        if !is_given {
            "it is stored, the spec does not give it, and nobody can read it"
        } else if self.live.is_null() {
            "the resource does not exist: it is sent with what creates it"
        } else if is_extension && path.get(&self.live).is_none() {
            "the extension does not have it: a plan sends it, with all protected settings that the spec gives"
        } else {
            "nobody can tell whether the stored one is this one, so a new value alone is no difference; it is sent with \
             the next change that needs it"
        }
    }
}

/// What a value says: `null` says nothing, and neither does what is empty, save a text that may be empty.
fn says(value: &Value, habit: Option<Habit>) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(object) => !object.is_empty(),
        Value::String(text) => !(text.is_empty() && habit.is_some_and(Habit::empty_is_absent)),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Why two values that are not written the same were found to be the same.
fn equal_by(habit: Option<Habit>, wanted: Option<&Value>, live: Option<&Value>) -> EqualBy {
    if wanted.is_none() || live.is_none() {
        return EqualBy::Default;
    }
    match habit {
        Some(Habit::Plain) if wanted.is_some_and(Value::is_array) => EqualBy::Items,
        Some(Habit::Word(_) | Habit::ImmutableWord(_) | Habit::KeepFoundWord) => EqualBy::Case,
        Some(Habit::Set) => EqualBy::Order,
        Some(Habit::Base64Text) => EqualBy::Encoding,
        Some(Habit::Duration) => EqualBy::Duration,
        Some(
            Habit::Plain
            | Habit::Text
            | Habit::Default(_)
            | Habit::ReadOnly
            | Habit::Immutable(_)
            | Habit::Secrets
            | Habit::KeepFound
            | Habit::KeepFoundImmutable,
        ) => EqualBy::Number,
        // Only registrations have no rule and are compared.
        None => match (wanted.and_then(Value::as_str), live.and_then(Value::as_str)) {
            (Some(wanted), Some(live)) if wanted.eq_ignore_ascii_case(live) => EqualBy::Case,
            (Some(_) | None, _) => EqualBy::UnderWay,
        },
    }
}
