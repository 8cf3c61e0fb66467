//! Both doors, the paced clock, and the state file.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use arcflux::http::{Clock, Transport};
use arcflux::sim::{SeedCluster, Serving, Settings, Simulator, StateError};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::sim_fixture::{
    CLUSTER, Read, configuration, extension_target, flux_target, get, register, request, send, settings, with_flux,
};

#[tokio::test]
async fn the_in_process_door_is_a_transport() {
    let sim = Simulator::in_memory(settings());
    let transport: Arc<dyn Transport> = Arc::new(sim.transport());
    let answer = transport.send(request("GET", &format!("{CLUSTER}?api-version=2026-05-01"), None)).await;
    assert_eq!(Read::of(answer.expect("an answer")).text("/name"), "arc1");
    let log = sim.requests();
    assert_eq!(log.len(), 1);
    assert_eq!((log[0].method.as_str(), log[0].status.as_u16()), ("GET", 200));
    assert!(log[0].target.ends_with("/connectedClusters/arc1?api-version=2026-05-01"), "{}", log[0].target);
}

#[tokio::test]
async fn waiting_on_the_paced_clock_moves_the_simulators() {
    let sim = Simulator::in_memory(settings());
    let clock = sim.clock(f64::INFINITY);
    let before = clock.now();
    clock.sleep(Duration::from_secs(600)).await;
    assert_eq!(clock.now().duration_since(before).as_secs(), 600);
    let early = sim.now();
    sim.advance_to(before);
    assert_eq!(sim.now(), early, "the clock never goes back");
    let quick = sim.clock(100_000.0);
    quick.sleep(Duration::from_secs(100)).await;
    assert_eq!(sim.now().duration_since(early).as_secs(), 100);
}

#[tokio::test]
async fn waits_that_overlap_do_not_add_up() {
    let sim = Simulator::in_memory(settings());
    let clock = sim.clock(f64::INFINITY);
    let before = sim.now();
    let waits = (1..=10).map(|seconds| clock.sleep(Duration::from_secs(seconds)));
    futures::future::join_all(waits).await;
    let passed = sim.now().duration_since(before).as_secs();
    assert_eq!(passed, 10);
}

async fn exchange(address: &str, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(text.as_bytes()).await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("read");
    answer
}

#[tokio::test]
async fn the_tcp_door_speaks_http() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let sim = Simulator::in_memory(settings());
    let seen = sim.clone();
    let server = tokio::spawn(sim.serve(listener, Serving { speed: 1000.0, ..Serving::default() }, async {
        let _closed = stopped.await;
    }));
    let registration = "/subscriptions/11111111-1111-1111-1111-111111111111/providers/\
                        Microsoft.KubernetesConfiguration/register?api-version=2024-03-01";
    let head = format!("Host: {address}\r\nConnection: close\r\n");
    let answer = exchange(&address, &format!("POST {registration} HTTP/1.1\r\n{head}Content-Length: 0\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    seen.advance(Duration::from_secs(31));
    let body = json!({"properties": {"extensionType": "microsoft.flux"}}).to_string();
    let put =
        format!("PUT {} HTTP/1.1\r\n{head}Content-Length: {}\r\n\r\n{body}", extension_target("flux"), body.len());
    let answer = exchange(&address, &put).await;
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    assert!(answer.contains(&format!("azure-asyncoperation: http://{address}/subscriptions/")), "{answer}");
    assert!(answer.to_lowercase().contains("content-length: "), "{answer}");
    let head_request = format!("HEAD {CLUSTER}?api-version=2026-05-01 HTTP/1.1\r\n{head}\r\n");
    assert!(exchange(&address, &head_request).await.starts_with("HTTP/1.1 204 "));
    stop.send(()).expect("the server runs");
    server.await.expect("no panic").expect("no error");
    assert_eq!(seen.requests().len(), 3);
}

#[test]
fn two_openers_see_each_others_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("deep/er/sim.json");
    let one = Simulator::open(&path, settings()).expect("a new state");
    let other = Simulator::open(&path, settings()).expect("the same state");
    register(&one, "Microsoft.KubernetesConfiguration");
    let body = json!({"properties": {"extensionType": "microsoft.flux"}});
    assert_eq!(send(&other, "PUT", &extension_target("flux"), Some(&body)).status, 201);
    one.advance(Duration::from_secs(100));
    assert_eq!(get(&other, &extension_target("flux")).property("provisioningState"), "Succeeded");
    assert_eq!(get(&one, &extension_target("flux")).property("provisioningState"), "Succeeded");
    let now = other.now();
    drop((one, other));
    let again = Simulator::open(&path, settings()).expect("the state is still there");
    assert!(again.now() >= now, "the clock is kept");
    assert_eq!(get(&again, &extension_target("flux")).status, 200);
}

#[test]
fn requests_from_many_threads_do_not_lose_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sim.json");
    let setup = Simulator::open(&path, settings()).expect("a new state");
    register(&setup, "Microsoft.KubernetesConfiguration");
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let sim = Simulator::open(&path, settings()).expect("the same state");
            std::thread::spawn(move || {
                for index in 0..10 {
                    let target = flux_target(&format!("c{writer}-{index}"));
                    assert_eq!(send(&sim, "PUT", &target, Some(&configuration())).status, 201);
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().expect("no panic");
    }
    let list = get(&setup, &flux_target("").replace("/?", "?"));
    assert_eq!(list.at("/value").as_array().map(Vec::len), Some(40));
}

#[test]
fn an_existing_state_is_not_seeded_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sim.json");
    let sim = Simulator::open(&path, settings()).expect("a new state");
    let target = format!("{CLUSTER}?api-version=2026-05-01");
    send(&sim, "DELETE", &target, None);
    sim.advance(Duration::from_secs(60));
    let again = Simulator::open(&path, settings()).expect("the same state");
    assert_eq!(get(&again, &target).status, 404);
}

#[test]
fn a_file_that_is_not_a_state_is_refused_and_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sim.json");
    for text in ["", "{\"format\": 1,\n \"now\": 5}", "hello", "[]"] {
        fs::write(&path, text).expect("written");
        let error = Simulator::open(&path, settings()).expect_err("not a state");
        assert!(matches!(error, StateError::Corrupt { .. }), "{text:?}: {error}");
        assert!(error.to_string().contains("sim.json") && error.to_string().contains("line "), "{error}");
        assert_eq!(fs::read_to_string(&path).expect("still there"), text);
    }
    fs::write(&path, "{\"format\": 99}").expect("written");
    let error = Simulator::open(&path, settings()).expect_err("from the future");
    assert!(matches!(error, StateError::Newer { found: 99, .. }), "{error}");
}

#[test]
fn a_file_that_breaks_while_in_use_is_an_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sim.json");
    let sim = Simulator::open(&path, settings()).expect("a new state");
    fs::write(&path, "{").expect("written");
    let answer = get(&sim, &format!("{CLUSTER}?api-version=2026-05-01"));
    assert_eq!((answer.status, answer.text("/error/code")), (500, "SimulatorStateUnavailable"));
    assert_eq!(fs::read_to_string(&path).expect("still there"), "{");
}

#[test]
fn nothing_is_left_beside_the_file_but_its_lock() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sim.json");
    let sim = Simulator::open(&path, settings()).expect("a new state");
    get(&sim, &format!("{CLUSTER}?api-version=2026-05-01"));
    let mut names: Vec<String> = fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["sim.json", "sim.json.lock"]);
}

#[test]
fn what_a_killed_process_was_writing_is_of_no_consequence() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sim.json");
    let sim = Simulator::open(&path, settings()).expect("a new state");
    fs::write(folder.path().join("sim.json.new"), "{\"format\": 1, \"no").expect("written");
    drop(sim);
    let again = Simulator::open(&path, settings()).expect("the whole state");
    assert_eq!(get(&again, &format!("{CLUSTER}?api-version=2026-05-01")).status, 200);
}

#[test]
fn no_secret_reaches_the_file_or_an_answer() {
    const SECRET: &str = "c2VjcmV0LXZhbHVl";
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sim.json");
    let sim = Simulator::open(&path, settings()).expect("a new state");
    register(&sim, "Microsoft.KubernetesConfiguration");
    let extension = json!({"properties": {
        "extensionType": "microsoft.flux",
        "configurationProtectedSettings": {"key": SECRET},
    }});
    let mut git = configuration();
    git["properties"]["configurationProtectedSettings"] = json!({"httpsKey": SECRET, "sshPrivateKey": SECRET});
    let blob = json!({"properties": {
        "sourceKind": "AzureBlob",
        "azureBlob": {
            "url": "https://a.blob.core.windows.net",
            "containerName": "c",
            "accountKey": SECRET,
            "sasToken": SECRET,
            "servicePrincipal": {"clientId": "i", "clientSecret": SECRET, "clientCertificate": SECRET},
        },
    }});
    let oci = json!({"properties": {
        "sourceKind": "OCIRepository",
        "ociRepository": {"url": "oci://r.invalid/a", "tlsConfig": {"privateKey": SECRET, "caCertificate": SECRET}},
    }});
    let cluster = json!({"location": "westeurope", "properties": {
        "arcAgentryConfigurations": [{"feature": "f", "protectedSettings": {"k": SECRET}}],
    }});
    for (target, body) in [
        (extension_target("flux"), &extension),
        (flux_target("git"), &git),
        (flux_target("blob"), &blob),
        (flux_target("oci"), &oci),
        (format!("{CLUSTER}?api-version=2026-05-01"), &cluster),
    ] {
        let answer = send(&sim, "PUT", &target, Some(body));
        assert!(answer.status < 300, "{target}: {}", answer.body);
        assert!(!answer.body.to_string().contains(SECRET), "{target}");
        assert!(!get(&sim, &target).body.to_string().contains(SECRET), "{target}");
    }
    assert!(!fs::read_to_string(&path).expect("a file").contains(SECRET));
    assert!(!format!("{sim:?}").contains(SECRET));
}

#[test]
fn a_run_can_be_repeated_to_the_byte() {
    let run = || {
        let sim = with_flux(settings());
        send(&sim, "PUT", &flux_target("x"), Some(&configuration()));
        sim.advance(Duration::from_secs(200));
        let bodies: Vec<Value> = vec![get(&sim, &flux_target("x")).body, get(&sim, &extension_target("flux")).body];
        bodies
    };
    assert_eq!(run(), run());
}

#[test]
fn thousands_of_clusters_can_be_read_and_written() {
    let mut seed = crate::sim_fixture::seed();
    let clusters = 1000;
    seed.clusters =
        (0..clusters).map(|index| SeedCluster { name: format!("arc{index}"), ..seed.clusters[0].clone() }).collect();
    let sim = Simulator::in_memory(Settings { seeds: vec![seed], ..settings() });
    register(&sim, "Microsoft.KubernetesConfiguration");
    for index in 0..clusters {
        let target = flux_target("x").replace("/arc1/", &format!("/arc{index}/"));
        assert_eq!(send(&sim, "PUT", &target, Some(&configuration())).status, 201);
        assert_eq!(get(&sim, &target).status, 200);
        sim.advance(Duration::from_millis(100));
    }
}
