//! Programs that people open today, where they are installed: how long each takes until something can be read in it.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Done, program, shell};

/// The file that is not as it was committed, by which gitui is known to show something.
const CHANGED: &str = "changed.txt";

/// A program beside which the console is started.
pub(super) struct Peer {
    pub name: &'static str,
    /// Up to which share of its time the console may take.
    pub goal: f64,
    pub command: Command,
    /// What is on its screen once something can be read.
    pub shown: &'static str,
}

/// Lists those that are installed, and says which are not.
pub(super) fn installed(home: &Path) -> Done<Vec<Peer>> {
    let has = |name: &str| {
        let found = program(home, name).arg("--version").output();
        let is_there = found.is_ok_and(|it| it.status.success());
        if !is_there {
            println!("    {name} is not installed, and not measured");
        }
        is_there
    };
    let mut peers = Vec::new();
    if has("gitui") {
        let mut command = program(home, "gitui");
        command.current_dir(repository(home)?);
        peers.push(Peer {
            name: "gitui",
            goal: 1.0,
            command,
            shown: CHANGED,
        });
    }
    if let Ok(dsn) = std::env::var("GOVDECK_BENCH_DSN")
        && has("pgcli")
    {
        let mut command = program(home, "pgcli");
        command.arg(dsn);
        peers.push(Peer {
            name: "pgcli",
            goal: 1.0 / 4.0,
            command,
            shown: "bench>",
        });
    }
    if has("harlequin") {
        let mut command = program(home, "harlequin");
        command
            .args(["--adapter", "sqlite"])
            .arg(home.join("few.db"));
        peers.push(Peer {
            name: "harlequin",
            goal: 1.0 / 10.0,
            command,
            shown: "Query Editor",
        });
    }
    Ok(peers)
}

/// Makes a repository of a thousand files, as a team's may be, one of which was changed.
fn repository(home: &Path) -> Done<std::path::PathBuf> {
    const GIT: &str = "git init -q . && git add . && git -c user.name=bench -c user.email=bench@localhost commit -q -m first";
    let repo = home.join("repo");
    for number in 0..1_000 {
        let folder = repo.join(format!("folder-{}", number % 40));
        fs::create_dir_all(&folder)?;
        let file = folder.join(format!("file-{number}.txt"));
        fs::write(file, number.to_string())?;
    }
    fs::write(repo.join(CHANGED), "before")?;
    let made = shell(home, GIT).current_dir(&repo).status()?;
    assert!(made.success(), "a repository for gitui");
    fs::write(repo.join(CHANGED), "after, and longer")?;
    Ok(repo)
}
