//! Whom a write is done for.

use super::{Error, Write};
use crate::graph::facts::Name;

/// Tells on an object who wrote it last through the API.
pub const LAST_WRITTEN_BY_ANNOTATION: &str = "authz.bailiwick.dev/last-written-by";

/// Where the audit log is told from all else that is logged.
const TARGET: &str = "audit";

/// Whom a write is done for, and by which request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    caller: Name,
    route: String,
    request_id: Option<String>,
}

impl Author {
    /// The caller of a request to a route.
    #[must_use]
    pub fn new(caller: Name, route: &str, request_id: Option<&str>) -> Self {
        Self { caller, route: route.to_owned(), request_id: request_id.map(str::to_owned) }
    }

    /// What the caller is called.
    #[must_use]
    pub fn caller(&self) -> &str {
        &self.caller
    }

    /// Logs how writes to an environment ended.
    pub(super) fn note(&self, environment: &str, writes: &[Write], ended: Result<(), &Error>) {
        for write in writes {
            let (object, operation) = (write.object(), write.operation());
            match ended {
                Ok(()) => self.log(environment, operation, Some(&object.to_string()), "done", None),
                Err(error) => {
                    self.log(environment, operation, Some(&object.to_string()), "failed", Some(&error.to_string()));
                }
            }
        }
    }

    /// Logs that the caller may not write to an environment.
    pub fn note_refusal(&self, environment: &str) {
        self.log(environment, "any", None, "not_permitted", None);
    }

    fn log(
        &self,
        environment: &str,
        operation: &'static str,
        object: Option<&str>,
        outcome: &'static str,
        problem: Option<&str>,
    ) {
        let Self { caller, route, request_id } = self;
        tracing::info!(
            target: TARGET,
            %caller,
            verb = "write",
            route,
            environment,
            operation,
            object,
            outcome,
            problem,
            request_id,
            "audit"
        );
    }
}
