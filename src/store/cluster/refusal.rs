//! What it means when the API server refuses.

use kube::core::Status;

use crate::{
    api::GROUP,
    graph::facts::ObjectRef,
    source::{cluster, describe_error},
    store::Error,
};

/// What the API server was asked to do.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// What, as RBAC names it.
    pub verb: &'static str,
    /// Where.
    pub environment: &'a str,
    /// With which object.
    pub object: &'a ObjectRef,
}

impl Asked<'_> {
    /// Why it was not done.
    pub fn refused(self, error: &kube::Error) -> Error {
        let kube::Error::Api(status) = error else { return self.unavailable(error) };
        let object = self.object.clone();
        match status.code {
            422 if self.verb == "patch" && cluster::is_failed_test(status) && !is_denied(status) => {
                Error::Conflict { object }
            }
            400 | 413 if !is_denied(status) => Error::Invalid { object, problem: describe_causes(status) },
            422 => Error::Invalid { object, problem: describe_causes(status) },
            403 => self.forbidden(status),
            _ if is_denied(status) => self.forbidden(status),
            404 => self.not_found(status),
            409 if status.is_already_exists() => Error::AlreadyExists { object },
            409 => Error::Conflict { object },
            _ if status.message.contains("request is too large") => {
                Error::Invalid { object, problem: "it is too large to be stored; make it smaller".to_owned() }
            }
            _ => self.unavailable(error),
        }
    }

    /// Whether it is RBAC that refuses.
    pub fn lacks_permission(self, error: &kube::Error) -> bool {
        matches!(error, kube::Error::Api(status) if status.code == 403 && self.is_not_permitted(status))
    }

    fn is_not_permitted(self, status: &Status) -> bool {
        status.message.contains(&format!(" cannot {} resource ", self.verb))
    }

    fn unavailable(self, error: &kube::Error) -> Error {
        Error::Unavailable { problem: describe_error(error, self.verb) }
    }

    fn not_found(self, status: &Status) -> Error {
        let Self { environment, object, .. } = self;
        match &status.details {
            Some(details) if details.kind == "namespaces" => Error::Invalid {
                object: object.clone(),
                problem: format!(
                    "the namespace `{environment}` does not exist; run `kubectl create namespace {environment}`"
                ),
            },
            Some(details) if details.name == *object.name => Error::NotFound { object: object.clone() },
            _ => Error::Unavailable { problem: cluster::describe_missing_definition(&cluster::resource(object.kind)) },
        }
    }

    fn forbidden(self, status: &Status) -> Error {
        let Self { verb, environment, object } = self;
        let Status { message, details, .. } = status;
        let mut causes = details.iter().flat_map(|details| &details.causes);
        let problem = if causes.any(|cause| cause.reason == "NamespaceTerminating") {
            format!("the namespace `{environment}` is being deleted, and nothing can be created in it any more")
        } else if self.is_not_permitted(status) {
            format!(
                "the program lacks the permission to `{verb}` {}.{GROUP} in the namespace `{environment}`; grant it, as \
                 examples/operator/rbac.yaml does",
                cluster::resource(object.kind).plural
            )
        } else {
            format!("{object}: {message}")
        };
        Error::Forbidden { problem }
    }
}

/// Whether it was an admission webhook that refused, which chooses the code itself.
fn is_denied(status: &Status) -> bool {
    status.message.starts_with("admission webhook ") && status.message.contains(" denied the request")
}

/// What is wrong with an object, field by field where the API server says so.
fn describe_causes(status: &Status) -> String {
    let causes = status.details.iter().flat_map(|details| &details.causes).filter(|cause| !cause.field.is_empty());
    let causes: Vec<_> = causes.map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
    if causes.is_empty() { status.message.clone() } else { causes.join("; ") }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::graph::facts::Kind;

    /// What an answer of the API server to a creation means, in a word and in words.
    fn meaning(verb: &'static str, code: u16, reason: &str, message: &str, details: &Value) -> (&'static str, String) {
        let status = json!({
            "kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message, "details": details,
        });
        let object = ObjectRef { kind: Kind::Role, name: "editor".into() };
        let error = kube::Error::Api(Box::new(serde_json::from_value(status).unwrap()));
        let error = Asked { verb, environment: "team", object: &object }.refused(&error);
        let variant = match &error {
            Error::AlreadyExists { .. } => "AlreadyExists",
            Error::NotFound { .. } => "NotFound",
            Error::Conflict { .. } => "Conflict",
            Error::Invalid { .. } => "Invalid",
            Error::Forbidden { .. } => "Forbidden",
            Error::Unavailable { .. } => "Unavailable",
            other => panic!("{other:?}"),
        };
        (variant, error.to_string())
    }

    #[test]
    fn a_name_that_is_taken_is_not_a_conflict() {
        let details = json!({"name": "editor", "group": GROUP, "kind": "roles"});
        let message = "object is being deleted: roles.authz.bailiwick.dev \"editor\" already exists";
        assert_eq!(meaning("create", 409, "AlreadyExists", message, &details).0, "AlreadyExists");
        assert_eq!(meaning("patch", 409, "Conflict", "the object has been modified", &details).0, "Conflict");
        assert_eq!(meaning("patch", 422, "", "testing path /metadata/uid failed", &json!({})).0, "Conflict");
        assert_eq!(meaning("create", 422, "", "no", &json!({})).0, "Invalid");
    }

    #[test]
    fn what_is_missing_is_named_with_the_remedy() {
        let object = json!({"name": "editor", "group": GROUP, "kind": "roles"});
        assert_eq!(meaning("get", 404, "NotFound", "roles \"editor\" not found", &object).0, "NotFound");
        let namespace = json!({"name": "team", "kind": "namespaces"});
        let (variant, words) = meaning("create", 404, "NotFound", "namespaces \"team\" not found", &namespace);
        assert_eq!(variant, "Invalid");
        assert!(words.contains("kubectl create namespace team"), "{words}");
        let (variant, words) = meaning("create", 404, "NotFound", "404 page not found", &Value::Null);
        assert_eq!(variant, "Unavailable");
        assert!(words.contains("roles.authz.bailiwick.dev is not installed"), "{words}");
    }

    #[test]
    fn an_invalid_object_is_told_field_by_field() {
        let causes = json!([
            {"reason": "FieldValueInvalid", "message": "Invalid value: \"x\"", "field": "spec.slug"},
            {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.type"},
        ]);
        let details = json!({"name": "editor", "group": GROUP, "kind": "Role", "causes": causes});
        assert_eq!(
            meaning("create", 422, "Invalid", "Role \"editor\" is invalid: …", &details),
            ("Invalid", "Role `editor`: spec.slug: Invalid value: \"x\"; spec.type: Required value".to_owned())
        );
        assert_eq!(meaning("create", 500, "", "etcdserver: request is too large", &Value::Null).0, "Invalid");
        assert_eq!(meaning("create", 413, "RequestEntityTooLarge", "limit is 3145728", &Value::Null).0, "Invalid");
    }

    #[test]
    fn who_forbids_it_is_named() {
        let details = json!({"name": "editor", "group": GROUP, "kind": "roles"});
        let message = "roles.authz.bailiwick.dev is forbidden: User \"operator\" cannot create resource \"roles\" in API group \
                       \"authz.bailiwick.dev\" in the namespace \"team\"";
        assert_eq!(
            meaning("create", 403, "Forbidden", message, &details),
            (
                "Forbidden",
                "the program lacks the permission to `create` roles.authz.bailiwick.dev in the namespace `team`; grant it, as \
                 examples/operator/rbac.yaml does"
                    .to_owned()
            )
        );
        let terminating = json!({"name": "editor", "causes": [{"reason": "NamespaceTerminating", "message": "m"}]});
        let (variant, words) = meaning("create", 403, "Forbidden", "unable to create new content", &terminating);
        assert_eq!((variant, words.contains("namespace `team` is being deleted")), ("Forbidden", true), "{words}");
        let quota = meaning("create", 403, "Forbidden", "roles \"editor\" is forbidden: exceeded quota: few", &details);
        assert_eq!((quota.0, quota.1.contains("exceeded quota: few")), ("Forbidden", true), "{}", quota.1);
        for code in [400, 403, 409, 500] {
            let message = "admission webhook \"policy.example.com\" denied the request: not on Fridays";
            let (variant, words) = meaning("create", code, "", message, &Value::Null);
            assert_eq!((variant, words.contains("not on Fridays")), ("Forbidden", true), "{code}: {words}");
        }
    }

    #[test]
    fn whatever_passes_by_itself_is_unavailable() {
        for (code, message) in [(401, "Unauthorized"), (429, "too many requests"), (500, "etcdserver: leader changed")]
        {
            let (variant, words) = meaning("create", code, "", message, &Value::Null);
            assert_eq!((variant, words.contains(message)), ("Unavailable", true), "{code}: {words}");
        }
    }
}
