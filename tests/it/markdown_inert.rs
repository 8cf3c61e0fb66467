//! Whatever stands in a plan, its comment is what the template makes: the same blocks, and no link, mention, reference or
//! HTML that came from a value.

use arcflux::diff::FieldChange;
use arcflux::model::{Address, FieldPath, Part, SecretRef, Usage};
use arcflux::plan::{
    self, Action, ApplyReport, Choices, Consequence, DeferredChange, Failure, Modified, Note, Options, Outcome, Plan,
    Refusal, ResourceOutcome, RunError, SecretWrite, Unmanaged, Written,
};
use arcflux::view::markdown::{self, Context};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::comment::{self, Comment};
use crate::world;

/// What people and machines write to be read as something else.
const HOSTILE: &[&str] = &[
    "",
    " ",
    "@team",
    "@org/team",
    "#123",
    "GH-1",
    "org/repo#1",
    "!7",
    "$9",
    "%2",
    "~label",
    "^alert#1",
    "&1",
    "5f0c1d2e3b4a59687766554433221100ffeeddcc",
    "deadbeef",
    "defaced",
    "1234567",
    "https://evil.example/x",
    "www.evil.example",
    "evil.example",
    "someone@evil.example",
    "mailto:a@b.c",
    "ftp://x.y",
    "[a](https://evil.example)",
    "![a](https://evil.example/a.png)",
    "[a]: https://evil.example",
    "[^1]",
    "^[x]",
    "[[wiki]]",
    "<img src=x onerror=alert(1)>",
    "<!--",
    "-->",
    "--!>",
    "]]>",
    "<![CDATA[",
    "<?php",
    "</details>",
    "</code>",
    "<details open>",
    "</summary>",
    "<script>",
    "<https://evil.example>",
    "&lt;b&gt;",
    "&#64;team",
    "&commat;team",
    "\\@team",
    "\\",
    "`",
    "``",
    "```",
    "```\n# x\n```",
    "~~~",
    "``` js",
    "`a` `b",
    "a`b`c",
    "`--x`",
    "$`x`$",
    "$x$",
    "$$x$$",
    "||x||",
    "|",
    "a|b",
    "a\\|b",
    "\\\\|",
    "| a | b |\n|---|---|",
    "|---|",
    ":---:",
    "# heading",
    "###### x",
    "===",
    "---",
    "- - -",
    "***",
    "* x",
    "+ x",
    "- [ ] task",
    "[x]",
    "1. x",
    "1)",
    "> quote",
    "> [!NOTE]",
    ">>>",
    "    indented",
    "\t",
    ": definition",
    ":smile:",
    "**bold**",
    "__bold__",
    "*i*",
    "_i_",
    "~~s~~",
    "~s~",
    "^s^",
    "==m==",
    "a\nb",
    "a\r\nb",
    "\n\n\n",
    "\n# x\n",
    "\n</details>\n\n@team",
    "/close",
    "\n/approve\n",
    "a\n/merge",
    "\u{202e}txt",
    "\u{200b}",
    "\u{1b}[31mred",
    "\u{0}",
    "\u{feff}",
    "\u{2028}",
    "\u{e0041}",
    "\u{85}",
    "\u{ad}",
    "\u{1f600}",
    "fixes #1",
    "closes GH-2",
    "Grüße, 東京",
    "a;b:c!",
    "don't",
    "\"quoted\"",
    "(bracketed)",
    "…",
    "-",
    "--",
    "''",
];

/// Puts a text into every place of a plan that holds one.
fn poison(plan: &mut Plan, next: &mut impl FnMut() -> String) {
    plan.arcflux_version = next();
    for change in &mut plan.resource_changes {
        let original = change.address.clone();
        change.address = address(&original, next);
        change.api_version = next();
        change.modified = Some(Modified { at: next(), by: Some(next()) });
        for field in change.fields.iter_mut().chain(&mut change.drift) {
            poison_field(field, next);
        }
        let (path, from) = (FieldPath::of([next().as_str(), "x", next().as_str()]), SecretRef::Env(next()));
        change.secrets.push(SecretWrite { path, secret: from, because: next() });
        change.secrets.push(SecretWrite {
            path: FieldPath::dotted("a.b"),
            secret: SecretRef::File(next()),
            because: next(),
        });
        for Consequence { code: _, message } in &mut change.consequences {
            *message = next();
        }
    }
    for Refusal { code, address: about, message, hint } in &mut plan.refusals {
        (*code, *message, *hint) = (next(), next(), next());
        *about = about.as_ref().map(|one| address(one, next));
    }
    for Note { code: _, address: about, message } in &mut plan.notes {
        (*about, *message) = (address(about, next), next());
    }
    for DeferredChange { address: about, reason, message, .. } in &mut plan.deferred_changes {
        (*about, *reason, *message) = (address(about, next), next(), next());
    }
    for Unmanaged { address: about, id: _ } in &mut plan.unmanaged {
        *about = address(about, next);
    }
}

fn address(like: &Address, next: &mut impl FnMut() -> String) -> Address {
    let mut subscription = |one: &Option<String>| one.as_ref().map(|_| next());
    match like {
        Address::Provider { subscription: one, namespace: _ } => {
            Address::Provider { subscription: subscription(one), namespace: next() }
        }
        Address::ResourceGroup { subscription: one, name: _ } => {
            Address::ResourceGroup { subscription: subscription(one), name: next() }
        }
        Address::Cluster { subscription: one, resource_group: _, cluster: _, part } => {
            let subscription = subscription(one);
            let part = match part {
                Part::Itself => Part::Itself,
                Part::Extension => Part::Extension,
                Part::Configuration(_) => Part::Configuration(next()),
            };
            Address::Cluster { subscription, resource_group: next(), cluster: next(), part }
        }
    }
}

fn poison_field(field: &mut FieldChange, next: &mut impl FnMut() -> String) {
    for value in [&mut field.before, &mut field.after].into_iter().flatten() {
        poison_value(value, next);
    }
}

fn poison_value(value: &mut Value, next: &mut impl FnMut() -> String) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => *text = next(),
        Value::Array(items) => items.iter_mut().for_each(|item| poison_value(item, next)),
        Value::Object(object) => {
            let old = std::mem::take(object);
            *object = old
                .into_iter()
                .map(|(key, mut value)| {
                    poison_value(&mut value, next);
                    // What gives a body its shape stays, so that groups are opened as they are.
                    (if value.is_object() { key } else { format!("{key}{}", next()) }, value)
                })
                .collect::<Map<String, Value>>();
        }
    }
}

/// Plans with something in every place.
fn plans() -> Vec<Plan> {
    let before = world::quickstart();
    let mut after = before.clone();
    world::configuration(&mut after).kustomizations.remove("app");
    world::kustomization(&mut after, "infrastructure").path = "./elsewhere".to_owned();
    world::source(&mut after).url = "https://git.contoso.com/other".to_owned();
    let mut live = world::converged(&before);
    world::add_unmanaged(&before, &mut live, "legacy");
    world::edit_extension(&before, &mut live, |body| {
        body["properties"]["provisioningState"] = json!("Failed");
        body["properties"]["errorInfo"] = json!({"message": "failed to install"});
        body["properties"]["configurationSettings"]["logLevel"] = json!("debug");
    });
    let mut replaced = before.clone();
    world::configuration(&mut replaced).namespace = "gitops".to_owned();
    let mut offline = world::converged(&before);
    world::edit_cluster(&before, &mut offline, |body| body["properties"]["connectivityStatus"] = json!("Offline"));
    let replacing = Options { choices: Choices { allow_replace: true, ..Choices::default() }, ..world::options() };
    let mut plans = vec![
        world::plan(&before, &world::bare(&before), &world::options()),
        world::plan(&after, &live, &world::options()),
        world::plan(&replaced, &live, &replacing),
        world::plan(&before, &offline, &world::options()),
        plan::destroy(&world::graph(&before), &live, &before.expanded, &world::options()).unwrap(),
    ];
    for plan in &mut plans {
        let Some(first) = plan.resource_changes.last_mut() else { continue };
        let address = first.address.clone();
        // What was changed outside, and is taken back.
        first.drift = first.fields.iter().filter(|field| field.before.is_some()).cloned().collect();
        let (kind, actions) = (first.kind, Action::Update);
        plan.deferred_changes.push(DeferredChange {
            address: address.clone(),
            kind,
            actions,
            reason: "cluster_offline".to_owned(),
            message: "the cluster is Offline".to_owned(),
        });
        for code in ["cluster_not_ready", "unknown_field"] {
            let note = Note { code: code.to_owned(), address: address.clone(), message: format!("{code} is said") };
            plan.notes.push(note);
        }
        let (message, hint) = ("it may not be".to_owned(), "ask".to_owned());
        plan.refusals.push(Refusal { code: "needs_word".to_owned(), address: Some(address), message, hint });
    }
    plans
}

/// A counter that makes each text another one.
fn texts(of: &[String]) -> impl FnMut() -> String + use<> {
    let mut count = 0;
    let of = of.to_vec();
    move || {
        count += 1;
        format!("{}{}", of[count % of.len()], "x".repeat(count % 3))
    }
}

fn context(text: &str) -> Context {
    let target: String = text.chars().filter(|one| !arcflux::model::is_hidden(*one)).take(60).collect();
    Context {
        target: target.trim().parse().unwrap_or_default(),
        commit: Some(world::COMMIT.parse().unwrap()),
        base: Some(world::COMMIT.parse().unwrap()),
        run_url: Some("https://github.com/contoso/gitops/actions/runs/1?a=b&c=(d)".parse().unwrap()),
        artifact_url: Some("https://github.com/contoso/gitops/actions/runs/1/artifacts/2".parse().unwrap()),
        live_read_at: Some("2026-11-22T08:00:00Z".parse().unwrap()),
        apply_command: Some(format!("arcflux apply {text}")),
        ..Context::default()
    }
}

const LINKS: [&str; 2] = [
    "https://github.com/contoso/gitops/actions/runs/1?a=b&c=(d)",
    "https://github.com/contoso/gitops/actions/runs/1/artifacts/2",
];

fn report(plan: &Plan, next: &mut impl FnMut() -> String) -> ApplyReport {
    let resources = plan.resource_changes.iter().enumerate().map(|(index, change)| ResourceOutcome {
        address: change.address.clone(),
        action: change.change.actions,
        outcome: match index % 3 {
            0 => Outcome::Failed {
                failure: Failure {
                    code: next(),
                    message: next(),
                    hint: Some(next()),
                    // One that no message holds.
                    correlation_id: Some(format!("c-0-{}", next())),
                },
                wrote: true,
            },
            1 => Outcome::Skipped { because: Some(address(&change.address, next)) },
            _ => Outcome::Applied,
        },
        started_at: None,
        elapsed_seconds: 3,
        goes_on: index % 2 == 0,
        writes: vec![Written {
            method: next(),
            status: Some(201),
            correlation_id: Some(next()),
            operation_id: Some(next()),
        }],
    });
    let resources = resources.collect();
    let deferred = vec![address(&"rg/c".parse().unwrap(), next)];
    ApplyReport { resources, deferred, interrupted: true, usage: Usage::default() }
}

/// Every comment that can be made of these plans with these texts.
fn comments(plans: &[Plan], of: &[String]) -> Vec<Comment> {
    let mut made = Vec::new();
    for mut plan in plans.iter().cloned() {
        let mut next = texts(of);
        poison(&mut plan, &mut next);
        let context = context(&of[0]);
        let planned = comment::read(&markdown::plan(&plan, &context));
        let marker = planned.marker.clone().unwrap();
        assert_eq!(marker.digest.as_ref(), Some(&plan.digest));
        assert_eq!(marker.target, context.target);
        made.push(planned);
        made.push(comment::read(&markdown::outcome(&plan, &report(&plan, &mut next), &context)));
        let error =
            RunError { messages: vec![next(), next()], details: vec![next(), next(), next()], hint: Some(next()) };
        let problems: String = (0..5)
            .map(|_| format!("error: {}\n", arcflux::model::one_line(&next().chars().take(200).collect::<String>())))
            .collect();
        made.push(comment::read(&markdown::failed(&error, &problems, &context)));
        made.push(comment::read(&markdown::superseded(context.run_url.as_ref(), &context)));
    }
    made
}

fn check(hostile: &[String]) {
    let plans = plans();
    let plain: Vec<String> = hostile.iter().enumerate().map(|(index, _)| format!("w{index}")).collect();
    for (hostile, plain) in comments(&plans, hostile).into_iter().zip(comments(&plans, &plain)) {
        assert_eq!(hostile.blocks, plain.blocks);
        assert_eq!(hostile.links, plain.links);
        assert!(hostile.links.iter().all(|link| LINKS.contains(&link.as_str())), "{:?}", hostile.links);
        // The target apart, which stands in the first of them.
        assert_eq!(hostile.headings[1..], plain.headings[1..]);
    }
}

#[test]
fn known_tricks_do_nothing() {
    // So that each of them stands in many places.
    for index in (0..HOSTILE.len()).step_by(8) {
        let turned = HOSTILE[index..].iter().chain(&HOSTILE[..index]);
        check(&turned.take(23).map(|text| (*text).to_owned()).collect::<Vec<_>>());
    }
}

#[test]
fn a_value_of_70_kilobytes_does_nothing() {
    for unit in ["`", "|", "@team ", "<b>", "&amp;", "\n# x", "\u{202e}", "x", "- "] {
        // Longer lists, but nothing else: what is read holds each comment to what a comment may have.
        assert!(!comments(&plans()[1..2], &[unit.repeat(70_000 / unit.len())]).is_empty());
    }
}

#[test]
fn values_stand_in_a_comment_as_they_are() {
    let mut plan = plans().remove(1);
    let mut next = texts(&["a|`b` @team <i>".to_owned()]);
    poison(&mut plan, &mut next);
    let comment = comment::read(&markdown::plan(&plan, &Context::default()));
    assert!(comment.code.iter().any(|code| code.contains("\"a|`b` @team <i>")), "{:?}", comment.code);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn no_text_does_anything(
        hostile in proptest::collection::vec(
            prop_oneof![
                proptest::collection::vec(proptest::sample::select(HOSTILE), 1..4).prop_map(|parts| parts.concat()),
                proptest::collection::vec(proptest::sample::select(HOSTILE), 1..4).prop_map(|parts| parts.join(" ")),
                "[\\x00-\\x7f]{0,40}",
                ".{0,40}",
                "[`|<>@#&*_~\\[\\]()!\\\\\n -]{1,30}",
            ],
            1..12,
        ),
    ) {
        check(&hostile);
    }
}
