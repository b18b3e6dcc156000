//! Real signatures, altered ones, and ones that no tool would write.

use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use ssh_key::public::{Ed25519PublicKey, KeyData, SkEd25519};

use super::super::key::tests::MAYA;
use super::*;

const MESSAGE: &[u8] = b"the decision card\n";

const BY_MAYA: &str = "\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgaTFtknq1fxbkLQDptIUgIjRh4E
e/vGzX9wGx0o3BrcQAAAAHZ292ZGVjawAAAAAAAAAGc2hhNTEyAAAAUwAAAAtzc2gtZWQy
NTUxOQAAAEDEqbSpDEWt0SFi4qhQ9I41WgFs4hsEcELaCQYlGP7dJ8CE3rxuT8T/4Bittc
tp8Scq6wQYolzuZAtYsKrE+HoB
-----END SSH SIGNATURE-----
";
const BY_MAYA_SHA256: &str = "\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgaTFtknq1fxbkLQDptIUgIjRh4E
e/vGzX9wGx0o3BrcQAAAAHZ292ZGVjawAAAAAAAAAGc2hhMjU2AAAAUwAAAAtzc2gtZWQy
NTUxOQAAAEDQqfT0gPHT0A1VONKVn0L4kpA2qynsMSMalCPGud637Dp0PacudTax4aXHBM
hDdbsDhEr27KbfE9Cf4kCfl84M
-----END SSH SIGNATURE-----
";
const FOR_FILES: &str = "\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgaTFtknq1fxbkLQDptIUgIjRh4E
e/vGzX9wGx0o3BrcQAAAAEZmlsZQAAAAAAAAAGc2hhNTEyAAAAUwAAAAtzc2gtZWQyNTUx
OQAAAECJUZXKz4r5ZfuoDVNLsMmrL5Ys+sBiAHeVcmOzYpGgpXkmfteK/bKJ2VxFdcO0iD
MIQ9EE3J6O39BXP8qBUycG
-----END SSH SIGNATURE-----
";
const BY_RSA: &str = "\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAARcAAAAHc3NoLXJzYQAAAAMBAAEAAAEBAJuVDG+OT8USlAddt7MatF
rC8VYt/KAp8KF1Lm3PJ7OtEpr0Z0wPIA35AEoYAYtGCWBdPerK6W5UFmkBHg+siE5ya3aD
wDlnpUlJqKXr+CqjTVhWJkrXxC1K/hS20u3ZncZVrJeAhDMo4VFB6OP5YMB1nephDL4Smz
2zUZ1shKRYVabTMSKPfsXtIZrhcBADqMXCPBJOArltCU3Am1QM0gU0uvzN2ZdkM36qEuYx
EDnKBzDEiJw7PCgd2kQi6GGjM2hn6BfWxsjkoXVx/OgJsYwu/LdzjyYnh+YrQUrQX6gki3
twscgvStInS0fykwlIpnFNW+J2+pC86p1UDxePeSUAAAAHZ292ZGVjawAAAAAAAAAGc2hh
NTEyAAABFAAAAAxyc2Etc2hhMi01MTIAAAEAZX0PKDJ+y5mODX8+urnquEXb4+kophL47/
QYD1Grrg3jAAHkpLZkACeBTmpEFyIkXqwz/m5DYVwtONi+4AmO0ZGXZlLmsZYQq2dbSWmn
HfcxMWAR8ADni33bOp4znrv3nw/UqikPFctKIQYa8ud28fxQaF2a+0a6ueT4m7MjtYSkUh
Yh4EfwqJ1bA+goOx3zoBWVRWFKklXQANRTQrtSwoZOZBrW/OCRQHLgAsCh03cxWnL/BAvs
sh9cvIHRk660+Z2RQHwr2+nSoxhlISrlUq4ecdZY/tBthb9Eg9LHIBAhT/oWA4uAkg99qy
+Fc8KBFj0Bn94BIiB05GIW9Rnirw==
-----END SSH SIGNATURE-----
";
const BY_ECDSA: &str = "\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAAGgAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAAhuaXN0cDI1NgAAAE
EEL/tGl4yMQf3mI2d5RYN7+Vl7khbjtp67cd+7Ecj+Pwznwjet7UYQbzINw/mV89dqMWSr
gEoQiWUrZbum3+QFXwAAAAdnb3ZkZWNrAAAAAAAAAAZzaGE1MTIAAABlAAAAE2VjZHNhLX
NoYTItbmlzdHAyNTYAAABKAAAAIQDY1xwEZ70olS67xmGUhYm3t8MiueC2ZnR6/AE2+LQt
2QAAACEAiEEJBFFKQWqDmOaFEuNsWvthLIDwaEJtkdy/VSE2BAk=
-----END SSH SIGNATURE-----
";

fn parsed(armor: &str) -> Signature {
    Signature::parse(armor).expect("a signature")
}

fn refused(armor: &str) -> String {
    let refusal = Signature::parse(armor).expect_err("it is refused");
    assert!(!refusal.hint.is_empty() && !refusal.sentence.ends_with('.'));
    refusal.sentence
}

/// A signature by a security key that does not exist, with these flags.
fn by_a_security_key(flags: u8) -> SshSig {
    let secret = SigningKey::from_bytes(&[7; 32]);
    let public = Ed25519PublicKey(secret.verifying_key().to_bytes());
    let key = KeyData::from(SkEd25519::new(public, "ssh:"));
    let bytes = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, MESSAGE).expect("bytes");
    let trailer = [&[flags][..], &9_u32.to_be_bytes()].concat();
    let signed = [
        &Sha256::digest("ssh:")[..],
        &trailer,
        &Sha256::digest(bytes),
    ]
    .concat();
    let signature = [&secret.sign(&signed).to_bytes()[..], &trailer].concat();
    let signature = ssh_key::Signature::new(ssh_key::Algorithm::SkEd25519, signature);
    SshSig::new(
        key,
        NAMESPACE,
        HashAlg::Sha512,
        signature.expect("a signature"),
    )
    .expect("armored")
}

#[test]
fn what_ssh_keygen_signed_holds() {
    for armor in [BY_MAYA, BY_MAYA_SHA256] {
        let signature = parsed(armor);
        assert_eq!(signature.verify(MESSAGE).expect("it holds").to_line(), MAYA);
        assert_eq!(signature.to_armor(), armor);
        assert_eq!(parsed(&armor.replace('\n', "\r\n")), signature);
        assert_eq!(parsed(&format!("\n{}", armor.trim())), signature);
    }
}

#[test]
fn other_bytes_and_other_purposes_do_not_hold() {
    let wrong = "the signature does not fit: other bytes were signed, or it was altered";
    for message in [&b""[..], b"the decision card", b"the decision cord\n"] {
        let refusal = parsed(BY_MAYA).verify(message).expect_err("altered");
        assert_eq!(refusal.sentence, wrong);
    }
    let refusal = parsed(FOR_FILES).verify(MESSAGE).expect_err("for files");
    assert_eq!(
        refusal.sentence,
        "the signature is made for \"file\", not for \"govdeck\""
    );
}

#[test]
fn an_altered_signature_never_holds() {
    let body = FIRST_LINE.len()..BY_MAYA.rfind("-----END").expect("an end");
    for at in body {
        let mut altered = BY_MAYA.as_bytes().to_vec();
        altered[at] = match altered[at] {
            b'\n' => continue,
            b'A' => b'B',
            _ => b'A',
        };
        let altered = String::from_utf8(altered).expect("text");
        if let Ok(signature) = Signature::parse(&altered) {
            assert!(signature.verify(MESSAGE).is_err(), "{altered}");
        }
    }
}

#[test]
fn keys_that_do_not_sign_are_named() {
    assert_eq!(
        refused(BY_RSA),
        "the signing key is an rsa key; only ed25519 and sk-ed25519 sign"
    );
    assert_eq!(
        refused(BY_ECDSA),
        "the signing key is an ecdsa key; only ed25519 and sk-ed25519 sign"
    );
}

#[test]
fn whatever_is_cut_wrapped_or_too_large_is_refused() {
    for end in FIRST_LINE.len()..BY_MAYA.trim().len() {
        let cut = refused(&BY_MAYA[..end]);
        assert_eq!(cut, "the SSH signature is damaged", "{end}");
    }
    for text in ["", "U1NIU0lH", &format!("x\n{BY_MAYA}")] {
        assert_eq!(refused(text), "this is not an SSH signature");
    }
    for text in [
        format!("{BY_MAYA}{BY_MAYA}"),
        format!("{BY_MAYA}x"),
        BY_MAYA.replace("END SSH SIGNATURE", "END SSH CERTIFICATE"),
        BY_MAYA.replace("U1NI", "U1 NI"),
        BY_MAYA.replace("U1NI", "Comment: x\n\nU1NI"),
    ] {
        assert_eq!(refused(&text), "the SSH signature is damaged", "{text}");
    }
    assert_eq!(
        refused(&format!("{FIRST_LINE}{}", "A".repeat(LONGEST))),
        "this is larger than any SSH signature"
    );
}

#[test]
fn a_field_that_openssh_would_not_sign_is_refused() {
    let body: String = BY_MAYA
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let armor = |body: &str| format!("{FIRST_LINE}\n{body}\n-----END SSH SIGNATURE-----\n");
    assert_eq!(parsed(&armor(&body)), parsed(BY_MAYA));
    // The version is the sixth to ninth byte, in the ninth to fourteenth sign.
    let older = body.replacen("U1NIU0lHAAAAAQ", "U1NIU0lHAAAAAA", 1);
    let newer = body.replacen("U1NIU0lHAAAAAQ", "U1NIU0lHAAAAAg", 1);
    // Three bytes more at the end.
    let longer = format!("{body}AAAA");
    for body in [older, newer, longer] {
        assert_eq!(refused(&armor(&body)), "the SSH signature is damaged");
    }
}

#[test]
fn a_security_key_has_to_be_touched() {
    let touched = Signature::of(by_a_security_key(USER_PRESENT)).expect("a signature");
    assert_eq!(parsed(touched.to_armor()), touched);
    let key = touched.verify(MESSAGE).expect("it holds");
    assert!(key.is_on_a_security_key());
    assert_eq!(PublicKey::parse(key.to_line()).as_ref(), Ok(key));

    let verified_too = Signature::of(by_a_security_key(5)).expect("a signature");
    assert!(verified_too.verify(MESSAGE).is_ok());
    for flags in [0, 4] {
        let alone = Signature::of(by_a_security_key(flags)).expect("a signature");
        let refusal = alone.verify(MESSAGE).expect_err("nobody was there");
        assert_eq!(
            refusal.sentence,
            "the security key signed without being touched"
        );
    }
}

#[test]
fn a_signature_of_another_type_than_its_key_is_refused() {
    let maya = PublicKey::parse(MAYA).expect("a key");
    let of_a_security_key = by_a_security_key(1).signature().clone();
    let mixed = SshSig::new(
        maya.data().clone(),
        NAMESPACE,
        HashAlg::Sha512,
        of_a_security_key,
    );
    assert!(Signature::of(mixed.expect("armored")).is_err());
}

proptest! {
    #[test]
    fn garbage_is_refused_and_never_panics(body in "[A-Za-z0-9+/=\n]{0,400}", bytes in any::<Vec<u8>>()) {
        let armored = format!("{FIRST_LINE}\n{body}\n-----END SSH SIGNATURE-----\n");
        prop_assert!(Signature::parse(&armored).is_err());
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(Signature::parse(&text).is_err());
        prop_assert!(PublicKey::parse(&text).is_err());
        let line = format!("ssh-ed25519 {body}");
        prop_assert!(PublicKey::parse(&line).is_err());
        prop_assert!(parsed(BY_MAYA).verify(&bytes).is_err());
    }
}
