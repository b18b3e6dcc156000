//! Database addresses: read strictly, shown without their secrets.

use std::fmt;
use std::path::{Path, PathBuf};

use super::dsn_fault::DsnFault;
use super::postgres;

/// Says which database an address leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DsnKind {
    /// The embedded database in this file, taken as given relative to the current folder.
    Sqlite(PathBuf),
    /// A `PostgreSQL` server.
    Postgres,
}

/// Holds the address of a database and is the one place that decides how much of it may be seen.
///
/// `Debug` and `Display` show scheme, user, host, port and database; a password is shown as `***`
/// wherever it stands. Only [`Dsn::expose`] gives the full text.
#[derive(Clone, PartialEq, Eq)]
pub struct Dsn {
    text: String,
    shown: String,
    kind: DsnKind,
    holds_password: bool,
}

impl Dsn {
    /// Reads an address, refusing everything that is malformed, unknown or ambiguous.
    pub fn parse(text: &str) -> Result<Self, DsnFault> {
        if text.trim().is_empty() {
            return Err(DsnFault::Empty);
        }
        if text.chars().any(char::is_control) {
            return Err(DsnFault::Blank);
        }
        let (scheme, rest) = text.split_once(':').ok_or(DsnFault::Scheme)?;
        match scheme {
            "sqlite" => Self::file(text, rest),
            "postgres" | "postgresql" => Self::server(text, scheme, rest),
            _ => Err(DsnFault::Scheme),
        }
    }

    /// Makes the address of the embedded database in a file.
    pub fn of_file(path: &Path) -> Result<Self, DsnFault> {
        // Two slashes first: a path that begins with two of its own would lose them otherwise.
        let path = path.to_str().ok_or(DsnFault::NotText)?;
        Self::parse(&format!("sqlite://{path}"))
    }

    /// Gives the full text with its secrets; for the code that opens connections and nobody else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Takes the address of a server apart as PostgreSQL's own programs name its parts, with its secrets; like
    /// [`Dsn::expose`], for whoever opens connections and nobody else.
    #[must_use]
    pub fn expose_keywords(&self) -> Vec<(&'static str, String)> {
        let rest = self.text.split_once("://").filter(|_| self.is_postgres());
        let rest = rest.and_then(|(_, rest)| postgres::keywords(rest).ok());
        rest.unwrap_or_default()
    }

    /// Says which database this leads to.
    #[must_use]
    pub fn kind(&self) -> DsnKind {
        self.kind.clone()
    }

    /// Tells whether this leads to a `PostgreSQL` server.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.kind == DsnKind::Postgres
    }

    /// Tells whether the text holds a password, so that its place deserves care.
    #[must_use]
    pub fn holds_password(&self) -> bool {
        self.holds_password
    }

    fn file(text: &str, rest: &str) -> Result<Self, DsnFault> {
        let path = rest.strip_prefix("//").unwrap_or(rest);
        // A `:` before an `@` is how a password is written; such a text must never be shown as a path.
        let before_at = path.rsplit_once('@').map(|(before, _)| before);
        if before_at.is_some_and(|before| before.contains(':')) || path.contains("://") {
            return Err(DsnFault::ServerAsFile);
        }
        if path.trim().is_empty() {
            return Err(DsnFault::NoFile);
        }
        if path != path.trim() {
            return Err(DsnFault::Blank);
        }
        if path.starts_with(":memory:") {
            return Err(DsnFault::InMemory);
        }
        if path.starts_with("file:") {
            return Err(DsnFault::FileAddress);
        }
        if path.contains('?') {
            return Err(DsnFault::FileParameters);
        }
        let last = Path::new(path).file_name();
        if last.is_none() || path.ends_with('/') || path.ends_with("/.") {
            return Err(DsnFault::Folder);
        }
        Ok(Self {
            text: text.to_owned(),
            shown: format!("sqlite:{path}"),
            kind: DsnKind::Sqlite(PathBuf::from(path)),
            holds_password: false,
        })
    }

    fn server(text: &str, scheme: &str, rest: &str) -> Result<Self, DsnFault> {
        if text.chars().any(char::is_whitespace) {
            return Err(DsnFault::Blank);
        }
        let rest = rest.strip_prefix("//").ok_or(DsnFault::NoSlashes)?;
        let server = postgres::Server::parse(rest)?;
        Ok(Self {
            text: text.to_owned(),
            shown: format!("{scheme}://{server}"),
            kind: DsnKind::Postgres,
            holds_password: server.holds_password(),
        })
    }
}

impl fmt::Display for Dsn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.shown)
    }
}

impl fmt::Debug for Dsn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Dsn({})", self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives everything a person or a log could come to see of a text given as an address.
    fn visible(text: &str) -> String {
        match Dsn::parse(text) {
            Ok(dsn) => format!("{dsn} {dsn:?} {dsn:#?} {:?}", dsn.kind()),
            Err(fault) => format!("{fault} {fault:?} {}", fault.hint()),
        }
    }

    #[test]
    fn shows_all_but_the_secrets() {
        let table = [
            ("sqlite:a b.db", "sqlite:a b.db"),
            ("sqlite://a.db", "sqlite:a.db"),
            ("sqlite:///var/a.db", "sqlite:/var/a.db"),
            ("sqlite:/var/me@host/a.db", "sqlite:/var/me@host/a.db"),
            ("postgres://h/d", "postgres://h/d"),
            ("postgres://u@h:5433/d", "postgres://u@h:5433/d"),
            ("postgresql://u:pw@h/d", "postgresql://u:***@h/d"),
            ("postgres://u:@h/d", "postgres://u@h/d"),
            ("postgres://:pw@h", "postgres://:***@h"),
            ("postgres://u:p@w:x@h/d", "postgres://u:***@h/d"),
            ("postgres://u%40corp:pw@h/d", "postgres://u%40corp:***@h/d"),
            (
                "postgres://u:pw@[::1]:5432/d",
                "postgres://u:***@[::1]:5432/d",
            ),
            (
                "postgres://u:pw@%2Frun%2Fpg/d",
                "postgres://u:***@%2Frun%2Fpg/d",
            ),
            (
                "postgres:///d?host=/run/pg&user=u",
                "postgres:///d?host=/run/pg&user=u",
            ),
            (
                "postgres://u@h/d?password=pw&sslmode=require&sslkey=k&options=-c%20a",
                "postgres://u@h/d?password=***&sslmode=require&sslkey=***&options=***",
            ),
            (
                "postgres://h/d?application_name=a;pw",
                "postgres://h/d?application_name=***",
            ),
        ];
        for (text, shown) in table {
            let dsn = Dsn::parse(text).unwrap();
            assert_eq!(dsn.to_string(), shown);
            assert_eq!(format!("{dsn:?}"), format!("Dsn({shown})"));
            assert_eq!(dsn.expose(), text);
            let hides_password = shown.contains(":***@") || shown.contains("password=***");
            assert_eq!(dsn.holds_password(), hides_password, "{text}");
        }
    }

    #[test]
    fn is_taken_apart_for_other_programs() {
        for (text, parts) in [
            (
                "postgres://u%40corp:p%3Aw@h:5433/d%20b?sslmode=require&statement-cache-capacity=7",
                "user=u@corp password=p:w host=h port=5433 dbname=d b sslmode=require",
            ),
            (
                "postgresql://u@[::1]:5432/d?password=x&dbname=e",
                "user=u host=::1 port=5432 password=x dbname=e",
            ),
            ("postgres://[::1]/d", "host=::1 dbname=d"),
            (
                "postgres:///d?host=/run/pg&user=u",
                "dbname=d host=/run/pg user=u",
            ),
            (
                "postgres://u:@%2Frun%2Fpg/d",
                "user=u host=/run/pg dbname=d",
            ),
            ("sqlite:u.db", ""),
        ] {
            let found = Dsn::parse(text).unwrap().expose_keywords();
            let found: Vec<_> = found
                .iter()
                .map(|(name, it)| format!("{name}={it}"))
                .collect();
            assert_eq!(found.join(" "), parts, "{text}");
        }
    }

    #[test]
    fn tells_which_database_it_is() {
        let file = |path: &str| DsnKind::Sqlite(PathBuf::from(path));
        let table = [
            ("sqlite:a.db", file("a.db")),
            ("sqlite://data/a.db", file("data/a.db")),
            ("sqlite:///data/a.db", file("/data/a.db")),
            ("sqlite:50%25#1.db", file("50%25#1.db")),
            ("postgres://h", DsnKind::Postgres),
            ("postgresql:///d", DsnKind::Postgres),
        ];
        for (text, kind) in table {
            assert_eq!(Dsn::parse(text).unwrap().kind(), kind);
        }
        let odd = Path::new("//two/slashes.db");
        assert_eq!(
            Dsn::of_file(odd).unwrap().kind(),
            DsnKind::Sqlite(odd.to_owned())
        );
    }

    #[test]
    fn refuses_what_is_malformed_or_ambiguous() {
        use DsnFault as F;
        let table = [
            ("", F::Empty),
            ("  ", F::Empty),
            ("govdeck.db", F::Scheme),
            ("mysql://u:p@h/d", F::Scheme),
            ("host=h password=p", F::Scheme),
            (" postgres://h", F::Scheme),
            ("POSTGRES://h", F::Scheme),
            ("sqlite:a\nb", F::Blank),
            ("sqlite: a.db", F::Blank),
            ("sqlite:a.db ", F::Blank),
            ("postgres://u:p w@h/d", F::Blank),
            ("sqlite:", F::NoFile),
            ("sqlite://", F::NoFile),
            ("sqlite: ", F::NoFile),
            ("sqlite::memory:", F::InMemory),
            ("sqlite://:memory:", F::InMemory),
            ("sqlite:a.db?mode=ro", F::FileParameters),
            ("sqlite:file:a.db", F::FileAddress),
            ("sqlite:data/", F::Folder),
            ("sqlite:data/.", F::Folder),
            ("sqlite:..", F::Folder),
            ("sqlite:/", F::Folder),
            ("sqlite://u:p@h/d", F::ServerAsFile),
            ("sqlite:postgres://h/d", F::ServerAsFile),
            ("postgres:h/d", F::NoSlashes),
            ("postgres://u:1/2@h/d", F::Unescaped),
            ("postgres://u:1?2@h/d", F::Unescaped),
            ("postgres://u:1#2@h/d", F::Unescaped),
            ("postgres://h/d#x", F::Unescaped),
            ("postgres://u:1%2@h/d", F::Escape),
            ("postgres://u:1%ff@h/d", F::Escape),
            ("postgres://u:1%+1@h/d", F::Escape),
            ("postgres://u%3Ap@h/d", F::User),
            ("postgres://u%253Ap@h/d", F::User),
            ("postgres://u@/d", F::NoHost),
            ("postgres://:5432/d", F::NoHost),
            ("postgres://a,b/d", F::Host),
            ("postgres://u%3Ap%40h/d", F::Host),
            ("postgres://[::1/d", F::Host),
            ("postgres://[::1]x/d", F::Host),
            ("postgres://[u:p]/d", F::Host),
            ("postgres://h:/d", F::Port),
            ("postgres://h:0/d", F::Port),
            ("postgres://h:+1/d", F::Port),
            ("postgres://h:65536/d", F::Port),
            ("postgres://u:p/d", F::Port),
            ("postgres://h/d/e", F::Database),
            ("postgres://h/d%2Fe", F::Database),
            (
                "postgres://h/d?sslmod=require",
                F::Parameter(Some("sslmode")),
            ),
            (
                "postgres://h/d?sslpassword=p",
                F::Parameter(Some("password")),
            ),
            ("postgres://h/d?channel_binding=require", F::Parameter(None)),
            ("postgres://h/d?sslmode=on", F::SslMode),
        ];
        for (text, fault) in table {
            assert_eq!(Dsn::parse(text).unwrap_err(), fault, "{text}");
            assert!(!fault.hint().is_empty());
        }
    }

    /// A small generator of its own, so that a failure repeats.
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            usize::try_from(self.0 >> 33).unwrap() % sides
        }

        fn noise(&mut self) -> String {
            const PIECES: &[&str] = &[
                "@",
                ":",
                "/",
                "?",
                "#",
                "%",
                "&",
                "=",
                "[",
                "]",
                ";",
                "+",
                ",",
                " ",
                "\\",
                "%40",
                "%2",
                "é",
                "\u{1b}",
                "//",
                "password=",
                "user",
                "1",
                "x",
                ".",
                "'",
                "\"",
            ];
            (0..self.roll(5))
                .map(|_| PIECES[self.roll(PIECES.len())])
                .collect()
        }
    }

    fn escaped(text: &str) -> String {
        text.bytes()
            .fold(String::new(), |text, byte| text + &format!("%{byte:02X}"))
    }

    #[test]
    fn no_password_is_ever_visible() {
        const CANARY: &str = "Canary";
        let mut dice = Dice(7);
        let mut accepted = 0;
        for _ in 0..4_000 {
            let password = format!("{}{CANARY}{}", dice.noise(), dice.noise());
            let partly = password
                .replace('@', "%40")
                .replace('/', "%2F")
                .replace('#', "%23");
            let scheme = ["postgres:", "postgresql:", "sqlite:", "mysql:", ""][dice.roll(5)];
            for secret in [&password, &partly, &escaped(&password)] {
                for text in [
                    format!("{scheme}//u:{secret}@h:5432/d?sslmode=require"),
                    format!("{scheme}//:{secret}@h/d"),
                    format!("{scheme}u:{secret}@h/d"),
                ] {
                    accepted += usize::from(Dsn::parse(&text).is_ok());
                    let seen = visible(&text);
                    let leak = seen.contains(CANARY) || seen.contains(&escaped(CANARY));
                    assert!(!leak, "{text:?} shows {seen:?}");
                }
            }
            let quiet = escaped(&password);
            let names = "password sslpassword sslkey passwd pass%77ord ";
            for name in names.split(' ') {
                let seen = visible(&format!("postgres://u@h/d?{name}={quiet}&sslmode=prefer"));
                assert!(!seen.contains(&escaped(CANARY)), "{seen:?}");
            }
        }
        assert!(
            accepted > 4_000,
            "the test must also see addresses that are taken: {accepted}"
        );
    }
}
