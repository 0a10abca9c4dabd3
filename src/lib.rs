//! Bailiwick: fine-grained authorization, declared in Kubernetes.
//!
//! Teams declare who may do what on which resource as custom resources; this program keeps an authorization
//! graph up to date with them and answers permission checks from it over HTTP. The rooms, and which may use which:
//!
//! | module | what lives there | may use |
//! | --- | --- | --- |
//! | [`condition`] | what assignments may depend on: expressions of CEL | nothing |
//! | [`graph`] | the authorization engine: pure, synchronous, no I/O | `condition` |
//! | [`api`] | the custom resource types | nothing |
//! | [`source`] | turns objects into changes of the graph: Kubernetes watches, folders of YAML | `api`, `condition`, `graph` |
//! | [`controller`] | writes to the cluster, while it leads | `api`, `graph`, `source` |
//! | [`store`] | the objects, to be shown and to be written | `api`, `graph`, `source` |
//! | [`server`] | the HTTP surfaces | `graph`, `store` |
//! | [`cli`] | the subcommands | all |

pub mod api;
pub mod cli;
pub mod condition;
pub mod controller;
pub mod graph;
pub mod server;
pub mod source;
pub mod store;
