//! A control plane of its own with replicas of the operator.

use std::{
    thread,
    time::{Duration, Instant},
};

use tokio::runtime::Runtime;

use crate::support::{
    bailiwick::{Bailiwick, Question},
    control_plane::{ControlPlane, REPLICAS},
    objects::Objects,
    wait,
};

/// The environment that the scenarios use.
pub const ENVIRONMENT: &str = "soak";

/// A lease that is over soon, so that a test need not wait for long, but not so soon that a busy machine loses it.
pub const SHORT_LEASE: [&str; 6] = ["--lease-duration", "6s", "--lease-renew-deadline", "4s", "--lease-retry", "500ms"];

/// The lease that the operator has unless it is told another.
pub const DEFAULT_LEASE: [&str; 0] = [];

/// Two replicas, of which one leads.
pub struct Cluster {
    /// Where it keeps what it knows.
    pub plane: ControlPlane,
    /// The objects of [`ENVIRONMENT`].
    pub objects: Objects,
    /// Runs what is asynchronous.
    pub runtime: Runtime,
    /// The replicas; of the users `operator` and `operator-2`.
    pub replicas: [Bailiwick; 2],
    arguments: Vec<&'static str>,
}

impl Cluster {
    /// Starts it with further arguments for the operator, and waits until the replicas are ready and one leads.
    pub fn start(arguments: &[&'static str]) -> Self {
        let plane = ControlPlane::start();
        plane.permit_operator();
        plane.install_crds();
        plane.create_namespace(ENVIRONMENT);
        let runtime = Runtime::new().expect("a runtime");
        let objects = runtime.block_on(Objects::new(&plane, ENVIRONMENT));
        // The default is meant for clusters that have other things to do too.
        let arguments = [&["--lease-namespace", "default", "--status-rate", "5000"], arguments].concat();
        let replicas = [0, 1].map(|index| start(&plane, index, &arguments));
        let started = Self { plane, objects, runtime, replicas, arguments };
        started.wait_for_leader();
        started
    }

    /// A third replica, which knows nothing but what the API server tells it now.
    pub fn fresh_replica(&self) -> Bailiwick {
        start(&self.plane, 2, &self.arguments)
    }

    /// Which of the replicas leads, if one does.
    pub fn leader(&self) -> Option<usize> {
        self.replicas.iter().position(leads)
    }

    /// Waits until one leads, and says which.
    pub fn wait_for_leader(&self) -> usize {
        wait::until("a replica leads", || self.leader().ok_or_else(|| "none does".to_owned()))
    }

    /// Kills the leader, waits until the other one leads, and starts the killed one again. How long nobody led.
    pub fn replace_leader(&mut self) -> Duration {
        let leader = self.wait_for_leader();
        self.replicas[leader].process.kill();
        let killed = Instant::now();
        let other = &self.replicas[1 - leader];
        wait::until("the other replica leads", || if leads(other) { Ok(()) } else { Err("it does not".to_owned()) });
        let without = killed.elapsed();
        self.replicas[leader] = start(&self.plane, leader, &self.arguments);
        without
    }

    /// Kills a replica, and starts it again.
    pub fn restart(&mut self, replica: usize) {
        self.replicas[replica].process.kill();
        self.replicas[replica] = start(&self.plane, replica, &self.arguments);
    }

    /// Whether any replica allows something.
    #[track_caller]
    pub fn any_allows(&self, question: Question<'_>) -> bool {
        self.replicas.iter().any(|replica| replica.allows(question))
    }

    /// Waits until every replica allows something.
    #[track_caller]
    pub fn wait_until_all_allow(&self, question: Question<'_>) {
        for replica in &self.replicas {
            replica.wait_until_allows(true, question);
        }
    }
}

/// What the replicas logged explains most failures, and goes with them.
impl Drop for Cluster {
    fn drop(&mut self) {
        if thread::panicking() {
            for (user, replica) in REPLICAS.iter().zip(&mut self.replicas) {
                eprintln!("{user} (ended: {:?}) logged:\n{}", replica.process.ended(), replica.log());
            }
        }
    }
}

/// Starts a replica as the user of that index, and waits until it is ready.
fn start(plane: &ControlPlane, index: usize, arguments: &[&str]) -> Bailiwick {
    let replica = plane.start_replica(REPLICAS[index], arguments);
    replica.wait_until_ready();
    replica
}

/// Whether a replica leads, by its own word.
pub fn leads(replica: &Bailiwick) -> bool {
    replica.metric("bailiwick_lease_held") == Some(1.0)
}
