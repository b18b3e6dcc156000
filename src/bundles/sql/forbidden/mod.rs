//! What a script may not hold, because the runner keeps it to itself or could not take it back.
//!
//! The first words of a statement are a closed list; names of functions and settings are looked for wherever a name may
//! stand, in the bodies of DO blocks and functions and in the strings that these execute. What is put together while it
//! runs cannot be seen here; the runner checks the transaction, the roles and the settings again before it commits.

mod bodies;
mod words;

use super::script::Piece;
use super::tokens::{Dialect, Kind, Token};
use bodies::in_bodies;
use words::{
    BEFORE_NOUN, EXTENSIONS, FUNCTIONS, NAMES, NOUNS, RIGHTS_ON, SETTINGS, SETVAL, STARTS_POSTGRES,
    STARTS_REFUSED, STARTS_SQLITE,
};

const BEYOND: &str = "it reaches beyond the database's own objects, or is not shown in a baseline; change it by hand";

/// Where a refusal stands, and its sentence.
pub(super) type Refused = (usize, String);

/// Lists what is refused in a statement.
pub(super) fn refusals(piece: &Piece<'_>, dialect: Dialect) -> Vec<Refused> {
    let words: Vec<Token<'_>> = piece.significant().copied().collect();
    let mut found: Vec<Refused> = start_of_statement(&words, dialect).into_iter().collect();
    found.extend(hidden(&words));
    if dialect == Dialect::Postgres {
        found.extend(of_psql(&piece.tokens));
        found.extend(in_bodies(&words));
    } else {
        let bound = words.iter().find(|token| token.kind == Kind::Parameter);
        let what = "nothing is bound to it, so it would be NULL; write the value";
        found.extend(bound.map(|token| refused(token, what)));
    }
    found
}

/// Tells whether a statement is one that PostgreSQL takes only outside a transaction, and the runner all the same.
pub(super) fn runs_outside(piece: &Piece<'_>, dialect: Dialect) -> bool {
    let words: Vec<Token<'_>> = piece.significant().take(8).copied().collect();
    let word = |at: usize| {
        words
            .get(at)
            .map(|token| token.text.to_lowercase())
            .unwrap_or_default()
    };
    let of_index = match word(0).as_str() {
        "create" => word(1) == "index" || (word(1) == "unique" && word(2) == "index"),
        "drop" => word(1) == "index",
        "reindex" => true,
        _ => false,
    };
    dialect == Dialect::Postgres && of_index && words.iter().any(|token| token.is("concurrently"))
}

fn refused(token: &Token<'_>, why: &str) -> Refused {
    let shown: String = token.text.chars().take(40).collect();
    (token.at, format!("{}: {why}", shown.to_uppercase()))
}

/// Judges a statement by its first words.
fn start_of_statement(words: &[Token<'_>], dialect: Dialect) -> Option<Refused> {
    let first = words.first()?;
    let starts = match dialect {
        Dialect::Postgres => STARTS_POSTGRES,
        Dialect::Sqlite => STARTS_SQLITE,
    };
    let is_start = |word: &&str| first.is(word) || first.is_sign(word);
    if !starts.iter().any(is_start) {
        let known = STARTS_REFUSED
            .iter()
            .find(|(words, _)| words.iter().any(|word| first.is(word)));
        let why = known.map_or("no such statement is allowed in a bundle", |(_, why)| why);
        return Some(refused(first, why));
    }
    if dialect == Dialect::Sqlite {
        return None;
    }
    by_noun(words).or_else(|| of_catalogue(words))
}

/// Judges what has an allowed first word by the words after it.
fn by_noun(words: &[Token<'_>]) -> Option<Refused> {
    let first = words.first()?;
    if ["create", "alter", "drop"]
        .iter()
        .any(|word| first.is(word))
    {
        return of_object(words);
    }
    if first.is("set") {
        return of_setting(words);
    }
    if first.is("grant") || first.is("revoke") {
        return of_rights(words);
    }
    let noun = words.iter().find(|token| {
        ["database", "system", "schema"]
            .iter()
            .any(|word| token.is(word))
    });
    if first.is("reindex") {
        return noun.map(|token| refused(token, "REINDEX names an index or a table"));
    }
    if first.is("comment") {
        let is_own = |token: &&Token<'_>| {
            let nouns = NOUNS.iter().chain(&["column", "constraint"]);
            !nouns.clone().any(|word| token.is(word))
        };
        let noun = words.get(2).filter(is_own);
        return noun.map(|token| refused(token, BEYOND));
    }
    if first.is("do") {
        let language = words.iter().position(|token| token.is("language"));
        let name = language
            .and_then(|at| words.get(at + 1))
            .and_then(|token| read_language(token));
        return name.filter(|name| name != "plpgsql").map(|_| {
            refused(
                first,
                "only the language plpgsql can be looked into; write the block in it",
            )
        });
    }
    None
}

/// Reads a language's name, which may also stand in quotes of a string.
fn read_language(token: &Token<'_>) -> Option<String> {
    let name = token
        .name()
        .or_else(|| (token.kind == Kind::Text).then(|| token.content()));
    name.map(|name| name.to_lowercase())
}

/// Judges rights that are given or taken; without a noun they are on a table.
fn of_rights(words: &[Token<'_>]) -> Option<Refused> {
    let first = words.first()?;
    let Some(on) = words.iter().position(|token| token.is("on")) else {
        return Some(refused(
            first,
            "membership in roles belongs to the whole server; change it by hand",
        ));
    };
    let noun = words.get(on + 1)?;
    let ends_name = |token: &Token<'_>| {
        [".", ","].iter().any(|sign| token.is_sign(sign)) || token.is("to") || token.is("from")
    };
    let is_name = words.get(on + 2).is_some_and(ends_name);
    let is_own = RIGHTS_ON.iter().any(|word| noun.is(word));
    (!is_name && !is_own).then(|| refused(noun, BEYOND))
}

fn of_object(words: &[Token<'_>]) -> Option<Refused> {
    let first = words.first()?;
    let noun = words[1..]
        .iter()
        .find(|token| !BEFORE_NOUN.iter().any(|word| token.is(word)));
    let Some(noun) = noun else {
        return Some(refused(first, "it says nothing of what"));
    };
    if !NOUNS.iter().any(|word| noun.is(word)) {
        return Some((
            noun.at,
            format!(
                "{} {}: {BEYOND}",
                first.text.to_uppercase(),
                noun.text.to_uppercase()
            ),
        ));
    }
    let after = |word: &str| {
        let at = words.iter().position(|token| token.is(word))?;
        words.get(at + 1)
    };
    if noun.is("extension") {
        let moves = |token: &&Token<'_>| token.is("add") || token.is("drop");
        if first.is("alter") && words.iter().any(|token| moves(&token)) {
            return Some(refused(
                first,
                "what becomes an extension's own is seen no more; leave it out",
            ));
        }
        let name = words.iter().filter_map(Token::name).find(|name| {
            EXTENSIONS.contains(&name.as_str()) || name.ends_with('u') && name.starts_with("pl")
        });
        return name.map(|name| {
            (
                noun.at,
                format!(
                    "the extension {name} reaches beyond the database; it is no matter of a bundle"
                ),
            )
        });
    }
    if noun.is("table")
        && words.iter().any(|token| token.is("detach"))
        && words.iter().any(|token| token.is("concurrently"))
    {
        return Some(refused(
            first,
            "DETACH PARTITION … CONCURRENTLY does not run in a transaction; detach without it",
        ));
    }
    if ["function", "procedure", "routine"]
        .iter()
        .any(|word| noun.is(word))
    {
        let language = after("language").and_then(read_language);
        if language.is_some_and(|name| !["sql", "plpgsql"].contains(&name.as_str())) {
            return Some(refused(
                noun,
                "only the languages sql and plpgsql can be looked into; use one of them",
            ));
        }
        return of_routine_settings(words);
    }
    None
}

/// Judges the settings that a function brings along; what stands in a body of `BEGIN ATOMIC` is none.
fn of_routine_settings(words: &[Token<'_>]) -> Option<Refused> {
    let body = words
        .iter()
        .position(|token| token.is("atomic"))
        .unwrap_or(words.len());
    let set = |(at, token): (usize, &Token<'_>)| {
        token.is("set").then(|| of_setting(&words[at..])).flatten()
    };
    words[..body].iter().enumerate().find_map(set)
}

/// Judges `SET [SESSION | LOCAL] name …`.
fn of_setting(words: &[Token<'_>]) -> Option<Refused> {
    let scoped = words
        .get(1)
        .is_some_and(|token| token.is("local") || token.is("session"));
    let name = words.get(if scoped { 2 } else { 1 })?;
    let is_one = name
        .name()
        .is_some_and(|name| SETTINGS.contains(&name.to_lowercase().as_str()));
    let custom = words.iter().any(|token| token.is_sign("."));
    (!is_one || custom).then(|| {
        let why = "this setting is the runner's; a script may set search_path, time zone, work_mem and the like";
        refused(name, why)
    })
}

/// Judges rows written into the catalogue itself.
fn of_catalogue(words: &[Token<'_>]) -> Option<Refused> {
    let writes = ["insert", "update", "delete", "merge", "truncate"];
    let starts = words
        .iter()
        .enumerate()
        .filter(|(_, token)| writes.iter().any(|word| token.is(word)));
    for (at, _) in starts {
        let filler = ["into", "from", "only", "table"];
        let target = words[at + 1..]
            .iter()
            .find(|token| !filler.iter().any(|word| token.is(word)));
        let name = target
            .and_then(Token::name)
            .unwrap_or_default()
            .to_lowercase();
        if name.starts_with("pg_") || name == "information_schema" {
            return target.map(|token| refused(token, "the catalogue is not written by hand"));
        }
    }
    None
}

/// Looks for forbidden functions and names among names.
fn hidden(words: &[Token<'_>]) -> Vec<Refused> {
    let mut found = Vec::new();
    for (at, token) in words.iter().enumerate() {
        let Some(name) = token.name().map(|name| name.to_lowercase()) else {
            continue;
        };
        let is_called = words.get(at + 1).is_some_and(|next| next.is_sign("("));
        let is_one = |pattern: &&str| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == *pattern,
        };
        if is_called && FUNCTIONS.iter().any(is_one) {
            let why = if name == SETVAL {
                "no rollback brings a sequence back from it; use ALTER SEQUENCE … RESTART WITH"
            } else {
                "this function reaches files, settings, other sessions or other databases"
            };
            found.push(refused(token, why));
        } else if NAMES.contains(&name.as_str()) {
            found.push(refused(token, "no bundle touches this"));
        }
    }
    found
}

/// Finds what is psql's and not SQL: backslash commands, variables, and names spelled by numbers.
fn of_psql(all: &[Token<'_>]) -> Vec<Refused> {
    let mut found = Vec::new();
    let mut brackets = 0_usize;
    for (at, token) in all.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| all.get(at));
        let next = all.get(at + 1);
        match token.text {
            "[" => brackets += 1,
            "]" => brackets = brackets.saturating_sub(1),
            "\\" if token.kind == Kind::Sign => {
                found.push(refused(
                    token,
                    "psql's own commands are not SQL; take the line out",
                ));
            }
            ":" if brackets == 0 && before.is_none_or(|token| !token.is_sign(":")) => {
                let is_variable = next
                    .is_some_and(|next| matches!(next.kind, Kind::Word | Kind::Text | Kind::Name));
                if is_variable {
                    found.push(refused(
                        token,
                        "psql's variables are not SQL; write the value",
                    ));
                }
            }
            "&" if before.is_some_and(|token| token.is("u"))
                && next.is_some_and(|next| matches!(next.kind, Kind::Name | Kind::Text)) =>
            {
                found.push(refused(
                    token,
                    "U& spells by numbers what a reader cannot see; write it out",
                ));
            }
            _ => {}
        }
    }
    found
}
