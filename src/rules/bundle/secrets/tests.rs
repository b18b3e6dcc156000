//! Tables of what is a secret and what is none. Real forms are put together here, so that this file holds none.

use super::*;

/// Puts a text together whose parts are no secret each.
fn joined(parts: &[&str]) -> String {
    parts.concat()
}

fn secrets() -> Vec<String> {
    let mixed = "a8Fk29xQ0zLm4TnB7vRy";
    let mut all: Vec<String> = [
        "password=hunter2",
        "PASSWORD=Tr0ub4dor",
        "PGPASSWORD=hunter2 psql -f forward.sql",
        "export DB_PASSWORD=swordfish",
        "password = 'hunter2'",
        "password := \"hunter2\"",
        "pwd=abc123;",
        "PWD=abc123",
        "Server=db;Database=kfm;User Id=app;Password=abc123;",
        "jdbc:postgresql://db/kfm?user=app&password=abc123",
        "  password: hunter2",
        "db_password: swordfish",
        "\"password\": \"hunter2\"",
        "{\"dbPassword\":\"x9!kd\"}",
        "'passwd' => 'hunter2'",
        "passphrase: \"correct horse battery staple\"",
        "ALTER ROLE kfm PASSWORD 'hunter2';",
        "CREATE USER kfm WITH ENCRYPTED PASSWORD E'hunter2'",
        "create user kfm identified by hunter2",
        "CREATE USER kfm IDENTIFIED BY 'hunter2'",
        "UPDATE users SET password = 'hunter2' WHERE id = 1",
        "postgres://kfm:hunter2@db.internal/kfm",
        "postgresql://kfm:p/w#1@db.internal:5432/kfm",
        "https://bot:abc123@example.org/repo.git",
        "redis://:abc123@cache:6379/0",
        "mongodb+srv://app:abc123@cluster0.example.org/db",
        "postgresql://kfm@db.internal:5432/kfm",
        "host=db.internal port=5432 user=kfm dbname=kfm",
        "psql \"host=db.internal user=kfm dbname=kfm sslmode=require\"",
        "user='kfm' password='hunter2' host='db'",
        "db.internal:5432:kfm:app:hunter2",
        "*:*:*:app:hunter2",
        "Authorization: Basic a2ZtOmh1bnRlcjI=",
        "curl -u kfm:hunter2 https://example.org",
        "postgres:\\/\\/kfm:hunter2@db\\/kfm",
        "\"p\\u0061ssword\": \"hunter2\"",
        "-- run with password=hunter2 on stage",
        "password=changeme",
    ]
    .map(str::to_owned)
    .into();
    all.extend([
        joined(&["-----BEGIN ", "PRIVATE KEY-----"]),
        joined(&["-----BEGIN RSA ", "PRIVATE KEY-----\nMIIE"]),
        joined(&["-----BEGIN OPENSSH ", "PRIVATE KEY-----"]),
        joined(&["-----BEGIN PGP ", "PRIVATE KEY BLOCK-----"]),
        joined(&["key: AKIA", "IOSFODNN7EXAMPLE"]),
        joined(&["ghp_", "abcdefghijklmnopqrstuvwxyz0123456789"]),
        joined(&["github_pat_", "11ABCDEFG0abcdefghijkl_xyz"]),
        joined(&["glpat-", "abcdefghij0123456789"]),
        joined(&["xoxb-", "123456789012-abcdefghijkl"]),
        joined(&[
            "https://hooks.slack.com/services/",
            "T000/B000/abcdefgh1234",
        ]),
        joined(&["sk_live_", "abcdefghijklmnop1234"]),
        joined(&["AIza", "SyA0123456789abcdefghijklmnopqrstuv"]),
        joined(&["npm_", "abcdefghijklmnopqrstuvwxyz0123456789"]),
        joined(&["sk-ant-", "api03-abcdefghijklmnop0123456789abcdef"]),
        joined(&[
            "eyJhbGciOiJIUzI1NiJ9",
            ".eyJzdWIiOiIxMjM0In0",
            ".abcDEF123456_-xyz",
        ]),
        joined(&["Authorization: Bearer ", mixed]),
        joined(&["api_key = \"", mixed, "\""]),
        joined(&["CLIENT_SECRET=", mixed]),
        joined(&["\"access_token\": \"", mixed, "\""]),
        joined(&["secret: ", "9f86d081884c7d659a2feaa0c55ad015"]),
        joined(&[
            "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/",
            "bPxRfiCYEXAMPLEKEY",
        ]),
        joined(&["signing-key: '", "q7Zt2mX9/Lp0+Rw4Yv8Kc1==", "'"]),
    ]);
    let wide = "password=hunter2".chars().flat_map(|c| [c, '\0']);
    all.push(wide.collect());
    all
}

/// What is none: names, prose, references, digests, placeholders, SQL over columns.
const HARMLESS: &[&str] = &[
    "the password column is renamed",
    "Renames the column password to password_hash.",
    "password: see the vault",
    "- password: unchanged",
    "PWD=/srv/gov\nOLDPWD=/",
    "Password: rotated",
    "The secret: it is kept elsewhere.",
    "KFM_DB_DSN_REF",
    "environment:\n  - KFM_DB_DSN_REF\n  - PGPASSWORD_REF",
    "secret_ref: KFM_DB_DSN_REF_2026",
    "postgres://host/db",
    "postgresql:///kfm?host=/run/postgresql",
    "postgres://db.internal:5432/kfm",
    "postgres://user@host/db",
    "postgres://<user>:<password>@<host>/db",
    "postgres://kfm_app:$PGPASSWORD@db/kfm or postgres://$USER:$PW@db",
    "postgres://${USER}:${PASSWORD}@host/db",
    "https://example.org/~user/a:b",
    "https://example.org:8080/path",
    "https://example.org/@someone",
    "git@github.com:owner/repository.git",
    "mailto:somebody@example.org",
    "password=<password>",
    "password=$PGPASSWORD",
    "password=${PGPASSWORD}",
    "PGPASSWORD=\"$PGPASSWORD\"",
    "password=$(cat /run/secrets/pg)",
    "password=***",
    "password=xxxx",
    "password=...",
    "password='...'",
    "password=\"\"",
    "password=%s",
    "password={password}",
    "password: {{ vault_password }}",
    "password = :password",
    "password = ?",
    "\"password\": null",
    "\"password\": \"<redacted>\"",
    "\"password\": \"redacted\"",
    "ALTER ROLE kfm PASSWORD NULL;",
    "ALTER ROLE kfm PASSWORD :'pw';",
    "ALTER ROLE kfm PASSWORD '<password>';",
    "ALTER TABLE users ADD COLUMN password text NOT NULL",
    "ALTER TABLE users RENAME COLUMN password TO password_hash",
    "COMMENT ON COLUMN users.password IS 'hash of the password'",
    "UPDATE users SET password = NULL",
    "UPDATE users SET password = old_password",
    "UPDATE users SET password = o.password FROM old o",
    "ON CONFLICT DO UPDATE SET password=excluded.password",
    "UPDATE users SET password = crypt($1, gen_salt('bf'))",
    "WHERE u.password = v.password",
    "password_hash = 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'",
    "\"token_count\": 1234567890123456",
    "\"tokenizer\": \"edge_ngram_2_20_lowercase\"",
    "max_token_length: 255",
    "token_type = refresh_token_version_2",
    "secret_name: projects/kfm/secrets/database-url-2026",
    "\"digest\": \"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"",
    "git_commit: 3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
    "secret_digest: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "-----BEGIN PUBLIC KEY-----",
    "-----BEGIN CERTIFICATE-----",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHKVd0",
    "bearer tokens are refused",
    "Authorization: Bearer <token>",
    "the host = the machine, the user = a person, and the port = a number",
    "host=$PGHOST user=$PGUSER dbname=$PGDATABASE",
    "curl -u \"$USER:$PASSWORD\" https://example.org",
    "12:30:45",
    "2026-03-01T18:30:00Z",
    "kfm://run/2026-03-01T18:30:00Z.migration.PG-MIG-2026-03-01-01.abcd1234",
    "\"principal\": \"svc:migrations-runner\"",
    "authority_sites = 3, author: somebody",
    "risk-averse-long-kebab-case-words-that-go-on-and-on-for-ever",
    "SELECT count(*) FROM api_keys",
    "CREATE INDEX api_key_created_at ON api_keys (created_at)",
    "IF password == other THEN",
    "has_password := true",
    "",
];

#[test]
fn secrets_are_found_and_never_repeated() {
    for text in secrets() {
        let hits = scan(text.as_bytes());
        assert!(!hits.is_empty(), "{text:?}");
        for hit in &hits {
            assert!(!hit.what.contains("hunter2"));
        }
        let within = format!("-- a line\n\n{text}\n-- é\n");
        assert!(!scan(within.as_bytes()).is_empty(), "{within:?}");
    }
}

#[test]
fn what_is_no_secret_raises_no_alarm() {
    for text in HARMLESS {
        assert_eq!(scan(text.as_bytes()), [], "{text:?}");
        let within = format!("some words\n{text}\nand more\n");
        assert_eq!(scan(within.as_bytes()), [], "{within:?}");
    }
}

#[test]
fn places_are_told() {
    let hits = scan("a\nb é password=hunter2\n".as_bytes());
    let place = Some(Place { line: 2, column: 5 });
    assert_eq!(
        hits,
        [Hit {
            place,
            what: "a password"
        }]
    );
}

#[test]
fn many_secrets_are_cut() {
    let many = "password=hunter2\n".repeat(1000);
    assert_eq!(scan(many.as_bytes()).len(), MOST_HITS);
}
