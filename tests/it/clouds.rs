//! Clouds that are not known beforehand, over TLS with a certificate of their own: what they tell about themselves is
//! believed as far as it is about them, and they are spoken to in the api-versions that they offer.

use std::fs;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use arcflux::sim::{Offers, Told};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::sign_in::{METADATA, SECRET, Served, at_entra};

const TLS: [&str; 4] = ["--ca-bundle", "tls/ca.pem", "--auth", "environment"];
const APPLY: [&str; 4] = ["apply", "--auto-approve", "--poll-scale", "0.001"];

/// Plans, applies and plans again; every one must do what it does in Azure.
async fn quickstart(served: &Served, environment: &[(&str, &str)]) {
    served.plan_as("environment", environment).await.assert_planned();
    let applied = served.run(&[&APPLY[..], &TLS].concat(), environment).await;
    assert_eq!(applied.exit, Some(0), "{}\n{}", applied.out, applied.err);
    assert!(applied.out.contains("3 added, 0 changed, 0 destroyed"), "{}", applied.out);
    let again = served.run(&[&["plan", "--detailed-exitcode"], &TLS[..]].concat(), environment).await;
    assert_eq!(again.exit, Some(0), "{}\n{}", again.out, again.err);
    assert!(again.out.contains("No changes."), "{}", again.out);
}

fn offers(offers: &[&str]) -> Offers {
    offers.iter().map(|offer| offer.parse().unwrap()).collect()
}

#[tokio::test]
async fn the_quickstart_in_a_cloud_with_a_root_of_its_own() {
    let served = Served::new().await;
    quickstart(&served, &SECRET).await;
    assert_eq!(served.asked()[..2], [METADATA.to_owned(), at_entra()]);
}

#[tokio::test]
async fn the_quickstart_in_a_cloud_that_is_years_behind() {
    let served = Served::with(|settings| {
        settings.offers = offers(&[
            "Microsoft.KubernetesConfiguration=2022-03-01",
            "Microsoft.Kubernetes=2021-10-01",
            "Microsoft.Resources=2019-10-01",
            "metadata/endpoints=2015-01-01",
        ]);
    })
    .await;
    quickstart(&served, &SECRET).await;

    // What was read, and what a plan says, is in the same versions.
    let snapshot = served.run(&[&["snapshot", "--out", "live.json"], &TLS[..]].concat(), &SECRET).await;
    assert_eq!(snapshot.exit, Some(0), "{}", snapshot.err);
    let destroy = |more: &[&'static str]| [&["plan", "--destroy", "--out", "plan.json"], more].concat();
    let online = served.run(&destroy(&TLS), &SECRET).await;
    assert_eq!(online.exit, Some(0), "{}", online.err);
    let plan: Value = serde_json::from_str(&fs::read_to_string(served.path("plan.json")).unwrap()).unwrap();
    let changes = plan["resource_changes"].as_array().unwrap().iter();
    let steps = changes.filter_map(|change| change["steps"].as_array()).flatten().map(Value::to_string);
    let steps: Vec<String> = steps.filter(|step| step.contains("KubernetesConfiguration/")).collect();
    assert!(!steps.is_empty() && steps.iter().all(|step| step.contains(r#""api_version":"2022-03-01""#)), "{steps:?}");
    let offline = served.run_as_is(&destroy(&["--live", "live.json"]), &[]).await;
    assert_eq!((offline.exit, &offline.out), (Some(0), &online.out), "{}", offline.err);

    // The saved plan is made again in them, and is the same.
    let again = served.run(&[&["apply", "plan.json"], &APPLY[1..], &TLS].concat(), &SECRET).await;
    assert_eq!(again.exit, Some(0), "{}\n{}", again.out, again.err);
    assert!(again.out.contains("2 destroyed"), "{}", again.out);
}

#[tokio::test]
async fn what_a_cloud_does_not_have_yet_is_told_with_its_place_before_anything_is_written() {
    let served = Served::with(|settings| {
        settings.offers = offers(&["Microsoft.KubernetesConfiguration=2022-03-01,2022-11-01"]);
    })
    .await;
    let spec = fs::read_to_string(served.path("arcflux.yaml")).unwrap();
    let newer = format!("{spec}    postBuild:\n      substitute:\n        cluster_env: prod\n");
    fs::write(served.path("arcflux.yaml"), &newer).unwrap();
    let line = newer.lines().position(|line| line.contains("postBuild")).unwrap() + 1;
    for command in [&["plan"][..], &APPLY] {
        let told = served.run(&[command, &TLS].concat(), &SECRET).await;
        assert_eq!((told.exit, told.out.as_str()), (Some(1), ""), "{}", told.err);
        let text = told.err.split_whitespace().collect::<Vec<_>>().join(" ");
        let problem = "`postBuild` needs the api-version 2023-05-01, and this cloud offers 2022-11-01 (AF085)";
        assert!(text.contains(&format!("arcflux.yaml:{line}:5: {problem}")), "{text}");
    }
    let asked = served.asked();
    assert!(asked.iter().all(|one| one.starts_with("GET ") || one.ends_with("/token")), "{asked:?}");
}

#[tokio::test]
async fn what_the_records_of_a_cloud_do_not_have_yet_is_told_before_anything_is_written() {
    let served = Served::with(|settings| settings.offers = offers(&["Microsoft.Kubernetes=2021-10-01"])).await;
    let spec = "apiVersion: arcflux/v1\nsubscription: 3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20\nresourceGroup:\n  name: rg\n  location: westeurope\ncluster:\n  name: store-001\n  onboard:\n    context: store\n    oidcIssuer: true\n    workloadIdentity: true\nextension:\n  multiTenancy: false\n";
    fs::write(served.path("arcflux.yaml"), spec).unwrap();
    for command in [&["plan"][..], &APPLY] {
        let told = served.run(&[command, &TLS].concat(), &SECRET).await;
        assert_eq!((told.exit, told.out.as_str()), (Some(1), ""), "{}", told.err);
        for field in ["oidcIssuer", "workloadIdentity"] {
            let problem = format!("`{field}` needs the api-version 2026-05-01, and this cloud offers 2021-10-01");
            assert!(told.err.split_whitespace().collect::<Vec<_>>().join(" ").contains(&problem), "{}", told.err);
        }
    }
    let asked = served.asked();
    assert!(asked.iter().all(|one| one.starts_with("GET ") || one.ends_with("/token")), "{asked:?}");
}

#[tokio::test]
async fn without_a_version_that_both_know_nothing_is_read() {
    let served = Served::with(|settings| {
        settings.offers = offers(&["Microsoft.KubernetesConfiguration/fluxConfigurations=2022-01-01-preview"]);
    })
    .await;
    let told = served.plan_as("environment", &SECRET).await;
    let text = told.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(told.exit, Some(1), "{text}");
    assert!(text.contains("fluxConfigurations at 2022-01-01-preview, and arcflux knows 2025-04-01, "), "{text}");

    // A pin is meant; it must be offered, too.
    let spec = fs::read_to_string(served.path("arcflux.yaml")).unwrap();
    let pinned = |version: &str| format!("{spec}apiVersions:\n  fluxConfigurations: {version}\n");
    fs::write(served.path("arcflux.yaml"), pinned("2023-05-01")).unwrap();
    let told = served.plan_as("environment", &SECRET).await;
    let text = told.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("pins 2023-05-01 for Microsoft.KubernetesConfiguration/fluxConfigurations"), "{text}");
    assert!(text.contains("and this cloud offers 2022-01-01-preview"), "{text}");
    fs::write(served.path("arcflux.yaml"), pinned("2022-01-01-preview")).unwrap();
    served.plan_as("environment", &SECRET).await.assert_planned();
}

#[tokio::test]
async fn a_lie_gets_no_token() {
    let audiences = |audiences: Value| json!({"authentication": {"audiences": audiences}});
    let lies = [
        (json!({"resourceManager": "https://management.azure.com/"}), "https://management.azure.com/, and that is not"),
        (json!({"resourceManager": "https://127.0.0.1/"}), "https://127.0.0.1/, and that is not"),
        (json!({"resourceManager": null}), "it names no `resourceManager`"),
        (audiences(json!(["https://management.azure.com/"])), "belongs to the public cloud"),
        (audiences(json!(["https://management.core.windows.net/"])), "belongs to the public cloud"),
        (audiences(json!(["https://management.core.usgovcloudapi.net"])), "belongs to the usgov cloud"),
        (audiences(json!(["https://management.chinacloudapi.cn"])), "belongs to the china cloud"),
        (audiences(json!(["https://graph.microsoft.com"])), "wants tokens for https://graph.microsoft.com"),
        (audiences(json!("https://management.azure.com/")), "wants tokens for nothing"),
        (json!({"authentication": {"loginEndpoint": "http://127.0.0.1:9"}}), "`http://127.0.0.1:9` is no authority"),
        (json!({"authentication": {"loginEndpoint": "https://login.evil.example"}}), "https://login.evil.example"),
        (json!({"authentication": null}), "names no place to sign in"),
        (json!({"dataplaneEndpoints": {"arcConfigEndpoint": "http://dp"}}), "http://dp, which is not an https address"),
        (json!(["https://management.azure.com/"]), "does not tell its endpoints"),
    ];
    let lies = lies.into_iter().map(|(lie, named)| (Told::Lie(lie), named));
    let redirects =
        ["https://management.azure.com/metadata/endpoints", "/elsewhere"].map(|to| (Told::Redirect(to.to_owned()), to));
    for (told, named) in lies.chain(redirects) {
        // A list of clouds can lie as well.
        for version in ["2022-09-01", "2020-06-01"] {
            let served = Served::with(|settings| {
                settings.told = told.clone();
                settings.offers = offers(&[&format!("metadata/endpoints={version}")]);
            })
            .await;
            let ran = served.plan_as("environment", &SECRET).await;
            let text = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!((ran.exit, ran.out.as_str()), (Some(1), ""), "{text}");
            assert!(text.contains(named), "{named}: {text}");
            assert!(served.asked().iter().all(|one| one == METADATA), "no token was asked for: {:?}", served.asked());
        }
    }
}

#[tokio::test]
async fn what_the_operator_says_goes_before_what_a_cloud_says() {
    let served = Served::with(|settings| {
        settings.told = Told::Lie(json!({"authentication": {
            "loginEndpoint": "https://login.invalid",
            "audiences": ["https://management.contoso.invalid/1"],
        }}));
    })
    .await;
    let told = served.plan_as("environment", &SECRET).await;
    assert!(told.err.contains("AZURE_AUTHORITY_HOST"), "{}", told.err);
    let told = |audience: &'static str, authority: &str| {
        let environment = [&SECRET[..], &[("AZURE_AUTHORITY_HOST", authority)]].concat();
        let environment: Vec<(String, String)> =
            environment.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let served = &served;
        async move {
            let environment: Vec<(&str, &str)> =
                environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            served.run(&[&["plan", "--audience", audience], &TLS[..]].concat(), &environment).await
        }
    };
    told("https://management.contoso.invalid/1", &served.url).await.assert_planned();
    let foreign = told("https://management.azure.com", &served.url).await;
    assert_eq!(foreign.exit, Some(1), "{}", foreign.err);
    assert!(foreign.err.contains("belongs to the public cloud"), "{}", foreign.err);
    let plain = told("https://management.contoso.invalid/1", "http://127.0.0.1:1").await;
    assert_eq!(plain.exit, Some(64), "{}", plain.err);
    assert!(plain.err.contains("AZURE_AUTHORITY_HOST"), "{}", plain.err);
}

/// A name that nothing resolves: whoever reaches it goes through the proxy.
const NAME: &str = "arm.edge.test";

/// A TLS endpoint of another name, before the one that is served, and the proxy on the way to it.
struct Behind {
    /// Where the endpoint listens.
    endpoint: SocketAddr,
    proxy: String,
    /// What the proxy was asked to connect to.
    connected: Arc<Mutex<Vec<String>>>,
}

impl Behind {
    /// Puts the authority to trust into `edge.pem`.
    async fn new(served: &Served) -> Self {
        let made = rcgen::generate_simple_self_signed([NAME.to_owned(), "0.0.0.0".to_owned()]).unwrap();
        fs::write(served.path("edge.pem"), made.cert.pem()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let acceptor =
            TlsAcceptor::from(Arc::new(builder.with_single_cert(vec![made.cert.der().clone()], key).unwrap()));

        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(served.path("tls/ca.pem")).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let connector = TlsConnector::from(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()));

        let inner = served.url.strip_prefix("https://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, connector, inner) = (acceptor.clone(), connector.clone(), inner.clone());
                tokio::spawn(async move {
                    let mut outer = acceptor.accept(stream).await.ok()?;
                    let name = ServerName::try_from("localhost").ok()?;
                    let mut inner = connector.connect(name, TcpStream::connect(inner).await.ok()?).await.ok()?;
                    tokio::io::copy_bidirectional(&mut outer, &mut inner).await.ok()
                });
            }
        });

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = format!("http://{}", listener.local_addr().unwrap());
        let connected = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&connected);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(tunnel(stream, endpoint, Arc::clone(&seen)));
            }
        });
        Self { endpoint, proxy, connected }
    }

    fn connected(&self) -> Vec<String> {
        self.connected.lock().unwrap().clone()
    }
}

/// Answers one CONNECT: every name is at `endpoint`.
async fn tunnel(mut stream: TcpStream, endpoint: SocketAddr, seen: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    seen.lock().unwrap().push(head.lines().next()?.to_owned());
    assert!(!head.to_lowercase().contains("bearer"), "the proxy is shown no token");
    let mut there = TcpStream::connect(endpoint).await.ok()?;
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.ok()?;
    tokio::io::copy_bidirectional(&mut stream, &mut there).await.ok()?;
    Some(())
}

#[tokio::test]
async fn the_quickstart_through_a_proxy() {
    let served = Served::new().await;
    let behind = Behind::new(&served).await;
    let url = format!("https://{NAME}");
    let environment = [&SECRET[..], &[("HTTPS_PROXY", behind.proxy.as_str())]].concat();
    let edge = ["--ca-bundle", "edge.pem", "--auth", "environment", "--arm-endpoint", &url];
    let planned = served.run_as_is(&[&["plan"], &edge[..]].concat(), &environment).await;
    planned.assert_planned();
    let applied = served.run_as_is(&[&APPLY[..], &edge].concat(), &environment).await;
    assert_eq!(applied.exit, Some(0), "{}\n{}", applied.out, applied.err);
    let again = served.run_as_is(&[&["plan", "--detailed-exitcode"], &edge[..]].concat(), &environment).await;
    assert_eq!(again.exit, Some(0), "{}\n{}", again.out, again.err);
    let connected = behind.connected();
    let everything = format!("CONNECT {NAME}:443 HTTP/1.1");
    assert!(!connected.is_empty() && connected.iter().all(|one| *one == everything), "{connected:?}");
}

/// `0.0.0.0` is this machine to Linux, and any other host to arcflux.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_no_proxy_names_is_reached_without_it() {
    let served = Served::new().await;
    let behind = Behind::new(&served).await;
    let url = format!("https://0.0.0.0:{}", behind.endpoint.port());
    let plan = ["plan", "--ca-bundle", "edge.pem", "--auth", "environment", "--arm-endpoint", &url];
    let proxied = [&SECRET[..], &[("HTTPS_PROXY", behind.proxy.as_str())]].concat();
    served.run_as_is(&plan, &[&proxied[..], &[("NO_PROXY", "0.0.0.0")]].concat()).await.assert_planned();
    assert_eq!(behind.connected(), [""; 0]);
    served.run_as_is(&plan, &proxied).await.assert_planned();
    assert!(!behind.connected().is_empty());
}
