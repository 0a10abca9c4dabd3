//! What the benchmarks share: the worlds that they measure in, and how they tell what they measured.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`chart`] | plots as SVG |
//! | [`org_tree`] | the workload "org-tree" |
//! | [`report`] | what is written into `docs/benchmarks/` |

pub mod chart;
pub mod org_tree;
pub mod report;
