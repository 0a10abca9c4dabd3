//! A request that is under way for as long as a test wants.

use std::{
    io::{Read as _, Write as _},
    net::{TcpStream, ToSocketAddrs},
};

use super::wait::PATIENCE;

const BODY: &str = r#"{"subject":{"type":"user","id":"alice"},"action":{"name":"edit"},"resource":{"type":"organization","id":"acme"}}"#;

/// An evaluation whose body is still to come.
pub struct Unfinished(TcpStream);

impl Unfinished {
    /// Sends all but the body. When this returns, the request has reached its handler.
    pub fn send(address: impl ToSocketAddrs) -> Self {
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        // The server asks for the body, and by that shows that the handler waits for it.
        let head = format!(
            "POST /access/v1/evaluation HTTP/1.1\r\nhost: bailiwick\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nexpect: 100-continue\r\n\r\n",
            BODY.len()
        );
        stream.write_all(head.as_bytes()).expect("the head is sent");
        let mut interim = [0; 25];
        stream.read_exact(&mut interim).expect("an interim response");
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        Self(stream)
    }

    /// Sends the body, and returns the response with its head.
    pub fn finish(mut self) -> String {
        self.0.write_all(BODY.as_bytes()).expect("the body is sent");
        let mut response = String::new();
        self.0.read_to_string(&mut response).expect("a response, then the end of the connection");
        response
    }
}
