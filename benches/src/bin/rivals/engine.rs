//! What every engine does, behind one trait.

use bailiwick_benches::workload::{Question, Workload};

use crate::{casbin, cedar_groups, cedar_links, cedar_sliced, maps, ours, regorus};

/// An engine that holds a world.
pub trait Engine {
    /// Makes the requests of these questions, before the clock starts.
    fn prepare(&mut self, questions: &[Question]);

    /// Answers one of the questions that were prepared.
    fn ask(&mut self, number: usize) -> bool;
}

/// How an engine is called, and how it gets a world.
#[derive(Clone, Copy)]
pub struct Kind {
    pub label: &'static str,
    pub load: fn(&Workload) -> Box<dyn Engine>,
    /// A product that somebody could take instead as it is shipped, and no yardstick.
    pub is_rival: bool,
}

/// All of them, ours first.
pub const ALL: [Kind; 7] = [
    Kind { label: "bailiwick", load: |world| Box::new(ours::Ours::new(world)), is_rival: false },
    Kind { label: "maps of strings", load: |world| Box::new(maps::Maps::new(world)), is_rival: false },
    Kind { label: "regorus", load: |world| Box::new(regorus::Regorus::new(world)), is_rival: true },
    Kind { label: "cedar, roles as groups", load: |world| Box::new(cedar_groups::Groups::new(world)), is_rival: true },
    Kind {
        label: "cedar, links picked outside",
        load: |world| Box::new(cedar_sliced::Sliced::new(world)),
        // The maps outside are not part of Cedar, and do what an engine is for.
        is_rival: false,
    },
    Kind { label: "cedar, template links", load: |world| Box::new(cedar_links::Links::new(world)), is_rival: true },
    Kind { label: "casbin", load: |world| Box::new(casbin::Casbin::new(world)), is_rival: true },
];
