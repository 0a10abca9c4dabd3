//! What loads a server: one thread, many connections, and no more work for a request than is needed to see that the answer
//! is right.

use std::{
    collections::VecDeque,
    io::{ErrorKind, Read as _, Write as _},
    net::SocketAddr,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token, net::TcpStream};

use super::wire::{Request, Wire};

/// Latencies of up to a minute, in nanoseconds, to three digits.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(60_000_000_000, 3).expect("bounds in order")
}

/// How an answer says yes or no: after the marker comes the word, or does not.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    pub marker: &'static str,
    pub yes: &'static str,
}

/// A request with the answers that it must get; none: it is the floor's, which decides nothing.
#[derive(Debug)]
pub struct Asked {
    pub request: Request,
    pub expected: Option<Vec<bool>>,
}

impl Asked {
    fn check(&self, words: Words, body: &[u8]) {
        let Some(expected) = &self.expected else { return };
        let text = str::from_utf8(body).expect("JSON is UTF-8");
        let answers =
            text.match_indices(words.marker).map(|(at, marker)| text[at + marker.len()..].starts_with(words.yes));
        assert!(answers.eq(expected.iter().copied()), "it should say {expected:?}: {text}");
    }
}

struct Connection<W> {
    stream: TcpStream,
    wire: W,
    out: Vec<u8>,
    input: Vec<u8>,
    /// What is asked in each slot, and since when it should have been.
    slots: Vec<Option<(usize, Instant)>>,
}

impl<W: Wire> Connection<W> {
    fn open(address: SocketAddr) -> Self {
        let stream = std::net::TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("an option of TCP");
        stream.set_nonblocking(true).expect("an option of sockets");
        let (mut wire, mut out) = (W::default(), Vec::new());
        wire.open(&mut out);
        let slots = (0..W::SLOTS).map(|_| None).collect();
        Self { stream: TcpStream::from_std(stream), wire, out, input: Vec::new(), slots }
    }

    fn flush(&mut self) {
        while !self.out.is_empty() {
            match self.stream.write(&self.out) {
                Ok(written) => drop(self.out.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("the server is gone: {error}"),
            }
        }
    }

    fn read(&mut self, buffer: &mut [u8]) {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => panic!("the server has closed a connection"),
                Ok(read) => {
                    self.input.extend_from_slice(&buffer[..read]);
                    if read < buffer.len() {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("the server is gone: {error}"),
            }
        }
    }
}

/// A client with open connections.
pub struct Client<'a, W> {
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    connections: Vec<Connection<W>>,
    asked: &'a [Asked],
    words: Words,
    next: usize,
}

impl<'a, W: Wire> Client<'a, W> {
    pub fn connect(address: SocketAddr, connections: usize, asked: &'a [Asked], words: Words) -> Self {
        let poll = Poll::new().expect("epoll");
        let mut connections: Vec<Connection<W>> = (0..connections).map(|_| Connection::open(address)).collect();
        for (number, connection) in connections.iter_mut().enumerate() {
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut connection.stream, Token(number), interest).expect("epoll");
        }
        Self { poll, events: Events::with_capacity(1024), buffer: vec![0; 1 << 16], connections, asked, words, next: 0 }
    }

    fn ask(&mut self, connection: usize, slot: usize, since: Instant) {
        let Connection { wire, out, slots, .. } = &mut self.connections[connection];
        wire.send(slot, &self.asked[self.next].request, out);
        slots[slot] = Some((self.next, since));
        self.next = (self.next + 1) % self.asked.len();
    }

    /// Waits for answers as long as given, checks them, and tells where there are free slots now, and since when each was
    /// asked.
    fn collect(&mut self, wait: Option<Duration>, free: &mut Vec<(usize, usize, Instant)>) {
        self.poll.poll(&mut self.events, wait).expect("epoll");
        for event in &self.events {
            let Token(number) = event.token();
            let connection = &mut self.connections[number];
            if event.is_readable() {
                connection.read(&mut self.buffer);
                let Connection { wire, input, out, slots, .. } = connection;
                wire.receive(input, out, |slot, body| {
                    let (question, since) = slots[slot].take().expect("an answer to a question");
                    self.asked[question].check(self.words, body);
                    free.push((number, slot, since));
                });
            }
            connection.flush();
        }
    }

    /// Keeps every slot busy: how many requests were answered in about `time`, after `warm_up`, and in how long exactly. `mark` is
    /// called at either end of it.
    pub fn saturate(&mut self, warm_up: Duration, time: Duration, mut mark: impl FnMut()) -> (f64, Duration) {
        let started = Instant::now();
        for connection in 0..self.connections.len() {
            for slot in 0..W::SLOTS {
                self.ask(connection, slot, started);
            }
            self.connections[connection].flush();
        }
        let (mut free, mut answered, mut since) = (Vec::new(), 0_u32, None);
        loop {
            self.collect(None, &mut free);
            let now = Instant::now();
            match since {
                None if now - started >= warm_up => {
                    mark();
                    since = Some(Instant::now());
                    answered = 0;
                }
                Some(since) if now - since >= time => {
                    mark();
                    self.finish();
                    return (f64::from(answered), now - since);
                }
                _ => {}
            }
            answered += u32::try_from(free.len()).expect("few");
            let mut flush = None;
            for (connection, slot, _) in free.drain(..) {
                if let Some(last) = flush.replace(connection).filter(|&last| last != connection) {
                    self.connections[last].flush();
                }
                self.ask(connection, slot, now);
            }
            if let Some(last) = flush {
                self.connections[last].flush();
            }
        }
    }

    /// Asks at a constant rate, whether the server keeps up or not: how long each answer took, in nanoseconds, from the time
    /// at which the question should have been sent.
    pub fn pace(&mut self, rate: f64, warm_up: Duration, time: Duration) -> Histogram<u64> {
        let mut latencies = histogram();
        let mut slots: VecDeque<(usize, usize)> =
            (0..W::SLOTS).flat_map(|slot| (0..self.connections.len()).map(move |number| (number, slot))).collect();
        let mut free = Vec::new();
        let started = Instant::now();
        let interval = Duration::from_secs_f64(1.0 / rate);
        let mut due = started;
        while due < started + warm_up + time || slots.len() < self.connections.len() * W::SLOTS {
            let now = Instant::now();
            while due <= now
                && due < started + warm_up + time
                && let Some((connection, slot)) = slots.pop_front()
            {
                self.ask(connection, slot, due);
                self.connections[connection].flush();
                due += interval;
            }
            // Waiting would wake up too late.
            self.collect(Some(Duration::ZERO), &mut free);
            let now = Instant::now();
            for (connection, slot, since) in free.drain(..) {
                slots.push_back((connection, slot));
                if since >= started + warm_up {
                    latencies.saturating_record(u64::try_from((now - since).as_nanos()).unwrap_or(u64::MAX));
                }
            }
        }
        latencies
    }

    /// Waits for what is under way.
    fn finish(&mut self) {
        let mut free = Vec::new();
        while self.connections.iter().any(|connection| connection.slots.iter().any(Option::is_some)) {
            self.collect(None, &mut free);
        }
    }
}
