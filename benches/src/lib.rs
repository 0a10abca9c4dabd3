//! What the benchmarks share: the worlds that they measure in, and how they tell what they measured.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`chart`] | plots as SVG |
//! | [`churn`] | writes in the proportions of the "org-tree" workload |
//! | [`clock`] | the time of a thread, and quantiles |
//! | [`definition`] | what is allowed, by maps of strings |
//! | [`oopsla`] | the workloads of the Cedar paper |
//! | [`org_tree`] | the workload "org-tree" |
//! | [`report`] | what is written into `docs/benchmarks/` |
//! | [`stress`] | corners in which one thing is large |
//! | [`workload`] | what every engine is given |

pub mod chart;
pub mod churn;
pub mod clock;
pub mod definition;
pub mod oopsla;
pub mod org_tree;
pub mod report;
pub mod stress;
pub mod workload;

#[cfg(test)]
mod tests;
