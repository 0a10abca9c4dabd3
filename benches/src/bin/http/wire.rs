//! The two versions of HTTP, as lean as a client can speak them: requests are rendered beforehand, and of an answer only
//! its status, its body and its end are looked at.

use std::mem;

/// A request, rendered.
#[derive(Debug)]
pub struct Request {
    bytes: Vec<u8>,
    /// Where HTTP/2 has the number of the stream.
    streams: Vec<usize>,
}

/// What one side of a connection says, and how it reads the other.
pub trait Wire: Default {
    /// How many requests can be under way.
    const SLOTS: usize;

    /// A POST of JSON.
    fn render(authority: &str, path: &str, body: &str) -> Request;

    /// What opens a connection.
    fn open(&mut self, out: &mut Vec<u8>);

    /// Sends a request, whose answer comes with this slot.
    fn send(&mut self, slot: usize, request: &Request, out: &mut Vec<u8>);

    /// Takes what was received out of `input` as far as it is whole, tells of each answer, and says what is to be said to it.
    fn receive(&mut self, input: &mut Vec<u8>, out: &mut Vec<u8>, answered: impl FnMut(usize, &[u8]));
}

/// HTTP/1.1: one request at a time.
#[derive(Debug, Default)]
pub struct Http1;

impl Wire for Http1 {
    const SLOTS: usize = 1;

    fn render(authority: &str, path: &str, body: &str) -> Request {
        let length = body.len();
        let bytes = format!(
            "POST {path} HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        Request { bytes: bytes.into_bytes(), streams: Vec::new() }
    }

    fn open(&mut self, _out: &mut Vec<u8>) {}

    fn send(&mut self, _slot: usize, request: &Request, out: &mut Vec<u8>) {
        out.extend_from_slice(&request.bytes);
    }

    fn receive(&mut self, input: &mut Vec<u8>, _out: &mut Vec<u8>, mut answered: impl FnMut(usize, &[u8])) {
        const LENGTH: &[u8] = b"content-length:";

        let Some(head) = input.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return };
        let text = str::from_utf8(&input[..head]).expect("a head in ASCII");
        assert!(text.starts_with("HTTP/1.1 200 "), "{}", String::from_utf8_lossy(input));
        let line = text
            .split("\r\n")
            .find(|line| line.as_bytes().get(..LENGTH.len()).is_some_and(|name| name.eq_ignore_ascii_case(LENGTH)));
        let length = line.and_then(|line| line[LENGTH.len()..].trim().parse::<usize>().ok()).expect("a length");
        let end = head + 4 + length;
        if input.len() < end {
            return;
        }
        answered(0, &input[head + 4..end]);
        input.drain(..end);
    }
}

/// HTTP/2 without TLS, by prior knowledge. Headers are sent in full, without the compression that depends on those before.
#[derive(Debug, Default)]
pub struct Http2 {
    last_stream: u32,
    /// The streams, their slots, and what has come of the body.
    under_way: Vec<(u32, usize, Vec<u8>)>,
}

const FRAME_HEAD: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const MAX_WINDOW: u32 = (1 << 31) - 1;

fn frame(kind: u8, flags: u8, payload: &[u8], out: &mut Vec<u8>) {
    let length = u32::try_from(payload.len()).expect("a small payload").to_be_bytes();
    out.extend_from_slice(&length[1..]);
    out.extend_from_slice(&[kind, flags, 0, 0, 0, 0]);
    out.extend_from_slice(payload);
}

impl Wire for Http2 {
    const SLOTS: usize = 8;

    fn render(authority: &str, path: &str, body: &str) -> Request {
        let short = |text: &str| u8::try_from(text.len()).ok().filter(|&length| length < 127).expect("a short text");
        // `:method: POST` and `:scheme: http` of the static table.
        let mut block = vec![0x83, 0x86];
        // Literals whose names the static table has: `:authority`, `:path`, `content-type`, `content-length`.
        for (name, value) in [
            (&[0x01][..], authority),
            (&[0x04], path),
            (&[0x0f, 0x10], "application/json"),
            (&[0x0f, 0x0d], &body.len().to_string()),
        ] {
            block.extend_from_slice(name);
            block.push(short(value));
            block.extend_from_slice(value.as_bytes());
        }
        let mut bytes = Vec::new();
        frame(HEADERS, END_HEADERS, &block, &mut bytes);
        let data = bytes.len();
        frame(DATA, END_STREAM, body.as_bytes(), &mut bytes);
        Request { bytes, streams: vec![FRAME_HEAD - 4, data + FRAME_HEAD - 4] }
    }

    fn open(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        // Nobody waits for the window of the other side: it is as large as can be.
        let mut settings = vec![0, 4];
        settings.extend_from_slice(&MAX_WINDOW.to_be_bytes());
        frame(SETTINGS, 0, &settings, out);
        frame(WINDOW_UPDATE, 0, &(MAX_WINDOW - 65_535).to_be_bytes(), out);
    }

    fn send(&mut self, slot: usize, request: &Request, out: &mut Vec<u8>) {
        let stream = if self.last_stream == 0 { 1 } else { self.last_stream + 2 };
        self.last_stream = stream;
        let start = out.len();
        out.extend_from_slice(&request.bytes);
        for at in &request.streams {
            out[start + at..start + at + 4].copy_from_slice(&stream.to_be_bytes());
        }
        self.under_way.push((stream, slot, Vec::new()));
    }

    fn receive(&mut self, input: &mut Vec<u8>, out: &mut Vec<u8>, mut answered: impl FnMut(usize, &[u8])) {
        let mut rest = &input[..];
        while let Some((head, after)) = rest.split_at_checked(FRAME_HEAD) {
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let Some((payload, after)) = after.split_at_checked(length) else { break };
            rest = after;
            let (kind, flags) = (head[3], head[4]);
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            match kind {
                // 0x88: `:status: 200` of the static table.
                HEADERS => assert!(payload.first() == Some(&0x88) && flags == END_HEADERS, "not a 200: {payload:?}"),
                DATA => {
                    let at = self.under_way.iter().position(|(id, ..)| *id == stream).expect("a stream of ours");
                    let (_, slot, body) = &mut self.under_way[at];
                    if flags & END_STREAM == 0 {
                        body.extend_from_slice(payload);
                    } else if body.is_empty() {
                        answered(*slot, payload);
                        self.under_way.swap_remove(at);
                    } else {
                        body.extend_from_slice(payload);
                        answered(*slot, &mem::take(body));
                        self.under_way.swap_remove(at);
                    }
                }
                SETTINGS if flags & ACK == 0 => frame(SETTINGS, ACK, &[], out),
                PING if flags & ACK == 0 => frame(PING, ACK, payload, out),
                SETTINGS | PING | WINDOW_UPDATE => {}
                _ => panic!("a frame of kind {kind}: {payload:?}"),
            }
        }
        let taken = input.len() - rest.len();
        input.drain(..taken);
    }
}
