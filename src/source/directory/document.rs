//! YAML and JSON text as trees of values that know where they stand.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use serde_saphyr::{Location, MessageFormatter, Spanned, UserMessageFormatter};

/// Where something stands in a file. Both count from 1.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The character in the line.
    pub column: u64,
}

impl From<Location> for Position {
    fn from(location: Location) -> Self {
        Self { line: location.line(), column: location.column() }
    }
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where the value begins.
    pub position: Position,
    /// Where in the text it stands.
    pub span: ByteSpan,
    /// The value.
    pub content: Content,
}

/// What a [`Node`] holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// Neither a list nor a map.
    Scalar(Value),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file.
    Map(Vec<Entry>),
}

/// Bytes of a text.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByteSpan {
    /// The first one.
    pub begin: usize,
    /// How many they are; 0: that is not known, as it is of maps and lists.
    pub length: usize,
}

impl From<Location> for ByteSpan {
    fn from(location: Location) -> Self {
        let bytes = |number: Option<u64>| number.and_then(|number| usize::try_from(number).ok()).unwrap_or_default();
        let span = location.span();
        Self { begin: bytes(span.byte_offset()), length: bytes(span.byte_len()) }
    }
}

/// A field of a map.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where the key stands.
    pub position: Position,
    /// Where in the text the key stands.
    pub span: ByteSpan,
    /// The key.
    pub key: String,
    /// The value.
    pub value: Node,
}

/// Text that is no YAML, or more than is read.
#[derive(Clone, Debug)]
pub struct SyntaxError {
    /// Where, if known.
    pub position: Option<Position>,
    /// What is wrong.
    pub message: String,
}

/// Reads every document of a JSON text, one after the other.
///
/// # Errors
/// As [`parse_yaml`], and where the text is no JSON.
pub fn parse_json(text: &str) -> Result<Vec<Node>, SyntaxError> {
    let whole = text;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let bom = whole.len() - text.len();
    let mut nodes = Vec::new();
    let mut documents = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let (mut begin, mut line, mut column) = (0, 0, 0);
    while let Some(document) = documents.next() {
        document.map_err(|error| {
            let position = Position { line: error.line() as u64, column: error.column() as u64 };
            // It says where as well, but not in the way of YAML's errors.
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default().to_owned();
            SyntaxError { position: Some(position), message }
        })?;
        // JSON is YAML, and the YAML reader knows where everything stands.
        let document = &text[begin..documents.byte_offset()];
        nodes.extend(
            parse_yaml(document)
                .map_err(|SyntaxError { position, message }| SyntaxError {
                    position: position.map(|position| position.moved(line, column)),
                    message,
                })?
                .into_iter()
                .map(|mut node| {
                    node.shift(Shift { lines: line, characters: column, bytes: bom + begin });
                    node
                }),
        );
        begin = documents.byte_offset();
        match document.rsplit_once('\n') {
            Some((lines, rest)) => {
                line += lines.matches('\n').count() as u64 + 1;
                column = rest.chars().count() as u64;
            }
            None => column += document.chars().count() as u64,
        }
    }
    Ok(nodes)
}

/// Reads every document of a YAML text; empty documents are left out.
///
/// # Errors
/// Where the text is no YAML, has a duplicate key, or nests or repeats itself beyond all reason.
pub fn parse_yaml(text: &str) -> Result<Vec<Node>, SyntaxError> {
    let options = serde_saphyr::options! {
        // The text is of bounded size already, so it may hold as much as fits; what aliases add to that is bounded
        // here. The depth is what the stack of a thread holds in a build without optimization.
        budget: serde_saphyr::budget! {
            max_events: 10_000_000,
            max_nodes: 5_000_000,
            max_documents: 1_000_000,
            max_recorded_anchor_events: 100_000,
            max_depth: 40,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 100_000 },
        emit_comments: false,
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_multiple_with_options(text, options).map_err(|error| SyntaxError {
        position: error.location().map(Position::from),
        message: UserMessageFormatter.format_message(&error).into_owned(),
    })
}

impl Position {
    /// The place in the whole text, of which what was read begins after so many lines and characters.
    const fn moved(self, lines: u64, characters: u64) -> Self {
        let column = if self.line == 1 { self.column + characters } else { self.column };
        Self { line: self.line + lines, column }
    }
}

/// What comes before a text in the one that it is taken from.
#[derive(Clone, Copy)]
struct Shift {
    lines: u64,
    characters: u64,
    bytes: usize,
}

impl Node {
    fn shift(&mut self, shift: Shift) {
        let Shift { lines, characters, bytes } = shift;
        self.position = self.position.moved(lines, characters);
        self.span.begin += bytes;
        match &mut self.content {
            Content::Scalar(_) => {}
            Content::List(items) => items.iter_mut().for_each(|item| item.shift(shift)),
            Content::Map(entries) => {
                for entry in entries {
                    entry.position = entry.position.moved(lines, characters);
                    entry.span.begin += bytes;
                    entry.value.shift(shift);
                }
            }
        }
    }

    /// The value of a field; none where there is no such field, or no map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The fields; none where it is no map.
    pub fn entries(&self) -> &[Entry] {
        match &self.content {
            Content::Map(entries) => entries,
            Content::Scalar(_) | Content::List(_) => &[],
        }
    }

    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(value) => value.as_str(),
            Content::List(_) | Content::Map(_) => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(&self.content, Content::Scalar(Value::Null))
    }

    /// The items, if it is a list.
    pub fn items(&self) -> Option<&[Self]> {
        match &self.content {
            Content::List(items) => Some(items),
            Content::Scalar(_) | Content::Map(_) => None,
        }
    }

    /// The value without its places.
    pub fn to_value(&self) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::List(items) => items.iter().map(Self::to_value).collect(),
            Content::Map(entries) => {
                entries.iter().map(|entry| (entry.key.clone(), entry.value.to_value())).collect::<Map<_, _>>().into()
            }
        }
    }

    /// Where the field at a path such as `spec.permissions[3].slug` stands: its key, or the nearest thing around it
    /// that exists.
    pub fn locate(&self, path: &str) -> Position {
        let mut node = self;
        let mut position = self.position;
        for segment in path.split(['.', '[']).filter(|segment| !segment.is_empty()) {
            let next = match (&node.content, segment.strip_suffix(']')) {
                (Content::List(items), Some(index)) => {
                    index.parse().ok().and_then(|index: usize| items.get(index)).map(|item| (item.position, item))
                }
                (Content::Map(_), None) => node.entry(segment).map(|entry| (entry.position, &entry.value)),
                _ => None,
            };
            let Some(next) = next else { break };
            (position, node) = next;
        }
        position
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, .. } = Spanned::<Content>::deserialize(deserializer)?;
        Ok(Self { position: referenced.into(), span: referenced.into(), content: value })
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON can express")
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Null))
    }

    fn visit_none<E: de::Error>(self) -> Result<Content, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Content, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Content, E> {
        Ok(Content::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Content, E> {
        Ok(Content::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Content, E> {
        Ok(Content::Scalar(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Content, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number that JSON cannot express"))?;
        Ok(Content::Scalar(number.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Content, E> {
        Ok(Content::Scalar(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Content, E> {
        Ok(Content::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Content::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let value = map.next_value()?;
            let (position, span) = (key.referenced.into(), key.referenced.into());
            entries.push(Entry { position, span, key: key.value, value });
        }
        Ok(Content::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn values(text: &str) -> Vec<Value> {
        parse_yaml(text).unwrap().iter().map(Node::to_value).collect()
    }

    fn error(text: &str) -> (u64, u64, String) {
        let SyntaxError { position, message } = parse_yaml(text).unwrap_err();
        let position = position.unwrap();
        (position.line, position.column, message)
    }

    #[test]
    fn reads_several_documents_and_leaves_out_empty_ones() {
        assert_eq!(
            values("# first\na: 1\n---\n---\n# nothing\n---\nb: [x, null, true, 1.5]\n"),
            [json!({ "a": 1 }), json!({ "b": ["x", null, true, 1.5] })]
        );
        assert_eq!(values(""), Vec::<Value>::new());
        assert_eq!(values(&"# a long comment\n".repeat(1000)), Vec::<Value>::new());
    }

    #[test]
    fn reads_json_documents_one_after_the_other() {
        let nodes = parse_json("\u{feff}{\"a\": 1}{\"b\":\n2}  {\"é\": [3]}\n\n{\"d\": 4}\n").unwrap();
        let values: Vec<_> = nodes.iter().map(Node::to_value).collect();
        assert_eq!(values, [json!({ "a": 1 }), json!({ "b": 2 }), json!({ "é": [3] }), json!({ "d": 4 })]);
        let places = ["a", "b", "é[0]", "d"].into_iter().zip(&nodes).map(|(path, node)| node.locate(path));
        assert_eq!(places.map(|p| (p.line, p.column)).collect::<Vec<_>>(), [(1, 2), (1, 10), (2, 12), (4, 2)]);

        let wrong = |text| {
            let SyntaxError { position, message } = parse_json(text).unwrap_err();
            position.map(|at| format!("{}:{}: {message}", at.line, at.column)).unwrap()
        };
        assert_eq!(wrong("{}\n{\"a\": yes}"), "2:7: expected value");
        assert_eq!(wrong("{}\n{} {\"a\": 1, \"a\": 2}"), "2:13: duplicate mapping key `a` is not allowed here");
    }

    #[test]
    fn reads_json_with_tabs_or_on_one_line() {
        assert_eq!(
            values("{\n\t\"a\": [\n\t\t1,\n\t\t{\"b\": \"c\\/\\u00e9\"}\n\t]\n}\n"),
            [json!({ "a": [1, { "b": "c/é" }] })]
        );
        let long = json!({ "items": vec![json!({ "key": "value", "list": [1, 2, 3] }); 200] });
        assert_eq!(values(&long.to_string()), [long]);
    }

    #[test]
    fn takes_words_as_words() {
        assert_eq!(
            values("a: yes\nb: on\nc: 2026-01-01T00:00:00Z\nd: ~\n"),
            [json!({ "a": "yes", "b": "on", "c": "2026-01-01T00:00:00Z", "d": null })]
        );
    }

    #[test]
    fn says_where_syntax_is_wrong() {
        assert_eq!(error("a: 1\n b: 2\n"), (2, 3, "mapping values are not allowed in this context".to_owned()));
        assert_eq!(error("ok: 1\n---\na:\n\tb: 1\n").0, 4);
        assert_eq!(error("a: 1\nb: 2\na: 3\n"), (3, 1, "duplicate mapping key `a` is not allowed here".to_owned()));
        assert_eq!(error("a: *b\n").0, 1);
        assert_eq!(error("a: .nan\n").0, 1);
    }

    #[test]
    fn bounds_depth_and_aliases() {
        let nest = |depth: usize, inner: &str| format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse_yaml(&nest(40, "1")).is_ok());
        assert!(parse_yaml(&nest(41, "1")).is_err());
        assert!(parse_yaml(&format!("a: &a {}\nb: {}\n", nest(30, "1"), nest(30, "*a"))).is_err());
        let tenfold = |i: u32| format!("a{i}: &a{i} [{}]", vec![format!("*a{}", i - 1); 10].join(","));
        let bomb: Vec<_> = ["a0: &a0 [x]".to_owned()].into_iter().chain((1..10).map(tenfold)).collect();
        assert!(parse_yaml(&bomb.join("\n")).is_err());
    }

    #[test]
    fn locates_fields_or_what_is_nearest() {
        let node = parse_yaml("kind: Role\nspec:\n  list:\n    - name: a\n    - name: b\n  flow: {x: [1, 2]}\n")
            .unwrap()
            .remove(0);
        let at = |path| {
            let Position { line, column } = node.locate(path);
            (line, column)
        };
        assert_eq!(at("kind"), (1, 1));
        assert_eq!(at("spec.list[1].name"), (5, 7));
        assert_eq!(at("spec.list[1].missing"), (5, 7));
        assert_eq!(at("spec.list[7].name"), (3, 3));
        assert_eq!(at("spec.flow.x[1]"), (6, 17));
        assert_eq!(at("metadata.name"), (1, 1));
    }
}
