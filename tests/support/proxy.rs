//! A network that breaks.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
};

use super::runtime;

/// Passes connections on to another address, until it is told to cut them.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    cuts: watch::Sender<()>,
    open: Arc<AtomicUsize>,
    accepting: AbortHandle,
}

impl Proxy {
    /// Listens on a free port, and passes on to this address.
    pub fn to(target: SocketAddr) -> Self {
        let listener = runtime::block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (cuts, open) = (watch::Sender::default(), Arc::new(AtomicUsize::default()));
        let accepting = runtime::spawn(accept(listener, target, cuts.clone(), Arc::clone(&open)));
        Self { address, cuts, open, accepting }
    }

    /// Cuts every connection. How many there were.
    pub fn cut(&self) -> usize {
        let open = self.open.load(Ordering::Relaxed);
        self.cuts.send_replace(());
        open
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, cuts: watch::Sender<()>, open: Arc<AtomicUsize>) {
    while let Ok((mut near, _)) = listener.accept().await {
        let (mut cut, open) = (cuts.subscribe(), Arc::clone(&open));
        tokio::spawn(async move {
            let passing = async {
                let mut far = TcpStream::connect(target).await?;
                copy_bidirectional(&mut near, &mut far).await
            };
            open.fetch_add(1, Ordering::Relaxed);
            // However it ends, both sides are closed.
            tokio::select! {
                _ = passing => {}
                _ = cut.changed() => {}
            }
            open.fetch_sub(1, Ordering::Relaxed);
        });
    }
}
