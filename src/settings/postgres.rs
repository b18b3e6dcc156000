//! What stands after `postgres://`, taken apart so that it can be shown without its secrets.

use std::fmt;

use super::dsn_fault::DsnFault;
use super::keys::nearest;

/// Says whether a parameter's value may be seen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sight {
    Open,
    Hidden,
}

/// The parameters the driver understands. It logs the value of any other one, so others are refused.
const PARAMETERS: &[(&str, Sight)] = &[
    ("application_name", Sight::Open),
    ("dbname", Sight::Open),
    ("host", Sight::Open),
    ("hostaddr", Sight::Open),
    ("options", Sight::Hidden),
    ("password", Sight::Hidden),
    ("port", Sight::Open),
    ("sslcert", Sight::Hidden),
    ("sslkey", Sight::Hidden),
    ("sslmode", Sight::Open),
    ("sslrootcert", Sight::Open),
    ("statement-cache-capacity", Sight::Open),
    ("user", Sight::Open),
];

const SSL_MODES: &[&str] = &[
    "disable",
    "allow",
    "prefer",
    "require",
    "verify-ca",
    "verify-full",
];

/// Lists the known parameters for a hint.
pub(super) fn known_parameters() -> String {
    let names: Vec<&str> = PARAMETERS.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

#[derive(PartialEq, Eq)]
enum Password {
    Present,
    Absent,
}

/// A server address without its secrets: a password is only known to be there or not.
pub(super) struct Server {
    user: Option<String>,
    password: Password,
    host: String,
    port: Option<u16>,
    database: Option<String>,
    parameters: Vec<Parameter>,
}

struct Parameter {
    name: &'static str,
    shown: Option<String>,
    filled: bool,
}

impl Server {
    /// Takes apart everything after the two slashes.
    pub fn parse(rest: &str) -> Result<Self, DsnFault> {
        let (before_query, query) = match rest.split_once('?') {
            Some((before, query)) => (before, Some(query)),
            None => (rest, None),
        };
        let (authority, database) = match before_query.split_once('/') {
            Some((authority, database)) => (authority, Some(database)),
            None => (before_query, None),
        };
        // A raw `@` past the authority means that a reserved character cut a password in two:
        // what looks like a database or parameter is then the password's tail.
        let past_authority = [database, query];
        if rest.contains('#')
            || past_authority
                .iter()
                .flatten()
                .any(|part| part.contains('@'))
        {
            return Err(DsnFault::Unescaped);
        }
        let (credentials, location) = match authority.rsplit_once('@') {
            Some((credentials, location)) => (Some(credentials), location),
            None => (None, authority),
        };
        let (user, password) = read_credentials(credentials)?;
        let (host, port) = read_location(location)?;
        if host.is_empty() && (credentials.is_some() || port.is_some()) {
            return Err(DsnFault::NoHost);
        }
        Ok(Self {
            user,
            password,
            host,
            port,
            database: read_database(database)?,
            parameters: read_parameters(query)?,
        })
    }

    /// Tells whether a password stands anywhere in the address.
    pub fn holds_password(&self) -> bool {
        let in_query = |parameter: &Parameter| parameter.name == "password" && parameter.filled;
        self.password == Password::Present || self.parameters.iter().any(in_query)
    }
}

/// Takes an address apart for PostgreSQL's own programs: the names of libpq with their values, secrets among them.
pub(super) fn keywords(rest: &str) -> Result<Vec<(&'static str, String)>, DsnFault> {
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = before.split_once('/').unwrap_or((before, ""));
    let (credentials, location) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let (host, port) = match location.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (location, ""),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let mut found = Vec::new();
    for (name, value) in [
        ("user", user),
        ("password", password),
        ("host", host),
        ("port", port),
        ("dbname", database),
    ] {
        found.push((name, unescape(value)?));
    }
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // How many statements are kept is the driver's own matter.
        let known = PARAMETERS.iter().map(|(known, _)| *known);
        let mut known = known.filter(|known| *known != "statement-cache-capacity");
        if let Some(name) = known.find(|known| *known == name) {
            found.retain(|(other, _)| *other != name);
            found.push((name, unescape(value)?));
        }
    }
    found.retain(|(_, value)| !value.is_empty());
    Ok(found)
}

impl fmt::Display for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = match self.password {
            Password::Present => ":***",
            Password::Absent => "",
        };
        if self.user.is_some() || self.password == Password::Present {
            write!(out, "{}{hidden}@", self.user.as_deref().unwrap_or_default())?;
        }
        out.write_str(&self.host)?;
        if let Some(port) = self.port {
            write!(out, ":{port}")?;
        }
        if let Some(database) = &self.database {
            write!(out, "/{database}")?;
        }
        for (index, parameter) in self.parameters.iter().enumerate() {
            let joint = if index == 0 { '?' } else { '&' };
            let value = parameter.shown.as_deref().unwrap_or("***");
            write!(out, "{joint}{}={value}", parameter.name)?;
        }
        Ok(())
    }
}

fn read_credentials(text: Option<&str>) -> Result<(Option<String>, Password), DsnFault> {
    let Some(text) = text else {
        return Ok((None, Password::Absent));
    };
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    unescape(password)?;
    // An escaped `:` usually means that user and password were escaped as one, so it is refused
    // before anything is shown; a `%` left after unescaping is the same mistake made twice.
    if !is_one_name(&unescape(user)?) {
        return Err(DsnFault::User);
    }
    let user = Some(user.to_owned()).filter(|user| !user.is_empty());
    let password = match password {
        "" => Password::Absent,
        _ => Password::Present,
    };
    Ok((user, password))
}

fn read_location(text: &str) -> Result<(String, Option<u16>), DsnFault> {
    let (host, port) = if text.starts_with('[') {
        let end = text.find(']').ok_or(DsnFault::Host)? + 1;
        let (host, tail) = text.split_at(end);
        match tail.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if tail.is_empty() => (host, None),
            None => return Err(DsnFault::Host),
        }
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let port = port.map(read_port).transpose()?;
    if is_host(host)? {
        Ok((host.to_owned(), port))
    } else {
        Err(DsnFault::Host)
    }
}

fn read_port(text: &str) -> Result<u16, DsnFault> {
    // `u16::from_str` takes a leading `+`.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits && port > 0 => Ok(port),
        _ => Err(DsnFault::Port),
    }
}

fn is_host(text: &str) -> Result<bool, DsnFault> {
    if let Some(inner) = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
    {
        return Ok(inner.parse::<std::net::Ipv6Addr>().is_ok());
    }
    if text.contains('%') {
        let folder = unescape(text)?;
        return Ok(folder.starts_with('/') && !folder.contains([':', '@', '%']));
    }
    Ok(text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')))
}

fn read_database(text: Option<&str>) -> Result<Option<String>, DsnFault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let name = unescape(text)?;
    if is_one_name(&name) && !name.contains('/') {
        Ok(Some(text.to_owned()))
    } else {
        Err(DsnFault::Database)
    }
}

fn read_parameters(query: Option<&str>) -> Result<Vec<Parameter>, DsnFault> {
    let pairs = query.into_iter().flat_map(|query| query.split('&'));
    pairs
        .filter(|pair| !pair.is_empty())
        .map(|pair| read_parameter(pair.split_once('=').unwrap_or((pair, ""))))
        .collect()
}

fn read_parameter((name, value): (&str, &str)) -> Result<Parameter, DsnFault> {
    let Some((name, sight)) = PARAMETERS.iter().find(|(known, _)| *known == name) else {
        let known = PARAMETERS.iter().map(|(known, _)| *known);
        return Err(DsnFault::Parameter(nearest(name, known)));
    };
    unescape(value)?;
    if *name == "sslmode" && !SSL_MODES.contains(&value) {
        return Err(DsnFault::SslMode);
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '+');
    let open = *sight == Sight::Open && value.chars().all(plain);
    Ok(Parameter {
        name,
        shown: open.then(|| value.to_owned()),
        filled: !value.is_empty(),
    })
}

fn is_one_name(text: &str) -> bool {
    !text
        .chars()
        .any(|c| c.is_control() || matches!(c, ':' | '%'))
}

/// Undoes percent escapes, strictly.
fn unescape(text: &str) -> Result<String, DsnFault> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let high = rest.next().and_then(hex_digit).ok_or(DsnFault::Escape)?;
        let low = rest.next().and_then(hex_digit).ok_or(DsnFault::Escape)?;
        bytes.push(high << 4 | low);
    }
    String::from_utf8(bytes).map_err(|_| DsnFault::Escape)
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}
