//! Callers whom somebody else vouches for.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use axum::http::StatusCode;
use bailiwick::server::{Config, Identity, ReviewError, Reviewer, Verb};
use futures::future::{BoxFuture, join_all};

use crate::support::{
    callers::{answering, bodiless, entry},
    router::TestServer,
};

/// Knows the token `cart`, whose owner may search in `default`.
#[derive(Debug, Default)]
struct Double {
    is_down: AtomicBool,
    identified: AtomicUsize,
    permitted: AtomicUsize,
}

impl Double {
    fn asked(&self) -> (usize, usize) {
        (self.identified.load(Ordering::Relaxed), self.permitted.load(Ordering::Relaxed))
    }

    async fn answer<T>(&self, count: &AtomicUsize, answer: T) -> Result<T, ReviewError> {
        count.fetch_add(1, Ordering::Relaxed);
        // Others come meanwhile.
        tokio::task::yield_now().await;
        if self.is_down.load(Ordering::Relaxed) { Err(ReviewError("down".to_owned())) } else { Ok(answer) }
    }
}

impl Reviewer for Double {
    fn identify<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Option<Identity>, ReviewError>> {
        let identity = Identity { name: "system:serviceaccount:shop:cart".into(), ..Identity::default() };
        Box::pin(self.answer(&self.identified, (token == "cart").then_some(identity)))
    }

    fn permits<'a>(
        &'a self,
        identity: &'a Identity,
        verb: Verb,
        environment: &'a str,
    ) -> BoxFuture<'a, Result<bool, ReviewError>> {
        assert_eq!(identity.name, "system:serviceaccount:shop:cart");
        Box::pin(self.answer(&self.permitted, verb == Verb::Search && environment == "default"))
    }

    fn remedy(&self, verb: Verb) -> String {
        format!("ask for {verb:?}")
    }
}

fn server(double: &Arc<Double>) -> TestServer {
    let key = entry("own", "key", "{environments: [default], verbs: [search]}");
    let server = TestServer::new(answering(&[key], Some(Arc::clone(double) as Arc<dyn Reviewer>)));
    server.environments.apply("default", &[]);
    server
}

const OBJECTS: &str = "/environments/default/v1/objects";
const EXPLAIN: &str = "/environments/default/access/v1/evaluation";

#[tokio::test]
async fn the_same_token_is_asked_about_once() {
    let double = Arc::<Double>::default();
    let server = server(&double);
    let answers = join_all((0..16).map(|_| server.api.send(bodiless("GET", OBJECTS, Some("cart"))))).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    assert_eq!(double.asked(), (1, 1));
    server.api.send(bodiless("GET", OBJECTS, Some("cart"))).await.ok();
    assert_eq!(double.asked(), (1, 1), "it is remembered");

    for _ in 0..3 {
        let message = server.api.send(bodiless("POST", EXPLAIN, Some("cart"))).await.error(403, "not_permitted");
        assert_eq!(
            message,
            "`system:serviceaccount:shop:cart` may not `check` in environment `default`: ask for Check"
        );
    }
    assert_eq!(double.asked(), (1, 2), "a no is remembered as well");
    for _ in 0..3 {
        server.api.send(bodiless("GET", OBJECTS, Some("nobody's"))).await.error(401, "unauthenticated");
    }
    assert_eq!(double.asked(), (2, 2));
}

#[tokio::test]
async fn what_cannot_be_found_out_is_never_a_yes() {
    let double = Arc::<Double>::default();
    let server = server(&double);
    double.is_down.store(true, Ordering::Relaxed);
    let answers = join_all((0..16).map(|_| server.api.send(bodiless("GET", OBJECTS, Some("cart"))))).await;
    for answer in &answers {
        answer.error(503, "not_reviewed");
        assert_eq!(answer.header("retry-after"), "1");
    }
    assert_eq!(double.asked(), (1, 0), "trouble is not made worse");
    server.api.send(bodiless("GET", OBJECTS, Some("key"))).await.ok();
}

#[tokio::test]
async fn an_environment_that_cannot_be_or_is_not_served_is_not_asked_about() {
    let double = Arc::<Double>::default();
    let served_environments = Some(["default".to_owned()].into());
    let key = entry("own", "key", "{environments: [default], verbs: [search]}");
    let config = answering(&[key], Some(Arc::clone(&double) as Arc<dyn Reviewer>));
    let server = TestServer::new(Config { served_environments, ..config });
    for name in ["De%20fault", "elsewhere"] {
        let path = format!("/environments/{name}/v1/objects");
        let answer = server.api.send(bodiless("GET", &path, Some("cart"))).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{answer:?}");
    }
    assert_eq!(double.asked(), (1, 0));
    server.api.send(bodiless("GET", OBJECTS, Some("cart"))).await.ok();
    assert_eq!(double.asked(), (1, 1));
}
