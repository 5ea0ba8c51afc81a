//! RON as a tree that knows its lines and survives mistakes.
//!
//! In: text. Out: a [`Node`] for the whole file, every syntax mistake told to a [`Report`] with its line, and reading goes
//! on after each. What is absent: knowledge of scenes; types (see [`super::read`]).
//!
//! Why not a crate: `ron` stops at the first mistake and has no positions after it (0.12), `ron2` has positions but stops
//! as well and does not bound its recursion, `ronin-core` goes on but brings a lossless tree and its library for what two
//! hundred lines do. Accepted is what scene files need: groups `(…)` with or without field names, lists, maps, text, raw
//! text, numbers, words, comments; `Some(x)` reads as `x`. Beyond RON, a name in lower case may stand before a group that
//! begins with values and goes on with fields: `dream("marble", seed: 7)`.

use super::read::Report;

/// Groups may stand inside each other this deep.
pub const MAX_DEPTH: usize = 32;

/// One value and the line where it begins, from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub line: usize,
    pub value: Value,
}

/// What stands in a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// As written, so that 64-bit seeds keep all their digits.
    Number(String),
    Text(String),
    /// A bare word: `true`, `None`, `Planks`.
    Word(String),
    /// `Name(field: value, …)`; the name is optional.
    Fields(Vec<(String, Node)>),
    /// `Name(value, …)`; the name is optional.
    Tuple(Vec<Node>),
    /// `name(value, …, field: value, …)`: a name in lower case, values without field names first.
    Call {
        name: String,
        values: Vec<Node>,
        fields: Vec<(String, Node)>,
    },
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    /// Unreadable; already told.
    Wrong,
}

impl Value {
    /// What a message calls this value.
    pub fn noun(&self) -> &'static str {
        match self {
            Value::Number(_) => "a number",
            Value::Text(_) => "a text in quotes",
            Value::Word(_) => "a word without quotes",
            Value::Fields(_) => "a group of fields (…: …)",
            Value::Tuple(_) => "a group of values (…)",
            Value::Call { .. } => "a call like dream(…)",
            Value::List(_) => "a list […]",
            Value::Map(_) => "a map {…}",
            Value::Wrong => "something unreadable",
        }
    }
}

/// Reads a whole file. The report holds what was wrong with it.
pub fn read_tree(text: &str, report: &mut Report) -> Node {
    let mut parser = Parser { text, at: 0, line: 1, open: Vec::new(), report, given_up: false, comma_is_told: false };
    parser.skip_blank();
    let node = parser.value();
    parser.skip_blank();
    if parser.at < text.len() {
        parser.tell("there is more text after the end of the scene", "remove it, or look for a bracket too many");
    }
    node
}

struct Parser<'a> {
    text: &'a str,
    /// Byte position, always on a character boundary.
    at: usize,
    line: usize,
    /// Closing brackets that are awaited, with the line of the opening one.
    open: Vec<(char, usize)>,
    report: &'a mut Report,
    /// Reading was given up.
    given_up: bool,
    /// The next missing comma follows from a bracket that was told.
    comma_is_told: bool,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        self.line += usize::from(next == '\n');
        Some(next)
    }

    fn skip(&mut self, bytes: usize) {
        let end = self.at + bytes;
        while self.at < end && self.bump().is_some() {}
    }

    fn tell(&mut self, what: impl Into<String>, help: impl Into<String>) {
        self.report.add(self.line, what, help);
    }

    /// White space, comments and `#![…]` attributes.
    fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            if rest.starts_with(|next: char| next.is_whitespace() || next == '\u{feff}') {
                self.bump();
            } else if rest.starts_with("//") || rest.starts_with("#!") {
                let length = rest.find('\n').unwrap_or(rest.len());
                self.skip(length);
            } else if rest.starts_with("/*") {
                match rest.find("*/") {
                    Some(length) => self.skip(length + 2),
                    None => {
                        self.tell("the comment that begins here has no end", "close it with */");
                        self.skip(rest.len());
                    }
                }
            } else {
                return;
            }
        }
    }

    fn value(&mut self) -> Node {
        let line = self.line;
        let value = match self.peek() {
            Some('(') => self.group(),
            Some('[') => {
                let items = self.bracketed(']', Self::value);
                Value::List(items)
            }
            Some('{') => {
                let items = self.bracketed('}', |parser| {
                    let key = parser.value();
                    parser.colon("a map's key");
                    (key, parser.value())
                });
                Value::Map(items)
            }
            Some(quote @ ('"' | '\'')) => self.quoted(quote),
            Some(next) if next.is_ascii_digit() || "+-.".contains(next) => self.number(),
            Some('r') if self.rest().starts_with("r\"") || self.rest().starts_with("r#") => self.raw_quoted(),
            Some(next) if next.is_alphabetic() || next == '_' => self.word(),
            Some(next) if !",:)]}".contains(next) => {
                self.tell(format!("unexpected character {next:?}"), "remove it");
                self.bump();
                Value::Wrong
            }
            _ => {
                self.tell("a value is missing here", "write it, or remove the field");
                Value::Wrong
            }
        };
        Node { line, value }
    }

    /// `(a: 1, b: 2)`, `(1, 2)` or `()`.
    fn group(&mut self) -> Value {
        let items = self.group_items();
        if items.iter().any(|(name, _)| name.is_some()) || items.is_empty() {
            let mut fields = Vec::new();
            for (name, node) in items {
                match name {
                    Some(name) => fields.push((name, node)),
                    None if node.value == Value::Wrong => {}
                    None => self.report.add(node.line, "a value without a field name", "write `name: value`"),
                }
            }
            Value::Fields(fields)
        } else {
            Value::Tuple(items.into_iter().map(|(_, node)| node).collect())
        }
    }

    /// What follows a name in lower case.
    fn call(&mut self, name: String) -> Value {
        let (mut values, mut fields) = (Vec::new(), Vec::new());
        for (field, node) in self.group_items() {
            match field {
                Some(field) => fields.push((field, node)),
                None if node.value == Value::Wrong => {}
                None if fields.is_empty() => values.push(node),
                None => self.report.add(node.line, "a value without a field name", "write `name: value`"),
            }
        }
        Value::Call { name, values, fields }
    }

    /// The items of a group, those with field names and those without.
    fn group_items(&mut self) -> Vec<(Option<String>, Node)> {
        self.bracketed(')', |parser| {
            let start = (parser.at, parser.line);
            let name = parser.take_while(|c| c.is_alphanumeric() || c == '_').to_owned();
            parser.skip_blank();
            let named = !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit());
            if named && parser.peek() == Some(':') {
                parser.bump();
                parser.skip_blank();
                return (Some(name), parser.value());
            }
            (parser.at, parser.line) = start;
            (None, parser.value())
        })
    }

    /// What stands between the bracket at hand and `close`, separated by commas.
    fn bracketed<T>(&mut self, close: char, item: impl Fn(&mut Self) -> T) -> Vec<T> {
        let opened = (self.bump().unwrap_or(close), self.line);
        let mut items = Vec::new();
        if self.open.len() >= MAX_DEPTH {
            let what = format!("brackets stand inside each other more than {MAX_DEPTH} deep");
            self.tell(what, "scenes need five; the rest of the file was not read");
            self.at = self.text.len();
            self.given_up = true;
            return items;
        }
        self.open.push((close, self.line));
        loop {
            self.skip_blank();
            match self.peek() {
                Some(next) if next == close => {
                    self.bump();
                    break;
                }
                None if self.given_up => break,
                None => {
                    let what = format!("the `{}` of this line is never closed", opened.0);
                    self.report.add(opened.1, what, format!("add `{close}`"));
                    break;
                }
                Some(next) if ")]}".contains(next) => {
                    let belongs_further_out = self.open.iter().any(|(awaited, _)| *awaited == next);
                    let what = format!("found `{next}` where the `{}` of line {} ends", opened.0, opened.1);
                    self.tell(what, format!("write `{close}`"));
                    if !belongs_further_out {
                        self.bump();
                    }
                    break;
                }
                Some(_) if close == ']' && self.at_field_name() => {
                    let what = format!("the `[` of line {} is not closed before this field", opened.1);
                    self.tell(what, "add `],` above");
                    self.comma_is_told = true;
                    break;
                }
                Some(',') => {
                    self.tell("a comma with nothing before it", "remove it");
                    self.bump();
                }
                Some(_) => {
                    let before = self.at;
                    items.push(item(self));
                    let (end, end_line) = (self.at, self.line);
                    self.skip_blank();
                    match self.peek() {
                        Some(',') => {
                            self.bump();
                        }
                        Some(next) if !")]}".contains(next) => {
                            if !std::mem::take(&mut self.comma_is_told) {
                                self.report.add(end_line, "a comma is missing at the end of this value", "add `,`");
                            }
                            if end == before || next == ':' {
                                self.bump();
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
        self.open.pop();
        items
    }

    /// Whether `name:` follows, which cannot be an item of a list.
    fn at_field_name(&self) -> bool {
        let after = self.rest().trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
        let starts = self.peek().is_some_and(|c| c.is_alphabetic() || c == '_');
        starts && after.trim_start_matches(' ').starts_with(':')
    }

    fn colon(&mut self, after: &str) {
        self.skip_blank();
        if self.peek() == Some(':') {
            self.bump();
        } else {
            self.tell(format!("a colon is missing after {after}"), "write `key: value`");
        }
        self.skip_blank();
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let start = self.at;
        while self.peek().is_some_and(&wanted) {
            self.bump();
        }
        &self.text[start..self.at]
    }

    fn number(&mut self) -> Value {
        let text = self.take_while(|c| c.is_ascii_alphanumeric() || "+-._".contains(c)).replace('_', "");
        let unsigned = text.trim_start_matches(['+', '-']);
        if unsigned.is_empty() || (text.parse::<f64>().is_err() && text.parse::<u64>().is_err()) {
            let help = match unsigned.find(|c: char| c.is_ascii_alphabetic()) {
                Some(end) if end > 0 => "units stand in the field's name: write the number alone",
                _ => "write it like 1.5",
            };
            self.tell(format!("`{text}` is not a number"), help);
            return Value::Wrong;
        }
        Value::Number(text)
    }

    fn quoted(&mut self, quote: char) -> Value {
        self.bump();
        let start = self.at;
        let mut text = String::new();
        loop {
            match self.peek() {
                Some(next) if next == quote => {
                    self.bump();
                    if quote == '\'' {
                        self.tell(format!("'{text}' stands in single quotes"), "use double quotes");
                    }
                    return Value::Text(text);
                }
                None | Some('\n') => {
                    self.tell("the text that begins here has no end", "close it with \" on the same line");
                    // Most likely it was meant to end before the next comma or bracket: go on from there.
                    let lost = &self.text[start..self.at];
                    self.at = start + lost.find([',', ')', ']', '}']).unwrap_or(lost.len());
                    return Value::Wrong;
                }
                Some('\\') => {
                    self.bump();
                    match self.bump() {
                        Some('n') => text.push('\n'),
                        Some('t') => text.push('\t'),
                        Some(next) if "\"\\'".contains(next) => text.push(next),
                        other => {
                            let what = format!("`\\{}` is not an escape", other.unwrap_or(' '));
                            self.tell(what, "use / in paths, \\\\ for a backslash");
                        }
                    }
                }
                Some(next) => {
                    text.push(next);
                    self.bump();
                }
            }
        }
    }

    /// `r"…"`, `r#"…"#`.
    fn raw_quoted(&mut self) -> Value {
        self.bump();
        let hashes = self.take_while(|c| c == '#').to_owned();
        let end = format!("\"{hashes}");
        let body =
            self.rest().strip_prefix('"').and_then(|body| body.find(&end).map(|length| body[..length].to_owned()));
        let Some(body) = body else {
            self.tell("the raw text that begins here has no end", format!("close it with {end}"));
            self.skip(self.rest().len());
            return Value::Wrong;
        };
        self.skip(1 + body.len() + end.len());
        Value::Text(body)
    }

    fn word(&mut self) -> Value {
        let word = self.take_while(|c| c.is_alphanumeric() || c == '_').to_owned();
        if ["inf", "NaN"].contains(&word.as_str()) {
            return Value::Number(word);
        }
        let end = (self.at, self.line);
        self.skip_blank();
        if self.peek() != Some('(') {
            (self.at, self.line) = end;
            return Value::Word(word);
        }
        if word.starts_with(char::is_lowercase) {
            return self.call(word);
        }
        match self.group() {
            Value::Tuple(mut items) if word == "Some" && items.len() == 1 => items.remove(0).value,
            group => group,
        }
    }
}

#[cfg(test)]
mod tests;
