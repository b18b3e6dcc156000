//! A script: SQL text cut into single statements, of which none may do what the runner keeps to itself.

use super::forbidden;
use super::tokens::{Dialect, Fault, Kind, Token, line_of, tokens};
use crate::bundles::Step;
use crate::rules::bundle::{Finding, Place, Reason};

/// How a script's statements have to be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// All in one transaction.
    Inside,
    /// One by one, because the database does not take them into a transaction: `… INDEX CONCURRENTLY`.
    Outside,
}

/// The statements of one or more files, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    pub(super) dialect: Dialect,
    pub(super) statements: Vec<Statement>,
    pub(super) mode: Mode,
}

/// One statement, without what separates it from the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The file that it stands in.
    pub file: String,
    /// The line that it begins on, from 1.
    pub line: usize,
    /// Its text, without blanks and comments around it.
    pub text: String,
}

impl Script {
    /// Reads files as one script; whatever a bundle may not do is found, file by file.
    pub fn read(dialect: Dialect, files: &[(&str, &str)]) -> Result<Self, Vec<Finding>> {
        let mut statements = Vec::new();
        let (mut findings, mut outside) = (Vec::new(), Vec::new());
        for (file, text) in files {
            let pieces = match split(text, dialect) {
                Ok(pieces) => pieces,
                Err(fault) => {
                    findings.push(finding(file, text, fault.at, fault.what));
                    continue;
                }
            };
            for piece in &pieces {
                let Some(first) = piece.significant().next() else {
                    continue;
                };
                for (at, what) in forbidden::refusals(piece, dialect) {
                    findings.push(finding(file, text, at, &what));
                }
                if forbidden::runs_outside(piece, dialect) {
                    outside.push(finding(file, text, first.at, MIXED));
                }
                statements.push(Statement {
                    file: (*file).to_owned(),
                    line: line_of(text, first.at),
                    text: piece.statement().to_owned(),
                });
            }
        }
        let mode = if outside.is_empty() {
            Mode::Inside
        } else {
            Mode::Outside
        };
        if outside.len() < statements.len() {
            findings.append(&mut outside);
        }
        if statements.is_empty() && findings.is_empty() {
            let file = files.first().map_or("", |(file, _)| *file);
            let none = "there is no statement in it; say what is to be done, or leave the file out";
            findings.push(Finding::new(Reason::ArtifactInvalid, file, none));
        }
        if findings.is_empty() {
            Ok(Self {
                dialect,
                statements,
                mode,
            })
        } else {
            Err(findings)
        }
    }

    /// Returns the statements, in their order.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Returns the statements, each with what a run is at while it is carried out.
    pub(super) fn steps(&self) -> impl Iterator<Item = (Step, &Statement)> {
        let step = |(number, statement): (usize, &Statement)| Step::Statement {
            number,
            of: self.statements.len(),
            file: statement.file.clone(),
            line: statement.line,
        };
        let numbered = (1..).zip(&self.statements);
        numbered.map(move |it| (step(it), it.1))
    }

    /// Tells how they have to be carried out.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }
}

const MIXED: &str = "CONCURRENTLY does not run in a transaction, in which the other statements do; \
     give these statements a bundle of their own, or leave the word out";

fn finding(file: &str, text: &str, at: usize, what: &str) -> Finding {
    let line_start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let place = Place {
        line: line_of(text, at),
        column: text[line_start..at].chars().count() + 1,
    };
    Finding::at(Reason::ArtifactInvalid, file, place, what)
}

/// The tokens from one separator to the next, which is the last of them.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub tokens: Vec<Token<'a>>,
    text: &'a str,
}

impl<'a> Piece<'a> {
    /// Walks over what is neither blank nor the separator.
    pub fn significant(&self) -> impl DoubleEndedIterator<Item = &Token<'a>> {
        let last = self.tokens.len().saturating_sub(1);
        let ends = move |(at, token): &(usize, &Token<'a>)| *at == last && token.is_sign(";");
        self.tokens
            .iter()
            .enumerate()
            .filter(move |pair| pair.1.kind != Kind::Blank && !ends(pair))
            .map(|(_, token)| token)
    }

    /// Returns the text from the first to the last of these.
    fn statement(&self) -> &'a str {
        let first = self.significant().next().map_or(0, |token| token.at);
        let last = self.significant().next_back();
        let end = last.map_or(first, |token| token.at + token.text.len());
        &self.text[first..end]
    }
}

/// Cuts a text at the semicolons that end a statement.
pub(super) fn split(text: &str, dialect: Dialect) -> Result<Vec<Piece<'_>>, Fault> {
    let mut pieces = Vec::new();
    let mut current: Vec<Token<'_>> = Vec::new();
    let mut state = State::new(dialect);
    for token in tokens(text, dialect)? {
        current.push(token);
        if token.kind != Kind::Blank && state.ends_after(&token)? {
            pieces.push(Piece {
                tokens: std::mem::take(&mut current),
                text,
            });
            state = State::new(dialect);
        }
    }
    if state.is_inside() && current.iter().any(|token| token.kind != Kind::Blank) {
        let at = current[0].at;
        return Err(Fault {
            at,
            what: "the last statement does not end: an END or a bracket is missing",
        });
    }
    if !current.is_empty() {
        pieces.push(Piece {
            tokens: current,
            text,
        });
    }
    Ok(pieces)
}

/// What has to be known of a statement so far to tell whether a semicolon ends it.
struct State {
    dialect: Dialect,
    /// The first words, lower case, up to the noun of a CREATE.
    head: Vec<String>,
    brackets: usize,
    /// How many `BEGIN ATOMIC` and `CASE` are open.
    blocks: usize,
    /// The last two words or signs.
    before: [String; 2],
    /// Whether a trigger's body has begun and not ended.
    in_body: bool,
}

const HEAD: usize = 6;

impl State {
    fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            head: Vec::new(),
            brackets: 0,
            blocks: 0,
            before: [String::new(), String::new()],
            in_body: false,
        }
    }

    fn is_inside(&self) -> bool {
        self.brackets > 0 || self.blocks > 0 || self.in_body
    }

    fn ends_after(&mut self, token: &Token<'_>) -> Result<bool, Fault> {
        let word = match token.kind {
            Kind::Word => token.text.to_lowercase(),
            Kind::Sign => token.text.to_owned(),
            _ => String::from("·"),
        };
        if self.head.len() < HEAD {
            self.head.push(word.clone());
        }
        let ends = match self.dialect {
            Dialect::Postgres => self.postgres(token, &word)?,
            Dialect::Sqlite => self.sqlite(&word),
        };
        self.before = [std::mem::take(&mut self.before[1]), word];
        Ok(ends)
    }

    fn postgres(&mut self, token: &Token<'_>, word: &str) -> Result<bool, Fault> {
        match word {
            "(" => self.brackets += 1,
            ")" if self.brackets == 0 => {
                return Err(Fault {
                    at: token.at,
                    what: "a bracket is closed that was not opened",
                });
            }
            ")" => self.brackets -= 1,
            "atomic" if self.before[1] == "begin" && self.blocks == 0 && self.is_routine() => {
                self.blocks = 1;
            }
            "case" if self.blocks > 0 => self.blocks += 1,
            "end" if self.blocks > 0 => self.blocks -= 1,
            ";" => return Ok(!self.is_inside()),
            _ => {}
        }
        Ok(false)
    }

    /// SQLite's own rule: a trigger ends at the END that follows a semicolon.
    fn sqlite(&mut self, word: &str) -> bool {
        match word {
            "begin" if self.is_trigger() => self.in_body = true,
            "end" if self.in_body && self.before[1] == ";" => self.in_body = false,
            ";" => return !self.in_body,
            _ => {}
        }
        false
    }

    fn is_routine(&self) -> bool {
        let mut words = self.head.iter().map(String::as_str);
        let replaced = |word: &&str| !matches!(*word, "or" | "replace");
        words.next() == Some("create")
            && matches!(words.find(replaced), Some("function" | "procedure"))
    }

    fn is_trigger(&self) -> bool {
        let mut words = self.head.iter().map(String::as_str);
        let lasting = |word: &&str| !matches!(*word, "temp" | "temporary");
        words.next() == Some("create") && words.find(lasting) == Some("trigger")
    }
}

#[cfg(test)]
mod tests;
