//! A client that asks the same question all the time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::{runtime::Runtime, task::JoinHandle, time::sleep};

use super::cluster::ENVIRONMENT;
use crate::support::{
    bailiwick::{Bailiwick, Question},
    http,
};

/// The pause between an answer and the next question, which leaves the machine to those who are tested.
const PAUSE: Duration = Duration::from_millis(2);

/// Asks until it is stopped.
pub struct Poller {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Polled>,
}

/// What the answers were.
#[derive(Debug, Default)]
pub struct Polled {
    /// How many there were.
    pub answers: usize,
    /// How many of these were another one than expected.
    pub wrong: usize,
    /// Why there was no answer, each time that there was none.
    pub failures: Vec<String>,
    /// The longest time from one right answer to the next.
    pub longest_gap: Duration,
}

impl Poller {
    /// Begins to ask a replica.
    pub fn start(runtime: &Runtime, replica: &Bailiwick, question: Question<'_>, expected: bool) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (body, url) = (question.evaluation(), evaluation_url(replica));
        let stopped = Arc::clone(&stop);
        let task = runtime.spawn(async move {
            let (client, mut polled, mut last) =
                (http::client().build().expect("a client"), Polled::default(), Instant::now());
            while !stopped.load(Ordering::Relaxed) {
                match decide(&client, &url, &body).await {
                    Ok(decision) => {
                        polled.answers += 1;
                        if decision == expected {
                            polled.longest_gap = polled.longest_gap.max(last.elapsed());
                            last = Instant::now();
                        } else {
                            polled.wrong += 1;
                        }
                    }
                    Err(error) => polled.failures.push(error.to_string()),
                }
                sleep(PAUSE).await;
            }
            polled
        });
        Self { stop, task }
    }

    /// Ends it.
    pub fn stop(self, runtime: &Runtime) -> Polled {
        self.stop.store(true, Ordering::Relaxed);
        runtime.block_on(self.task).expect("the poller does not panic")
    }
}

/// Where evaluations of [`ENVIRONMENT`] are asked for.
pub fn evaluation_url(replica: &Bailiwick) -> String {
    format!("http://{}/environments/{ENVIRONMENT}/access/v1/evaluation", replica.api)
}

/// One decision.
pub async fn decide(client: &Client, url: &str, evaluation: &Value) -> reqwest::Result<bool> {
    let answer = client.post(url).json(evaluation).send().await?.error_for_status()?;
    Ok(answer.json::<Value>().await?["decision"] == json!(true))
}
