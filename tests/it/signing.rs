//! Signatures between this program and the distribution's own OpenSSH, in both directions; and agents that are missing,
//! empty, unwilling, silent or no agents at all.

use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use govdeck::clock::Moment;
use govdeck::rules::Refusal;
use govdeck::signing::{
    Agent, Attempt, Passphrase, PublicKey, Signature, Source, allowed_signer, sign_with_file,
};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::support::command::{Home, Run, run};

const MESSAGE: &[u8] = b"card 7\nnot one byte else\n";
const PASSPHRASE: &str = "open sesame";
const PATIENCE: Duration = Duration::from_millis(300);

/// A home with keys in it, and the OpenSSH tools in that home.
struct Desk {
    home: Home,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { home: Home::new() };
        fs::write(desk.path("message"), MESSAGE).expect("the home is ours");
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.folder().join(name)
    }

    fn tool(&self, name: &str, words: &[&str]) -> Command {
        let mut command = self.home.command(Path::new(name));
        command.args(words);
        command
    }

    fn ssh(&self, name: &str, words: &[&str]) -> String {
        let run = run(self.tool(name, words));
        assert_eq!(run.code, Some(0), "{name} {words:?}: {run:?}");
        run.stdout
    }

    fn keygen(&self, words: &[&str]) -> String {
        self.ssh("ssh-keygen", words)
    }

    /// Makes a pair of keys and returns the public one.
    fn make_key(&self, name: &str, passphrase: &str) -> PublicKey {
        let words = ["-t", "ed25519", "-a", "1", "-C", name, "-f", name];
        self.keygen(&[&["-q", "-N", passphrase][..], &words].concat());
        let line = fs::read_to_string(self.path(&format!("{name}.pub"))).expect("a line");
        PublicKey::parse(&line).expect("a key")
    }

    /// Lets `ssh-keygen` sign the message, by a file or, with its socket, by an agent.
    fn signed_there(&self, words: &[&str], socket: Option<&Path>) -> Signature {
        fs::remove_file(self.path("message.sig")).ok();
        let words = [&["-q", "-Y", "sign"][..], words, &["message"]].concat();
        let mut command = self.tool("ssh-keygen", &words);
        command.envs(socket.map(|path| ("SSH_AUTH_SOCK", path)));
        let run = run(command);
        assert_eq!(run.code, Some(0), "{words:?}: {run:?}");
        let armor = fs::read_to_string(self.path("message.sig")).expect("a signature");
        Signature::parse(&armor).expect("a signature")
    }

    /// Lets `ssh-keygen` check our signature by our line, as of a moment in its own notation.
    fn verified_there(&self, armor: &str, line: &str, person: &str, when: &str) -> Run {
        fs::write(self.path("ours.sig"), armor).expect("the home is ours");
        fs::write(self.path("allowed"), format!("{line}\n")).expect("the home is ours");
        let time = format!("verify-time={when}");
        let words = ["-I", person, "-s", "ours.sig", "-O", &time];
        let words = [
            &["-Y", "verify", "-n", "govdeck", "-f", "allowed"],
            &words[..],
        ]
        .concat();
        let mut command = self.tool("ssh-keygen", &words);
        command.stdin(Stdio::from(
            File::open(self.path("message")).expect("it is there"),
        ));
        // A zone far from UTC shows whether anybody reads the times as local.
        command.env("TZ", "Pacific/Kiritimati");
        run(command)
    }
}

/// A real ssh-agent, ended when it is dropped.
struct RealAgent {
    process: Child,
    socket: PathBuf,
}

impl RealAgent {
    fn start(desk: &Desk) -> Self {
        let socket = desk.path("agent.sock");
        let words = ["-D", "-a", socket.to_str().expect("text")];
        let mut command = desk.tool("ssh-agent", &words);
        // Whoever is asked to confirm says no.
        command.env("SSH_ASKPASS", "/bin/false");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("ssh-agent starts");
        let agent = Self { process, socket };
        let begun = Instant::now();
        while UnixStream::connect(&agent.socket).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "no ssh-agent");
            thread::sleep(Duration::from_millis(5));
        }
        agent
    }

    fn add(&self, desk: &Desk, words: &[&str]) {
        let mut command = desk.tool("ssh-add", &[&["-q"], words].concat());
        command.env("SSH_AUTH_SOCK", &self.socket);
        let run = run(command);
        assert_eq!(run.code, Some(0), "{words:?}: {run:?}");
    }

    fn agent(&self) -> Agent {
        Agent::at(Some(self.socket.clone()))
    }
}

impl Drop for RealAgent {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn moment(text: &str) -> Moment {
    text.parse().expect("a moment")
}

fn by_file(path: &Path) -> Signature {
    let attempt = sign_with_file(path, None, MESSAGE).expect("it signs");
    attempt.done().expect("no passphrase is needed")
}

fn by_agent(agent: &Agent, public: &Path) -> Result<Signature, Refusal> {
    let source = Source::at(public).expect("a public key");
    assert!(matches!(source, Source::Agent { .. }));
    source.sign(agent, None, MESSAGE).and_then(Attempt::done)
}

#[test]
fn fingerprints_and_lines_are_those_of_ssh_keygen() {
    let desk = Desk::new();
    let key = desk.make_key("maya", "");
    let said = desk.keygen(&["-l", "-f", "maya.pub"]);
    assert_eq!(said, format!("256 {} maya (ED25519)\n", key.fingerprint()));
    for kind in ["rsa", "ecdsa"] {
        desk.keygen(&["-q", "-t", kind, "-N", "", "-f", kind]);
        for path in [desk.path(kind), desk.path(&format!("{kind}.pub"))] {
            let refusal = Source::at(&path).expect_err("it does not sign");
            let wanted = format!("{kind} key; only ed25519 and sk-ed25519 sign");
            assert!(refusal.sentence.ends_with(&wanted), "{refusal}");
        }
    }
}

#[test]
fn ssh_keygen_accepts_what_is_signed_here_in_the_key_s_period_alone() {
    let desk = Desk::new();
    let key = desk.make_key("maya", "");
    let signature = by_file(&desk.path("maya"));
    let from = moment("2026-05-14T02:14:07.4Z");
    let to = moment("2026-06-01T00:00:00.2Z");
    let closed = allowed_signer("maya", &key, from, Some(to)).expect("a line");
    let open = allowed_signer("maya", &key, from, None).expect("a line");
    for (when, in_closed, in_open) in [
        ("20260514021406Z", false, false),
        ("20260514021407Z", true, true),
        ("20260520120000Z", true, true),
        ("20260601000000Z", true, true),
        ("20260601000001Z", true, true),
        ("20260601000002Z", false, true),
    ] {
        for (line, expected) in [(&closed, in_closed), (&open, in_open)] {
            let run = desk.verified_there(signature.to_armor(), line, "maya", when);
            assert_eq!(run.code == Some(0), expected, "{when} {line}: {run:?}");
        }
    }
    let when = "20260520120000Z";
    let elsewhere = desk.verified_there(signature.to_armor(), &open, "noa", when);
    assert_ne!(elsewhere.code, Some(0));
    let other = desk.make_key("other", "");
    let other = allowed_signer("maya", &other, from, None).expect("a line");
    let stranger = desk.verified_there(signature.to_armor(), &other, "maya", when);
    assert_ne!(stranger.code, Some(0));
    fs::write(desk.path("message"), b"card 8\n").expect("the home is ours");
    let altered = desk.verified_there(signature.to_armor(), &open, "maya", when);
    assert_ne!(altered.code, Some(0));
}

#[test]
fn what_ssh_keygen_signs_by_a_file_is_verified_here() {
    let desk = Desk::new();
    let key = desk.make_key("maya", "");
    for hash in ["sha512", "sha256"] {
        let option = format!("hashalg={hash}");
        let words = ["-n", "govdeck", "-f", "maya", "-O", &option];
        let signature = desk.signed_there(&words, None);
        assert_eq!(signature.verify(MESSAGE), Ok(&key));
        assert!(signature.verify(b"card 8\n").is_err());
    }
    let for_git = desk.signed_there(&["-n", "git", "-f", "maya"], None);
    let refusal = for_git.verify(MESSAGE).expect_err("another purpose");
    assert_eq!(
        refusal.sentence,
        "the signature is made for \"git\", not for \"govdeck\""
    );
}

#[test]
fn ssh_keygen_reads_a_security_key_s_signature_as_we_do() {
    let desk = Desk::new();
    let line = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIOpKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIsAAAABHNzaDo=";
    let armor = "-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAAEoAAAAac2stc3NoLWVkMjU1MTlAb3BlbnNzaC5jb20AAAAg6kpsY+
KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iwAAAAEc3NoOgAAAAdnb3ZkZWNrAAAAAAAA
AAZzaGE1MTIAAABnAAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAQF+iJiygBM
b8EZxNNk+12xou6JezrMgHvmVCKdKkhsNxYYZP93ST8sfZF3HhaApwVna6vgYdTDJW/hlp
WIEyJwsBAAAACQ==
-----END SSH SIGNATURE-----
";
    let message = b"the decision card\n";
    fs::write(desk.path("message"), message).expect("the home is ours");
    let key = PublicKey::parse(line).expect("a key");
    let signature = Signature::parse(armor).expect("a signature");
    assert_eq!(signature.verify(message), Ok(&key));
    let from = moment("2026-05-14T02:14:07Z");
    let allowed = allowed_signer("maya", &key, from, None).expect("a line");
    let run = desk.verified_there(armor, &allowed, "maya", "20260520120000Z");
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn every_cipher_of_ssh_keygen_opens_with_its_passphrase_alone() {
    let desk = Desk::new();
    for cipher in [
        "aes256-ctr",
        "aes256-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
    ] {
        let name = cipher.split('@').next().expect("a name");
        let words = ["-t", "ed25519", "-a", "1", "-Z", cipher, "-f", name];
        desk.keygen(&[&["-q", "-N", PASSPHRASE][..], &words].concat());
        let source = Source::at(&desk.path(name)).expect("a source");
        let nobody = Agent::at(None);
        let sign = |passphrase: Option<&str>| {
            let typed = passphrase.map(|text| Passphrase::new(text.to_owned()));
            source
                .sign(&nobody, typed.as_ref(), MESSAGE)
                .expect("no refusal")
        };
        assert!(matches!(sign(None), Attempt::PassphraseMissing(_)));
        assert!(matches!(sign(Some("sesame")), Attempt::PassphraseWrong(_)));
        let signature = sign(Some(PASSPHRASE)).done().expect("it signs");
        assert_eq!(signature.verify(MESSAGE), Ok(source.key()), "{cipher}");
    }
}

#[test]
fn an_agent_signs_with_the_key_it_holds() {
    let desk = Desk::new();
    let real = RealAgent::start(&desk);
    let key = desk.make_key("maya", "");
    desk.make_key("other", "");
    desk.keygen(&["-q", "-t", "rsa", "-N", "", "-f", "rsa"]);

    let missing = by_agent(&real.agent(), &desk.path("maya.pub")).expect_err("not there");
    let sentence = format!("the ssh-agent does not hold the key {}", key.fingerprint());
    assert_eq!(missing.sentence, sentence);
    let add = format!("ssh-add {}", desk.path("maya").display());
    assert_eq!(missing.hint, add);

    real.add(&desk, &["rsa", "other"]);
    assert_eq!(
        by_agent(&real.agent(), &desk.path("maya.pub")),
        Err(missing)
    );

    real.add(&desk, &["maya"]);
    // So that nobody but the agent can have signed.
    fs::remove_file(desk.path("maya")).expect("ours");
    let signature = by_agent(&real.agent(), &desk.path("maya.pub")).expect("it signs");
    assert_eq!(signature.verify(MESSAGE), Ok(&key));
    let line = allowed_signer("maya", &key, moment("2026-05-14T02:14:07Z"), None);
    let line = line.expect("a line");
    let run = desk.verified_there(signature.to_armor(), &line, "maya", "20260520120000Z");
    assert_eq!(run.code, Some(0), "{run:?}");

    let words = ["-n", "govdeck", "-f", "maya.pub"];
    let there = desk.signed_there(&words, Some(&real.socket));
    assert_eq!(there, signature, "ed25519 signs the same bytes alike");
}

#[test]
fn an_agent_may_refuse() {
    let desk = Desk::new();
    let real = RealAgent::start(&desk);
    let key = desk.make_key("maya", "");
    real.add(&desk, &["-c", "maya"]);
    let refusal = by_agent(&real.agent(), &desk.path("maya.pub")).expect_err("not confirmed");
    assert_eq!(
        refusal.sentence,
        format!("the ssh-agent refuses to sign with {}", key.fingerprint())
    );
}

#[test]
fn no_agent_is_said_as_it_is() {
    let desk = Desk::new();
    desk.make_key("maya", "");
    let public = desk.path("maya.pub");
    for socket in [None, Some(PathBuf::new())] {
        let refusal = by_agent(&Agent::at(socket), &public).expect_err("no agent");
        assert_eq!(
            refusal.sentence,
            "there is no ssh-agent: SSH_AUTH_SOCK is not set"
        );
    }
    drop(UnixListener::bind(desk.path("deserted")).expect("a socket"));
    let long = "x".repeat(300);
    for name in ["nowhere", "deserted", "message", ".", &long] {
        let agent = Agent::at(Some(desk.path(name)));
        let refusal = by_agent(&agent, &public).expect_err("nobody listens");
        assert!(refusal.sentence.contains("cannot be reached"), "{refusal}");
        assert!(refusal.hint.contains("ssh-add "), "{}", refusal.hint);
    }
}

/// Listens where an agent would, and treats every caller in one way.
fn listen(desk: &Desk, name: &str, answer: impl Fn(UnixStream) + Send + 'static) -> Agent {
    let path = desk.path(name);
    let listener = UnixListener::bind(&path).expect("a socket");
    thread::spawn(move || listener.incoming().flatten().for_each(answer));
    Agent::at(Some(path)).with_patience(PATIENCE)
}

fn framed(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("short").to_be_bytes();
    [&length[..], body].concat()
}

fn refused_soon(agent: &Agent, public: &Path) -> String {
    let begun = Instant::now();
    let refusal = by_agent(agent, public).expect_err("that is no agent");
    assert!(begun.elapsed() < Duration::from_secs(5), "{refusal}");
    assert!(!refusal.hint.is_empty());
    refusal.sentence
}

#[test]
fn a_silent_or_slow_agent_is_given_up() {
    let desk = Desk::new();
    desk.make_key("maya", "");
    let public = desk.path("maya.pub");
    let silent = listen(&desk, "silent", |mut caller| {
        caller.read_to_end(&mut Vec::new()).ok();
    });
    let dripping = listen(&desk, "dripping", |mut caller| {
        caller.write_all(&1000_u32.to_be_bytes()).ok();
        while caller.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    for agent in [silent, dripping] {
        let said = refused_soon(&agent, &public);
        assert!(said.ends_with("did not answer within 300ms"), "{said}");
    }
    let gone = listen(&desk, "gone", drop);
    let said = refused_soon(&gone, &public);
    assert!(said.contains("hung up"), "{said}");
}

#[test]
fn an_agent_that_takes_no_more_calls_is_given_up() {
    let desk = Desk::new();
    desk.make_key("maya", "");
    let path = desk.path("busy");
    let address = SockAddr::unix(&path).expect("short");
    let open = || Socket::new(Domain::UNIX, Type::STREAM, None).expect("a socket");
    let listener = open();
    listener.bind(&address).expect("the home is ours");
    listener.listen(0).expect("it listens");
    let mut waiting = Vec::new();
    loop {
        let caller = open();
        caller.set_nonblocking(true).expect("ours");
        if caller.connect(&address).is_err() {
            break;
        }
        waiting.push(caller);
        assert!(waiting.len() < 100, "the queue never fills");
    }
    let agent = Agent::at(Some(path)).with_patience(PATIENCE);
    let said = refused_soon(&agent, &desk.path("maya.pub"));
    assert!(said.contains("cannot be reached"), "{said}");
}

#[test]
fn whatever_answers_like_no_agent_is_named() {
    let desk = Desk::new();
    desk.make_key("maya", "");
    let public = desk.path("maya.pub");
    let list_of_one = [&[12][..], &1_u32.to_be_bytes(), &[0xff; 8]].concat();
    let answers = [
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        vec![0; 64],
        vec![0xff; 64],
        u32::MAX.to_be_bytes().to_vec(),
        (256 * 1024 + 1_u32).to_be_bytes().to_vec(),
        framed(&[12]),
        framed(&[14, 0, 0, 0, 0]),
        framed(&[99]),
        framed(&list_of_one),
        framed(&[12, 0xff, 0xff, 0xff, 0xff]),
        framed(&[12, 0, 0, 0, 0, 0]),
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        let shown = format!("{answer:?}");
        let agent = listen(&desk, &format!("fake{number}"), move |mut caller| {
            caller.write_all(&answer).ok();
            caller.read_to_end(&mut Vec::new()).ok();
        });
        let said = refused_soon(&agent, &public);
        assert!(said.ends_with("is not an ssh-agent"), "{shown}: {said}");
    }
}

#[test]
fn a_forged_answer_is_no_signature() {
    let desk = Desk::new();
    let real = RealAgent::start(&desk);
    desk.make_key("maya", "");
    real.add(&desk, &["maya"]);
    let socket = real.socket.clone();
    // Stands between: the list of keys passes, and one bit of the signature turns on its way.
    let agent = listen(&desk, "between", move |mut caller| {
        let mut real = UnixStream::connect(&socket).expect("the agent is there");
        for last in [false, true] {
            let pass = |from: &mut UnixStream, to: &mut UnixStream, flip: bool| {
                let mut length = [0; 4];
                from.read_exact(&mut length)?;
                let size = usize::try_from(u32::from_be_bytes(length)).expect("short");
                let mut body = vec![0; size];
                from.read_exact(&mut body)?;
                if let (true, Some(byte)) = (flip, body.last_mut()) {
                    *byte ^= 1;
                }
                to.write_all(&framed(&body))
            };
            pass(&mut caller, &mut real, false).ok();
            pass(&mut real, &mut caller, last).ok();
        }
    });
    let said = refused_soon(&agent, &desk.path("maya.pub"));
    assert!(said.contains("does not fit"), "{said}");
}

#[test]
fn a_key_that_others_may_read_does_not_sign() {
    let desk = Desk::new();
    desk.make_key("maya", "");
    fs::set_permissions(desk.path("maya"), Permissions::from_mode(0o644)).expect("ours");
    let refusal = sign_with_file(&desk.path("maya"), None, MESSAGE).expect_err("open to all");
    assert!(refusal.sentence.starts_with("others than its owner"));
    // As OpenSSH itself has it.
    let words = ["-Y", "sign", "-n", "govdeck", "-f", "maya", "message"];
    assert_ne!(run(desk.tool("ssh-keygen", &words)).code, Some(0));
}
