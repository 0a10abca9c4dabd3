//! Texts with placeholders.

use std::borrow::Cow;

use super::review::Attributes;

/// What the core API group is called in a text: it has no name of its own, and no other group has this one.
const CORE_GROUP: &str = "core";

/// A text with placeholders, such as `{apiGroup}/{resource}:{verb}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(Placeholder),
}

/// What is put in: something that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    ApiGroup,
    /// The kind's plural with, after a slash, the subresource, if there is one.
    Resource,
    Namespace,
    Name,
    Path,
    Verb,
}

/// What can be put in where an object is asked about.
pub const OF_RESOURCE: &[Placeholder] =
    &[Placeholder::ApiGroup, Placeholder::Resource, Placeholder::Namespace, Placeholder::Name, Placeholder::Verb];

/// What can be put in where a path is asked about.
pub const OF_PATH: &[Placeholder] = &[Placeholder::Path, Placeholder::Verb];

impl Placeholder {
    const fn name(self) -> &'static str {
        match self {
            Self::ApiGroup => "apiGroup",
            Self::Resource => "resource",
            Self::Namespace => "namespace",
            Self::Name => "name",
            Self::Path => "path",
            Self::Verb => "verb",
        }
    }

    /// Empty: it is not given.
    fn value(self, attributes: &Attributes) -> Cow<'_, str> {
        match (attributes, self) {
            (Attributes::Resource(of), Self::ApiGroup) if of.group.is_empty() => CORE_GROUP.into(),
            (Attributes::Resource(of), Self::ApiGroup) => of.group.as_str().into(),
            (Attributes::Resource(of), Self::Resource) if of.subresource.is_empty() => of.resource.as_str().into(),
            (Attributes::Resource(of), Self::Resource) => format!("{}/{}", of.resource, of.subresource).into(),
            (Attributes::Resource(of), Self::Namespace) => of.namespace.as_str().into(),
            (Attributes::Resource(of), Self::Name) => of.name.as_str().into(),
            (Attributes::Resource(of), Self::Verb) => of.verb.as_str().into(),
            (Attributes::Path(of), Self::Path) => of.path.as_str().into(),
            (Attributes::Path(of), Self::Verb) => of.verb.as_str().into(),
            (Attributes::Resource(_), Self::Path)
            | (Attributes::Path(_), Self::ApiGroup | Self::Resource | Self::Namespace | Self::Name) => "".into(),
        }
    }
}

impl Template {
    /// The template that a text is, in which these placeholders may be used.
    ///
    /// Between two placeholders there must be a `/` or a `:`: else different objects could give the same text, as `a-b` and `c`
    /// with `{namespace}-{name}` would give that of `a` and `b-c`.
    ///
    /// # Errors
    /// What is wrong with it, to be read after the name of its field.
    pub fn parse(text: &str, known: &[Placeholder]) -> Result<Self, String> {
        if text.is_empty() {
            return Err("is empty".to_owned());
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or("has a `{` without a `}`")?;
            let placeholder =
                known.iter().copied().find(|placeholder| placeholder.name() == name).ok_or_else(|| {
                    let known: Vec<_> = known.iter().map(|placeholder| format!("{{{}}}", placeholder.name())).collect();
                    format!("has the placeholder `{{{name}}}`; what can be used here is {}", known.join(", "))
                })?;
            if !parts.is_empty() && !before.contains(['/', ':']) {
                return Err("has two placeholders without a `/` or `:` between them, so that different objects could \
                            become the same"
                    .to_owned());
            }
            push_text(&mut parts, before)?;
            parts.push(Part::Placeholder(placeholder));
            rest = after;
        }
        push_text(&mut parts, rest)?;
        Ok(Self(parts))
    }

    /// The text itself, where it has no placeholder.
    pub fn fixed(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether it is this placeholder and nothing else.
    pub fn is(&self, placeholder: Placeholder) -> bool {
        self.0 == [Part::Placeholder(placeholder)]
    }

    /// The text for what is asked about. None: something that it needs is not given.
    pub fn fill(&self, attributes: &Attributes) -> Option<String> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(fixed) => text.push_str(fixed),
                Part::Placeholder(placeholder) => {
                    let value = placeholder.value(attributes);
                    if value.is_empty() {
                        return None;
                    }
                    text.push_str(&value);
                }
            }
        }
        Some(text)
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) -> Result<(), String> {
    if text.contains('}') {
        return Err("has a `}` without a `{`".to_owned());
    }
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
    Ok(())
}
