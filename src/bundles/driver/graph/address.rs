//! Where a graph is: `falkor://[user[:password]@]host[:port]/graph`, or a socket in the place of the host.

use zeroize::Zeroizing;

use super::super::secrets::decoded;

/// The usual port of a Redis server.
const PORT: u16 = 6379;

/// Where a graph is and how one gets in; never shown.
pub(super) struct Address {
    pub place: Place,
    pub user: Option<String>,
    pub password: Option<Zeroizing<String>>,
    pub graph: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Host(String, u16),
    Socket(String),
}

impl Address {
    /// Reads an address; what is wrong is said without repeating it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err("the address holds a blank or a control character");
        }
        if text.starts_with("falkors://") || text.starts_with("rediss://") {
            return Err(
                "the address asks for TLS, which this driver does not speak; use a socket or a tunnel",
            );
        }
        let rest = text
            .strip_prefix("falkor://")
            .ok_or("the address does not begin with falkor://")?;
        let (before, socket) = match rest.split_once('?') {
            None => (rest, None),
            Some((before, query)) => match query.strip_prefix("socket=") {
                Some(path) if path.starts_with('/') => (before, Some(decoded(path))),
                _ => return Err("the address has a parameter other than socket=/path"),
            },
        };
        let (authority, graph) = before
            .rsplit_once('/')
            .ok_or("the address names no graph")?;
        if !is_graph(graph) {
            return Err("the graph's name has 1 to 64 letters, digits, `_` and `-`");
        }
        let (credentials, host) = match authority.rsplit_once('@') {
            Some((credentials, host)) => (Some(credentials), host),
            None => (None, authority),
        };
        if authority.contains('/') || host.contains('@') {
            return Err("the address holds an unescaped `/` or `@`; write %2F or %40");
        }
        let (user, password) = match credentials {
            None => (None, None),
            Some(both) => {
                let (user, password) = both
                    .split_once(':')
                    .ok_or("the address names a user without a password")?;
                let user = Some(decoded(user)).filter(|user| !user.is_empty());
                (user, Some(Zeroizing::new(decoded(password))))
            }
        };
        let place = match socket {
            Some(path) if host.is_empty() => Place::Socket(path),
            Some(_) => return Err("the address names a host and a socket"),
            None => host_of(host)?,
        };
        Ok(Self {
            place,
            user,
            password,
            graph: graph.to_owned(),
        })
    }
}

fn is_graph(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (1..=64).contains(&name.len()) && name.chars().all(good)
}

fn host_of(text: &str) -> Result<Place, &'static str> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest
                .split_once(']')
                .ok_or("the address has an unclosed [")?;
            (
                host,
                after
                    .strip_prefix(':')
                    .or((!after.is_empty()).then_some("")),
            )
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    if host.is_empty() {
        return Err("the address names no host");
    }
    let port = match port {
        None => PORT,
        Some(port) => port
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or("the address has a port that is none")?,
    };
    Ok(Place::Host(host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_sockets_users_and_graphs_are_read() {
        let full = Address::parse("falkor://ann:p%40ss@graphs:7000/roads").expect("good");
        assert_eq!(full.place, Place::Host("graphs".to_owned(), 7000));
        assert_eq!(full.user.as_deref(), Some("ann"));
        assert_eq!(full.password.as_ref().map(|p| p.as_str()), Some("p@ss"));
        assert_eq!(full.graph, "roads");
        let local = Address::parse("falkor:///roads?socket=/run/graph.sock").expect("good");
        assert_eq!(local.place, Place::Socket("/run/graph.sock".to_owned()));
        let six = Address::parse("falkor://:pw@[::1]/roads").expect("good");
        assert_eq!(six.place, Place::Host("::1".to_owned(), PORT));
        assert_eq!(six.user, None);
    }

    #[test]
    fn what_is_unclear_is_refused_without_being_repeated() {
        for text in [
            "",
            "redis://h/g",
            "falkors://h/g",
            "falkor://h",
            "falkor://h/",
            "falkor:///g",
            "falkor://h/g h",
            "falkor://u@h/g",
            "falkor://u:canary/@h/g",
            "falkor://h:0/g",
            "falkor://h:x/g",
            "falkor://h/g?db=1",
            "falkor://h/g?socket=x",
            "falkor://h/g?socket=/x",
            "falkor://[::1/g",
            "falkor://[::1]x/g",
            "falkor://h/g*",
        ] {
            let fault = Address::parse(text)
                .err()
                .unwrap_or_else(|| panic!("{text} was taken"));
            assert!(!fault.contains("canary"));
        }
    }
}
