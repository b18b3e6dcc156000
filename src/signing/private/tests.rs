//! Private files made by `ssh-keygen`, whole, encrypted and broken; the keys were made for these tests alone.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::super::Source;
use super::super::key::tests::MAYA;
use super::*;

const PLAIN: &str = "\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACBpMW2SerV/FuQtAOm0hSAiNGHgR7+8bNf3AbHSjcGtxAAAAJBmvxTtZr8U
7QAAAAtzc2gtZWQyNTUxOQAAACBpMW2SerV/FuQtAOm0hSAiNGHgR7+8bNf3AbHSjcGtxA
AAAEAzENsLsNKigZVseqqHsUaGy+ko8ALM2knW30zvymZrIWkxbZJ6tX8W5C0A6bSFICI0
YeBHv7xs1/cBsdKNwa3EAAAACW1heWFAZGVzawECAwQ=
-----END OPENSSH PRIVATE KEY-----
";

/// Encrypted with one round only, so that the tests are quick.
const ENCRYPTED: &str = "\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABCVlQ/y4L
yJ33yPjBtnLBDCAAAAAQAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAII2tlTtRyi1AzbQ2
memk1efoXeGBVTxBEdc5Yh+NSUoPAAAAkI87mzSZ0WYlomsP0Zy8INaGfonEXv1DpVyIAv
nQ5UG3WOzmh9BVMEZwpq5x4xiGq7lO1I9A2782c097oHW3GtVog5p/FVqVGBOlgCt98roC
vKGtSoRFNlxyREhs4xJAAx5N+y/ZA1RVy67E7hydHmY8ssK948sOBDkhraY9ecHpHyf6Qu
vbI0wl0PXKTeJ4FQ==
-----END OPENSSH PRIVATE KEY-----
";
const RSA: &str = "\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAABFwAAAAdzc2gtcn
NhAAAAAwEAAQAAAQEAm5UMb45PxRKUB123sxq0WsLxVi38oCnwoXUubc8ns60SmvRnTA8g
DfkAShgBi0YJYF096srpblQWaQEeD6yITnJrdoPAOWelSUmopev4KqNNWFYmStfELUr+FL
bS7dmdxlWsl4CEMyjhUUHo4/lgwHWd6mEMvhKbPbNRnWyEpFhVptMxIo9+xe0hmuFwEAOo
xcI8Ek4CuW0JTcCbVAzSBTS6/M3Zl2QzfqoS5jEQOcoHMMSInDs8KB3aRCLoYaMzaGfoF9
bGyOShdXH86AmxjC78t3OPJieH5itBStBfqCSLe3CxyC9K0idLR/KTCUimcU1b4nb6kLzq
nVQPF495JQAAA7h8BQF2fAUBdgAAAAdzc2gtcnNhAAABAQCblQxvjk/FEpQHXbezGrRawv
FWLfygKfChdS5tzyezrRKa9GdMDyAN+QBKGAGLRglgXT3qyuluVBZpAR4PrIhOcmt2g8A5
Z6VJSail6/gqo01YViZK18QtSv4UttLt2Z3GVayXgIQzKOFRQejj+WDAdZ3qYQy+Eps9s1
GdbISkWFWm0zEij37F7SGa4XAQA6jFwjwSTgK5bQlNwJtUDNIFNLr8zdmXZDN+qhLmMRA5
ygcwxIicOzwoHdpEIuhhozNoZ+gX1sbI5KF1cfzoCbGMLvy3c48mJ4fmK0FK0F+oJIt7cL
HIL0rSJ0tH8pMJSKZxTVvidvqQvOqdVA8Xj3klAAAAAwEAAQAAAQADHu7+3vo0i6KUaT8g
CDjvKAh4Dng0wguAQLpUhwGk7RVyn/E2uzK3r7OYZVXhQphyjebtjg6Mi/RCdbyOWyewI5
jfsOOnYyGv7Jq3mqhQAU7q0YqwGN4EX66sEuvf6Ihtncg6AuCrGyhux+Vmp4OP793TrCVA
yiQz1Hmed54SovOe3TkpqL90Eu5/quOmKlT8ZW+43O3JAh86NmjDUaNpkjljeWANSbqgEJ
jAcweEgR+gHvNAYTjyzwB14Icw2220HPs+S8K36zxpNm6oumHyIW3euLVoF/2VaMjvzNed
OhKyPEd60DWt5JjxcJQmZHBFF8hA7E0RHoFqySGaG2lhAAAAgFI1UPVmTXsBFdHt/OzNVz
6huxpyJhq0BFQbZDoA6Kvubk3P8nksuDmIkECAoFCErjqqLOfyhsSKaox/wYuV7wNYkkg8
pXdwLS1kZf7a+gnsyp1E1WJlMqDuY2rXod4pPWcwxqayHFyFhiE1Zkx2QaxN3U/LlJUuM5
PQWVIhUQfQAAAAgQDVrVJG8uzzAmXzPSVIHs+4njyivluDbwOolCjKqjQg4aLzq2CtK3h3
/X4G6E/RSHYTcCwk0Ta84Xx4wOib/0N3Ha6EwioIYJ8owUdAiZsIG70fdSpYlElJLJAd2E
l2sC7z2eGfJ1QbQ+iHHYIFWjGjKgiiKTmd6CnT0ZLGQs+kVQAAAIEAumX6ugtuh6pwxcN+
pRSzy4hG1sXyFvfy6WrfQUMW1QQMyyyUw7LK78QYiIxAbyTJO5KRskLGApMud7mgMjcALI
xTD7fMavNG/2IpAhiJQKXen5MTGywg7bwpxKNwA1HsMfO918Sg+PHzC+hHoYUhCBuxIAQ7
9+NeyPQhn8mi0ZEAAAABcgEC
-----END OPENSSH PRIVATE KEY-----
";
const PASSPHRASE: &str = "open sesame";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn with(&self, name: &str, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned())
}

fn refused(path: &Path) -> String {
    let begun = Instant::now();
    let refusal = sign_with_file(path, None, b"card").unwrap_err();
    assert_eq!(Source::at(path), Err(refusal.clone()));
    assert!(begun.elapsed() < Duration::from_secs(5));
    let shown = path.display().to_string();
    assert!(refusal.sentence.contains(&shown), "{refusal}");
    refusal.sentence.replace(&shown, "FILE")
}

#[test]
fn a_plain_file_signs_by_itself() {
    let folder = Folder::new();
    for mode in [0o600, 0o400] {
        let path = folder.with("key", PLAIN, mode);
        let signature = sign_with_file(&path, None, b"card").and_then(Attempt::done);
        let signature = signature.unwrap();
        assert_eq!(signature.verify(b"card").unwrap().to_line(), MAYA);
        assert_eq!(Source::at(&path).unwrap().key().to_line(), MAYA);
        fs::remove_file(path).unwrap();
    }
    let link = folder.path("link");
    symlink(folder.with("key", PLAIN, 0o600), &link).unwrap();
    assert!(sign_with_file(&link, None, b"card").is_ok());
}

#[test]
fn an_encrypted_file_wants_its_passphrase() {
    let folder = Folder::new();
    let path = folder.with("key", ENCRYPTED, 0o600);
    let attempt = |given: Option<&str>| {
        let given = given.map(passphrase);
        sign_with_file(&path, given.as_ref(), b"card").unwrap()
    };
    assert!(matches!(attempt(None), Attempt::PassphraseMissing(_)));
    for wrong in ["", "open", "open sesame ", "öpen sesame"] {
        assert!(matches!(attempt(Some(wrong)), Attempt::PassphraseWrong(_)));
    }
    let signature = attempt(Some(PASSPHRASE)).done().unwrap();
    let key = signature.verify(b"card").unwrap();
    assert_eq!(Source::at(&path).unwrap().key(), key);
    assert!(attempt(None).done().is_err());
}

#[test]
fn a_passphrase_is_never_shown() {
    let shown = format!("{:?}", passphrase("open sesame"));
    assert_eq!(shown, "Passphrase(***)");
}

#[test]
fn files_that_others_may_use_are_refused() {
    let folder = Folder::new();
    for mode in [0o640, 0o604, 0o660, 0o610, 0o602] {
        let path = folder.with("key", PLAIN, mode);
        assert_eq!(
            refused(&path),
            "others than its owner may use the private key FILE"
        );
    }
    let public = folder.with("key.pub", MAYA, 0o644);
    assert!(matches!(Source::at(&public), Ok(Source::Agent { .. })));
}

#[test]
fn what_is_no_plain_file_is_refused_at_once() {
    let folder = Folder::new();
    let pipe = folder.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    assert_eq!(refused(&pipe), "the key file FILE is a pipe or a device");
    assert_eq!(refused(folder.0.path()), "the key file FILE is a folder");
    assert_eq!(
        refused(Path::new("/dev/zero")),
        "the key file FILE is a pipe or a device"
    );
    let link = folder.path("link");
    symlink(folder.path("nowhere"), &link).unwrap();
    assert_eq!(refused(&link), "the key file FILE does not exist");
    assert_eq!(
        refused(&folder.with("large", vec![b'x'; 64 * 1024 + 1], 0o600)),
        "the key file FILE is larger than 64 KB"
    );
    let address = Path::new("postgres://u:canary@h/d");
    let refusal = Source::at(address).unwrap_err();
    assert_eq!(refusal.sentence, "the key file (an address) does not exist");
    let refusal = Source::at(Path::new("~/.ssh/id_ed25519")).unwrap_err();
    assert!(refusal.hint.contains("only a shell"), "{}", refusal.hint);
}

#[test]
fn what_does_not_sign_is_named() {
    let folder = Folder::new();
    let sentence = |content: &[u8]| refused(&folder.with("key", content, 0o600));
    assert_eq!(
        sentence(RSA.as_bytes()),
        "the key in FILE is an rsa key; only ed25519 and sk-ed25519 sign"
    );
    assert_eq!(
        sentence(b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"),
        "FILE is not an OpenSSH private key"
    );
    let cut = &PLAIN.as_bytes()[..PLAIN.len() - 60];
    assert_eq!(sentence(cut), "the key file FILE is damaged");
    let public = folder.with("key", "hello", 0o600);
    let refusal = sign_with_file(&public, None, b"card").unwrap_err();
    assert!(refusal.sentence.ends_with("is not an OpenSSH private key"));
    let refusal = Source::at(&public).unwrap_err();
    assert!(
        refusal
            .sentence
            .ends_with(": this is not one OpenSSH public key")
    );
}

#[test]
fn a_file_that_asks_for_hours_is_refused() {
    let folder = Folder::new();
    let body: String = ENCRYPTED
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let body = body.replacen("nLBDCAAAAAQAAAAEA", "nLBDCAP8AAQAAAAEA", 1);
    let lines: Vec<_> = body
        .as_bytes()
        .chunks(70)
        .map(String::from_utf8_lossy)
        .collect();
    let body = lines.join("\n");
    let text = format!("{FIRST_LINE}\n{body}\n-----END OPENSSH PRIVATE KEY-----\n");
    let path = folder.with("key", text, 0o600);
    assert!(refused(&path).contains("rounds, more than 4096"));
}

#[test]
fn the_handle_of_a_security_key_is_for_the_agent() {
    use ssh_key::private::{KeypairData, SkEd25519};
    let folder = Folder::new();
    let point = ssh_key::PublicKey::from_openssh(MAYA).unwrap();
    let public = ssh_key::public::SkEd25519::new(*point.key_data().ed25519().unwrap(), "ssh:");
    let handle = SkEd25519::new(public, 1, vec![9; 32]).unwrap();
    let key = PrivateKey::new(KeypairData::SkEd25519(handle), "sk").unwrap();
    let text = key.to_openssh(ssh_key::LineEnding::LF).unwrap();
    let path = folder.with("key", text.as_bytes(), 0o600);
    let refusal = sign_with_file(&path, None, b"card").unwrap_err();
    assert!(
        refusal
            .sentence
            .ends_with("is only the handle of a security key")
    );
    assert!(refusal.hint.starts_with("let the agent sign: ssh-add "));
    assert!(Source::at(&path).unwrap().key().is_on_a_security_key());
}
