//! The frames that a client of HTTP/2 sends, so that a head that does not come to its end is noticed.
//!
//! What a frame says is hyper's business; this looks at where frames begin and end, and no farther.

/// How long the header of a frame is: its length in three bytes, then its type, its flags and its stream.
const HEADER: usize = 9;

/// The type of a frame that a head (or the trailers of a request) begins with.
const HEADERS: u8 = 1;

/// The type of a frame that goes on with one.
const CONTINUATION: u8 = 9;

/// The flag of the frame that a head ends with.
const END_HEADERS: u8 = 4;

/// How far the frames of a connection have come.
#[derive(Debug, Default)]
pub struct Frames {
    header: [u8; HEADER],
    /// How much of the header has come; none: the next frame has not begun.
    known: usize,
    /// How much of the frame is to come after its header.
    to_come: usize,
    /// The frame is a part of a head.
    in_head: bool,
    /// The head goes on in another frame.
    continued: bool,
    /// How many heads, or other frames, have begun.
    begun: usize,
}

impl Frames {
    /// Takes what is received next. Which of the heads is incomplete then, if one is: another number for each of them, and
    /// never 0. What may still turn out to be the beginning of one is taken for one.
    pub fn receive(&mut self, mut bytes: &[u8]) -> Option<usize> {
        while !bytes.is_empty() {
            let passed = if self.to_come > 0 { self.pass(bytes.len()) } else { self.read_header(bytes) };
            bytes = bytes.get(passed..).unwrap_or_default();
        }
        let incomplete = self.continued || self.known > 0 || (self.in_head && self.to_come > 0);
        incomplete.then_some(self.begun)
    }

    fn pass(&mut self, most: usize) -> usize {
        let passed = most.min(self.to_come);
        self.to_come -= passed;
        passed
    }

    fn read_header(&mut self, bytes: &[u8]) -> usize {
        if self.known == 0 && !self.continued {
            self.begun = self.begun.wrapping_add(1).max(1);
        }
        let rest = self.header.get_mut(self.known..).unwrap_or_default();
        let read = rest.len().min(bytes.len());
        for (to, from) in rest.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.known += read;
        if self.known == HEADER {
            let [high, middle, low, kind, flags, ..] = self.header;
            self.known = 0;
            self.to_come = u32::from_be_bytes([0, high, middle, low]) as usize;
            self.in_head = matches!(kind, HEADERS | CONTINUATION);
            self.continued = self.in_head && flags & END_HEADERS == 0;
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: u8 = 4;
    const DATA: u8 = 0;

    fn frame(kind: u8, flags: u8, length: u8) -> Vec<u8> {
        let mut frame = vec![0, 0, length, kind, flags, 0, 0, 0, 1];
        frame.extend(std::iter::repeat_n(b'x', length.into()));
        frame
    }

    /// Which head is incomplete after each of these bytes.
    fn after_each(bytes: &[u8]) -> Vec<Option<usize>> {
        let mut frames = Frames::default();
        bytes.iter().map(|byte| frames.receive(&[*byte])).collect()
    }

    #[test]
    fn a_head_is_incomplete_from_its_first_byte_to_its_last() {
        for head in [
            vec![frame(HEADERS, END_HEADERS, 5)],
            vec![frame(HEADERS, END_HEADERS, 0)],
            vec![frame(HEADERS, 0, 5), frame(CONTINUATION, 0, 0), frame(CONTINUATION, END_HEADERS, 3)],
            vec![frame(HEADERS, 0, 0), frame(CONTINUATION, END_HEADERS, 0)],
        ] {
            let head = head.concat();
            let mut expected = vec![Some(1); head.len() - 1];
            expected.push(None);
            assert_eq!(after_each(&head), expected, "{head:?}");
        }
    }

    #[test]
    fn each_head_is_another_one_and_other_frames_are_none() {
        let frames = [
            frame(SETTINGS, 0, 6),
            frame(HEADERS, END_HEADERS, 4),
            // A flag of another meaning.
            frame(DATA, END_HEADERS, 200),
            frame(DATA, 0, 200),
            frame(HEADERS, 0, 4),
        ];
        let heads: Vec<_> = frames
            .iter()
            .map(Vec::len)
            .scan(0, |end, length| {
                *end += length;
                Some(*end)
            })
            .collect();
        let after = after_each(&frames.concat());
        for (end, number) in heads.iter().zip([None, None, None, None, Some(5)]) {
            assert_eq!(after[end - 1], number, "after {end} bytes");
        }
        let of_data = &after[heads[1] + HEADER..heads[2]];
        assert!(of_data.iter().all(Option::is_none), "the rest of a body may come as slowly as it likes");
        assert_eq!(after[heads[1] - 2], Some(2));
    }

    #[test]
    fn it_does_not_matter_in_which_parts_bytes_are_received() {
        let bytes = [
            frame(HEADERS, 0, 7),
            frame(CONTINUATION, END_HEADERS, 20),
            frame(DATA, 1, 30),
            frame(HEADERS, END_HEADERS, 9),
            frame(SETTINGS, 0, 0),
        ]
        .concat();
        let after = after_each(&bytes);
        for first in 1..bytes.len() {
            for second in first + 1..=bytes.len() {
                let mut frames = Frames::default();
                assert_eq!(frames.receive(&bytes[..first]), after[first - 1]);
                assert_eq!(frames.receive(&bytes[first..second]), after[second - 1], "{first} {second}");
            }
        }
    }
}
