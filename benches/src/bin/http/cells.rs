//! What is measured: a server, a surface of it, a version of HTTP.

use std::time::Duration;

use bailiwick_benches::org_tree::{Question, World};
use hdrhistogram::Histogram;
use serde_json::{Value, json};

use super::{
    cerbos,
    client::{Asked, Client, Words},
    server::Server,
    wire::{Http1, Http2, Wire},
    workload,
};

const WARM_UP: Duration = Duration::from_millis(500);

/// How many checks a batch has.
pub const BATCH: usize = 1_000;

const CHECK: &str = "/environments/default/v1/check";
const CHECKS: &str = "/environments/default/v1/checks";
const EVALUATION: &str = "/access/v1/evaluation";

const ALLOWED: Words = Words { marker: "\"allowed\":", yes: "true" };
const DECISION: Words = Words { marker: "\"decision\":", yes: "true" };
const EFFECT: Words = Words { marker: "\"EFFECT_", yes: "ALLOW" };

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Floor,
    Ours,
    /// The same with the allocator of the system.
    OursSystemAllocator,
    Cerbos,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    Check,
    Evaluation,
    Batch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Http1,
    Http2,
}

pub struct Cell<'a> {
    pub who: Who,
    pub surface: Surface,
    pub version: Version,
    server: &'a Server,
    words: Words,
    asked: Vec<Asked>,
}

/// How a server did at saturation.
#[derive(Clone, Copy, Debug)]
pub struct Saturation {
    /// Requests a second.
    pub rate: f64,
    /// Processor time of the server a request, in microseconds.
    pub cost: f64,
}

impl<'a> Cell<'a> {
    fn new<W: Wire>(
        (who, surface, version): (Who, Surface, Version),
        server: &'a Server,
        words: Words,
        path: &str,
        asked: &[(Value, Option<Vec<bool>>)],
    ) -> Self {
        let authority = server.address.to_string();
        let asked = asked.iter().map(|(body, expected)| Asked {
            request: W::render(&authority, path, &body.to_string()),
            expected: expected.clone(),
        });
        Self { who, surface, version, server, words, asked: asked.collect() }
    }

    /// Questions of one surface, with both versions.
    fn both(
        who: Who,
        surface: Surface,
        server: &'a Server,
        words: Words,
        path: &str,
        asked: &[(Value, Option<Vec<bool>>)],
    ) -> [Self; 2] {
        [
            Self::new::<Http1>((who, surface, Version::Http1), server, words, path, asked),
            Self::new::<Http2>((who, surface, Version::Http2), server, words, path, asked),
        ]
    }

    /// Asks as fast as answers come: 32 requests are under way at any time.
    pub fn saturate(&self, time: Duration) -> Saturation {
        match self.version {
            Version::Http1 => self.saturate_with::<Http1>(32, time),
            Version::Http2 => self.saturate_with::<Http2>(4, time),
        }
    }

    fn saturate_with<W: Wire>(&self, connections: usize, time: Duration) -> Saturation {
        let mut client = Client::<W>::connect(self.server.address, connections, &self.asked, self.words);
        let mut marks = Vec::new();
        let (answered, elapsed) = client.saturate(WARM_UP, time, || marks.push(self.server.processor_time()));
        let [begin, end] = marks[..] else { unreachable!("either end is marked") };
        let used = end.saturating_sub(begin);
        Saturation { rate: answered / elapsed.as_secs_f64(), cost: used.as_secs_f64() * 1e6 / answered }
    }

    /// Asks at this rate, over as many connections.
    pub fn pace(&self, rate: f64, time: Duration) -> Histogram<u64> {
        match self.version {
            Version::Http1 => {
                Client::<Http1>::connect(self.server.address, 32, &self.asked, self.words).pace(rate, WARM_UP, time)
            }
            Version::Http2 => {
                Client::<Http2>::connect(self.server.address, 4, &self.asked, self.words).pace(rate, WARM_UP, time)
            }
        }
    }
}

fn singles(
    questions: &[(Question, bool)],
    body: impl Fn(Question) -> Value,
    decides: bool,
) -> Vec<(Value, Option<Vec<bool>>)> {
    questions.iter().map(|&(question, allowed)| (body(question), decides.then(|| vec![allowed]))).collect()
}

fn of_api<'a>(who: Who, world: &World, questions: &[(Question, bool)], server: &'a Server) -> Vec<Cell<'a>> {
    let decides = who != Who::Floor;
    let checks = singles(questions, |question| workload::check(world, question), decides);
    let evaluations = singles(questions, |question| workload::evaluation(world, question), decides);
    let batches: Vec<_> = questions
        .chunks(BATCH)
        .map(|questions| {
            let checks: Vec<Value> = questions.iter().map(|&(question, _)| workload::check(world, question)).collect();
            let answers = questions.iter().map(|&(_, allowed)| allowed).collect();
            (json!({"checks": checks}), decides.then_some(answers))
        })
        .collect();
    let mut cells = Vec::from(Cell::both(who, Surface::Check, server, ALLOWED, CHECK, &checks));
    cells.extend(Cell::both(who, Surface::Evaluation, server, DECISION, EVALUATION, &evaluations));
    let batch = (who, Surface::Batch, Version::Http1);
    cells.push(Cell::new::<Http1>(batch, server, ALLOWED, CHECKS, &batches));
    cells
}

pub fn floor<'a>(world: &World, questions: &[(Question, bool)], server: &'a Server) -> Vec<Cell<'a>> {
    of_api(Who::Floor, world, questions, server)
}

pub fn ours<'a>(world: &World, questions: &[(Question, bool)], server: &'a Server) -> Vec<Cell<'a>> {
    of_api(Who::Ours, world, questions, server)
}

pub fn ours_system_allocator<'a>(world: &World, questions: &[(Question, bool)], server: &'a Server) -> Vec<Cell<'a>> {
    of_api(Who::OursSystemAllocator, world, questions, server)
}

pub fn cerbos<'a>(world: &World, questions: &[(Question, bool)], server: &'a Server) -> Vec<Cell<'a>> {
    let requests = singles(questions, |question| cerbos::request(world, question), true);
    Vec::from(Cell::both(Who::Cerbos, Surface::Check, server, EFFECT, cerbos::PATH, &requests))
}
