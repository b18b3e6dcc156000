//! The file of the agent, read strictly: what it cannot mean is refused with its place, before anything is done.

use std::path::Path;

use super::super::error::{Fault, SettingsError};
use super::super::file::{ConfigFile, Presence, place, position};
use super::{AgentSettings, Channel, Job, Safety, Work};

/// The longest that anything may take, in minutes and in seconds.
const LONGEST: u64 = 24 * 60;

impl AgentSettings {
    /// Reads the file; one that nobody named and that is not there says nothing.
    pub fn load(named: Option<&Path>, usual: Option<&Path>) -> Result<Self, SettingsError> {
        let (path, presence) = match (named, usual) {
            (Some(path), _) => (path, Presence::Required),
            (None, Some(path)) => (path, Presence::Optional),
            (None, None) => return Ok(Self::default()),
        };
        match ConfigFile::read(path, presence)? {
            Some(file) => Self::parse(&file.text, path),
            None => Ok(Self::default()),
        }
    }

    /// Reads what stands in the file.
    pub fn parse(text: &str, path: &Path) -> Result<Self, SettingsError> {
        let settings: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().unwrap_or_default().start;
            let (line, column) = position(text, start);
            SettingsError::at(&place(path, line, column), syntax(&error))
        })?;
        settings
            .check()
            .map_err(|fault| SettingsError::at(&path.display(), fault))?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), Fault> {
        if self
            .metrics_address
            .is_some_and(|address| !address.ip().is_loopback())
        {
            return Err(Fault::new(
                "metrics_address is not on this machine",
                "write a loopback address, as in 127.0.0.1:9464, and let a proxy guard it from others",
            ));
        }
        for (name, channel) in &self.channels {
            check_channel(name, channel)?;
        }
        for route in &self.routes {
            let unknown = route
                .channels
                .iter()
                .find(|name| !self.channels.contains_key(*name));
            if let Some(name) = unknown {
                return Err(Fault::new(
                    format!("a route leads to {name:?}, and no channel is called so"),
                    format!("add [channel.{name}], or correct the route"),
                ));
            }
        }
        let mut names = Vec::new();
        for job in &self.jobs {
            check_job(job)?;
            names.push(job.name());
        }
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Fault::new(
                format!("the job {:?} is there twice", pair[0]),
                "keep one of the two",
            )),
            None => Ok(()),
        }
    }
}

fn check_channel(name: &str, channel: &Channel) -> Result<(), Fault> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let refuse = |what: &str, hint: &str| {
        let what = format!("the channel {name:?} {what}");
        Err(Fault::new(what, hint.to_owned()))
    };
    if name.is_empty() || name.len() > 40 || !name.chars().all(plain) {
        return refuse(
            "has no plain name",
            "use lower-case letters, digits and `-`",
        );
    }
    if !(1..=LONGEST).contains(&channel.timeout().as_secs()) {
        return refuse(
            "has no time, or more than a day",
            "set timeout_seconds to some seconds",
        );
    }
    match channel {
        Channel::Mail(mail) if mail.safety == Safety::None && !is_here(&mail.host) => refuse(
            "would send in the clear over a network",
            "leave safety out, or let the relay stand on this machine",
        ),
        Channel::Mail(mail) if mail.user.is_some() != mail.password_file.is_some() => refuse(
            "has a user without a password, or the other way round",
            "name both user and password_file, or neither",
        ),
        Channel::Webhook(hook) => {
            let is_secure = hook.url.starts_with("https://");
            let is_plain = hook.url.starts_with("http://") && hook.private;
            if hook.url.contains('@') {
                return refuse("has somebody's name in its url", "take it out");
            }
            if is_secure || is_plain {
                Ok(())
            } else {
                refuse(
                    "does not lead to https://",
                    "write https://, or set private = true for a server in your own network",
                )
            }
        }
        Channel::Command(command)
            if !command
                .command
                .first()
                .is_some_and(|it| it.starts_with('/')) =>
        {
            refuse(
                "names no program by its whole path",
                "write command = [\"/usr/local/bin/page\"]",
            )
        }
        _ => Ok(()),
    }
}

fn is_here(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn check_job(job: &Job) -> Result<(), Fault> {
    let word = job.run.word();
    let wants_manifest = matches!(job.run, Work::Replay | Work::Reconcile);
    let wants_folder = job.run == Work::Fingerprint;
    let refuse = |what: String| Err(Fault::new(what, "see the manual of the agent"));
    if job.manifest.is_some() != wants_manifest {
        let verb = if wants_manifest { "needs" } else { "takes no" };
        return refuse(format!("the job {word} {verb} manifest"));
    }
    if job.folder.is_some() != wants_folder {
        let verb = if wants_folder { "needs" } else { "takes no" };
        return refuse(format!("the job {word} {verb} folder"));
    }
    let minutes = [job.every_minutes, job.timeout().as_secs() / 60];
    if minutes.iter().any(|it| !(1..=7 * LONGEST).contains(it)) {
        return refuse(format!(
            "the job {word} has minutes that are none, or more than a week's"
        ));
    }
    Ok(())
}

/// Words what the parser says, unless that could repeat a value: one may be a secret gone astray.
fn syntax(error: &toml::de::Error) -> Fault {
    let said = error.message();
    let is_about_names = ["unknown field", "missing field", "duplicate"]
        .iter()
        .any(|known| said.starts_with(known));
    let what = if is_about_names {
        said.to_owned()
    } else {
        "this is not what is expected here".to_owned()
    };
    Fault::new(
        what,
        "the manual of the agent has a whole file as an example",
    )
}
