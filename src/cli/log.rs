//! The log: a file in the state folder.

use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::settings::{LogLevel, Settings};

/// Starts the log file: what happened and when, never row data, never a DSN.
pub(super) fn start(settings: &Settings) {
    let level = match settings.log_level.value {
        LogLevel::Off => return,
        LogLevel::Error => tracing::Level::ERROR,
        LogLevel::Warn => tracing::Level::WARN,
        LogLevel::Info => tracing::Level::INFO,
        LogLevel::Debug => tracing::Level::DEBUG,
    };
    let Some(path) = &settings.log_file.value else {
        return;
    };
    if path.exists() && !path.is_file() {
        eprintln!("warning: no log: {} is not a file", path.display());
        return;
    }
    let opened = path
        .parent()
        .map_or(Ok(()), |folder| {
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
        })
        .and_then(|()| {
            std::fs::OpenOptions::new()
                .append(true)
                .create(true)
                .mode(0o600)
                .open(path)
        });
    match opened {
        Ok(file) => {
            let lines = tracing_subscriber::fmt::layer()
                .with_ansi(false)
                .with_writer(std::sync::Mutex::new(file));
            let ours = tracing_subscriber::filter::Targets::new().with_target("govdeck", level);
            // A second start in one process keeps the first log.
            let _ = tracing_subscriber::registry()
                .with(lines)
                .with(ours)
                .try_init();
        }
        Err(error) => eprintln!(
            "warning: no log: {} cannot be written: {error}",
            path.display()
        ),
    }
}
