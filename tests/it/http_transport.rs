//! The production transport against servers on loopback that are written by hand.

use std::error::Error;
use std::time::Duration;

use arcflux::http::{
    CaBundleError, Clock as _, Patience, Request, ReqwestTransport, Response, SystemClock, Transport, TransportError,
};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Accepts one connection, reads one request head, writes `answer` and closes. Gives the head.
async fn one_shot(answer: &'static [u8]) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = read_head(&mut stream).await;
        stream.write_all(answer).await.unwrap();
        head
    });
    (port, server)
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

async fn send(method: &str, uri: &str) -> Result<Response, TransportError> {
    let request: Request = http::Request::builder().method(method).uri(uri).body(Bytes::new()).unwrap();
    ReqwestTransport::new().send(request).await
}

/// An error with all its causes, as people would see it.
fn told(error: &TransportError) -> String {
    let causes = std::iter::successors(Some(error as &dyn Error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[tokio::test]
async fn a_signed_url_of_4_kb_arrives_byte_for_byte() {
    let path = "/Subscriptions/S/providers/N/locations/EASTUS/operationStatuses/e47d*8738D9B0(x)!$~";
    let signature = "Ab-_9*%2B%2f.~!$(),;:@/?%3d%3D".repeat(140);
    let target = format!("{path}?api-Version=2021-10-01&t=639096179056781017&c={signature}&s=&h=%2B");
    assert!(target.len() > 4096);
    let (port, server) = one_shot(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-a: b\r\n\r\n{}").await;
    let response = send("GET", &format!("http://127.0.0.1:{port}{target}")).await.unwrap();
    assert_eq!((response.status().as_u16(), response.body().as_ref()), (200, &b"{}"[..]));
    assert_eq!(response.headers()["x-a"], "b");
    let head = server.await.unwrap();
    assert_eq!(head.lines().next().unwrap(), format!("GET {target} HTTP/1.1"));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_a_post_without_a_body_says_so() {
    let (port, server) =
        one_shot(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/x\r\ncontent-length: 0\r\n\r\n").await;
    let response = send("POST", &format!("http://localhost:{port}/a")).await.unwrap();
    assert_eq!(response.status().as_u16(), 302);
    let head = server.await.unwrap().to_lowercase();
    assert!(head.contains("content-length: 0\r\n"), "{head}");
}

#[tokio::test]
async fn what_may_not_be_sent_is_refused_before_anything_is_sent() {
    for (uri, reason) in [
        ("http://management.azure.com/a", "plain http"),
        ("http://169.254.169.254/metadata", "plain http"),
        ("ftp://127.0.0.1/a", "the scheme must be https"),
        ("/a", "no host"),
        ("http://user:pw@127.0.0.1/a", "credentials"),
        ("http://127.0.0.1/a?b='c'", "byte for byte"),
        ("http://127.0.0.1/a/../b", "byte for byte"),
        ("https://127.1/a", "byte for byte"),
    ] {
        let error = send("GET", uri).await.unwrap_err();
        let TransportError::Refused { reason: said, .. } = &error else { panic!("{uri}: {error:?}") };
        assert!(said.contains(reason), "{uri}: {said}");
        assert!(!error.may_have_been_received() && !told(&error).contains("pw@"), "{error}");
    }
}

#[tokio::test]
async fn a_connection_that_cannot_be_opened_is_told_from_one_that_broke() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = send("GET", &format!("http://127.0.0.1:{port}/a?s=SIGNATURE")).await.unwrap_err();
    assert!(matches!(error, TransportError::Connect { .. }), "{error:?}");
    assert!(told(&error).starts_with(&format!("cannot connect to 127.0.0.1:{port}: ")), "{}", told(&error));
    assert!(!told(&error).contains("SIGNATURE"));

    for answer in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"] {
        let (port, server) = one_shot(answer).await;
        let error = send("GET", &format!("http://127.0.0.1:{port}/a?s=SIGNATURE")).await.unwrap_err();
        assert!(matches!(error, TransportError::Broken { .. }), "{error:?}");
        assert!(!told(&error).contains("SIGNATURE") && !format!("{error:?}").contains("SIGNATURE"));
        server.await.unwrap();
    }
}

#[tokio::test]
async fn a_response_beyond_the_limit_is_not_read_to_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let megabyte = vec![b' '; 1024 * 1024];
        // The client hangs up first.
        while stream.write_all(&megabyte).await.is_ok() {}
    });
    let error = send("GET", &format!("http://127.0.0.1:{port}/a")).await.unwrap_err();
    assert!(matches!(error, TransportError::TooLarge { .. }), "{error:?}");
    server.await.unwrap();
}

#[tokio::test]
async fn a_server_that_drips_does_not_hold_a_request_open_for_ever() {
    for head in ["", "HTTP/1.1 200 OK\r\n\r\n"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_head(&mut stream).await;
            stream.write_all(head.as_bytes()).await.unwrap();
            // Never silent, and never done: the client hangs up first.
            while stream.write_all(b"H").await.is_ok() {
                SystemClock.sleep(Duration::from_millis(5)).await;
            }
        });
        let request: Request =
            http::Request::get(format!("http://127.0.0.1:{port}/a?s=SIGNATURE")).body(Bytes::new()).unwrap();
        let transport = ReqwestTransport::new().deadline(Duration::from_millis(200));
        let error = transport.send(request).await.unwrap_err();
        assert!(matches!(error, TransportError::Broken { .. }), "{error:?}");
        assert!(told(&error).contains("timed out") && !told(&error).contains("SIGNATURE"), "{}", told(&error));
        server.await.unwrap();
    }
}

/// A self-signed certificate of nobody: its key was thrown away.
const AUTHORITY: &str = "\
-----BEGIN CERTIFICATE-----
MIIBizCCATGgAwIBAgIUQdT/DTL6Wi6RlvAmYpVQPVNFrw8wCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPYXJjZmx1eCB0ZXN0IENBMCAXDTI2MTEyMjExMDExM1oYDzIx
MjYxMDI5MTEwMTEzWjAaMRgwFgYDVQQDDA9hcmNmbHV4IHRlc3QgQ0EwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAATqfaT4ZJZQJgJvLb7FdJwnNICmdw6Dtj3NurAD
NpGjMSdNSeFiSE9kelfDPr2qjwX0nwmMcBDIithZan7xASzNo1MwUTAdBgNVHQ4E
FgQUMGvOXUYVtPV41b0nsgKT/6iRyBkwHwYDVR0jBBgwFoAUMGvOXUYVtPV41b0n
sgKT/6iRyBkwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAv+Hz
Rqt1Zyjcxy+lCPqQ7C9MchCwG7fXvdH/K+g/6eQCIFBqzyX1pVez3SiLr5r9QIRh
99HB4S/fE52qWjJ+Gbvj
-----END CERTIFICATE-----
";

#[tokio::test]
async fn a_server_that_is_silent_is_given_up_when_patience_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/", listener.local_addr().unwrap());
    let mut request: Request = http::Request::get(uri).body(Bytes::new()).unwrap();
    request.extensions_mut().insert(Patience(Duration::from_millis(50)));
    let silent = async {
        let _kept_open = listener.accept().await.unwrap();
        std::future::pending::<()>().await;
    };
    let transport = ReqwestTransport::new();
    tokio::select! {
        answer = transport.send(request) => {
            let error = answer.unwrap_err();
            assert!(matches!(error, TransportError::Broken { .. }), "{error:?}");
        }
        () = silent => {}
    }
}

#[tokio::test]
async fn a_ca_bundle_is_taken_in() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let request: Request = http::Request::get(format!("https://127.0.0.1:{port}/")).body(Bytes::new()).unwrap();
    let transport = ReqwestTransport::with_ca_bundle(AUTHORITY.as_bytes()).unwrap();
    // It got as far as the network: TLS had been set up.
    let error = transport.send(request).await.unwrap_err();
    assert!(matches!(error, TransportError::Connect { .. }), "{}", told(&error));
}

#[test]
fn a_ca_bundle_without_certificates_is_an_error() {
    for pem in [&b""[..], b"not a certificate", b"\xff\xfe"] {
        assert!(matches!(ReqwestTransport::with_ca_bundle(pem), Err(CaBundleError::Empty)));
    }
    let damaged = b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
    assert!(matches!(ReqwestTransport::with_ca_bundle(damaged), Err(CaBundleError::NotPem(_))));
}
