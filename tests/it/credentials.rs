//! Secrets and other credentials: who may send what where, what keeps working without being sent again, and that no
//! value is ever shown.

use std::sync::Arc;
use std::time::Duration;

use arcflux::apply::{SecretError, SecretResolver};
use arcflux::http::{Request, Response, Transport, TransportError};
use arcflux::model::{Secret, SecretRef};
use arcflux::plan::{Options, Plan, SecretGrant, SecretPolicy, Step};
use arcflux::sim::{self, Scenario};
use arcflux::view::{self, Format, Style};
use async_trait::async_trait;
use base64::Engine as _;
use serde_json::{Value, json};

use crate::simulated::{World, fields, options};

/// A spec of one configuration with the given source.
fn spec(source: &str) -> String {
    let source: String = source.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "apiVersion: arcflux/v1\nsubscription: 3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20\nresourceGroup: rg-edge\n\
         cluster: {{name: store-001}}\nrepo:\n{source}  branch: main\nkustomizations:\n  app: {{path: ./app, prune: true}}\n"
    )
}

const WITH_TOKEN: &str = "url: https://git.contoso.com/r\nhttpsUser: bot\nhttpsKey: {env: GIT_TOKEN}";
const WITH_KEY: &str = "url: ssh://git@git.contoso.com:2222/r\nsshPrivateKey: {file: keys/deploy}";
const WITH_CLUSTER_SECRET: &str = "url: https://git.contoso.com/r\nlocalAuthRef: git-auth";

fn granted(secret: SecretRef, destination: &str) -> Options {
    let grant = SecretGrant { secret, destination: destination.to_owned() };
    Options { secrets: SecretPolicy::Granted(vec![grant]), ..options() }
}

fn nothing_granted() -> Options {
    Options { secrets: SecretPolicy::Granted(Vec::new()), ..options() }
}

fn token() -> SecretRef {
    SecretRef::Env("GIT_TOKEN".to_owned())
}

/// The steps that write the configuration: their methods.
fn methods(plan: &Plan) -> Vec<&'static str> {
    let steps = plan.resource_changes.iter().filter(|change| change.address.to_string().contains("/flux/"));
    steps
        .flat_map(|change| &change.steps)
        .filter_map(|step| match step {
            Step::Put { .. } => Some("PUT"),
            Step::Patch { .. } => Some("PATCH"),
            Step::Delete { .. } => Some("DELETE"),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_secret_goes_only_where_it_is_allowed_to() {
    for (source, secret, server) in [
        (WITH_TOKEN, token(), "https://git.contoso.com"),
        (WITH_KEY, SecretRef::File("keys/deploy".to_owned()), "ssh://git.contoso.com:2222"),
    ] {
        let spec = spec(source);
        let world = World::of(&spec);
        let address = "rg-edge/store-001/flux/flux-system";
        let others = [
            nothing_granted(),
            granted(SecretRef::Env("OTHER".to_owned()), server),
            granted(secret.clone(), "https://git.contoso.com:8443"),
            granted(secret.clone(), "https://evil.example"),
            granted(secret.clone(), "rg-edge/store-002/flux/flux-system"),
        ];
        for options in others {
            let plan = world.try_plan(&spec, &options).await.unwrap();
            assert_eq!(plan.refusals.len(), 1, "{:?}", options.secrets);
            assert_eq!(plan.refusals[0].code, "secret_not_allowed");
            assert!(plan.refusals[0].message.contains(server), "{}", plan.refusals[0].message);
            assert!(plan.refusals[0].hint.ends_with(&format!("`--allow-secret {secret}@{server}`")));
            assert!(!plan.applyable);
        }
        for destination in [server, address] {
            let world = World::of(&spec);
            let plan = world.converge_with(&spec, &granted(secret.clone(), destination)).await;
            assert_eq!(plan.refusals, []);
            // Nothing to send, nothing to allow.
            let again = world.try_plan(&spec, &nothing_granted()).await.unwrap();
            assert!(again.refusals.is_empty() && !again.has_changes());
        }
    }
}

#[tokio::test]
async fn a_secret_never_goes_over_plain_http() {
    let http = spec(WITH_CLUSTER_SECRET).replace("https://", "http://");
    let world = World::of(&http);
    assert_eq!(world.plan(&http).await.refusals, [], "no secret is sent");
    // The rules of a spec refuse it already; the plan does not rely on them.
    let mut desired = crate::simulated::desired(&spec(WITH_TOKEN));
    let configuration = desired.clusters[0].configurations.get_mut("flux-system").unwrap();
    configuration.git_repository.as_mut().unwrap().url = "http://git.contoso.com/r".to_owned();
    let graph = arcflux::graph::build(&desired).unwrap();
    let live = world.live(&graph).await;
    for options in [options(), granted(token(), "http://git.contoso.com")] {
        let plan = arcflux::plan::make(&graph, &live, &json!({}), &options).unwrap();
        assert_eq!(plan.refusals.len(), 1);
        assert_eq!(plan.refusals[0].code, "secret_not_allowed");
        assert!(plan.refusals[0].message.contains("unencrypted"), "{}", plan.refusals[0].message);
    }
}

#[tokio::test]
async fn credentials_in_place_are_not_aimed_at_another_server() {
    let original = spec(WITH_CLUSTER_SECRET);
    let world = World::of(&original);
    world.converge(&original).await;
    let elsewhere = [
        ("https://git.contoso.com/r", "https://evil.example/r", "evil.example"),
        ("https://git.contoso.com/r", "http://git.contoso.com/r", "git.contoso.com"),
        ("https://git.contoso.com/r", "https://git.contoso.com:8443/r", "git.contoso.com"),
    ];
    for (old, new, host) in elsewhere {
        let changed = original.replace(old, new);
        let plan = world.plan(&changed).await;
        assert_eq!(plan.refusals.len(), 1, "{new}");
        assert_eq!(plan.refusals[0].code, "credentials_aimed_elsewhere");
        assert!(plan.refusals[0].hint.ends_with(&format!("`--allow-auth-host {host}`")), "{}", plan.refusals[0].hint);
        let allowed = Options { allow_auth_hosts: vec![host.to_uppercase()], ..options() };
        assert_eq!(world.try_plan(&changed, &allowed).await.unwrap().refusals, []);
    }
    // Another repository on the same server is another matter.
    let same_server = original.replace("contoso.com/r", "contoso.com/other");
    assert_eq!(world.plan(&same_server).await.refusals, []);
    let allowed = Options { allow_auth_hosts: vec!["evil.example".to_owned()], ..options() };
    world.converge_with(&original.replace("git.contoso.com", "evil.example"), &allowed).await;
}

#[tokio::test]
async fn what_recognises_the_server_is_bound_to_stored_credentials() {
    let pinned = format!("{WITH_KEY}\nsshKnownHosts: git.contoso.com ssh-ed25519 AAAA");
    let original = spec(&pinned);
    let world = World::of(&original);
    world.converge(&original).await;
    let without_key = original.replace("  sshPrivateKey: {file: keys/deploy}\n", "");
    assert_eq!(world.plan(&without_key).await.refusals, []);
    for changed in [
        without_key.replace("  sshKnownHosts: git.contoso.com ssh-ed25519 AAAA\n", ""),
        without_key.replace("ssh-ed25519 AAAA", "ssh-ed25519 EVIL"),
    ] {
        let plan = world.plan(&changed).await;
        assert_eq!(fields(&plan), ["gitRepository.sshKnownHosts"]);
        assert_eq!(plan.refusals.len(), 1, "{changed}");
        assert_eq!(plan.refusals[0].code, "credentials_aimed_elsewhere");
    }
}

#[tokio::test]
async fn a_stored_key_outlives_an_update_that_does_not_supply_it() {
    for (source, line) in
        [(WITH_KEY, "  sshPrivateKey: {file: keys/deploy}\n"), (WITH_TOKEN, "  httpsKey: {env: GIT_TOKEN}\n")]
    {
        let original = spec(source);
        let world = World::of(&original);
        world.converge(&original).await;
        let mut desired = crate::simulated::desired(&original.replace("./app", "./next"));
        let configuration = desired.clusters[0].configurations.get_mut("flux-system").unwrap();
        assert!(original.contains(line));
        let git = configuration.git_repository.as_mut().unwrap();
        (git.https_key, git.ssh_private_key) = (None, None);
        let graph = arcflux::graph::build(&desired).unwrap();
        let plan = |live| arcflux::plan::make(&graph, &live, &json!({}), &nothing_granted()).unwrap();
        let update = plan(world.live(&graph).await);
        assert_eq!(methods(&update), ["PATCH"], "a PUT would lose it");
        assert_eq!(update.refusals, []);
        assert!(update.notes.iter().any(|note| note.code == "stored_secret_kept"));
        // The simulated Flux fails to sign in when the secret is gone, so converging proves that it is not.
        let report = world.apply(&update).await;
        assert!(report.converged(), "{report:#?}");
        world.sim.advance(Duration::from_secs(3600));
        let again = plan(world.live(&graph).await);
        assert!(!again.has_changes() && !again.waits());
    }
}

#[tokio::test]
async fn an_update_that_supplies_the_secret_sends_all_of_it() {
    for (source, secret, server) in [
        (WITH_TOKEN, token(), "https://git.contoso.com"),
        (WITH_KEY, SecretRef::File("keys/deploy".to_owned()), "ssh://git.contoso.com:2222"),
    ] {
        let original = spec(source);
        let world = World::of(&original);
        world.converge(&original).await;
        let changed = original.replace("./app", "./next");
        let plan = world.converge_with(&changed, &granted(secret.clone(), server)).await;
        assert_eq!(methods(&plan), ["PUT"]);
        let sent: Vec<&SecretRef> =
            plan.resource_changes.iter().flat_map(|change| &change.secrets).map(|write| &write.secret).collect();
        assert_eq!(sent, [&secret]);
    }
}

/// A token with every character that is written differently in JSON, URLs and base64.
const TOKEN: &str = "ghp_s3cr3t/T0ken+w1th%odd=\"chars\"&more";

struct Real;

impl SecretResolver for Real {
    fn resolve(&self, _: &SecretRef) -> Result<Secret, SecretError> {
        Ok(Secret::new(TOKEN.to_owned()))
    }
}

/// Every spelling in which the token could leak.
fn spellings() -> Vec<String> {
    let percent = |text: &str| {
        text.bytes()
            .map(
                |byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") },
            )
            .collect::<String>()
    };
    let standard = base64::engine::general_purpose::STANDARD.encode(TOKEN);
    let url_safe = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(TOKEN);
    let escaped = serde_json::to_string(TOKEN).unwrap();
    let mut spellings =
        vec![TOKEN.to_owned(), escaped.trim_matches('"').to_owned(), percent(TOKEN), percent(&standard), url_safe];
    spellings.push(standard.trim_end_matches('=').to_owned());
    spellings.extend(spellings.clone().iter().map(|spelling| spelling.to_lowercase()));
    // A piece of it is too much already.
    spellings.push("s3cr3t".to_owned());
    spellings
}

#[track_caller]
fn assert_hidden(what: &str, text: &str) {
    for spelling in spellings() {
        assert!(!text.contains(&spelling), "{what} shows the secret as {spelling}: {text}");
    }
}

/// A service that refuses a configuration and quotes what it was sent, raw and in base64.
struct Quoting<T>(T);

#[async_trait]
impl<T: Transport> Transport for Quoting<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if request.method() != "PUT" || !request.uri().path().contains("/fluxConfigurations/") {
            return self.0.send(request).await;
        }
        let sent: Value = serde_json::from_slice(request.body()).unwrap();
        let key = sent["properties"]["configurationProtectedSettings"]["httpsKey"].as_str().unwrap();
        let message = format!("httpsKey is not valid: {key}, that is {TOKEN}");
        let error = json!({"error": {"code": "BadRequest", "message": message}});
        let mut response = Response::new(error.to_string().into());
        *response.status_mut() = http::StatusCode::BAD_REQUEST;
        Ok(response)
    }
}

#[tokio::test]
async fn a_service_that_quotes_a_secret_does_not_make_us_show_it() {
    let spec = spec(WITH_TOKEN);
    let world = World::of(&spec);
    let quoting = world.through(Arc::new(Quoting(world.sim.transport())));
    let plan = quoting.plan(&spec).await;
    let report = quoting.apply_with(&plan, None, &Real).await;
    let (_, failure) = report.failures().next().unwrap();
    assert!(
        failure.message.contains("httpsKey is not valid: (sensitive value), that is (sensitive value)"),
        "{failure:?}"
    );
    assert_hidden("the report", &serde_json::to_string(&report).unwrap());
    assert_hidden("the events", &serde_json::to_string(&*quoting.events.lock().unwrap()).unwrap());
}

/// A service that quotes a private key which is longer than any message that is kept.
struct QuotingAtLength<T>(T);

#[async_trait]
impl<T: Transport> Transport for QuotingAtLength<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if request.method() != "PUT" || !request.uri().path().contains("/fluxConfigurations/") {
            return self.0.send(request).await;
        }
        let error = json!({"error": {"code": "BadRequest", "message": String::from_utf8_lossy(request.body())}});
        let mut response = Response::new(error.to_string().into());
        *response.status_mut() = http::StatusCode::BAD_REQUEST;
        Ok(response)
    }
}

struct LongKey;

impl SecretResolver for LongKey {
    fn resolve(&self, _: &SecretRef) -> Result<Secret, SecretError> {
        let lines = "MIIJKQIBAAKCAgEAs3cr3tK3yM4t3r14l+of/an/RSA/key/of/4096/bits\n".repeat(60);
        Ok(Secret::new(format!("-----BEGIN RSA PRIVATE KEY-----\n{lines}-----END RSA PRIVATE KEY-----\n")))
    }
}

#[tokio::test]
async fn a_key_that_is_cut_off_in_a_long_message_is_not_shown_either() {
    let spec = spec(WITH_KEY);
    let world = World::of(&spec);
    let quoting = world.through(Arc::new(QuotingAtLength(world.sim.transport())));
    let report = quoting.apply_with(&quoting.plan(&spec).await, None, &LongKey).await;
    let (_, failure) = report.failures().next().unwrap();
    assert!(failure.message.ends_with("\"sshPrivateKey\":\"(sensitive value)…"), "{failure:?}");
    let key = LongKey.resolve(&token()).unwrap();
    let sent = base64::engine::general_purpose::STANDARD.encode(key.reveal());
    let events = serde_json::to_string(&*quoting.events.lock().unwrap()).unwrap();
    for text in [&failure.message, &events] {
        assert!(!text.contains(&sent[..12]), "{text}");
    }
}

#[tokio::test]
async fn no_secret_value_is_ever_shown() {
    for scenario in [None, Some(Scenario::AuthenticationFailed)] {
        let spec = spec(WITH_TOKEN);
        let world = World::with(&spec, sim::Settings { scenario, ..sim::Settings::default() });
        for text in [spec.clone(), spec.replace("./app", "./next")] {
            let plan = world.try_plan(&text, &granted(token(), "https://git.contoso.com")).await.unwrap();
            let report = world.apply_with(&plan, None, &Real).await;
            assert!(report.wrote());
            assert_eq!(report.converged(), scenario.is_none());
            assert_hidden("the plan", &serde_json::to_string(&plan).unwrap());
            assert_hidden("the plan's debug form", &format!("{plan:?}"));
            for format in Format::ALL {
                let shown = view::plan::render(&plan, format, &Style { colour: false, width: 100 });
                assert_hidden("the plan's text", &shown);
            }
            assert_hidden("the report", &serde_json::to_string(&report).unwrap());
            assert_hidden("the report's debug form", &format!("{report:?}"));
            let events = world.events.lock().unwrap();
            assert_hidden("the events", &serde_json::to_string(&*events).unwrap());
            let requests = world.sim.requests();
            assert_hidden("a request's target", &format!("{requests:?}"));
        }
    }
}

#[tokio::test]
async fn an_account_in_the_url_of_somebody_else_is_not_shown() {
    let mut desired = crate::world::quickstart();
    let mut live = crate::world::converged(&desired);
    crate::world::edit_configuration(&desired, &mut live, |body| {
        body["properties"]["gitRepository"]["url"] = json!("https://bot:hunter2@git.contoso.com/r");
        body["properties"]["statuses"][0]["statusConditions"][0] = json!({
            "type": "Ready", "status": "False", "reason": "Failed",
            "message": "unable to clone 'https://bot:hunter2@git.contoso.com/r'",
        });
    });
    let plan = crate::world::plan(&desired, &live, &crate::world::options());
    assert!(plan.has_changes());
    // What is written is held to what is live, not to what is shown of it.
    crate::world::configuration(&mut desired).git_repository.as_mut().unwrap().url =
        "https://***@git.contoso.com/r".to_owned();
    let masked_is_another = crate::world::plan(&desired, &live, &crate::world::options());
    assert!(masked_is_another.has_changes());
    for format in Format::ALL {
        let shown = view::plan::render(&plan, format, &Style { colour: false, width: 100 });
        assert!(!shown.contains("hunter2"), "{shown}");
        if format != Format::Mermaid {
            let unmarked = shown.replace("<mark>", "").replace("</mark>", "");
            assert!(unmarked.contains("https://***@git.contoso.com/r"), "{shown}");
        }
    }
    assert!(!serde_json::to_string(&plan).unwrap().contains("hunter2"));
}
