//! Cypher scripts: split into statements, and looked through for what a change must not do.

use super::super::protocol::{Code, Said};
use crate::rules::bundle_run::Script;

/// The procedures that a script may call; every other one is refused, so that a new one is refused too.
const PROCEDURES: &[&str] = &[
    "db.constraints",
    "db.idx.fulltext.createnodeindex",
    "db.idx.fulltext.drop",
    "db.idx.fulltext.querynodes",
    "db.idx.fulltext.queryrelationships",
    "db.idx.vector.querynodes",
    "db.idx.vector.queryrelationships",
    "db.indexes",
    "db.labels",
    "db.propertykeys",
    "db.relationshiptypes",
];

/// Something that a script says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Statement {
    /// A statement of Cypher.
    Query(String),
    /// `GRAPH.CONSTRAINT CREATE|DROP …`, which the engine has no Cypher for: the words that follow the graph's name.
    Constraint { verb: String, words: Vec<String> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A bare word: a keyword, a name or a number.
    Word(String),
    /// A name in backticks.
    Quoted(String),
    /// A text; what it says does not matter here.
    Text,
    Sign(char),
}

/// Reads the statements of scripts, and refuses what a change must not do.
pub(super) fn read(scripts: &[Script]) -> Result<Vec<Statement>, Said> {
    let mut statements = Vec::new();
    for script in scripts {
        let pieces = split(&script.text);
        let pieces = pieces.map_err(|(line, what)| refused(script, line, what))?;
        for piece in pieces {
            let statement = understand(&piece);
            statements.push(statement.map_err(|what| refused(script, piece.line, &what))?);
        }
    }
    if statements.is_empty() && !scripts.is_empty() {
        return Err(Said::new(
            Code::ScriptRefused,
            "the scripts hold no statement",
        ));
    }
    Ok(statements)
}

fn refused(script: &Script, line: usize, what: &str) -> Said {
    let message = format!("{}, the statement at line {line}: {what}", script.path);
    Said::new(Code::ScriptRefused, message)
}

/// A statement's text without comments, its tokens, and the line that it begins in.
struct Piece {
    line: usize,
    text: String,
    tokens: Vec<Token>,
}

fn split(text: &str) -> Result<Vec<Piece>, (usize, &'static str)> {
    let characters: Vec<char> = text.chars().collect();
    let mut pieces = Vec::new();
    let (mut at, mut line) = (0, 1);
    let mut piece = Piece::at(line);
    while let Some(&character) = characters.get(at) {
        let rest = &characters[at..];
        let length = match (character, rest.get(1)) {
            ('\'' | '"', _) => {
                quoted(rest, Escapes::Backslash).ok_or((line, "a text has no end"))?
            }
            ('`', _) => quoted(rest, Escapes::Doubled).ok_or((line, "a name has no end"))?,
            ('/', Some('/')) => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            ('/', Some('*')) => comment(rest).ok_or((line, "a comment has no end"))?,
            (c, _) if is_word(c) => rest.iter().take_while(|c| is_word(**c)).count(),
            _ => 1,
        };
        let taken = &rest[..length];
        match (character, rest.get(1)) {
            (';', _) => {
                pieces.push(std::mem::replace(&mut piece, Piece::at(line)));
            }
            ('/', Some('/' | '*')) => piece.text.push(' '),
            (c, _) if c.is_control() && !c.is_whitespace() => {
                return Err((line, "it holds a control character"));
            }
            _ => piece.take(line, taken),
        }
        line += taken.iter().filter(|c| **c == '\n').count();
        at += length;
    }
    pieces.push(piece);
    pieces.retain(|piece| !piece.tokens.is_empty());
    Ok(pieces)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    Backslash,
    Doubled,
}

/// Finds how long what begins with a quote is, with both quotes.
fn quoted(text: &[char], escapes: Escapes) -> Option<usize> {
    let quote = *text.first()?;
    let mut at = 1;
    while at < text.len() {
        if text[at] == '\\' && escapes == Escapes::Backslash {
            at += 2;
        } else if text[at] != quote {
            at += 1;
        } else if escapes == Escapes::Doubled && text.get(at + 1) == Some(&quote) {
            at += 2;
        } else {
            return Some(at + 1);
        }
    }
    None
}

fn comment(text: &[char]) -> Option<usize> {
    let end = text
        .get(2..)?
        .windows(2)
        .position(|two| two == ['*', '/'])?;
    Some(end + 4)
}

impl Piece {
    fn at(line: usize) -> Self {
        Self {
            line,
            text: String::new(),
            tokens: Vec::new(),
        }
    }

    fn take(&mut self, line: usize, taken: &[char]) {
        self.text.extend(taken);
        let Some(&first) = taken.first() else {
            return;
        };
        if first.is_whitespace() {
            return;
        }
        if self.tokens.is_empty() {
            self.line = line;
        }
        self.tokens.push(match first {
            '\'' | '"' => Token::Text,
            '`' => {
                let inner: String = taken[1..taken.len() - 1].iter().collect();
                Token::Quoted(inner.replace("``", "`"))
            }
            c if is_word(c) => Token::Word(taken.iter().collect()),
            c => Token::Sign(c),
        });
    }
}

fn understand(piece: &Piece) -> Result<Statement, String> {
    let word = |at: usize| match piece.tokens.get(at) {
        Some(Token::Word(word)) => word.to_ascii_uppercase(),
        _ => String::new(),
    };
    let sign = |at: usize| match piece.tokens.get(at) {
        Some(Token::Sign(sign)) => Some(*sign),
        _ => None,
    };
    if word(0) == "GRAPH" && sign(1) == Some('.') {
        return constraint(&piece.tokens);
    }
    if matches!(word(0).as_str(), "CYPHER" | "EXPLAIN" | "PROFILE") {
        return Err(format!(
            "it begins with {}; write the statement itself",
            word(0)
        ));
    }
    for at in 0..piece.tokens.len() {
        let is_name = at > 0 && matches!(sign(at - 1), Some('.' | ':'));
        if is_name {
            continue;
        }
        if word(at) == "LOAD" && word(at + 1) == "CSV" {
            return Err("LOAD CSV reads what lies outside of the store".to_owned());
        }
        if word(at) == "CALL" && sign(at + 1) != Some('{') {
            let called = called(&piece.tokens[at + 1..]);
            if !PROCEDURES.contains(&called.to_ascii_lowercase().as_str()) {
                return Err(format!(
                    "it calls {called:?}, which is none of the procedures that a change may call \
                     (a name `call` is written in backticks)"
                ));
            }
        }
    }
    Ok(Statement::Query(piece.text.trim().to_owned()))
}

/// Reads the name of a procedure, however it is quoted.
fn called(tokens: &[Token]) -> String {
    let mut name = String::new();
    for token in tokens {
        match token {
            Token::Word(word) | Token::Quoted(word) => name.push_str(word),
            Token::Sign('.') => name.push('.'),
            _ => break,
        }
    }
    name
}

/// Reads `GRAPH.CONSTRAINT CREATE|DROP UNIQUE|MANDATORY NODE|RELATIONSHIP label PROPERTIES count property…`.
fn constraint(tokens: &[Token]) -> Result<Statement, String> {
    const SHAPE: &str = "only GRAPH.CONSTRAINT CREATE|DROP UNIQUE|MANDATORY NODE|RELATIONSHIP label PROPERTIES count \
                         property… is understood besides Cypher";
    let mut words = Vec::new();
    for token in tokens.get(2..).unwrap_or_default() {
        match token {
            Token::Word(word) | Token::Quoted(word) => words.push(word.clone()),
            _ => return Err(SHAPE.to_owned()),
        }
    }
    let upper = |at: usize| {
        words
            .get(at)
            .map(|word: &String| word.to_ascii_uppercase())
            .unwrap_or_default()
    };
    let count = words.get(6).and_then(|word| word.parse::<usize>().ok());
    let good = upper(0) == "CONSTRAINT"
        && matches!(upper(1).as_str(), "CREATE" | "DROP")
        && matches!(upper(2).as_str(), "UNIQUE" | "MANDATORY")
        && matches!(upper(3).as_str(), "NODE" | "RELATIONSHIP")
        && upper(5) == "PROPERTIES"
        && count.is_some_and(|count| count > 0 && words.len() == 7 + count);
    if !good {
        return Err(SHAPE.to_owned());
    }
    let verb = upper(1);
    Ok(Statement::Constraint {
        verb,
        words: words.split_off(2),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn statements(text: &str) -> Result<Vec<Statement>, String> {
        let script = Script {
            path: "forward.cypher".to_owned(),
            text: text.to_owned(),
        };
        read(&[script]).map_err(|said| said.message)
    }

    fn queries(text: &str) -> Vec<String> {
        let query = |statement| match statement {
            Statement::Query(text) => text,
            Statement::Constraint { .. } => panic!("{text}"),
        };
        statements(text)
            .expect(text)
            .into_iter()
            .map(query)
            .collect()
    }

    #[test]
    fn quotes_and_comments_hide_what_parts_statements() {
        let text = "// one; two\nCREATE (:A {t: 'a;\\';b', u: \"x;/*\"}); /* ; */\n MATCH (n:`a;``b`) // end\n DELETE n ;;";
        assert_eq!(
            queries(text),
            [
                "CREATE (:A {t: 'a;\\';b', u: \"x;/*\"})",
                "MATCH (n:`a;``b`)  \n DELETE n"
            ]
        );
    }

    #[test]
    fn what_reaches_beyond_the_graph_is_refused_however_it_is_written() {
        for text in [
            "LOAD CSV FROM 'file:///etc/passwd' AS row RETURN row",
            "load /* x */ csv FROM 'x' AS r RETURN r",
            "CALL dbms.functions()",
            "MATCH (n) CALL apoc.export.csv.all('x', {}) YIELD a RETURN a",
            "CALL `dbms`.`procedures`()",
            "CALL db.idx.fulltext . drop.more('x')",
            "call\n\tDBMS.procedures()",
            "RETURN call",
            "CYPHER a=1 RETURN $a",
            "PROFILE MATCH (n) RETURN n",
            "GRAPH.DELETE g",
            "GRAPH.CONSTRAINT CREATE UNIQUE NODE P PROPERTIES 2 a",
            "GRAPH.CONSTRAINT CREATE UNIQUE NODE P PROPERTIES 1 'a'",
            "RETURN 'open",
            "RETURN `open",
            "RETURN 1 /* open",
            "RETURN \u{0}",
            "",
            "// nothing",
        ] {
            assert!(statements(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_a_change_needs_is_understood() {
        for text in [
            "CALL db.idx.fulltext.createNodeIndex('Person', 'name')",
            "CALL { MATCH (n) RETURN n } RETURN n",
            "MATCH (n:CALL) WHERE n.call = 'CALL x()' SET n.`call` = 1",
            "CREATE INDEX FOR (p:Person) ON (p.name)",
        ] {
            assert_eq!(queries(text), [text]);
        }
        let made = statements("graph.constraint create unique node Person properties 1 name;");
        let words = ["unique", "node", "Person", "properties", "1", "name"];
        let expected = Statement::Constraint {
            verb: "CREATE".to_owned(),
            words: words.map(str::to_owned).to_vec(),
        };
        assert_eq!(made.expect("good"), [expected]);
    }

    #[test]
    fn a_refusal_names_the_line() {
        let refused = statements("CREATE (:A);\n\nCALL dbms.x();").unwrap_err();
        assert!(
            refused.contains("forward.cypher, the statement at line 3"),
            "{refused}"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_split_or_refused(text in "[a-z;'\"`/*\\\\\n ]{0,60}") {
            let _ = statements(&text);
        }
    }
}
