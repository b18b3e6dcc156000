//! Secrets that are known by their own form, and addresses that hold one.

use regex::bytes::Captures;

use super::{Form, is_placeholder};

const fn always(what: &'static str, pattern: &'static str) -> Form {
    Form {
        what,
        pattern,
        is_one: |_, _| true,
    }
}

/// The bytes of a part of a match.
pub(super) fn part<'a>(captures: &Captures<'a>, number: usize) -> &'a [u8] {
    captures.get(number).map_or(b"", |part| part.as_bytes())
}

/// Tells whether the first part of a match is no placeholder.
fn is_real(captures: &Captures<'_>, _: &[u8]) -> bool {
    !is_placeholder(part(captures, 1))
}

/// All forms, the most telling first.
pub(super) const FORMS: &[Form] = &[
    always(
        "a private key",
        r"(?-u)-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-[0-9]|AGE-SECRET-KEY-1[0-9A-Z]{20}",
    ),
    always(
        "an AWS access key",
        r"(?-u)\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",
    ),
    always(
        "a GitHub token",
        r"(?-u)\bgh[pousr]_[A-Za-z0-9]{30}|\bgithub_pat_[A-Za-z0-9_]{22}",
    ),
    always("a GitLab token", r"(?-u)\bglpat-[A-Za-z0-9_-]{20}"),
    always(
        "a Slack token",
        r"(?-u)\bxox[abeoprs]-[A-Za-z0-9-]{10}|\bxapp-[0-9]-[A-Z0-9]+-[0-9]+-[a-z0-9]{8}|hooks\.slack\.com/services/T[A-Za-z0-9]+/B[A-Za-z0-9]+/[A-Za-z0-9]{8}",
    ),
    always(
        "a Stripe key",
        r"(?-u)\b[sr]k_(?:live|test)_[0-9A-Za-z]{16}",
    ),
    always(
        "a Google key",
        r"(?-u)\bAIza[0-9A-Za-z_-]{35}|\bya29\.[0-9A-Za-z_-]{20}",
    ),
    always(
        "a token of a package registry",
        r"(?-u)\bnpm_[A-Za-z0-9]{36}|\bpypi-AgEI[A-Za-z0-9_-]{20}",
    ),
    always(
        "a SendGrid key",
        r"(?-u)\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16}",
    ),
    always(
        "a JSON web token",
        r"(?-u)\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8}",
    ),
    Form {
        what: "an API key",
        pattern: r"(?-u)\bsk-(?:ant-|proj-)?([A-Za-z0-9_-]{32,})",
        is_one: |captures, _| {
            let key = part(captures, 1);
            key.iter().filter(|byte| byte.is_ascii_digit()).count() > 2
        },
    },
    Form {
        what: "a password in an address",
        pattern: r#"(?i-u)\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@'"]*:([^\s/@'"]+)@"#,
        is_one: is_real,
    },
    Form {
        what: "a password in the address of a database",
        pattern: r#"(?i-u)\b(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|neo4j|bolt)(?:\+[a-z]+)?://[^\s/:@'"]*:([^\s@'"]+)@"#,
        // A port and a path come before a name with an at sign.
        is_one: |captures, _| {
            let password = part(captures, 1);
            let digits = password
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            !is_placeholder(password) && password.get(digits) != Some(&b'/')
        },
    },
    Form {
        what: "the address of a database with its user",
        pattern: r#"(?i-u)\b(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|sqlserver|mssql|oracle|clickhouse|neo4j|bolt)(?:\+[a-z]+)?://([^\s/:@'"]+)(?::([^\s/@'"]*))?@[^\s'"]"#,
        is_one: |captures, _| {
            let user = part(captures, 1).to_ascii_lowercase();
            let is_example = matches!(&user[..], b"user" | b"username" | b"name");
            // With a placeholder for the password it is one for the address.
            captures.get(2).is_none() && !is_placeholder(&user) && !is_example
        },
    },
    Form {
        what: "the connection string of a database",
        pattern: r#"(?i-u)(?:\b(?:host|hostaddr|port|dbname|user|passfile|sslmode|connect_timeout|application_name|service)\s?=\s?(?:'[^'\n]*'|[^\s'",;]+)[ \t,;]+){2,}(?:host|hostaddr|port|dbname|user|passfile|sslmode|connect_timeout|application_name|service)\s?=\s?(?:'[^'\n]*'|[^\s'",;]+)"#,
        is_one: |captures, _| {
            let text = part(captures, 0).to_ascii_lowercase();
            let has = |word: &[u8]| text.windows(word.len()).any(|window| window == word);
            has(b"user") && has(b"host") && !text.iter().any(|byte| b"$<{%".contains(byte))
        },
    },
    Form {
        what: "a line of a password file",
        pattern: r"(?m-u)^[^\s:#/]*[A-Za-z*][^\s:#/]*:(?:[0-9]{2,5}|\*):[^\s:]+:[^\s:]+:([^\s:]+)\r?$",
        is_one: is_real,
    },
    Form {
        what: "an authorization header",
        pattern: r#"(?i-u)\bauthorization["'`]?\s*[:=]\s*["'`]?(?:basic|bearer|token)\s+([^\s"'`]{8,})"#,
        is_one: is_real,
    },
    Form {
        what: "a bearer token",
        pattern: r"(?-u)\b[Bb]earer\s+([A-Za-z0-9._~+/-]{20,}=*)",
        is_one: |captures, _| part(captures, 1).iter().any(u8::is_ascii_digit),
    },
    Form {
        what: "a password on a command line",
        pattern: r#"(?i-u)\bcurl\b[^\n]{0,400}?\s(?:-u|--user)[ =]['"]?[^\s:'"]+:([^\s'"]+)"#,
        is_one: is_real,
    },
    Form {
        what: "a password in SQL",
        pattern: r"(?i-u)\bpassword\s+(?:E|U&)?'((?:[^'\n]|'')*)'",
        is_one: is_real,
    },
    Form {
        what: "a password in SQL",
        pattern: r#"(?i-u)\bidentified\s+by\s+['"]?([^\s'";]+)"#,
        is_one: is_real,
    },
];
