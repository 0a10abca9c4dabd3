//! Rounds of questions, the engines taking turns.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use bailiwick_benches::{
    clock::{Spread, Stopwatch, is_quick},
    workload::Question,
};

use crate::engine::{Engine, Kind};

/// An engine with a world in it.
pub struct Loaded {
    pub kind: Kind,
    pub engine: Box<dyn Engine>,
}

/// What one engine did. Times are microseconds a check, one for each round.
pub struct Measured {
    pub kind: Kind,
    /// How many questions it was asked in each round.
    pub asked: usize,
    pub cpu: Vec<f64>,
    pub wall: Vec<f64>,
}

impl Measured {
    pub fn cpu(&self) -> Spread {
        Spread::of(&self.cpu)
    }

    pub fn wall(&self) -> Spread {
        Spread::of(&self.wall)
    }
}

/// Asks each engine the questions in turn, `rounds` times. Before the clock starts each is asked once, and what it
/// answers is compared; the questions that it comes to in `limit` are those that it is asked afterwards, too.
pub fn measure(engines: &mut [Loaded], questions: &[Question], rounds: usize, limit: Duration) -> Vec<Measured> {
    let mut measured: Vec<Measured> = engines
        .iter_mut()
        .map(|Loaded { kind, engine }| {
            engine.prepare(questions);
            let started = Instant::now();
            let mut asked = 0;
            while asked < questions.len() && (asked == 0 || started.elapsed() < limit) {
                let question = &questions[asked];
                assert_eq!(engine.ask(asked), question.allowed, "{}: {question:?}", kind.label);
                asked += 1;
            }
            Measured { kind: *kind, asked, cpu: Vec::new(), wall: Vec::new() }
        })
        .collect();
    for _ in 0..rounds {
        for (Loaded { engine, .. }, measured) in engines.iter_mut().zip(&mut measured) {
            let stopwatch = Stopwatch::start();
            for number in 0..measured.asked {
                black_box(engine.ask(number));
            }
            let (cpu, wall) = stopwatch.elapsed();
            let each = |time: Duration| time.as_secs_f64() * 1e6 / count(measured.asked);
            measured.cpu.push(each(cpu));
            measured.wall.push(each(wall));
        }
    }
    measured
}

/// How long a slow engine is asked in a round.
pub fn limit() -> Duration {
    Duration::from_millis(if is_quick() { 10 } else { 300 })
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
pub fn count(number: usize) -> f64 {
    number as f64
}
