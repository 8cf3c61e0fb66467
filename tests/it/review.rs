//! Comments and checks on three forges, through the client and its retries; the forges are in memory.

use std::sync::Arc;
use std::time::Duration;

use arcflux::http::retry::ATTEMPTS;
use arcflux::http::{Clock as _, Patience, Request, Response, Transport, TransportError};
use arcflux::model::{Marker, Secret, Target};
use arcflux::review::{ForgeClient, ForgeError, ForgeKind, Posted, Status, Verdict, Wanted, Write, put_comment};
use arcflux::view::markdown::{Context, plan, says_the_same, superseded};
use async_trait::async_trait;
use serde_json::json;

use crate::forges::{ALL, Asked, Fake, HEAD, TOKEN, page_of_html};
use crate::scripted::{Reply, VirtualClock};
use crate::world;

fn target() -> Target {
    "prod".parse().unwrap()
}

/// A comment for a target that says something.
fn comment(target: &str, says: &str) -> String {
    let marker = Marker { target: target.parse().unwrap(), ..Marker::default() };
    format!("{}\n## {says}\n", marker.render())
}

/// What an older comment becomes.
fn folded() -> String {
    superseded(None, &Context { target: target(), ..Context::default() })
}

async fn put(fake: &std::sync::Arc<Fake>, says: &str) -> Result<Posted, ForgeError> {
    let (client, _) = fake.client();
    put_comment(
        &client,
        7,
        &target(),
        Wanted { body: &comment("prod", says), superseded: &folded(), create: true, is_same },
    )
    .await
}

fn is_same(one: &str, other: &str) -> bool {
    one == other
}

fn bodies(fake: &Fake) -> Vec<String> {
    fake.comments().into_iter().map(|kept| kept.body).collect()
}

#[tokio::test]
async fn one_comment_is_made_updated_and_left_alone_where_it_says_that_already() {
    for kind in ALL {
        let fake = Fake::new(kind);
        fake.write(fake.other(), "what does it change?");
        assert_eq!(put(&fake, "one").await.unwrap().write, Write::Create);
        let id = fake.comments()[1].id;
        assert_eq!(put(&fake, "two").await.unwrap().write, Write::Update(id));
        fake.asked();
        assert_eq!(put(&fake, "two").await.unwrap().write, Write::Nothing);
        assert_eq!(fake.asked(), [Asked::Identity, Asked::List], "{kind:?}");
        assert_eq!(bodies(&fake), ["what does it change?".to_owned(), comment("prod", "two")]);
    }
}

/// A comment with a plan, as a run writes it that read the live state at this second.
fn plan_comment(run: u32, second: u32, commit: char, path: &str) -> String {
    let mut desired = world::quickstart();
    world::kustomization(&mut desired, "app").path = path.to_owned();
    let planned = world::plan(&desired, &world::bare(&desired), &world::options());
    let context = Context {
        target: target(),
        commit: Some(commit.to_string().repeat(40).parse().unwrap()),
        run_url: Some(format!("https://github.com/contoso/gitops/actions/runs/{run}/attempts/2").parse().unwrap()),
        live_read_at: Some(format!("2026-11-22T08:00:{second:02}Z").parse().unwrap()),
        ..Context::default()
    };
    plan(&planned, &context)
}

#[tokio::test]
async fn a_comment_is_not_edited_for_another_run_or_another_second() {
    for kind in ALL {
        let fake = Fake::new(kind);
        let first = plan_comment(99, 7, 'a', "./apps");
        let id = fake.write(fake.me(), &first);
        let put = async |body: &str| {
            let (client, _) = fake.client();
            put_comment(&client, 7, &target(), Wanted { body, superseded: "", create: true, is_same: says_the_same })
                .await
                .unwrap()
        };
        let posted = put(&plan_comment(100, 59, 'a', "./apps")).await;
        assert_eq!((posted.write, posted.text.as_str()), (Write::Nothing, first.as_str()), "{kind:?}");
        assert_eq!(bodies(&fake), std::slice::from_ref(&first));
        for other in [
            plan_comment(100, 59, 'b', "./apps"),
            plan_comment(100, 59, 'a', "./other"),
            plan_comment(100, 59, 'a', "./apps").replace("https://github.com/", "https://evil.example/"),
            plan_comment(100, 59, 'a', "./apps").replace("to add", "to ADD"),
        ] {
            let posted = put(&other).await;
            assert_eq!((posted.write, posted.text), (Write::Update(id), other));
            put(&first).await;
        }
    }
}

#[tokio::test]
async fn nothing_is_made_where_there_is_nothing_to_say_and_each_target_has_its_own() {
    for kind in ALL {
        let fake = Fake::new(kind);
        let dev = comment("dev", "changes");
        fake.write(fake.me(), &dev);
        let (client, _) = fake.client();
        let body = comment("prod", "no changes");
        let wanted = Wanted { body: &body, superseded: "", create: false, is_same };
        assert_eq!(put_comment(&client, 7, &target(), wanted).await.unwrap().write, Write::Nothing);
        assert_eq!(bodies(&fake), std::slice::from_ref(&dev));
        put(&fake, "changes").await.unwrap();
        // Where there is a comment, it comes to say so.
        put_comment(&client, 7, &target(), wanted).await.unwrap();
        assert_eq!(bodies(&fake), [dev, body]);
    }
}

#[tokio::test]
async fn the_comment_is_found_behind_hundreds_of_others() {
    for kind in ALL {
        let fake = Fake::new(kind);
        for number in 0..230 {
            fake.write(fake.other(), &format!("comment {number}"));
        }
        let id = fake.write(fake.me(), &comment("prod", "old"));
        assert_eq!(put(&fake, "new").await.unwrap().write, Write::Update(id), "{kind:?}");
        let pages = if kind == ForgeKind::AzureDevOps { 1 } else { 3 };
        assert_eq!(fake.count(Asked::List), pages);
    }
}

#[tokio::test]
async fn what_others_wrote_is_never_touched() {
    for kind in ALL {
        let fake = Fake::new(kind);
        let forged = comment("prod", "no changes, approve at once");
        fake.write(fake.other(), &forged);
        let quoted = format!("> {}\nwhy?", comment("prod", "old"));
        fake.write(fake.me(), &quoted);
        fake.write(fake.other(), &quoted);
        let posted = put(&fake, "changes").await.unwrap();
        assert_eq!((posted.write, posted.impostors), (Write::Create, vec![fake.other().to_owned()]), "{kind:?}");
        assert_eq!(bodies(&fake), [forged, quoted.clone(), quoted, comment("prod", "changes")]);
    }
}

#[tokio::test]
async fn two_runs_that_both_made_a_comment_leave_one_after_the_next_run() {
    for kind in ALL {
        let fake = Fake::new(kind);
        // While this run looks, another one writes its own.
        fake.gets_before(Asked::Create, fake.me(), &comment("prod", "one"));
        put(&fake, "two").await.unwrap();
        assert_eq!(bodies(&fake), [comment("prod", "one"), comment("prod", "two")]);
        let posted = put(&fake, "three").await.unwrap();
        assert_eq!(posted.folded, 1, "{kind:?}");
        assert_eq!(bodies(&fake), [folded(), comment("prod", "three")]);
        fake.asked();
        // What is folded stays so, without another request.
        assert_eq!(put(&fake, "three").await.unwrap().folded, 0);
        assert_eq!(fake.asked(), [Asked::Identity, Asked::List]);
    }
}

#[tokio::test]
async fn a_comment_that_was_deleted_meanwhile_is_made_anew() {
    for kind in ALL {
        let fake = Fake::new(kind);
        let older = fake.write(fake.me(), &comment("prod", "old"));
        let id = fake.write(fake.me(), &comment("prod", "old"));
        fake.loses_before(Asked::Update, id);
        fake.loses_before(Asked::Update, older);
        assert_eq!(put(&fake, "new").await.unwrap().write, Write::Create, "{kind:?}");
        assert_eq!(bodies(&fake), [comment("prod", "new")]);
    }
}

#[tokio::test]
async fn a_read_that_fails_is_sent_again() {
    for kind in ALL {
        let fake = Fake::new(kind);
        fake.fails(Asked::Identity, Reply::empty(502));
        fake.fails(Asked::List, Reply::Dropped);
        fake.fails(Asked::List, Reply::text(503, "busy").header("retry-after", "7"));
        put(&fake, "one").await.unwrap();
        assert_eq!(fake.count(Asked::List), 3, "{kind:?}");
        assert_eq!(bodies(&fake), [comment("prod", "one")]);
    }
}

#[tokio::test]
async fn a_creation_whose_outcome_is_not_known_is_looked_for_before_it_is_sent_again() {
    for kind in ALL {
        // It had happened: one comment, made once.
        let fake = Fake::new(kind);
        fake.answers_though_done(Asked::Create, Reply::Dropped);
        put(&fake, "one").await.unwrap();
        assert_eq!((bodies(&fake).len(), fake.count(Asked::Create)), (1, 1), "{kind:?}");
        // It had not.
        let fake = Fake::new(kind);
        fake.fails(Asked::Create, Reply::empty(500));
        put(&fake, "one").await.unwrap();
        assert_eq!((bodies(&fake).len(), fake.count(Asked::Create)), (1, 2), "{kind:?}");
        // It never does: that ends.
        let fake = Fake::new(kind);
        (0..20).for_each(|_| fake.fails(Asked::Create, Reply::empty(500)));
        let error = put(&fake, "one").await.unwrap_err();
        assert!(error.outcome_unknown() && !error.is_denied(), "{kind:?}: {error}");
        assert_eq!(fake.count(Asked::Create), 4);
    }
}

#[tokio::test]
async fn a_server_that_always_fails_is_given_up() {
    for kind in ALL {
        let fake = Fake::new(kind);
        (0..40).for_each(|_| fake.fails(Asked::List, Reply::empty(500)));
        let error = put(&fake, "one").await.unwrap_err();
        assert!(!error.is_denied(), "{error}");
        assert!(u32::try_from(fake.count(Asked::List)).unwrap() <= ATTEMPTS, "{kind:?}");
        assert_eq!(bodies(&fake), [""; 0]);
    }
}

#[tokio::test]
async fn limits_are_waited_for_as_long_as_they_say_and_no_longer_than_anybody_waits() {
    let at = |seconds: i64| (VIRTUAL_NOW + seconds).to_string();
    let primary = || {
        Reply::json(403, &json!({"message": "API rate limit exceeded for installation ID 1."}))
            .header("x-ratelimit-remaining", "0")
    };
    let fake = Fake::new(ForgeKind::GitHub);
    let (client, clock) = fake.client();
    let told = Arc::new(std::sync::Mutex::new(Vec::<String>::new()));
    let kept = told.clone();
    let client = client.waiting(Arc::new(move |line: &str| kept.lock().unwrap().push(line.to_owned())));
    fake.fails(Asked::List, primary().header("x-ratelimit-reset", &at(90)));
    fake.fails(
        Asked::Create,
        Reply::json(403, &json!({"message": "You have exceeded a secondary rate limit."})).header("retry-after", "30"),
    );
    let body = comment("prod", "one");
    put_comment(&client, 7, &target(), Wanted { body: &body, superseded: "", create: true, is_same }).await.unwrap();
    // One more for the clocks, and half a second of jitter each.
    assert_eq!(clock.waits(), [91, 30]);
    let told = told.lock().unwrap().clone();
    assert!(told.len() == 2 && told[0].starts_with("Waiting 91 s: GitHub answered GET "), "{told:?}");
    assert_eq!((fake.count(Asked::List), fake.count(Asked::Create)), (2, 2));

    let fake = Fake::new(ForgeKind::GitHub);
    let (client, clock) = fake.client();
    fake.fails(Asked::List, primary().header("x-ratelimit-reset", &at(3000)));
    let error = client.comments(7).await.unwrap_err();
    assert!(!error.is_denied() && error.to_string().contains("API rate limit exceeded"), "{error}");
    assert_eq!(clock.waits(), [0_u64; 0]);

    // However often it is turned away, ten minutes are the limit of one call.
    for kind in ALL {
        let fake = Fake::new(kind);
        let (client, clock) = fake.client();
        (0..40).for_each(|_| fake.fails(Asked::List, Reply::text(429, "Retry later").header("retry-after", "120")));
        client.comments(7).await.unwrap_err();
        assert!(clock.waits().iter().sum::<u64>() <= 600, "{kind:?}: {:?}", clock.waits());
        assert!(fake.count(Asked::List) > 2);
    }
}

/// What [`crate::scripted::VirtualClock`] begins with, in seconds.
const VIRTUAL_NOW: i64 = 1_795_341_600;

#[tokio::test]
async fn what_the_token_may_not_do_is_told_from_what_fails() {
    let integration = json!({"message": "Resource not accessible by integration", "documentation_url": "https://docs"});
    let tf =
        json!({"message": "TF401027: You need the Git 'PullRequestContribute' permission to perform this action."});
    for (kind, replies) in [
        (
            ForgeKind::GitHub,
            vec![
                Reply::json(403, &integration),
                Reply::json(401, &json!({"message": "Bad credentials"})),
                Reply::json(404, &json!({"message": "Not Found"})),
            ],
        ),
        (ForgeKind::AzureDevOps, vec![Reply::json(403, &tf), Reply::empty(401), page_of_html(203), Reply::empty(302)]),
        (
            ForgeKind::GitLab,
            vec![
                Reply::json(403, &json!({"error": "insufficient_scope", "error_description": "higher privileges"})),
                Reply::json(401, &json!({"message": "401 Unauthorized"})),
                Reply::json(404, &json!({"message": "404 Project Not Found"})),
            ],
        ),
    ] {
        for reply in replies {
            let fake = Fake::new(kind);
            fake.fails(Asked::Create, reply);
            let error = put(&fake, "one").await.unwrap_err();
            assert!(error.is_denied(), "{kind:?}: {error}");
            // No second try.
            assert_eq!(fake.count(Asked::Create), 1, "{error}");
        }
    }
    let fake = Fake::new(ForgeKind::GitHub);
    fake.fails(Asked::Create, Reply::json(422, &json!({"message": "Validation Failed"})));
    assert!(!put(&fake, "one").await.unwrap_err().is_denied());
    let fake = Fake::new(ForgeKind::GitLab);
    fake.fails(Asked::Create, Reply::json(400, &json!({"message": {"note": ["is too long"]}})));
    assert!(put(&fake, "one").await.unwrap_err().to_string().contains("is too long"));
}

#[tokio::test]
async fn the_token_goes_nowhere_else_and_is_never_told() {
    for kind in ALL {
        let fake = Fake::new(kind);
        let elsewhere = "https://evil.example/x";
        fake.fails(Asked::Identity, Reply::empty(302).header("location", elsewhere));
        let error = put(&fake, "one").await.unwrap_err();
        assert!(matches!(error, ForgeError::ForeignLink { role: "redirect", .. }), "{error}");
        assert_eq!(fake.asked(), [Asked::Identity]);

        fake.fails(Asked::List, Reply::json(200, &json!([])).header("link", &format!("<{elsewhere}>; rel=\"next\"")));
        if kind != ForgeKind::AzureDevOps {
            let error = put(&fake, "one").await.unwrap_err();
            assert!(matches!(error, ForgeError::ForeignLink { role: "next page", .. }), "{error}");
            assert_eq!(fake.asked(), [Asked::Identity, Asked::List]);
        }

        let fake = Fake::new(kind);
        let lines = std::sync::Arc::new(std::sync::Mutex::new(Vec::<String>::new()));
        let (client, _) = fake.client();
        let kept = lines.clone();
        let client = client.observer(std::sync::Arc::new(move |line: &str| kept.lock().unwrap().push(line.to_owned())));
        // Azure DevOps is sent the token in base64.
        let sent = "OlQwS0VOLW9mLXRoZS1qb2I=";
        let message = format!("no {TOKEN} here\nnor there: Basic {sent}");
        fake.fails(Asked::List, Reply::json(403, &json!({"message": message})));
        let error = client.comments(7).await.unwrap_err();
        let told = format!("{error} {error:?} {client:?} {:?}", lines.lock().unwrap());
        assert!(!told.contains(TOKEN) && told.contains("no *** here\\nnor there"), "{told}");
        assert!(kind != ForgeKind::AzureDevOps || !told.contains(sent), "{told}");
        assert_eq!(lines.lock().unwrap().len(), 1);
    }
}

/// A server that takes a request and says nothing until whoever asks has lost patience.
struct Silent(Arc<VirtualClock>);

#[async_trait]
impl Transport for Silent {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let Patience(patience) = *request.extensions().get().unwrap();
        self.0.advance(patience.min(Duration::from_secs(100)));
        Err(TransportError::Broken { host: "forge".to_owned(), source: "timed out".into() })
    }
}

#[tokio::test]
async fn a_silent_forge_is_not_waited_for_longer_than_it_may_take_in_all() {
    let began = VirtualClock::new().now();
    for kind in ALL {
        let clock = VirtualClock::new();
        let token = Secret::new(TOKEN.to_owned());
        let api = Fake::new(kind).api();
        let client = || {
            let silent = Arc::new(Silent(clock.clone()));
            ForgeClient::new(silent, clock.clone(), kind, api, "contoso/gitops", token.clone()).unwrap()
        };
        let passed = || clock.now().duration_since(began).as_secs();
        let limited = client().within(Duration::from_secs(120));
        limited.pull_request(7).await.unwrap_err();
        let wanted = Wanted { body: "x", superseded: "", create: true, is_same };
        let error = put_comment(&limited, 7, &target(), wanted).await.unwrap_err();
        assert!(matches!(error, ForgeError::OutOfTime { seconds: 120, .. }), "{error}");
        limited.create_comment(7, "x").await.unwrap_err();
        assert!((100..=120).contains(&passed()), "{kind:?}: {}", passed());
        // Without such a limit, one request has two minutes, its attempts included.
        let before = passed();
        client().pull_request(7).await.unwrap_err();
        assert!(passed() - before <= 135, "{kind:?}: {}", passed() - before);
    }
}

#[tokio::test]
async fn limits_are_waited_for_only_as_long_as_everything_may_take() {
    let fake = Fake::new(ForgeKind::GitHub);
    let (client, clock) = fake.client();
    (0..40).for_each(|_| fake.fails(Asked::List, Reply::text(429, "Retry later").header("retry-after", "50")));
    let error = client.within(Duration::from_secs(120)).comments(7).await.unwrap_err();
    assert!(error.to_string().contains("429"), "{error}");
    assert_eq!(clock.waits(), [50, 50]);
}

#[tokio::test]
async fn the_pull_request_of_a_commit_is_the_one_that_was_merged_as_it() {
    for (kind, others) in [
        (
            ForgeKind::GitHub,
            json!([{"number": 5, "merge_commit_sha": "ff"}, {"number": 6}, {"number": 7, "merge_commit_sha": HEAD}]),
        ),
        (ForgeKind::GitLab, json!([{"iid": 5, "merge_commit_sha": null}, {"iid": 7, "merge_commit_sha": HEAD}])),
        (
            ForgeKind::AzureDevOps,
            json!({"results": [{HEAD: [{"pullRequestId": 5}, {"pullRequestId": 7, "lastMergeCommit": {"commitId": HEAD}}]}]}),
        ),
    ] {
        let fake = Fake::new(kind);
        fake.fails(Asked::OfCommit, Reply::json(200, &others));
        assert_eq!(fake.client().0.pull_request_of(HEAD).await.unwrap(), Some(7), "{kind:?}");
    }
}

#[tokio::test]
async fn a_page_that_comes_again_ends_the_list() {
    let fake = Fake::new(ForgeKind::GitHub);
    let own = "https://api.github.com/repos/contoso/gitops/issues/7/comments?per_page=100";
    fake.fails(Asked::List, Reply::json(200, &json!([])).header("link", &format!("<{own}>; rel=\"next\"")));
    let (client, _) = fake.client();
    assert!(matches!(client.comments(7).await, Err(ForgeError::EndlessList { pages: 1, .. })));
}

#[tokio::test]
async fn the_commit_carries_the_digest() {
    let digest = format!("sha256:{}", "ab".repeat(32));
    let status = |verdict| Status {
        name: "arcflux/plan (prod)".to_owned(),
        sha: HEAD.to_owned(),
        verdict,
        title: "1 to add, 0 to change, 0 to destroy".to_owned(),
        digest: Some(digest.clone()),
        comment: Some(digest.replace("ab", "cd").parse().unwrap()),
        url: Some("https://ci.example/1".to_owned()),
    };
    for (verdict, github, azure, gitlab) in [
        (Verdict::NoChanges, "neutral", "notApplicable", "success"),
        (Verdict::Changes, "success", "succeeded", "success"),
        (Verdict::Destructive, "action_required", "succeeded", "success"),
        (Verdict::Failed, "failure", "failed", "failed"),
    ] {
        for (kind, word, expected) in [
            (ForgeKind::GitHub, "conclusion", github),
            (ForgeKind::AzureDevOps, "state", azure),
            (ForgeKind::GitLab, "state", gitlab),
        ] {
            let fake = Fake::new(kind);
            let (client, _) = fake.client();
            fake.fails(if kind == ForgeKind::GitHub { Asked::Check } else { Asked::Status }, Reply::empty(500));
            client.set_status(&status(verdict)).await.unwrap();
            let statuses = fake.statuses();
            assert_eq!((statuses.len(), &statuses[0][word]), (1, &json!(expected)));
            assert!(statuses[0].to_string().contains(&digest), "{kind:?}");
            // Nobody but the app that made a check can change what it says.
            let says_comment = statuses[0].to_string().contains(&digest.replace("ab", "cd"));
            assert_eq!(says_comment, kind == ForgeKind::GitHub);
        }
    }
    // A token that is no app's may not make checks, and sets a status.
    let fake = Fake::new(ForgeKind::GitHub);
    let (client, _) = fake.client();
    fake.fails(Asked::Check, Reply::json(403, &json!({"message": "You must authenticate via a GitHub App."})));
    client.set_status(&status(Verdict::Failed)).await.unwrap();
    assert_eq!(fake.statuses()[0]["state"], "failure");
    assert_eq!(fake.asked(), [Asked::Check, Asked::Status]);
}

#[tokio::test]
async fn a_pull_request_is_read_by_its_number_or_by_what_it_brought() {
    for kind in ALL {
        let fake = Fake::new(kind);
        let (client, _) = fake.client();
        assert_eq!(client.pull_request_of(HEAD).await.unwrap(), Some(7));
        let found = client.pull_request(7).await.unwrap();
        assert_eq!((found.number, found.head.as_str(), found.is_open), (7, HEAD, true), "{kind:?}");
        assert!(found.author.is_some() && found.base.is_some());
        fake.fails(Asked::PullRequest, Reply::json(404, &json!({"message": "Not Found"})));
        assert!(client.pull_request(7).await.unwrap_err().is_missing());
        fake.fails(Asked::PullRequest, page_of_html(200));
        assert!(matches!(client.pull_request(7).await, Err(ForgeError::BadBody { .. })));
    }
}
