//! What happens on a connection, so that who does nothing or too little is noticed.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::sleep,
};

use super::frames::Frames;

/// What a connection of HTTP/2 begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// In so many steps a time is waited for; it is exceeded by one step at the most.
const STEPS: u32 = 4;

/// How far a connection has come.
#[derive(Debug, Default)]
pub struct Progress {
    begun: AtomicUsize,
    ended: AtomicUsize,
    /// How many bytes were received.
    received: AtomicUsize,
    /// How many had been when the last request began or ended.
    received_by_then: AtomicUsize,
    is_http2: AtomicBool,
    /// With HTTP/2: which head is incomplete ([`Frames::receive`]); 0: none is.
    incomplete_head: AtomicUsize,
}

impl Progress {
    /// Ends when no request was under way for so long, or a quarter longer.
    pub async fn idle_for(&self, time: Duration) {
        unchanged_for(time, || self.idle()).await;
    }

    /// Ends when the head of a request began to arrive so long ago, or a quarter longer, and has not come to its end. With
    /// HTTP/2 it does not matter whether other requests are under way.
    pub async fn head_incomplete_for(&self, time: Duration) {
        unchanged_for(time, || self.incomplete_head()).await;
    }

    /// How many requests there were, if none is under way.
    fn idle(&self) -> Option<usize> {
        let ended = self.ended.load(Ordering::Relaxed);
        (self.begun.load(Ordering::Relaxed) == ended).then_some(ended)
    }

    /// Which head is incomplete, if one is: a number that no other head of the connection has.
    fn incomplete_head(&self) -> Option<usize> {
        if self.is_http2.load(Ordering::Relaxed) {
            let head = self.incomplete_head.load(Ordering::Relaxed);
            return (head != 0).then_some(head);
        }
        let received = self.received.load(Ordering::Relaxed);
        self.idle().filter(|_| received != self.received_by_then.load(Ordering::Relaxed))
    }

    fn note(&self, requests: &AtomicUsize) {
        self.received_by_then.store(self.received.load(Ordering::Relaxed), Ordering::Relaxed);
        requests.fetch_add(1, Ordering::Relaxed);
    }
}

/// Ends when the same was there for so long.
async fn unchanged_for(time: Duration, look: impl Fn() -> Option<usize>) {
    let (mut known, mut steps) = (look(), 0);
    while steps < STEPS {
        sleep(time / STEPS).await;
        let now = look();
        steps = if now.is_some() && now == known { steps + 1 } else { 0 };
        known = now;
    }
}

/// A request that is under way until this is dropped.
pub struct UnderWay(Arc<Progress>);

impl UnderWay {
    /// A request begins.
    pub fn begin(progress: &Arc<Progress>) -> Self {
        progress.note(&progress.begun);
        Self(Arc::clone(progress))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.note(&self.0.ended);
    }
}

/// A stream of bytes that tells how many were received.
pub struct Observed<T> {
    stream: T,
    progress: Arc<Progress>,
    /// How much of [`PREFACE`] has come; none: all of it, or something else.
    preface: Option<usize>,
    /// What follows the preface.
    frames: Frames,
}

impl<T> Observed<T> {
    /// The stream of a connection.
    pub fn new(stream: T, progress: Arc<Progress>) -> Self {
        Self { stream, progress, preface: Some(0), frames: Frames::default() }
    }

    fn note(&mut self, received: &[u8]) {
        self.progress.received.fetch_add(received.len(), Ordering::Relaxed);
        let Some(known) = self.preface else { return self.note_frames(received) };
        let rest = PREFACE.get(known..).unwrap_or_default();
        if let Some(frames) = received.strip_prefix(rest) {
            self.progress.is_http2.store(true, Ordering::Relaxed);
            self.preface = None;
            self.note_frames(frames);
        } else {
            self.preface = rest.starts_with(received).then(|| known + received.len());
        }
    }

    fn note_frames(&mut self, received: &[u8]) {
        if self.progress.is_http2.load(Ordering::Relaxed) {
            let head = self.frames.receive(received).unwrap_or(0);
            self.progress.incomplete_head.store(head, Ordering::Relaxed);
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Observed<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.note(buffer.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Observed<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncReadExt as _, time::Instant};

    use super::*;

    /// Reads these parts, one at a time.
    async fn observed(parts: &[&[u8]]) -> Arc<Progress> {
        let progress = Arc::new(Progress::default());
        let mut stream = Observed::new(io::Cursor::new(parts.concat()), Arc::clone(&progress));
        for part in parts {
            stream.read_exact(&mut vec![0; part.len()]).await.unwrap();
        }
        progress
    }

    #[tokio::test]
    async fn http2_is_told_by_what_it_begins_with() {
        let (head, settings) = (&b"\0\0\x05\x01\x04\0\0\0\x01x"[..], &b"\0\0\0\x04\0\0\0\0\0"[..]);
        for (parts, is_http2, head_is_incomplete) in [
            (&[PREFACE][..], true, false),
            (&[&PREFACE[..1], &PREFACE[1..20], &PREFACE[20..], settings], true, false),
            (&[&[PREFACE, settings].concat()], true, false),
            (&[&[PREFACE, settings, head].concat()], true, true),
            (&[&[PREFACE, settings, head].concat(), b"xxxx"], true, false),
            (&[PREFACE, head], true, true),
            (&[b"PRI / HTTP/1.1\r\n"], false, true),
            (&[b"P", b"OST / HTTP/1.1\r\n"], false, true),
            (&[b"GET / HTTP/1.1\r\n", PREFACE, settings], false, true),
            (&[&PREFACE[..23]], false, true),
        ] {
            let progress = observed(parts).await;
            assert_eq!(progress.is_http2.load(Ordering::Relaxed), is_http2, "{parts:?}");
            assert_eq!(progress.incomplete_head().is_some(), head_is_incomplete, "{parts:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_takes_its_time_from_its_first_byte_whatever_follows() {
        let time = Duration::from_secs(8);
        let progress = Arc::new(Progress::default());
        let mut stream = Observed::new(tokio::io::repeat(b'x'), Arc::clone(&progress));
        let began = Instant::now();
        let dripping = async {
            loop {
                stream.read_u8().await.unwrap();
                sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            () = dripping => unreachable!("it goes on"),
            () = progress.head_incomplete_for(time) => {}
        }
        assert!((time..=time * 5 / 4).contains(&began.elapsed()), "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn only_an_incomplete_head_runs_out_of_time() {
        let time = Duration::from_secs(8);
        let runs_out = async |progress: &Progress| {
            tokio::time::timeout(time * 10, progress.head_incomplete_for(time)).await.is_ok()
        };
        let progress = observed(&[b"GET / HTTP/1.1\r\n\r\n"]).await;
        let under_way = UnderWay::begin(&progress);
        assert!(!runs_out(&progress).await, "a request is under way");
        drop(under_way);
        assert!(!runs_out(&progress).await, "nothing has followed");
        progress.received.fetch_add(1, Ordering::Relaxed);
        assert!(runs_out(&progress).await);
        let settings = b"\0\0\0\x04\0\0\0\0\0";
        let http2 = observed(&[PREFACE, settings]).await;
        assert!(!runs_out(&http2).await, "only the settings have come");
        let http2 = observed(&[PREFACE, settings, b"\0\0\x05\x01\0\0\0\0\x01xxxxx"]).await;
        let _under_way = UnderWay::begin(&http2);
        assert!(runs_out(&http2).await, "whatever else is under way, a continuation is missing");
    }
}
