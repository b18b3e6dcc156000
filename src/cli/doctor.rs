//! `govdeck doctor`: what is well around govdeck and what is not, each with one fix.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde::Serialize;
use serde_json::json;

use super::page::{Exit, Failure, Page};
use super::status::SKEW_MILLISECONDS;
use super::{doctor_agent, on_store::PATIENCE};
use crate::clock::Moment;
use crate::console::terminal_size;
use crate::console::theme::{Depth, Theme, check, depth_of};
use crate::rules::words;
use crate::settings::{DsnKind, Flags, Settings};
use crate::store::wake::{Source, Wake};
use crate::store::{Access, OsAccount, Store, StoreError, View, grants, key, person};

words! {
    /// How a thing stands.
    pub enum Health {
        /// It is well.
        Ok = "OK",
        /// It works, but not as well as it could.
        Warn = "WARN",
        /// It does not work.
        Fail = "FAIL",
    }
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    about: &'static str,
    health: Health,
    found: String,
    fix: String,
}

pub(super) fn ok(about: &'static str, found: impl Into<String>) -> Finding {
    Finding {
        about,
        health: Health::Ok,
        found: found.into(),
        fix: String::new(),
    }
}

pub(super) fn warn(
    about: &'static str,
    found: impl Into<String>,
    fix: impl Into<String>,
) -> Finding {
    Finding {
        about,
        health: Health::Warn,
        found: found.into(),
        fix: fix.into(),
    }
}

fn fail(about: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding {
        health: Health::Fail,
        ..warn(about, found, fix)
    }
}

/// Looks at everything that can be looked at, whatever fails on the way.
pub(super) async fn run(flags: &Flags) -> Page {
    let mut findings = terminal();
    match Settings::load(flags, std::env::vars_os()) {
        Ok(settings) => {
            findings.push(config(&settings));
            findings.push(theme(&settings));
            findings.extend(database(&settings).await);
            findings.push(log(&settings));
        }
        Err(error) => findings.push(fail("config", error.sentence, error.hint)),
    }
    let mut lines = Vec::new();
    for finding in &findings {
        lines.push(format!(
            "{:<4} {:<12} {}",
            finding.health, finding.about, finding.found
        ));
        if !finding.fix.is_empty() {
            lines.push(format!("     {:<12} {}", "fix:", finding.fix));
        }
    }
    let worst = findings.iter().map(|finding| finding.health).max();
    let exit = if worst == Some(Health::Fail) {
        Exit::No
    } else {
        Exit::Done
    };
    Page::new(
        exit,
        lines,
        "doctor",
        json!({"health": worst, "findings": findings}),
    )
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn terminal() -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.push(match (terminal_size(), variable("TERM")) {
        (_, Some(term)) if term == "dumb" => fail(
            "terminal",
            "TERM is dumb",
            "use a terminal that can move its cursor",
        ),
        (None, _) => warn(
            "terminal",
            "there is none here",
            "the verbs work without one; the console needs one",
        ),
        (Some((width, height)), _) if width < 80 || height < 24 => warn(
            "terminal",
            format!("{width}x{height}"),
            "80x24 or more shows every column",
        ),
        (Some((width, height)), _) => ok("terminal", format!("{width}x{height}")),
    });
    findings.push(match variable("TMUX") {
        None => ok(
            "tmux",
            "not inside tmux; copies go to the terminal by OSC 52",
        ),
        Some(_) => match std::process::Command::new("tmux").arg("-V").output() {
            Ok(said) if said.status.success() => ok(
                "tmux",
                String::from_utf8_lossy(&said.stdout).trim().to_owned(),
            ),
            _ => warn(
                "tmux",
                "inside tmux, but `tmux` cannot be run",
                "put tmux on the path, so that copies reach its buffer",
            ),
        },
    });
    findings.push(match depth_of(variable) {
        Depth::True => ok("colours", "16 million"),
        Depth::Indexed256 => ok("colours", "256"),
        Depth::Ansi16 => warn(
            "colours",
            "16: the theme is ansi16",
            "set COLORTERM=truecolor when the terminal can",
        ),
        Depth::Mono => warn(
            "colours",
            "none: the theme is mono",
            match variable("NO_COLOR") {
                Some(_) => "unset NO_COLOR to see colours",
                None => "use a terminal with colours",
            },
        ),
    });
    findings
}

fn config(settings: &Settings) -> Finding {
    let from = settings.paths().config_file.filter(|path| path.exists());
    let from = from.map_or("no config file, defaults hold".to_owned(), |path| {
        path.display().to_string()
    });
    match settings.warnings().first() {
        None => ok("config", from),
        Some(warning) => warn(
            "config",
            format!("{from}: {warning}"),
            "`govdeck config check` lists all warnings",
        ),
    }
}

fn theme(settings: &Settings) -> Finding {
    let name = match settings.theme.as_str() {
        "auto" => "dark",
        name => name,
    };
    let checked = Theme::load(name, settings.paths().themes_dir.as_deref(), Depth::True)
        .and_then(|theme| check::check(&theme));
    match checked {
        Ok(report) if report.findings.is_empty() => ok("theme", name),
        Ok(report) => warn(
            "theme",
            format!("{name}: {} findings", report.findings.len()),
            format!("`govdeck theme check {name}` lists them"),
        ),
        Err(error) => fail("theme", error.sentence, error.hint),
    }
}

async fn database(settings: &Settings) -> Vec<Finding> {
    let mut findings = vec![pooler(settings)];
    if let Err(error) = look(settings, &mut findings).await {
        findings.push(fail("database", error.sentence, error.hint));
    }
    findings
}

fn pooler(settings: &Settings) -> Finding {
    match (
        settings.dsn.is_postgres(),
        *settings.pooled,
        &*settings.direct_dsn,
    ) {
        (false, ..) => ok("pooler", "none: the database is embedded"),
        (true, false, _) => ok("pooler", "none: dsn is taken as direct"),
        (true, true, Some(_)) => ok("pooler", "dsn is pooled, direct_dsn leads past it"),
        (true, true, None) => warn(
            "pooler",
            "dsn is pooled and there is no direct_dsn: news come by polling",
            "set direct_dsn",
        ),
    }
}

async fn look(settings: &Settings, findings: &mut Vec<Finding>) -> Result<(), StoreError> {
    let account = OsAccount::of_this_process()?;
    let store = Store::open(&settings.dsn, account.clone(), Access::Read).await?;
    let mut view = store.view().await?;
    let known = person::actor(&mut view).await?;
    findings.push(match store.newer_schema() {
        Some(found) => warn(
            "database",
            format!("schema {found} is newer than this program: it may only look"),
            "use the newer govdeck",
        ),
        None => ok("database", settings.dsn.to_string()),
    });
    findings.push(match &known {
        Some(actor) => ok(
            "identity",
            format!("{}, known by {}", actor.person_id, actor.attestation),
        ),
        None => warn(
            "identity",
            format!("the login {:?} belongs to no active person", view.login()),
            "a governance_lead can add you: govdeck act add-person",
        ),
    });
    findings.push(
        signing_key(
            settings,
            &mut view,
            known.as_ref().map(|actor| actor.person_id.as_str()),
        )
        .await?,
    );
    let skew = Moment::on_this_workstation()
        .since(view.server_now())
        .num_milliseconds();
    findings.push(if skew.abs() > SKEW_MILLISECONDS {
        warn(
            "clock",
            format!("{skew} ms off the database's, which alone counts"),
            "let this workstation follow a time server",
        )
    } else {
        ok("clock", format!("{skew} ms off the database's"))
    });
    findings.push(doctor_agent::look(&mut view).await?);
    drop(view);
    findings.push(
        match Wake::on(&store, &settings.dsn, settings.direct().ok())
            .await?
            .source()
        {
            Source::Notify => ok("news", "the server tells of changes"),
            Source::FileWatch => ok("news", "the file system tells of changes"),
            Source::Polling => warn(
                "news",
                "changes are found by polling, once a second",
                "give a direct connection",
            ),
        },
    );
    if store.is_postgres() {
        findings.push(match grants::differences(&store).await?.first() {
            None => ok("groups", "each has exactly the rights that it needs"),
            Some(first) => warn(
                "groups",
                format!("not as they should be: {first}"),
                "let the owner of the database run `govdeck init --grants`",
            ),
        });
        findings.push(viewer(settings, &store).await);
    }
    store.close().await;
    findings.push(rights(settings, account).await);
    if let DsnKind::Sqlite(path) = settings.dsn.kind() {
        findings.push(mode("file", &path));
    }
    Ok(())
}

/// Looks at the login that the console reads with: whether it leads to the same deployment, and may do nothing else.
async fn viewer(settings: &Settings, store: &Store) -> Finding {
    let Some(viewer) = &*settings.viewer_dsn else {
        return ok(
            "viewer",
            "none is set: the console looks with dsn, read-only",
        );
    };
    let ways = async {
        let seen = store.seen_by(viewer).await?;
        let ways = seen.ways_to_write().await;
        seen.close().await;
        ways
    };
    match ways.await {
        Ok(ways) if ways.is_empty() => ok("viewer", format!("{viewer} may look and nothing else")),
        Ok(ways) => fail(
            "viewer",
            format!("{viewer} may write: {}", ways.join(", ")),
            "give `viewer_dsn` a login that is in govdeck_viewer alone",
        ),
        Err(error) => fail("viewer", error.sentence, error.hint),
    }
}

/// Tries what every guarded write begins with, and gives it up again.
async fn rights(settings: &Settings, account: OsAccount) -> Finding {
    let begun = async {
        let store = Store::open(&settings.dsn, account, Access::Write).await?;
        drop(store.begin().await?);
        store.close().await;
        Ok::<(), StoreError>(())
    };
    match begun.await {
        Ok(()) => ok("rights", "guarded writes can begin"),
        Err(error) => warn(
            "rights",
            format!("only looking works: {}", error.sentence),
            error.hint,
        ),
    }
}

fn mode(about: &'static str, path: &Path) -> Finding {
    match std::fs::metadata(path) {
        Ok(meta) if meta.permissions().mode().trailing_zeros() >= 6 => ok(
            about,
            format!("{}: nobody else may read it", path.display()),
        ),
        Ok(_) => warn(
            about,
            format!("others may read {}", path.display()),
            format!("chmod 600 {}", path.display()),
        ),
        Err(error) => fail(
            about,
            format!("{}: {error}", path.display()),
            "check the path",
        ),
    }
}

fn log(settings: &Settings) -> Finding {
    match &*settings.log_file {
        None => warn("log", "there is none", "set log_file"),
        Some(path) if !path.exists() => {
            ok("log", format!("{}: made at the first line", path.display()))
        }
        Some(path) => mode("log", path),
    }
}

/// Runs it where there is nothing else to wait for.
pub(super) fn page(flags: &Flags) -> Result<Page, Failure> {
    let runtime = super::runtime()?;
    let page = runtime.block_on(async { tokio::time::timeout(PATIENCE, run(flags)).await });
    page.map_err(|_| {
        Failure::new(
            Exit::CannotTell,
            "the database has not answered for 30 seconds",
            "check that the server runs",
        )
    })
}

/// Looks at the key that decision cards are signed with: whether it can be read, and whether it is this person's now.
async fn signing_key(
    settings: &Settings,
    view: &mut View,
    you: Option<&str>,
) -> Result<Finding, StoreError> {
    let Some(path) = &settings.signing_key.value else {
        return Ok(ok("key", "none is set: nothing is signed"));
    };
    let fingerprint = match crate::signing::Source::at(path) {
        Ok(source) => source.key().fingerprint(),
        Err(refusal) => return Ok(fail("key", refusal.sentence, refusal.hint)),
    };
    Ok(match key::find(view, &fingerprint).await? {
        Some(key) if key.revoked_at_utc.is_some() => fail(
            "key",
            format!("{fingerprint} was revoked"),
            "name another in `signing_key`: `govdeck key list` shows yours",
        ),
        Some(key) if Some(key.person_id.as_str()) == you => ok("key", fingerprint),
        Some(key) => fail(
            "key",
            format!("{fingerprint} belongs to {}", key.person_id),
            "name a key of your own in `signing_key`",
        ),
        None => warn(
            "key",
            format!("{fingerprint} is not registered"),
            "govdeck key add FILE",
        ),
    })
}
