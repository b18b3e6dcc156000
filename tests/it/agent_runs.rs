//! An agent that runs on and on: it pages at once, tells how everything stands, and stops when it is told to.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::agent::{expire, told};
use crate::agent_post::{KEEP, commanded, taken};
use crate::cli_kit::{document, govdeck, said};
use crate::support::{World, on_both};

/// How long anything is waited for.
const LIMIT: Duration = Duration::from_secs(50);

/// An agent under way; it is ended with this.
pub struct Running {
    child: Child,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("it starts");
        Self { child }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it, as nothing can that it could prepare for.
    pub fn kill(self) {
        self.signal(Signal::SIGKILL);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).expect("process numbers are small");
        kill(Pid::from_raw(pid), signal).expect("it runs");
    }

    /// Tells it to stop as a service manager does, and returns its exit code.
    pub fn stop(mut self) -> Option<i32> {
        self.signal(Signal::SIGTERM);
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it is a child") {
                return status.code();
            }
            assert!(began.elapsed() < LIMIT, "it did not stop");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

on_both!(a_running_agent_pages_at_once_and_stops_when_told, |world| {
    world.register_footer().await;
    let file = commanded(&world, KEEP, "").display().to_string();
    let agent = Running::start(world.govdeck("maya", &["agent", "--file", &file]));
    until("it leads", || {
        world.owner_sql("SELECT COUNT(*) FROM agent_lease") == "1"
    });
    world.block("pub-1").await;
    until("the page comes", || taken(&world).len() == 1);
    let doctor = document_of_doctor(&world);
    assert!(doctor.contains("leads, and its heart beat"), "{doctor}");
    // Another one waits, and takes over when this one stops.
    let second = Running::start(world.govdeck("maya", &["agent", "--file", &file]));
    world.block("pub-2").await;
    until("the second page comes", || taken(&world).len() == 2);
    assert_eq!(world.owner_sql("SELECT fence FROM agent_lease"), "1");
    assert_eq!(agent.stop(), Some(0));
    until("the other leads", || {
        world.owner_sql("SELECT fence FROM agent_lease") == "2"
    });
    world.block("pub-3").await;
    until("the third page comes", || taken(&world).len() == 3);
    assert_eq!(second.stop(), Some(0));
    let doctor = document_of_doctor(&world);
    assert!(doctor.contains("none runs here"), "{doctor}");
    world.assert_sound().await;
});

fn document_of_doctor(world: &World) -> String {
    let run = govdeck(world, "maya", &["doctor"]);
    let line = run.stdout.lines().find(|line| line.contains("agent"));
    line.unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_agent_is_followed_by_another_after_its_term() {
    let world = World::sqlite().await;
    world.register_footer().await;
    let file = commanded(&world, KEEP, "").display().to_string();
    let first = Running::start(world.govdeck("maya", &["agent", "--file", &file]));
    until("it leads", || {
        world.owner_sql("SELECT COUNT(*) FROM agent_lease") == "1"
    });
    first.signal(Signal::SIGKILL);
    drop(first);
    world.block("pub-1").await;
    let run = govdeck(&world, "maya", &["agent", "--once", "--file", &file]);
    assert!(said(&run, 0).starts_with("another agent leads"), "{run:?}");
    expire(&world);
    let run = govdeck(
        &world,
        "maya",
        &["agent", "--once", "--file", &file, "--json"],
    );
    assert_eq!(document(&run, 0, "agent-once")["delivered"], 1);
    assert_eq!(world.owner_sql("SELECT fence FROM agent_lease"), "2");
}

on_both!(metrics_tell_how_everything_stands, |world| {
    world.register_footer().await;
    world.block("pub-1").await;
    let port = free_port();
    let written = world.home.folder().join("govdeck.prom");
    let file = told(
        &world,
        &format!(
            "metrics_address = \"127.0.0.1:{port}\"\nmetrics_file = \"{}\"\n",
            written.display()
        ),
    );
    let file = file.display().to_string();
    let agent = Running::start(world.govdeck("maya", &["agent", "--file", &file]));
    until("it leads", || {
        scrape(port, "/metrics").contains("govdeck_leader 1\n")
    });
    until("the page is routed", || {
        scrape(port, "/metrics").contains("govdeck_outbox{state=\"unrouted\"} 0\n")
    });
    let text = scrape(port, "/metrics");
    for line in [
        "HTTP/1.1 200 OK",
        "# TYPE govdeck_open_blocks gauge",
        "govdeck_open_blocks{reason=\"tuple_drift\"} 1",
        "govdeck_open_blocks{reason=\"missing_source_hash\"} 0",
        "govdeck_seconds_to_breach 17",
        "govdeck_pending_runs 0",
        "govdeck_windows{status=\"MISSED\"} 0",
        "govdeck_undelivered 0",
        "govdeck_agents_lead 1",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(scrape(port, "/").starts_with("HTTP/1.1 404"));
    until("the file is there", || written.exists());
    let text = fs::read_to_string(&written).expect("ours");
    assert!(
        text.starts_with("# HELP govdeck_open_blocks ") && text.ends_with('\n'),
        "{text}"
    );
    assert_eq!(agent.stop(), Some(0));
});

fn free_port() -> u16 {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    port.local_addr().expect("it is bound").port()
}

/// Asks for a path, and returns everything that came; nothing while nobody listens.
fn scrape(port: u16, path: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return String::new();
    };
    let asked = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(asked.as_bytes()).ok();
    let mut text = String::new();
    stream.read_to_string(&mut text).ok();
    text
}

/// Waits until something holds.
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < LIMIT, "waited for: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
