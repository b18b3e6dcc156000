//! `govdeck` alone: opens the console.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::actions::Signing;
use crate::console::event::Cause;
use crate::console::keymap::Keymap;
use crate::console::link::{Address, Workshop};
use crate::console::model::Start;
use crate::console::overlay::Text;
use crate::console::panes::PaneId;
use crate::console::picture::Way;
use crate::console::theme::{Depth, Theme, depth_of};
use crate::console::ui::Glyphs;
use crate::console::{self, Ended, Ending, Opening};
use crate::rules::Refusal;
use crate::settings::{Dsn, DsnKind, Settings, SettingsError, Source};
use crate::store::{OsAccount, StoreError};

use super::page::{Exit, Failure};
use super::{bundle_run, hour};

/// How long the terminal may take to say whether it is light or dark.
const COLOUR_PATIENCE: Duration = Duration::from_millis(300);

/// Where a console is opened, and as whom.
pub(super) struct Seat {
    /// The database, and whoever is at the keys.
    pub(super) address: Address,
    /// The file that keeps which entry was seen last.
    pub(super) last_looked: Option<PathBuf>,
    /// The file that says that the card for a newcomer was read.
    pub(super) card_read: Option<PathBuf>,
    /// What is said to a newcomer before anything else.
    pub(super) welcome: Option<Text>,
}

/// How a console shows what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// Drawn on a screen.
    OnAScreen,
    /// As lines of text: no terminal is asked for anything.
    AsLines,
}

/// Opens the console and returns the program's exit code when it ends.
pub(super) fn open(settings: &Settings) -> Result<ExitCode, Failure> {
    refuse_without_screen()?;
    let seat = seat(settings)?;
    let runtime = runtime()?;
    // The terminal is asked for its colours meanwhile.
    let first_look = seat.address.begin_to_look(runtime.handle());
    let mut opening = opening(settings, seat, Shown::OnAScreen)?;
    opening.first_look = Some(first_look);
    let ending = console::run(opening, runtime.handle());
    // A task that still waits for a silent server must not keep the program.
    runtime.shutdown_background();
    ended(ending)
}

/// Says where the console of the settings is opened, and as whom.
pub(super) fn seat(settings: &Settings) -> Result<Seat, Failure> {
    if let DsnKind::Sqlite(path) = settings.dsn.kind()
        && !path.exists()
    {
        return Err(Failure::new(
            Exit::CannotTell,
            format!("there is no database at {}", path.display()),
            "`govdeck init` makes one; `govdeck demo` shows everything without one",
        ));
    }
    let dsn = &settings.dsn.value;
    let viewer = settings.viewer_dsn.as_ref();
    let viewer = viewer.filter(|_| dsn.is_postgres());
    let direct = match (&settings.direct_dsn.value, settings.pooled.value) {
        (Some(direct), true) => Some(direct.clone()),
        (None, true) => None,
        // Being told of changes is looking too.
        (_, false) => Some(viewer.unwrap_or(dsn).clone()),
    };
    Ok(Seat {
        address: Address {
            dsn: dsn.clone(),
            viewer: viewer.cloned(),
            direct,
            account: OsAccount::of_this_process()
                .map_err(|error: StoreError| Failure::from(error))?,
            console_id: random_name()?,
            governance_root: settings.governance_root.value.clone(),
            signer: super::sign::signer(settings),
            workshop: workshop(settings),
        },
        last_looked: last_looked(settings, &settings.dsn.value),
        card_read: state_folder(settings).map(|folder| folder.join("card-read")),
        welcome: None,
    })
}

/// Says where runs of bundles are made, by the settings.
fn workshop(settings: &Settings) -> Result<Workshop, Refusal> {
    let made = || {
        Ok(Workshop {
            ledger: settings.direct()?.clone(),
            bundles: Ok(bundle_run::reach(settings)?),
            dictionary: Ok(settings.bundle_target()?.clone()),
            hour: hour::reach(settings),
        })
    };
    made().map_err(|error: SettingsError| Refusal::new(error.sentence, error.hint))
}

/// Refuses early where no console can be shown, whatever the database holds.
pub(super) fn refuse_without_screen() -> Result<(), Failure> {
    if variable("TERM").as_deref() == Some("dumb") {
        return Err(Failure::new(
            Exit::BadInput,
            "the console needs a terminal that can move its cursor, and TERM is dumb",
            NO_TERMINAL_HINT,
        ));
    }
    Ok(())
}

/// Makes what the console's tasks run on.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| cannot("the program cannot start", &error))
}

/// Says how the console ended as an exit code.
pub(super) fn ended(ended: std::io::Result<Ended>) -> Result<ExitCode, Failure> {
    let ended = ended.map_err(|error| cannot("the terminal cannot be used", &error))?;
    let mut left = ExitCode::SUCCESS;
    for (verb, ticket) in &ended.unresolved {
        left = Failure::new(
            Exit::CannotTell,
            format!("what became of {} is not known", verb.replace('_', "-")),
            format!("when the database answers: govdeck ledger show --ticket {ticket}"),
        )
        .print();
    }
    if let Some(id) = &ended.left {
        left = Failure::new(
            Exit::CannotTell,
            format!("the run of {id} was claimed, and left before it had ended"),
            format!(
                "`govdeck bundle show {id}` tells how it stands; `govdeck bundle run` takes it up"
            ),
        )
        .print();
    }
    match ended.ending {
        Ending::Left => Ok(left),
        Ending::NoTerminal => Err(no_terminal()),
        Ending::Stopped(Cause::Signal(number)) => Ok(ExitCode::from(
            u8::try_from(128 + number).unwrap_or(u8::MAX),
        )),
        Ending::Stopped(Cause::HungUp) => Ok(ExitCode::from(129)),
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

const NO_TERMINAL_HINT: &str =
    "`govdeck status` and the other verbs work without one; `govdeck --help` lists them";

/// Says that a console needs a terminal.
pub(super) fn no_terminal() -> Failure {
    Failure::new(
        Exit::BadInput,
        "the console needs a terminal",
        NO_TERMINAL_HINT,
    )
}

fn cannot(what: &str, error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::CannotTell,
        format!("{what}: {error}"),
        "see the system's limits",
    )
}

/// Puts together what a console is opened with.
pub(super) fn opening(settings: &Settings, seat: Seat, shown: Shown) -> Result<Opening, Failure> {
    let depth = depth_of(variable);
    let themes_folder = settings.paths().themes_dir;
    let wanted = settings.theme.as_str();
    let name = match (shown, wanted) {
        (Shown::AsLines, _) => "mono",
        (Shown::OnAScreen, "auto") => by_the_terminal(depth),
        (Shown::OnAScreen, wanted) => wanted,
    };
    let theme = Theme::load(name, themes_folder.as_deref(), depth)?;
    let utf8 = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| variable(name))
        .is_some_and(|locale| {
            let locale = locale.to_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
    Ok(Opening {
        start: Start {
            keymap: Keymap::load(settings.paths().keys_file.as_deref())?,
            theme,
            depth,
            themes_folder,
            console_id: seat.address.console_id.clone(),
            glyphs: match shown {
                Shown::OnAScreen if utf8 => Glyphs::Lines,
                _ => Glyphs::Ascii,
            },
            place: seat.address.dsn.to_string(),
            signing: Signing::with(seat.address.signer.as_ref()),
            way: way(settings),
            elsewhere: elsewhere(settings, &seat.address.dsn),
        },
        address: seat.address,
        first_look: None,
        last_looked: seat.last_looked,
        card_read: seat.card_read,
        welcome: seat.welcome,
        first: PaneId::Home,
        editor: variable("VISUAL").or_else(|| variable("EDITOR")),
        inside_tmux: variable("TMUX").is_some(),
        notices: settings.notifications.value,
    })
}

/// Says where a database is for a command in a shell that would find another one without it; what is secret in it somebody
/// still has to say.
pub(super) fn elsewhere(settings: &Settings, dsn: &Dsn) -> Option<String> {
    let is_flag = matches!(settings.dsn.source, Source::Flag(_));
    let shown = dsn.to_string();
    let told = if shown == dsn.expose() {
        shown
    } else {
        "DSN".to_owned()
    };
    (is_flag || settings.dsn.value != *dsn).then_some(told)
}

/// Says what leads to the database, by the settings.
pub(super) fn way(settings: &Settings) -> Way {
    if settings.pooled.value {
        Way::Pooler
    } else {
        Way::Direct
    }
}

/// Asks the terminal, once and before anything else, whether it is light or dark.
fn by_the_terminal(depth: Depth) -> &'static str {
    use terminal_colorsaurus::{QueryOptions, ThemeMode, theme_mode};
    match depth {
        Depth::Mono => return "mono",
        Depth::Ansi16 => return "ansi16",
        Depth::True | Depth::Indexed256 => {}
    }
    let mut options = QueryOptions::default();
    options.timeout = COLOUR_PATIENCE;
    match theme_mode(options) {
        Ok(ThemeMode::Light) => "light",
        Ok(ThemeMode::Dark) | Err(_) => "dark",
    }
}

/// Makes a random name of 16 hexadecimal digits.
pub(super) fn random_name() -> Result<String, Failure> {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::new(
            Exit::CannotTell,
            format!("the operating system gives no random numbers: {error}"),
            "see its log",
        )
    })?;
    Ok(format!("{:016x}", u64::from_be_bytes(bytes)))
}

/// Names the folder for what the console keeps: where the log is.
fn state_folder(settings: &Settings) -> Option<&Path> {
    settings.log_file.value.as_ref()?.parent()
}

/// Names the file that keeps which entry was seen last, one for each database.
pub(super) fn last_looked(settings: &Settings, dsn: &Dsn) -> Option<PathBuf> {
    let folder = state_folder(settings)?;
    let place = crate::canon::Digest::of(dsn.to_string().as_bytes()).to_string();
    Some(folder.join("last-looked").join(place.get(..16)?))
}
