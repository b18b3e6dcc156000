//! Every reason for which an address is refused.

use super::postgres;

/// Says why an address was refused; carries nothing of the address, so nothing can leak from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DsnFault {
    /// Nothing is there.
    #[error("is empty")]
    Empty,
    /// A control character, or white space in a server address.
    #[error("holds white space or a control character")]
    Blank,
    /// A path that no address can spell.
    #[error("is a path that is not UTF-8")]
    NotText,
    /// The scheme is missing or not one of ours.
    #[error("does not begin with a scheme this program knows")]
    Scheme,
    /// `postgres:` without the two slashes.
    #[error("lacks `//` after its scheme")]
    NoSlashes,
    /// `sqlite:` and then nothing.
    #[error("names no database file")]
    NoFile,
    /// A database that would be gone when the program ends.
    #[error("asks for a database in memory")]
    InMemory,
    /// `sqlite:x?mode=ro` and the like.
    #[error("has parameters after a file name")]
    FileParameters,
    /// `sqlite:file:...`.
    #[error("has a `file:` address after its scheme")]
    FileAddress,
    /// `sqlite:data/`.
    #[error("names a folder instead of a database file")]
    Folder,
    /// A server address behind the scheme of the embedded database.
    #[error("looks like a server address behind the scheme of a file")]
    ServerAsFile,
    /// A reserved character stands where only its escape is unambiguous.
    #[error("has an unescaped `/`, `?`, `#` or `@` inside a name, password or parameter")]
    Unescaped,
    /// `%` that starts no escape, or escapes that are not UTF-8.
    #[error("has a `%` that starts no valid escape")]
    Escape,
    /// The user name would hide a password or mislead.
    #[error("has a user name that holds `:`, `%` or a control character")]
    User,
    /// A user or a port, and no host between.
    #[error("has a user or port but no host")]
    NoHost,
    /// The host is not a host name, address or socket folder.
    #[error("has a host that is neither a name, an address nor a socket folder")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("has a port that is not a number from 1 to 65535")]
    Port,
    /// The database name is not one name.
    #[error("has a database name that holds `/`, `:`, `%` or a control character")]
    Database,
    /// A connection parameter the driver would ignore.
    #[error("has a connection parameter this program does not know")]
    Parameter(Option<&'static str>),
    /// `sslmode` with a word that is none.
    #[error("has an `sslmode` that does not exist")]
    SslMode,
}

impl DsnFault {
    /// Says what would make the address right.
    #[must_use]
    pub fn hint(self) -> String {
        let fixed = match self {
            Self::Empty | Self::Scheme => {
                "write sqlite:<path> for a file or postgres://user@host/database for a server"
            }
            Self::Blank => "write a space inside a name or password as %20 and leave none around",
            Self::NotText => "rename the folder, or give the address of another file",
            Self::NoSlashes => "write postgres://user@host/database",
            Self::NoFile => "write the path of the file, as in sqlite:govdeck.db",
            Self::InMemory => {
                "governance must outlive the program: name a file, as in sqlite:govdeck.db"
            }
            Self::FileParameters => "leave out everything from the `?` on",
            Self::FileAddress => "write the path itself after sqlite:",
            Self::Folder => "add the name of the file, as in sqlite:data/govdeck.db",
            Self::ServerAsFile => "for a server write postgres://user@host/database",
            Self::Unescaped => "escape them: / is %2F, ? is %3F, # is %23, @ is %40",
            Self::Escape => "write a literal % as %25, and every escape as % and two hex digits",
            Self::User => "put the password after a plain `:`, and escape only what needs it",
            Self::NoHost => {
                "name the host, or write postgres:///database?host=/socket/folder&user=name"
            }
            Self::Host => {
                "write a host name, an IP address, an IPv6 address in [ ], or %2Fa%2Ffolder"
            }
            Self::Port => "write the port after the host, as in host:5432",
            Self::Database => {
                "write one database name after the host, as in postgres://host/govdeck"
            }
            Self::Parameter(None) => {
                return format!("known parameters: {}", postgres::known_parameters());
            }
            Self::Parameter(Some(near)) => return format!("did you mean `{near}`?"),
            Self::SslMode => {
                "choose one of disable, allow, prefer, require, verify-ca, verify-full"
            }
        };
        fixed.to_owned()
    }
}
