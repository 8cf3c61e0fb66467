//! TLS in front of the TCP door.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::http::{Clock, SystemClock};

/// How long a client may take to shake hands.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Handshakes that are under way at once. More connections wait in the operating system's queue.
const MOST_HANDSHAKES: usize = 256;

/// Gives connections on which TLS is set up. Handshakes run beside each other, so that one that is slow or broken
/// keeps nobody waiting.
pub(super) struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    handshakes: JoinSet<Option<Connected>>,
}

type Connected = (TlsStream<TcpStream>, SocketAddr);

impl TlsListener {
    pub(super) fn new(tcp: TcpListener, config: Arc<ServerConfig>) -> Self {
        Self { tcp, acceptor: TlsAcceptor::from(config), handshakes: JoinSet::new() }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Connected {
        loop {
            tokio::select! {
                Some(done) = self.handshakes.join_next() => {
                    if let Ok(Some(connected)) = done {
                        return connected;
                    }
                }
                (stream, address) = Listener::accept(&mut self.tcp), if self.handshakes.len() < MOST_HANDSHAKES => {
                    self.handshakes.spawn(shake_hands(self.acceptor.clone(), stream, address));
                }
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// `None` when the client does not speak TLS, does not trust the certificate, or takes too long.
async fn shake_hands(acceptor: TlsAcceptor, stream: TcpStream, address: SocketAddr) -> Option<Connected> {
    tokio::select! {
        connected = acceptor.accept(stream) => connected.ok().map(|stream| (stream, address)),
        () = SystemClock.sleep(HANDSHAKE_TIMEOUT) => None,
    }
}
