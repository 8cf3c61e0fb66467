//! arcflux signs in, over TLS and as a process, to a simulator that is a cloud of its own: with every credential that
//! it supports, and with what it says when that fails.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};

use arcflux::http::{Clock, SystemClock};
use arcflux::sim::{Certificate, Seed, SeedCluster, SeedClusterType, Serving, Settings, Simulator, TrafficLog};
use tempfile::TempDir;
use tokio::net::TcpStream;

const TENANT: &str = "5b7f3d70-52b8-4c0e-9a43-0d8f0f1c2a11";
const OTHER_TENANT: &str = "00000000-0000-0000-0000-000000000001";
const SPEC: &str = include_str!("../../specs/quickstart.yaml");

/// A simulator that is served, and the files around it. Its tasks end with the test's runtime.
pub(crate) struct Served {
    pub(crate) files: TempDir,
    simulator: Simulator,
    pub(crate) url: String,
}

impl Served {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same with other settings.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let files = tempfile::tempdir().unwrap();
        let cluster = SeedCluster {
            resource_group: "rg-edge".into(),
            name: "store-001".into(),
            cluster_type: SeedClusterType::ConnectedClusters,
            location: "westeurope".into(),
        };
        let subscription = SPEC.lines().find_map(|line| line.strip_prefix("subscription: ")).unwrap().trim();
        let seed = Seed {
            subscription: subscription.to_owned(),
            tenant: Some(TENANT.to_owned()),
            groups: vec![],
            clusters: vec![cluster],
        };
        let mut settings = Settings { seeds: vec![seed], start: SystemClock.now(), ..Settings::default() };
        change(&mut settings);
        let simulator = Simulator::in_memory(settings);
        let serving = Serving {
            certificate: Some(Certificate::in_directory(&files.path().join("tls"), SystemClock.now()).unwrap()),
            log: Some(TrafficLog::open(&files.path().join("log")).unwrap()),
            speed: 2000.0,
        };
        let url = format!("https://{}", serve(&simulator, serving).await);
        fs::write(files.path().join("arcflux.yaml"), SPEC).unwrap();
        Self { files, simulator, url }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// Runs `arcflux plan` there, with nothing in its environment but `environment`.
    async fn plan(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Told {
        self.run(&[&["plan"], arguments].concat(), environment).await
    }

    /// The same for any command that talks to ARM.
    pub(crate) async fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Told {
        self.run_as_is(&[arguments, &["--arm-endpoint", &self.url]].concat(), environment).await
    }

    /// The same for any command.
    pub(crate) async fn run_as_is(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Told {
        let mut command = Command::new(env!("CARGO_BIN_EXE_arcflux"));
        command.args(arguments).current_dir(self.files.path()).env_clear();
        command.envs(environment.iter().copied());
        // Only what runs beside it can answer it.
        Told::new(tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap())
    }

    /// As [`Self::plan`], with the simulator's authority trusted and one credential named.
    pub(crate) async fn plan_as(&self, credential: &str, environment: &[(&str, &str)]) -> Told {
        self.plan(&["--ca-bundle", "tls/ca.pem", "--auth", credential], environment).await
    }

    /// Methods and targets so far, without queries.
    pub(crate) fn asked(&self) -> Vec<String> {
        let requests = self.simulator.requests();
        requests.iter().map(|one| format!("{} {}", one.method, one.target.split('?').next().unwrap())).collect()
    }

    /// That the cloud was asked who it is, that then a token was fetched, at `endpoint`, and once, and that ARM was asked with
    /// a token.
    fn assert_signed_in_at(&self, endpoint: &str) {
        let asked = self.asked();
        assert_eq!(asked[..2], [METADATA, endpoint]);
        assert_eq!(asked.iter().filter(|one| *one == endpoint).count(), 1, "{asked:?}");
        self.assert_asked_with_a_token();
    }

    fn assert_asked_with_a_token(&self) {
        let log = fs::read_to_string(self.path("log")).unwrap();
        let reads: Vec<&str> = log.lines().filter(|line| line.contains("/subscriptions/")).collect();
        assert!(!reads.is_empty() && reads.iter().all(|line| line.contains(r#""authorization":"***""#)), "{log}");
    }
}

async fn serve(simulator: &Simulator, serving: Serving) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(simulator.clone().serve(listener, serving, std::future::pending()));
    address
}

/// What a process said.
pub(crate) struct Told {
    pub(crate) exit: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Told {
    fn new(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { exit: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    pub(crate) fn assert_planned(&self) {
        assert_eq!(self.exit, Some(0), "{}", self.err);
        assert!(self.out.contains("Plan: 3 to add, 0 to change, 0 to destroy."), "{}", self.out);
    }
}

pub(crate) const SECRET: [(&str, &str); 3] =
    [("AZURE_TENANT_ID", TENANT), ("AZURE_CLIENT_ID", "some-client"), ("AZURE_CLIENT_SECRET", "hunter2")];

/// What is asked without a token.
pub(crate) const METADATA: &str = "GET /metadata/endpoints";

pub(crate) fn at_entra() -> String {
    format!("POST /{TENANT}/oauth2/v2.0/token")
}

#[tokio::test]
async fn with_a_secret_of_the_environment() {
    let served = Served::new().await;
    served.plan_as("environment", &SECRET).await.assert_planned();
    served.assert_signed_in_at(&at_entra());
    assert!(!fs::read_to_string(served.path("log")).unwrap().contains("hunter2"));
}

#[tokio::test]
async fn with_a_workload_identity() {
    let served = Served::new().await;
    let file = served.path("token");
    fs::write(&file, "header.payload.signature").unwrap();
    let environment = [
        ("AZURE_TENANT_ID", TENANT),
        ("AZURE_CLIENT_ID", "some-client"),
        ("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap()),
    ];
    served.plan_as("workload-identity", &environment).await.assert_planned();
    served.assert_signed_in_at(&at_entra());

    fs::write(&file, arcflux::sim::REFUSED_SECRET).unwrap();
    let told = served.plan_as("workload-identity", &environment).await;
    assert_eq!(told.exit, Some(1));
    assert!(told.err.contains("AADSTS50027") && told.err.contains("federated"), "{}", told.err);
}

#[tokio::test]
async fn with_a_managed_identity() {
    let served = Served::new().await;
    // Machines ask for their identity over plain http.
    let near = serve(&served.simulator, Serving::default()).await;
    let endpoint = format!("http://{near}/msi/token");
    let environment = |header| [("IDENTITY_ENDPOINT", endpoint.as_str()), ("IDENTITY_HEADER", header)];
    served.plan_as("managed-identity", &environment("any")).await.assert_planned();
    served.assert_signed_in_at("GET /msi/token");

    // Endpoints over https are trusted as ARM's is, by the CA bundle.
    let secure = format!("{}/msi/token", served.url);
    let environment_over_tls = [("IDENTITY_ENDPOINT", secure.as_str()), ("IDENTITY_HEADER", "any")];
    served.plan_as("managed-identity", &environment_over_tls).await.assert_planned();

    let told = served.plan_as("managed-identity", &environment(arcflux::sim::REFUSED_SECRET)).await;
    assert_eq!(told.exit, Some(1));
    assert!(told.err.contains("X-IDENTITY-HEADER"), "{}", told.err);
}

#[tokio::test]
async fn with_the_service_connection_of_a_pipeline() {
    let served = Served::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let oidc = format!("http://{}/oidc", listener.local_addr().unwrap());
    let pipeline = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        let body = r#"{"oidcToken":"header.payload.signature"}"#;
        let head_of_answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
        write!(stream, "{head_of_answer}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
        String::from_utf8(head).unwrap().to_lowercase()
    });
    let environment = [
        ("AZURESUBSCRIPTION_TENANT_ID", TENANT),
        ("AZURESUBSCRIPTION_CLIENT_ID", "some-client"),
        ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "some-connection"),
        ("SYSTEM_ACCESSTOKEN", "of-the-build"),
        ("SYSTEM_OIDCREQUESTURI", oidc.as_str()),
    ];
    served.plan_as("azure-pipelines", &environment).await.assert_planned();
    served.assert_signed_in_at(&at_entra());
    let asked = pipeline.join().unwrap();
    assert!(asked.starts_with("post /oidc?") && asked.contains("serviceconnectionid=some-connection"), "{asked}");
    assert!(asked.contains("authorization: bearer of-the-build\r\n"), "{asked}");
}

/// Puts an `az` on a path that gives `token`, and gives that path.
#[cfg(unix)]
fn fake_az(served: &Served, token: &str) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let bin = served.path("bin");
    fs::create_dir(&bin).unwrap();
    let answer = format!(r#"{{"accessToken":"{token}","expires_on":4102444800,"tokenType":"Bearer"}}"#);
    let asked = served.path("asked");
    fs::write(bin.join("az"), format!("#!/bin/sh\necho \"$@\" >'{}'\necho '{answer}'\n", asked.display())).unwrap();
    fs::set_permissions(bin.join("az"), fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:/usr/bin:/bin", bin.display())
}

#[cfg(unix)]
#[tokio::test]
async fn as_whoever_is_signed_in_to_the_azure_cli() {
    let served = Served::new().await;
    let path = fake_az(&served, "opaque");
    served.plan_as("az-cli", &[("PATH", &path)]).await.assert_planned();
    served.assert_asked_with_a_token();
    let asked = fs::read_to_string(served.path("asked")).unwrap();
    assert!(asked.contains(&format!("get-access-token -o json --scope {}//.default", served.url)), "{asked}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_certificate_that_is_not_trusted_leads_to_the_ca_bundle() {
    let served = Served::new().await;
    let path = fake_az(&served, "opaque");
    // At the sign-in, and, for who has a token already, at ARM.
    for told in [
        served.plan(&["--auth", "environment"], &SECRET).await,
        served.plan(&["--auth", "az-cli"], &[("PATH", &path)]).await,
    ] {
        assert_eq!(told.exit, Some(1), "{}", told.err);
        let text = told.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("is not trusted (UnknownIssuer)") && text.contains("with --ca-bundle"), "{text}");
    }
    assert_eq!(served.asked(), [""; 0], "nothing was sent");
}

#[tokio::test]
async fn a_token_of_another_tenant_is_refused_before_arm_is_asked() {
    let served = Served::new().await;
    fs::write(served.path("arcflux.yaml"), format!("{SPEC}\ntenant: {TENANT}\n")).unwrap();
    served.plan_as("environment", &SECRET).await.assert_planned();
    let before = served.asked().len();
    let environment = [("AZURE_TENANT_ID", OTHER_TENANT), SECRET[1], SECRET[2]];
    let told = served.plan_as("environment", &environment).await;
    assert_eq!(told.exit, Some(3), "{}", told.err);
    assert!(told.err.contains(TENANT) && told.err.contains(OTHER_TENANT), "{}", told.err);
    assert_eq!(served.asked()[before..], [METADATA.to_owned(), format!("POST /{OTHER_TENANT}/oauth2/v2.0/token")]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_token_that_names_nobody_is_told_of_before_arm_is_asked() {
    use base64::Engine as _;
    let claims = format!(r#"{{"tid":"{TENANT}","appid":"some-client"}}"#);
    let token = format!("e30.{}.", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims));
    let served = Served::new().await;
    let path = fake_az(&served, &token);
    let told = served.plan_as("az-cli", &[("PATH", &path)]).await;
    assert_eq!((told.exit, told.out.as_str()), (Some(1), ""));
    let told = told.err.split_once('\n').unwrap().1;
    insta::assert_snapshot!(told, @r"
    Error: the token of 5b7f3d70-52b8-4c0e-9a43-0d8f0f1c2a11 names no identity (it has neither `oid` nor
      `puid`): the application has no service principal there
    Hint: create it, as an administrator of the tenant: `az ad sp create --id APPLICATION-ID`, and give
      it a role
    ");
    assert_eq!(served.asked(), [METADATA], "nothing else was sent");
}

#[tokio::test]
async fn a_plan_of_one_tenant_is_not_applied_in_another() {
    let served = Served::new().await;
    let saved =
        served.plan(&["--ca-bundle", "tls/ca.pem", "--auth", "environment", "--out", "plan.json"], &SECRET).await;
    saved.assert_planned();
    let plan: serde_json::Value = serde_json::from_str(&fs::read_to_string(served.path("plan.json")).unwrap()).unwrap();
    assert_eq!(plan["tenant"], TENANT, "it is in the plan though the spec names none");
    let before = served.asked().len();
    let environment = [("AZURE_TENANT_ID", OTHER_TENANT), SECRET[1], SECRET[2]];
    let arguments = ["apply", "plan.json", "--ca-bundle", "tls/ca.pem", "--auth", "environment"];
    let told = served.run(&arguments, &environment).await;
    assert_eq!(told.exit, Some(3), "{}", told.err);
    let text = told.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains(&format!("plan.json is for the tenant {TENANT}, and you are signed in to {OTHER_TENANT}")),
        "{text}"
    );
    let asked = &served.asked()[before..];
    assert!(asked.iter().all(|one| one.starts_with("GET ") || one.ends_with("/token")), "{asked:?}");
}

#[tokio::test]
async fn a_snapshot_holds_the_tenant_that_was_signed_in_to() {
    let served = Served::new().await;
    let arguments = ["snapshot", "--out", "live.json", "--ca-bundle", "tls/ca.pem", "--auth", "environment"];
    let told = served.run(&arguments, &SECRET).await;
    assert_eq!(told.exit, Some(0), "{}", told.err);
    let live: serde_json::Value = serde_json::from_str(&fs::read_to_string(served.path("live.json")).unwrap()).unwrap();
    assert_eq!(
        (&live["tenant"], &live["origin"], &live["cloud"]),
        (&TENANT.into(), &served.url.as_str().into(), &serde_json::Value::Null)
    );
    let online = served.plan_as("environment", &SECRET).await;
    let asked = served.asked().len();
    let offline = Told::new(
        Command::new(env!("CARGO_BIN_EXE_arcflux"))
            .args(["plan", "--live", "live.json"])
            .current_dir(served.files.path())
            .env_clear()
            .output()
            .unwrap(),
    );
    assert_eq!((offline.exit, offline.out), (Some(0), online.out), "the same plan, down to its digest");
    assert_eq!(served.asked().len(), asked, "nothing was sent");
}

#[tokio::test]
async fn a_wrong_secret_is_told_once_in_entras_words() {
    let served = Served::new().await;
    let environment = [SECRET[0], SECRET[1], ("AZURE_CLIENT_SECRET", arcflux::sim::REFUSED_SECRET)];
    let told = served.plan_as("environment", &environment).await;
    assert_eq!((told.exit, told.out.as_str()), (Some(1), ""));
    let mut settings = insta::Settings::clone_current();
    settings.add_filter("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID");
    settings.add_filter(r"\d{4}-\d{2}-\d{2}\s+\d{2}:\d{2}:\d{2}Z", "NOW");
    settings.bind(|| {
        let told = told.err.split_once('\n').unwrap().1;
        insta::assert_snapshot!(told, @r"
        Error: cannot sign in to Azure: no credential gave a token
          - environment: ClientSecretCredential authentication failed. AADSTS7000215: Invalid client secret
            provided. Ensure the secret being sent in the request is the client secret value, not the client
            secret ID, for a secret added to app 'some-client'. Trace ID:
            ID Correlation ID: ID
            Timestamp: NOW; check the secret, its expiry, and that client and tenant belong
            together
        Hint: no Azure account at hand? `--cloud sim` plans and applies on an embedded simulator
        ");
    });
}

#[tokio::test]
async fn handshakes_that_are_broken_or_never_end_keep_nobody_waiting() {
    let served = Served::new().await;
    let address = served.url.strip_prefix("https://").unwrap();
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let mut plain = TcpStream::connect(address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut plain, b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    served.plan_as("environment", &SECRET).await.assert_planned();
}
