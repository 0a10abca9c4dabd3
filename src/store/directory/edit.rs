//! What has to be changed in a text so that a value in it becomes another one, and as little as possible besides.

use std::ops::Range;

use serde_json::{Map, Value};

use crate::source::directory::document::{Content, Entry, Node};

/// Changes of a text. None of them overlap.
#[derive(Debug)]
pub struct Patch<'a> {
    text: &'a str,
    /// How its lines end.
    line_end: &'static str,
    changes: Vec<(Range<usize>, String)>,
}

/// It cannot be done so: what is around has to be written anew.
#[derive(Debug)]
pub struct TooFine;

type Outcome = Result<(), TooFine>;

/// Whether line breaks and indentation have a meaning where something stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Style {
    /// They do.
    Block,
    /// They do not: it is between braces or brackets.
    Flow,
}

impl<'a> Patch<'a> {
    /// No changes yet.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        Self { text, line_end, changes: Vec::new() }
    }

    /// The text with the changes.
    #[must_use]
    pub fn applied(mut self) -> String {
        self.changes.sort_by_key(|(range, _)| (range.start, range.end));
        let mut result = String::with_capacity(self.text.len());
        let mut from = 0;
        for (range, new) in self.changes {
            result.push_str(self.text.get(from..range.start).unwrap_or_default());
            result.push_str(&new);
            from = range.end;
        }
        result.push_str(self.text.get(from..).unwrap_or_default());
        result
    }

    /// Takes away what stands in a range.
    fn remove(&mut self, range: Range<usize>) {
        self.changes.push((range, String::new()));
    }

    /// Makes a document another one. It ends before `end`.
    pub fn change_document(&mut self, node: &Node, new: &Value, end: usize) {
        if self.value(node, new, end, Style::Block).is_err() {
            self.rewrite_document(node, new, end);
        }
    }

    /// Writes a document anew as a whole.
    pub fn rewrite_document(&mut self, node: &Node, new: &Value, end: usize) {
        let new = if self.is_flow(node) { format!("{new:#}") } else { to_yaml(new) };
        let new = self.lines_of(new.trim_end(), 0);
        self.changes.push((node.span.begin..self.content_end(node, end), new));
    }

    /// Takes a document away, but not the comments around it. It ends before `end`.
    pub fn remove_document(&mut self, node: &Node, end: usize) {
        let mut begin = node.span.begin;
        if self.is_first_on_line(begin) {
            begin = self.line_start(begin);
        }
        let content_end = self.content_end(node, end);
        let (before, after) = (&self.text[..begin], &self.text[content_end..end]);
        // Without comments the line of dashes above it goes as well.
        let above = before.trim_end();
        let is_alone = after.trim().is_empty();
        if is_alone && above.is_empty() {
            self.remove(0..end);
        } else if is_alone && (above == "---" || above.ends_with("\n---")) {
            self.remove(above.len() - "---".len()..end);
        } else {
            let line_end = after.find('\n').map_or(after.len(), |line_end| line_end + 1);
            self.remove(begin..content_end + line_end);
        }
    }

    /// Makes a value another one. All that belongs to it stands before `end`.
    fn value(&mut self, node: &Node, new: &Value, end: usize, around: Style) -> Outcome {
        if node.to_value() == *new {
            return Ok(());
        }
        let mark = self.changes.len();
        let outcome = match (&node.content, new) {
            (Content::Map(entries), Value::Object(fields)) if !entries.is_empty() && !fields.is_empty() => {
                if self.is_flow(node) { self.flow_map(entries, fields) } else { self.block_map(entries, fields, end) }
            }
            (Content::List(items), Value::Array(values)) if !items.is_empty() && !values.is_empty() => {
                if self.is_flow(node) { self.flow_list(items, values) } else { self.block_list(items, values, end) }
            }
            _ => self.replace(node, new, around),
        };
        if outcome.is_err() {
            self.changes.truncate(mark);
        }
        outcome
    }

    /// Puts a value in the place of another one, where that is on one line or between braces.
    fn replace(&mut self, node: &Node, new: &Value, around: Style) -> Outcome {
        let is_collection = matches!(new, Value::Array(items) if !items.is_empty())
            || matches!(new, Value::Object(fields) if !fields.is_empty());
        if around == Style::Block && is_collection {
            return Err(TooFine);
        }
        let range = node.span.begin..self.flow_end(node)?;
        let old = self.text.get(range.clone()).ok_or(TooFine)?;
        if range.is_empty() || old.starts_with(['|', '>']) || old.contains('\n') && around == Style::Block {
            return Err(TooFine);
        }
        let new = if around == Style::Flow { new.to_string() } else { to_yaml(new).trim_end().to_owned() };
        self.changes.push((range, new));
        Ok(())
    }

    fn block_map(&mut self, entries: &[Entry], fields: &Map<String, Value>, end: usize) -> Outcome {
        let ends = entries.iter().skip(1).map(|entry| self.line_start(entry.span.begin)).chain([end]);
        let mut last_kept = None;
        for (entry, end) in entries.iter().zip(ends.collect::<Vec<_>>()) {
            let content_end = self.content_end(&entry.value, end);
            if content_end <= entry.span.begin {
                return Err(TooFine);
            }
            let Some(new) = fields.get(&entry.key) else {
                self.remove_lines(entry.span.begin, content_end)?;
                continue;
            };
            last_kept = Some((self.indentation(entry.span.begin)?, content_end));
            if self.value(&entry.value, new, end, Style::Block).is_err() {
                let lines = self.lines(&field(&entry.key, new), self.indentation(entry.span.begin)?);
                self.changes.push((entry.span.begin..content_end, lines));
            }
        }
        let (indentation, content_end) = last_kept.ok_or(TooFine)?;
        for (key, value) in fields.iter().filter(|(key, _)| entries.iter().all(|entry| entry.key != **key)) {
            self.insert_lines(content_end, &field(key, value), indentation);
        }
        Ok(())
    }

    fn block_list(&mut self, items: &[Node], values: &[Value], end: usize) -> Outcome {
        let dashes = items.iter().map(|item| self.dash(item)).collect::<Result<Vec<_>, _>>()?;
        let indentation = self.indentation(dashes[0])?;
        let end_of = |index: usize| dashes.get(index + 1).map_or(end, |&dash| self.line_start(dash));
        let contents: Vec<_> = items.iter().enumerate().map(|(i, item)| self.content_end(item, end_of(i))).collect();
        let ends: Vec<_> = (0..items.len()).map(end_of).collect();
        let (old, new) = differing(items, values);
        for (index, value) in old.clone().zip(&values[new.clone()]) {
            if self.value(&items[index], value, ends[index], Style::Block).is_err() {
                let lines = self.lines(&Value::Array(vec![value.clone()]), indentation);
                self.changes.push((dashes[index]..contents[index], lines));
            }
        }
        for index in old.clone().skip(new.len()) {
            self.remove_lines(dashes[index], contents[index])?;
        }
        let added = &values[new.clone()][old.len().min(new.len())..];
        if !added.is_empty() {
            let added = Value::Array(added.to_vec());
            let before = old.start + old.len().min(new.len());
            match before.checked_sub(1) {
                Some(before) => self.insert_lines(contents[before], &added, indentation),
                None if self.is_first_on_line(dashes[0]) => {
                    let lines = self.lines(&added, indentation) + self.line_end + &" ".repeat(indentation);
                    self.changes.push((dashes[0]..dashes[0], lines));
                }
                None => return Err(TooFine),
            }
        }
        Ok(())
    }

    fn flow_map(&mut self, entries: &[Entry], fields: &Map<String, Value>) -> Outcome {
        let spans = entries.iter().map(|entry| Ok(entry.span.begin..self.flow_end(&entry.value)?));
        let spans = spans.collect::<Result<Vec<_>, TooFine>>()?;
        let kept: Vec<bool> = entries.iter().map(|entry| fields.contains_key(&entry.key)).collect();
        for entry in entries {
            if let Some(new) = fields.get(&entry.key) {
                self.value(&entry.value, new, 0, Style::Flow)?;
            }
        }
        let added = fields.iter().filter(|(key, _)| entries.iter().all(|entry| entry.key != **key));
        let added = added.map(|(key, value)| format!("{}: {value}", Value::from(key.as_str()))).collect();
        self.flow_members(&spans, &kept, added)
    }

    fn flow_list(&mut self, items: &[Node], values: &[Value]) -> Outcome {
        let spans = items.iter().map(|item| Ok(item.span.begin..self.flow_end(item)?));
        let spans = spans.collect::<Result<Vec<_>, TooFine>>()?;
        let (old, new) = differing(items, values);
        let common = old.len().min(new.len());
        let added = &values[new.start + common..new.end];
        if !added.is_empty() && old.end < items.len() {
            return Err(TooFine);
        }
        for (index, value) in old.clone().zip(&values[new.clone()]) {
            self.value(&items[index], value, 0, Style::Flow)?;
        }
        let removed = old.start + common..old.end;
        let kept: Vec<bool> = (0..items.len()).map(|index| !removed.contains(&index)).collect();
        self.flow_members(&spans, &kept, added.iter().map(ToString::to_string).collect())
    }

    /// Takes members out of what is between braces or brackets, and adds others at the end.
    fn flow_members(&mut self, spans: &[Range<usize>], kept: &[bool], added: Vec<String>) -> Outcome {
        let is_orderly = |pair: &[Range<usize>]| pair[0].end <= pair[1].start;
        let (Some(last_kept), true) = (kept.iter().rposition(|kept| *kept), spans.windows(2).all(is_orderly)) else {
            return Err(TooFine);
        };
        for index in (0..spans.len()).filter(|&index| !kept[index]) {
            // With what separates it from the next one; behind the last that is kept, from the one before.
            let range = if index < last_kept {
                spans[index].start..spans[index + 1].start
            } else {
                spans[index - 1].end..spans[index].end
            };
            self.remove(range);
        }
        let last = &spans[last_kept];
        let separator = if self.is_first_on_line(last.start) {
            format!(",{}{}", self.line_end, &self.text[self.line_start(last.start)..last.start])
        } else {
            ", ".to_owned()
        };
        let added: String = added.into_iter().flat_map(|member| [separator.clone(), member]).collect();
        if !added.is_empty() {
            self.changes.push((last.end..last.end, added));
        }
        Ok(())
    }

    fn is_flow(&self, node: &Node) -> bool {
        self.text.get(node.span.begin..).is_some_and(|text| text.starts_with(['{', '[']))
    }

    /// Where a value ends that is between braces or on one line.
    fn flow_end(&self, node: &Node) -> Result<usize, TooFine> {
        let (last, close) = match &node.content {
            Content::Scalar(_) => return Ok(node.span.begin + node.span.length),
            Content::List(items) => (items.last(), ']'),
            Content::Map(entries) => (entries.last().map(|entry| &entry.value), '}'),
        };
        if !self.is_flow(node) {
            return Err(TooFine);
        }
        let from = last.map_or(Ok(node.span.begin + 1), |last| self.flow_end(last))?;
        let rest = self.text.get(from..).ok_or(TooFine)?;
        let between = rest.find(|letter: char| !letter.is_whitespace() && letter != ',').ok_or(TooFine)?;
        rest[between..].starts_with(close).then_some(from + between + close.len_utf8()).ok_or(TooFine)
    }

    /// Where the last line ends that says something of a value, of which nothing is said from `end` on.
    fn content_end(&self, node: &Node, end: usize) -> usize {
        let begin = node.span.begin;
        let mut content_end = begin;
        let mut at = begin;
        for line in self.text.get(begin..end).unwrap_or_default().split_inclusive('\n') {
            let said = line.trim();
            if !said.is_empty() && !said.starts_with('#') {
                content_end = at + line.trim_end_matches(['\r', '\n']).len();
            }
            at += line.len();
        }
        // In a block of text what looks like a comment is none.
        let last = last_scalar(node);
        let last_end = last.span.begin + last.span.length;
        if last.span.length > 0 && last_end > content_end && last_end <= end {
            let said = self.text.get(last.span.begin..last_end).unwrap_or_default();
            content_end = last.span.begin + said.trim_end_matches(['\r', '\n']).len();
        }
        content_end
    }

    /// Takes away whole lines.
    fn remove_lines(&mut self, begin: usize, content_end: usize) -> Outcome {
        if !self.is_first_on_line(begin) {
            return Err(TooFine);
        }
        let rest = self.text.get(content_end..).unwrap_or_default();
        let end = rest.find('\n').map_or(self.text.len(), |end| content_end + end + 1);
        self.remove(self.line_start(begin)..end);
        Ok(())
    }

    /// Adds lines behind another one.
    fn insert_lines(&mut self, after: usize, value: &Value, indentation: usize) {
        let lines = format!("{}{}{}", self.line_end, " ".repeat(indentation), self.lines(value, indentation));
        self.changes.push((after..after, lines));
    }

    /// A value in lines, of which all but the first are indented, and the last does not end.
    fn lines(&self, value: &Value, indentation: usize) -> String {
        self.lines_of(to_yaml(value).trim_end(), indentation)
    }

    fn lines_of(&self, text: &str, indentation: usize) -> String {
        let lines: Vec<&str> = text.lines().collect();
        lines.join(&format!("{}{}", self.line_end, " ".repeat(indentation)))
    }

    /// The dash before an item on its line.
    fn dash(&self, item: &Node) -> Result<usize, TooFine> {
        let line_start = self.line_start(item.span.begin);
        let before = self.text.get(line_start..item.span.begin).ok_or(TooFine)?.trim_end_matches(' ');
        before.ends_with('-').then(|| line_start + before.len() - 1).ok_or(TooFine)
    }

    fn line_start(&self, offset: usize) -> usize {
        self.text.get(..offset).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1)
    }

    /// How far something is indented that may stand behind dashes.
    fn indentation(&self, offset: usize) -> Result<usize, TooFine> {
        let before = self.text.get(self.line_start(offset)..offset).ok_or(TooFine)?;
        before.bytes().all(|byte| matches!(byte, b' ' | b'-')).then_some(before.len()).ok_or(TooFine)
    }

    fn is_first_on_line(&self, offset: usize) -> bool {
        self.text.get(self.line_start(offset)..offset).is_some_and(|before| before.trim().is_empty())
    }
}

fn last_scalar(node: &Node) -> &Node {
    match &node.content {
        Content::Scalar(_) => node,
        Content::List(items) => items.last().map_or(node, last_scalar),
        Content::Map(entries) => entries.last().map_or(node, |entry| last_scalar(&entry.value)),
    }
}

/// What is left of the items and of the values without what both begin and end with.
fn differing(items: &[Node], values: &[Value]) -> (Range<usize>, Range<usize>) {
    let items: Vec<Value> = items.iter().map(Node::to_value).collect();
    let same_begin = items.iter().zip(values).take_while(|(item, value)| item == value).count();
    let (items_left, values_left) = (&items[same_begin..], &values[same_begin..]);
    let same_end =
        items_left.iter().rev().zip(values_left.iter().rev()).take_while(|(item, value)| item == value).count();
    (same_begin..items.len() - same_end, same_begin..values.len() - same_end)
}

fn field(key: &str, value: &Value) -> Value {
    Value::Object(Map::from_iter([(key.to_owned(), value.clone())]))
}

/// A value as YAML, in lines of their own.
#[must_use]
pub fn to_yaml(value: &Value) -> String {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    // INVARIANT: whatever is JSON is YAML.
    #[expect(clippy::expect_used, reason = "unreachable, see the invariant")]
    serde_saphyr::to_string_with_options(value, options).expect("JSON as YAML")
}
