//! Cuts SQL text into tokens, so that nothing is looked for inside a string or a comment by mistake.

/// Whose rules of writing a text follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `PostgreSQL`, with `standard_conforming_strings` on.
    Postgres,
    /// SQLite.
    Sqlite,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// White space or a comment.
    Blank,
    /// A keyword or a bare name.
    Word,
    /// A quoted name.
    Name,
    /// A string in quotes, with what stands before its quote (`E`) apart.
    Text,
    /// A string between two equal `$tag$`.
    Dollar,
    /// A digit sequence.
    Number,
    /// A place for a bound value: `$1`, `?`, `:name`, `@name`.
    Parameter,
    /// One other sign.
    Sign,
}

/// A piece of the text; all pieces together are the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    pub at: usize,
}

/// Says where a text cannot be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub at: usize,
    pub what: &'static str,
}

impl Token<'_> {
    /// Tells whether it is this keyword, which is given in lower case.
    pub fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Tells whether it is this sign.
    pub fn is_sign(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }

    /// Returns the name that it stands for, in lower case where it is bare; none where it is no name.
    pub fn name(&self) -> Option<String> {
        match self.kind {
            Kind::Word => Some(self.text.to_lowercase()),
            Kind::Name => Some(self.content()),
            _ => None,
        }
    }

    /// Returns what stands between the quotes, with doubled quotes made one.
    pub fn content(&self) -> String {
        match self.kind {
            Kind::Dollar => {
                let tag = self.text[1..].find('$').map_or(0, |end| end + 2);
                let inner = self.text.len().saturating_sub(tag);
                self.text.get(tag..inner).unwrap_or_default().to_owned()
            }
            Kind::Text | Kind::Name => {
                let (open, close) = match self.text.as_bytes().first() {
                    Some(b'[') => ("[", "]"),
                    Some(b'`') => ("`", "`"),
                    Some(b'"') => ("\"", "\""),
                    _ => ("'", "'"),
                };
                let start = self.text.find(open).map_or(0, |at| at + 1);
                let end = self.text.len().saturating_sub(1).max(start);
                let inner = self.text[start..end].replace(&close.repeat(2), close);
                if self.escapes() {
                    unescaped(&inner)
                } else {
                    inner
                }
            }
            _ => self.text.to_owned(),
        }
    }

    fn escapes(&self) -> bool {
        self.kind == Kind::Text && self.text.starts_with(['e', 'E'])
    }

    /// Tells whether letters in it are written by their numbers, which nobody reads.
    pub fn spells_by_numbers(&self) -> bool {
        let after = self
            .text
            .match_indices('\\')
            .filter_map(|(at, _)| self.text[at + 1..].chars().next());
        self.escapes()
            && after
                .into_iter()
                .any(|c| c.is_ascii_digit() || matches!(c, 'x' | 'u' | 'U'))
    }
}

/// Resolves the backslashes of an `E''` string, but for letters by their numbers.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let c = if c == '\\' {
            rest.next().unwrap_or(c)
        } else {
            c
        };
        plain.push(c);
    }
    plain
}

/// Cuts a text into tokens that leave out no byte.
pub(super) fn tokens(text: &str, dialect: Dialect) -> Result<Vec<Token<'_>>, Fault> {
    let mut reader = Reader {
        text,
        dialect,
        at: 0,
    };
    let mut found = Vec::new();
    while reader.at < text.len() {
        let at = reader.at;
        let kind = reader.one()?;
        found.push(Token {
            kind,
            text: &text[at..reader.at],
            at,
        });
    }
    Ok(found)
}

/// Counts the line of a place, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    1 + text.get(..at).unwrap_or_default().matches('\n').count()
}

struct Reader<'a> {
    text: &'a str,
    dialect: Dialect,
    at: usize,
}

const UNENDED_TEXT: &str = "a string in quotes does not end";
const UNENDED_NAME: &str = "a name in quotes does not end";
const UNENDED_COMMENT: &str = "a comment does not end";
const UNENDED_DOLLAR: &str = "a string in dollar quotes does not end";

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.text
            .as_bytes()
            .get(self.at + ahead)
            .copied()
            .unwrap_or(0)
    }

    fn is_postgres(&self) -> bool {
        self.dialect == Dialect::Postgres
    }

    /// Steps over one token and says what it was.
    fn one(&mut self) -> Result<Kind, Fault> {
        let start = self.at;
        match self.byte(0) {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0c => {
                self.at += 1;
                Ok(Kind::Blank)
            }
            0x0b if self.is_postgres() => {
                self.at += 1;
                Ok(Kind::Blank)
            }
            0 => Err(Fault {
                at: start,
                what: "the text holds a zero byte",
            }),
            b'-' if self.byte(1) == b'-' => {
                self.line_comment();
                Ok(Kind::Blank)
            }
            b'/' if self.byte(1) == b'*' => self.block_comment(),
            b'\'' => self.quoted('\'', Kind::Text, UNENDED_TEXT),
            b'"' => self.quoted('"', Kind::Name, UNENDED_NAME),
            b'`' if !self.is_postgres() => self.quoted('`', Kind::Name, UNENDED_NAME),
            b'[' if !self.is_postgres() => {
                let end = self.rest().find(']');
                self.at += end.ok_or(Fault {
                    at: start,
                    what: UNENDED_NAME,
                })? + 1;
                Ok(Kind::Name)
            }
            b'$' if self.is_postgres() => self.dollar(),
            b'?' | b'@' | b'#' | b'$' | b':' if !self.is_postgres() => Ok(self.parameter()),
            b'0'..=b'9' => {
                self.at += self.length_while(|c| c.is_ascii_digit());
                Ok(Kind::Number)
            }
            _ => self.word_or_sign(),
        }
    }

    fn length_while(&self, goes_on: impl Fn(char) -> bool) -> usize {
        let rest = self.rest();
        rest.find(|c| !goes_on(c)).unwrap_or(rest.len())
    }

    fn word_or_sign(&mut self) -> Result<Kind, Fault> {
        let first = self.rest().chars().next().unwrap_or(' ');
        if !is_start_of_word(first) {
            self.at += first.len_utf8();
            return Ok(Kind::Sign);
        }
        // SQLite takes it as a blank before a word and as a part of it elsewhere, PostgreSQL always as a part.
        let length = self.length_while(is_part_of_word);
        if self.rest()[..length].contains('\u{feff}') {
            return Err(Fault {
                at: self.at,
                what: "the text holds a byte order mark",
            });
        }
        let escapes = self.is_postgres() && self.rest()[..length].eq_ignore_ascii_case("e");
        self.at += length;
        if escapes && self.byte(0) == b'\'' {
            return self.escaped();
        }
        Ok(Kind::Word)
    }

    fn line_comment(&mut self) {
        let ends = |c: char| c == '\n' || (self.dialect == Dialect::Postgres && c == '\r');
        self.at += self.rest().find(ends).unwrap_or(self.rest().len());
    }

    fn block_comment(&mut self) -> Result<Kind, Fault> {
        let start = self.at;
        let mut depth = 0;
        loop {
            let rest = self.rest();
            if rest.starts_with("/*") && (depth == 0 || self.is_postgres()) {
                depth += 1;
                self.at += 2;
            } else if rest.starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return Ok(Kind::Blank);
                }
            } else {
                let Some(next) = rest.chars().next() else {
                    return Err(Fault {
                        at: start,
                        what: UNENDED_COMMENT,
                    });
                };
                self.at += next.len_utf8();
            }
        }
    }

    fn quoted(&mut self, quote: char, kind: Kind, what: &'static str) -> Result<Kind, Fault> {
        let start = self.at;
        self.at += 1;
        loop {
            let Some(end) = self.rest().find(quote) else {
                return Err(Fault { at: start, what });
            };
            self.at += end + 1;
            if !self.rest().starts_with(quote) {
                return Ok(kind);
            }
            self.at += 1;
        }
    }

    /// Steps over a string whose backslashes escape, from its quote on; on a next line it may go on in another pair of quotes.
    fn escaped(&mut self) -> Result<Kind, Fault> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.byte(0) {
                b'\\' => {
                    let escaped = self.rest()[1..].chars().next().map_or(0, char::len_utf8);
                    self.at += 1 + escaped;
                }
                b'\'' if self.byte(1) == b'\'' => self.at += 2,
                b'\'' => {
                    self.at += 1;
                    let Some(goes_on) = self.next_quote_on_another_line() else {
                        return Ok(Kind::Text);
                    };
                    self.at = goes_on + 1;
                }
                _ => {
                    let Some(next) = self.rest().chars().next() else {
                        return Err(Fault {
                            at: start,
                            what: UNENDED_TEXT,
                        });
                    };
                    self.at += next.len_utf8();
                }
            }
        }
    }

    fn next_quote_on_another_line(&self) -> Option<usize> {
        let mut ahead = Reader { ..*self };
        let mut has_line_end = false;
        loop {
            match ahead.byte(0) {
                b'\n' | b'\r' => {
                    has_line_end = true;
                    ahead.at += 1;
                }
                b' ' | b'\t' | 0x0b | 0x0c => ahead.at += 1,
                b'-' if ahead.byte(1) == b'-' => ahead.line_comment(),
                b'\'' if has_line_end => return Some(ahead.at),
                _ => return None,
            }
        }
    }

    fn dollar(&mut self) -> Result<Kind, Fault> {
        let start = self.at;
        let rest = &self.rest()[1..];
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        if digits > 0 {
            self.at += 1 + digits;
            return Ok(Kind::Parameter);
        }
        let is_tag = |c: char| is_part_of_word(c) && c != '$';
        let length = rest.find(|c| !is_tag(c)).unwrap_or(rest.len());
        if !rest[length..].starts_with('$') {
            self.at += 1;
            return Ok(Kind::Sign);
        }
        let tag = &self.rest()[..length + 2];
        let body = &self.rest()[tag.len()..];
        let end = body.find(tag).ok_or(Fault {
            at: start,
            what: UNENDED_DOLLAR,
        })?;
        self.at += tag.len() + end + tag.len();
        Ok(Kind::Dollar)
    }

    /// Steps over a bound value of SQLite; a lone sign stays one.
    fn parameter(&mut self) -> Kind {
        let is_question = self.byte(0) == b'?';
        self.at += 1;
        let length = self.length_while(is_part_of_word);
        self.at += length;
        if is_question || length > 0 {
            Kind::Parameter
        } else {
            Kind::Sign
        }
    }
}

fn is_start_of_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

fn is_part_of_word(c: char) -> bool {
    is_start_of_word(c) || c.is_ascii_digit() || c == '$'
}

#[cfg(test)]
mod tests;
