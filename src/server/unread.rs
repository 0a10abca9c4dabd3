//! Bodies that nobody read.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Error,
    body::{Body, BodyDataStream, Bytes, HttpBody as _},
    extract::Request,
};
use futures::Stream;
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use tokio::time::timeout;

/// How long the body of a request is read that goes no further.
const DISMISSAL_TIME: Duration = Duration::from_secs(1);

/// What is left of the body of a request when its answer is made.
///
/// A connection is closed after the answer to a request that was not read to its end, and what still arrives then makes the
/// caller's side drop the answer before anybody has seen it. So the answers that need no body, such as refusals, wait for it too.
pub(super) struct Unread(Option<Arc<Mutex<Option<BodyDataStream>>>>);

/// The same request, whose body comes back when it is dropped.
pub(super) fn lend(request: Request) -> (Request, Unread) {
    if request.body().is_end_stream() {
        return (request, Unread(None));
    }
    let (parts, body) = request.into_parts();
    let left = Arc::default();
    let body = Body::from_stream(Lent { body: Some(body.into_data_stream()), left: Arc::clone(&left) });
    (Request::from_parts(parts, body), Unread(Some(left)))
}

impl Unread {
    /// Reads what is left, but not much more than `limit` bytes: to who sends more, the connection is closed.
    pub(super) async fn discard(self, limit: usize) {
        let Some(left) = self.0.and_then(|left| left.lock().take()) else { return };
        discard(&mut Body::from_stream(left), limit).await;
    }
}

/// The same for a request that goes no further. To who is slow, the connection is closed: who is not answered is not waited for.
pub(super) async fn dismiss(body: &mut Body, limit: usize) {
    // Whether it came to its end in time, nobody has to know.
    let _ = timeout(DISMISSAL_TIME, discard(body, limit)).await;
}

/// Reads what is left of a body, but not much more than `limit` bytes.
pub(super) async fn discard(body: &mut Body, limit: usize) {
    let mut read = 0;
    // An error ends it as well.
    while read <= limit
        && let Some(Ok(frame)) = body.frame().await
    {
        read += frame.data_ref().map_or(0, Bytes::len);
    }
}

struct Lent {
    body: Option<BodyDataStream>,
    left: Arc<Mutex<Option<BodyDataStream>>>,
}

impl Stream for Lent {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_next(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        polled
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        *self.left.lock() = self.body.take();
    }
}
