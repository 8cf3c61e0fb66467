//! However large a plan is, its comment has room on a forge, is whole Markdown, and says what it leaves out.

use arcflux::model::{Address, Part, Usage};
use arcflux::plan::{
    Action, ApplyReport, Consequence, Failure, Note, Outcome, Plan, Refusal, ResourceOutcome, RunError,
};
use arcflux::view::markdown::{self, Budget, Context};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::comment::{self, Comment};
use crate::world;

fn within(text: &str, budget: Budget) -> Comment {
    let units = text.encode_utf16().count();
    assert!(units <= budget.utf16_units(), "{units} UTF-16 units");
    assert!(text.len() <= budget.bytes(), "{} bytes", text.len());
    comment::read(text)
}

fn on(cluster: usize, address: &Address) -> Address {
    match address {
        Address::Provider { .. } | Address::ResourceGroup { .. } => address.clone(),
        Address::Cluster { part, .. } => Address::Cluster {
            subscription: None,
            resource_group: "rg-edge".to_owned(),
            cluster: format!("store-{cluster:05}"),
            part: part.clone(),
        },
    }
}

/// A plan of one changed path on each of so many clusters.
fn fleet(clusters: usize, edit: impl Fn(usize, &mut arcflux::plan::Change)) -> Plan {
    let before = world::quickstart();
    let mut desired = before.clone();
    world::kustomization(&mut desired, "app").path = "./clusters/store-001/retail/Next".to_owned();
    let mut plan = world::plan(&desired, &world::converged(&before), &world::options());
    let change = plan.resource_changes.iter().find(|change| change.writes()).unwrap().clone();
    plan.resource_changes = (1..=clusters)
        .map(|cluster| {
            let mut change = change.clone();
            change.address = on(cluster, &change.address);
            for field in &mut change.fields {
                for value in [&mut field.before, &mut field.after].into_iter().flatten() {
                    let text = value.as_str().unwrap_or_default().replace("store-001", &format!("store-{cluster:05}"));
                    *value = Value::from(text);
                }
            }
            for Consequence { message, .. } in &mut change.consequences {
                *message = message.replace("store-001", &format!("store-{cluster:05}"));
            }
            edit(cluster, &mut change);
            change
        })
        .collect();
    plan
}

#[test]
fn a_fleet_is_one_change() {
    let plan = fleet(10_000, |_, _| {});
    let text = markdown::plan(&plan, &Context::default());
    let comment = within(&text, Budget::default());
    assert!(comment.headings[0].ends_with("0 to add, 10000 to change, 0 to destroy"), "{:?}", comment.headings);
    assert_eq!(comment.blocks.iter().filter(|block| *block == "code diff").count(), 1);
    assert!(text.contains("and 9999 more") && text.contains("`rg-edge/store-10000`"), "{text}");
    let marker = comment.marker.unwrap();
    assert!(marker.truncated && !marker.closed, "not every name has room");
}

#[test]
fn a_fleet_of_nearly_a_thousand_is_shown_whole() {
    let text = markdown::plan(&fleet(987, |_, _| {}), &Context::default());
    assert!(!within(&text, Budget::default()).marker.unwrap().truncated);
    assert!(text.contains("`rg-edge/store-00500`"), "every name has room");
}

#[test]
fn a_plan_of_2_6_megabytes_is_one_comment() {
    let plan = fleet(600, |cluster, change| {
        let mut field = change.fields[0].clone();
        for number in 0..12 {
            field.path = arcflux::model::FieldPath::dotted(&format!("properties.kustomizations.k{number}.path"));
            field.before = Some(json!(format!("./a/{}", "é".repeat(60 + number))));
            field.after = Some(json!(format!("./b{cluster}/{}", "é".repeat(60 + number))));
            change.fields.push(field.clone());
        }
    });
    let size = serde_json::to_string(&plan).unwrap().len();
    assert!(size > 2_600_000, "{size}");
    let context = Context {
        artifact_url: Some("https://github.com/contoso/gitops/actions/runs/1/artifacts/2".parse().unwrap()),
        ..Context::default()
    };
    let text = markdown::plan(&plan, &context);
    let comment = within(&text, Budget::default());
    assert!(comment.marker.unwrap().truncated);
    assert!(text.len() > 40_000, "what has room is shown: {}", text.len());
    assert!(text.contains("0 to add, 600 to change, 0 to destroy") && text.contains(&plan.digest.to_string()));
    assert!(text.contains(" of 600 are shown."), "{text}");
    assert!(text.contains("whole plan](<https://github.com/contoso/gitops/actions/runs/1/artifacts/2>)"));
}

#[test]
fn a_single_value_of_70_kilobytes_is_cut_in_its_middle() {
    let plan = fleet(1, |_, change| change.fields[0].after = Some(json!("x".repeat(70_000))));
    let text = markdown::plan(&plan, &Context::default());
    let comment = within(&text, Budget::default());
    assert!(text.len() < 10_000, "{}", text.len());
    assert!(comment.code.iter().any(|code| code.contains("characters …")), "{text}");
}

#[test]
fn five_thousand_warnings_are_counted_by_their_kind() {
    let mut plan = fleet(3, |_, _| {});
    let about = plan.resource_changes[0].address.clone();
    plan.notes = (0..5000)
        .map(|number| Note {
            code: ["cluster_not_ready", "version_known_bad"][number % 2].to_owned(),
            address: on(number, &about),
            message: format!("the cluster was last heard of {number} minutes ago, and nothing can be done about it"),
        })
        .collect();
    let text = markdown::plan(&plan, &Context::default());
    let comment = within(&text, Budget::default());
    assert!(comment.marker.unwrap().truncated);
    assert!(text.contains("**5000 warnings**") && text.contains("`cluster_not_ready` × 2500"), "{text}");
    assert!(text.contains(" of 5000 are shown."), "{text}");
    assert!(comment.blocks.contains(&"code diff".to_owned()), "the change has room beside them");
}

#[test]
fn every_refusal_of_a_fleet_is_told_once() {
    let mut plan = fleet(400, |_, _| {});
    plan.refusals = plan
        .resource_changes
        .iter()
        .map(|change| Refusal {
            code: "needs_workloads_choice".to_owned(),
            address: Some(change.address.clone()),
            message: "removing extra would delete the workloads".to_owned(),
            hint: "say what becomes of them: `--workloads delete`".to_owned(),
        })
        .collect();
    plan.applyable = false;
    let text = markdown::plan(&plan, &Context::default());
    within(&text, Budget::default());
    assert_eq!(text.matches("removing extra would delete").count(), 1);
    assert!(!text.contains("--expect"), "a refused plan is not to be applied");
}

#[test]
fn a_thousand_errors_have_room() {
    let messages = (0..1000).map(|number| format!("no response to GET number {number}: {}", "why ".repeat(300)));
    let error = RunError { messages: messages.collect(), details: Vec::new(), hint: Some("look".to_owned()) };
    let problems = "error[AF001]: ` is wrong\n".repeat(9000);
    let text = markdown::failed(&error, &problems, &Context::default());
    let comment = within(&text, Budget::default());
    assert!(comment.marker.unwrap().truncated && text.contains("of 1000 are shown") && text.contains("Hint: look"));
}

/// What takes the workloads of a kustomization away, in the words of a plan.
fn pruned(name: &str, path: &str) -> Consequence {
    Consequence {
        code: "garbage_collection".to_owned(),
        message: format!("prune is on for {name}: what was applied from ./old and is not in {path} will be deleted"),
    }
}

/// The part of a comment that says what is lost.
fn banner(text: &str) -> &str {
    let start = text.find("> [!WARNING]").unwrap();
    text[start..].split("\n\n").next().unwrap()
}

#[test]
fn a_loss_is_named_among_thirty_long_ones() {
    let hostile = format!("./x`{}", " &".repeat(740));
    let plan = fleet(1, |_, change| {
        change.consequences = (0..30).map(|number| pruned(&format!("k{number:02}"), &hostile)).collect();
        change.consequences.push(pruned("payments-database", "./empty"));
    });
    let text = markdown::plan(&plan, &Context::default());
    within(&text, Budget::default());
    let banner = banner(&text);
    assert!(banner.contains("payments-database") && banner.contains("k00"), "{banner}");
    assert!(!banner.contains("are shown"), "{banner}");
}

#[test]
fn every_kustomization_of_hundreds_that_goes_is_named() {
    let names: Vec<String> = (0..500).map(|number| format!("workload-{number:03}")).collect();
    let plan = fleet(1, |_, change| {
        change.consequences =
            names.iter().map(|name| pruned(name, &format!("./clusters/store-001/{name}/next"))).collect();
    });
    let text = markdown::plan(&plan, &Context::default());
    within(&text, Budget::default());
    let banner = banner(&text);
    for name in &names {
        assert!(banner.contains(name.as_str()), "{name}");
    }
}

#[test]
fn four_hundred_deletions_are_all_named_and_what_changes_is_not_forgotten() {
    let plan = fleet(401, |cluster, change| {
        change.change.actions = Action::Delete;
        change.consequences = vec![pruned("app", &format!("./{}", "é".repeat(cluster)))];
    });
    let text = markdown::plan(&plan, &Context::default());
    let comment = within(&text, Budget::default());
    for cluster in 1..=401 {
        assert!(banner(&text).contains(&format!("`rg-edge/store-{cluster:05}/flux/")), "{cluster}");
    }
    assert!(!banner(&text).contains("are shown"));
    assert!(comment.blocks.contains(&"table".to_owned()), "{text}");
}

#[test]
fn what_an_apply_has_deleted_is_named_whatever_failed() {
    let plan = fleet(1, |_, change| {
        let long = "& ".repeat(700);
        change.consequences = (0..20).map(|number| pruned(&format!("k{number:02}"), &long)).collect();
    });
    let outcomes = (0..300)
        .map(|number| ResourceOutcome {
            address: on(number, &plan.resource_changes[0].address),
            action: Action::Update,
            outcome: Outcome::Failed {
                failure: Failure {
                    code: "Conflict".to_owned(),
                    message: format!("{number} {}", "why ".repeat(300)),
                    hint: None,
                    correlation_id: None,
                },
                wrote: true,
            },
            started_at: None,
            elapsed_seconds: 1,
            writes: Vec::new(),
            goes_on: false,
        })
        .collect();
    let report = ApplyReport { resources: outcomes, deferred: Vec::new(), interrupted: false, usage: Usage::default() };
    let text = markdown::outcome(&plan, &report, &Context::default());
    within(&text, Budget::default());
    for number in 0..20 {
        assert!(banner(&text).contains(&format!("k{number:02}")), "{number}");
    }
    for number in 0..300 {
        assert!(text.contains(&format!("`rg-edge/store-{number:05}/flux/")), "{number}");
    }
}

/// One change that loses something.
#[derive(Debug, Clone)]
struct Loss {
    action: Action,
    kustomizations: usize,
    letter: &'static str,
    length: usize,
    /// On how many clusters the same happens.
    clusters: usize,
}

fn loss() -> impl Strategy<Value = Loss> {
    let action = proptest::sample::select(&[Action::Delete, Action::Replace, Action::Update][..]);
    let letter = proptest::sample::select(&["x", "é", "😀", " &", "`", "\u{202e}", "]( ", "a\n"][..]);
    (action, 1_usize..50, letter, 0_usize..1500, prop_oneof![4 => Just(1), 1 => 2_usize..20]).prop_map(
        |(action, kustomizations, letter, length, clusters)| Loss { action, kustomizations, letter, length, clusters },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn what_is_lost_and_what_refuses_is_named_as_long_as_names_have_room(
        losses in proptest::collection::vec(loss(), 1..25),
        refusals in 0_usize..120,
        length in 0_usize..1500,
        budget in (12_000_usize..70_000, 24_000_usize..220_000),
    ) {
        let of_each: Vec<(usize, &Loss)> =
            losses.iter().enumerate().flat_map(|(number, loss)| vec![(number, loss); loss.clusters]).collect();
        let name = |number: usize, index: usize| format!("k{number:02}-{index:02}");
        let mut plan = fleet(of_each.len(), |cluster, change| {
            let (number, Loss { action, kustomizations, letter, length, .. }) = of_each[cluster - 1];
            change.change.actions = *action;
            let path = letter.repeat(*length);
            change.consequences = (0..*kustomizations).map(|index| pruned(&name(number, index), &path)).collect();
        });
        let about = plan.resource_changes[0].address.clone();
        plan.refusals = (0..refusals)
            .map(|number| Refusal {
                code: "needs_workloads_choice".to_owned(),
                address: Some(on(50_000 + number, &about)),
                message: format!("{} {}", number / 3, " &".repeat(length)),
                hint: "& ".repeat(length),
            })
            .collect();
        let context = Context { budget: Budget::new(budget.0, budget.1), ..Context::default() };
        let text = markdown::plan(&plan, &context);
        within(&text, context.budget);
        let banner = banner(&text);
        // What names alone need, with what stands between them.
        let of_refusals = refusals * 100;
        let of_losses: usize = losses.iter().map(|loss| 130 + loss.clusters * 42 + loss.kustomizations * 11).sum();
        let room = context.budget.utf16_units().min(context.budget.bytes()) - 2500;
        if of_losses < room.saturating_sub(of_refusals).max(room / 2) {
            for (number, loss) in losses.iter().enumerate() {
                for index in 0..loss.kustomizations {
                    prop_assert!(banner.contains(&name(number, index)), "{} of {:?}", name(number, index), loss);
                }
            }
            for cluster in 1..=of_each.len() {
                prop_assert!(banner.contains(&format!("rg-edge/store-{cluster:05}")), "{}", cluster);
            }
        }
        if of_refusals < room.saturating_sub(of_losses).max(room / 2) {
            for number in 0..refusals {
                let address = format!("rg-edge/store-{:05}", 50_000 + number);
                prop_assert!(text.contains(&address), "{}", address);
            }
        }
    }

    #[test]
    fn both_limits_are_held(
        clusters in 1_usize..60,
        fields in 0_usize..30,
        length in 0_usize..2000,
        letter in proptest::sample::select(&["x", "é", "東", "😀", "`", "\u{202e}", "a\n"][..]),
        notes in 0_usize..200,
        refusals in 0_usize..100,
        url in 1_usize..2500,
        budget in (0_usize..70_000, 0_usize..220_000),
    ) {
        let long = letter.repeat(length);
        let mut plan = fleet(clusters, |cluster, change| {
            let field = change.fields[0].clone();
            change.fields = (0..fields).map(|number| {
                let mut field = field.clone();
                field.path = arcflux::model::FieldPath::dotted(&format!("k{number}.x"));
                field.after = Some(json!(format!("{cluster}{long}")));
                field
            }).collect();
            if let Address::Cluster { part, .. } = &mut change.address {
                *part = Part::Configuration(format!("{}{letter}", cluster % 7));
            }
        });
        let about = plan.resource_changes[0].address.clone();
        plan.notes = (0..notes)
            .map(|number| Note { code: format!("c{number}"), address: on(number, &about), message: format!("{number} {long}") })
            .collect();
        plan.refusals = (0..refusals)
            .map(|number| Refusal {
                code: format!("c{number}"), address: Some(on(number, &about)), message: format!("{number} {long}"), hint: long.clone(),
            })
            .collect();
        let context = Context {
            budget: Budget::new(budget.0, budget.1),
            apply_command: Some(letter.repeat(900)),
            run_url: Some(format!("https://x.io/{}", "x".repeat(url)).parse().unwrap()),
            artifact_url: Some(format!("https://x.io/{}", "y".repeat(url)).parse().unwrap()),
            target: "東".repeat(100).parse().unwrap(),
            commit: Some(world::COMMIT.parse().unwrap()),
            ..Context::default()
        };
        let text = markdown::plan(&plan, &context);
        let comment = within(&text, context.budget);
        prop_assert!(text.contains(&plan.digest.to_string()));
        let counts = format!("{clusters} to change");
        prop_assert!(comment.headings[0].contains(&counts));
        prop_assert_eq!(refusals > 0, comment.blocks.contains(&"alert Caution".to_owned()));
        prop_assert_eq!(notes > 0, comment.blocks.contains(&"alert Important".to_owned()));
        let marker = comment.marker.unwrap();
        prop_assert!(!marker.truncated || text.contains("Not everything has room"));
    }
}
