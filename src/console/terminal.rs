//! The terminal: what it is told at the start, and that all of it is taken back, however the program ends.

use std::io::{self, BufWriter, IsTerminal, Write, stdout};
use std::process::{Command as Process, Stdio};

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::style::Print;
use crossterm::terminal::{self, EnterAlternateScreen, LeaveAlternateScreen, SetTitle};
use crossterm::{cursor, execute};
use nix::errno::Errno;
use nix::sys::termios::{FlushArg, tcflush};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Position, Rect};
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::event::Mouse;
use super::keys;
use crate::rules::text::{scrub, shorten};
use crate::settings::Notices;

/// The screen that is drawn on.
pub(super) type Screen = Terminal<CrosstermBackend<Output>>;

/// Room for a whole frame, so that none is seen half drawn: standard output alone holds a kilobyte.
const FRAME: usize = 256 * 1024;

/// How many letters of what was said a notification shows.
const NOTICE: usize = 120;

/// Has the terminal keep its title; one that cannot ignores it.
const SAVE_TITLE: &str = "\x1b[22;0t";
/// Has the terminal take the kept title again.
const RESTORE_TITLE: &str = "\x1b[23;0t";

/// Standard output, a frame at a time.
///
/// A terminal that is gone takes everything: whoever watches for that ends the program, and nobody else has to.
#[derive(Debug)]
pub(super) struct Output(BufWriter<io::Stdout>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        unless_gone(self.0.write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        unless_gone(self.0.flush(), ())
    }
}

fn unless_gone<T>(result: io::Result<T>, otherwise: T) -> io::Result<T> {
    match result {
        Err(error) if is_gone(&error) => Ok(otherwise),
        result => result,
    }
}

/// Tells whether an error says that the terminal was closed.
pub(super) fn is_gone(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::EIO as i32)
}

/// Makes the screen, of the size that the terminal has now.
///
/// Its size is told with the events: asking for it before each frame would cost as much as a part of the frame.
pub(super) fn screen() -> io::Result<Screen> {
    let output = Output(BufWriter::with_capacity(FRAME, stdout()));
    let viewport = Viewport::Fixed(Rect::from((Position::ORIGIN, terminal::size()?.into())));
    Terminal::with_options(CrosstermBackend::new(output), TerminalOptions { viewport })
}

/// Takes the size that the terminal has now, and makes the next frame a whole one.
///
/// `Terminal::clear` asks the terminal for its cursor and waits for an answer, which not every terminal gives, and which
/// a reader of keys may take away.
pub(super) fn clear(screen: &mut Screen) -> io::Result<()> {
    let size = screen.size()?;
    screen.resize(size.into())
}

/// Tells whether there is a terminal to draw on and keys to read.
#[must_use]
pub fn is_there() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Returns the size of the terminal, where there is one.
#[must_use]
pub fn size() -> Option<(u16, u16)> {
    is_there().then(|| terminal::size().ok()).flatten()
}

/// Takes the terminal over; dropping it gives the terminal back.
#[derive(Debug)]
pub(super) struct Taken(());

impl Taken {
    /// Takes the terminal over, and gives it back even when the program panics.
    pub fn take(title: &str) -> io::Result<Self> {
        // NO_COLOR is answered by the mono theme; crossterm's own answer would also take bold and reverse away.
        crossterm::style::force_color_output(true);
        let before = std::panic::take_hook();
        let drawing = std::thread::current().id();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().id() == drawing {
                let _ = give_back();
                before(panic);
            } else {
                // The console goes on without that task; what it no longer brings is said by the picture growing old.
                let place = panic.location().map(ToString::to_string);
                tracing::error!(place, "a task behind the console panicked");
            }
        }));
        keys::never_wait();
        enter(title)?;
        Ok(Self(()))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let _ = give_back();
    }
}

/// Tells the terminal what it has to do for us.
pub(super) fn enter(title: &str) -> io::Result<()> {
    terminal::enable_raw_mode()?;
    execute!(
        stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        cursor::Hide,
        Print(SAVE_TITLE),
        SetTitle(title)
    )?;
    forget_typed();
    Ok(())
}

/// Takes back everything that the terminal was told.
pub(super) fn give_back() -> io::Result<()> {
    let mut out = stdout();
    let told = take_back(&mut out);
    let _ = out.flush();
    terminal::disable_raw_mode()?;
    told
}

/// Gives back a terminal that nobody reads, past whoever is stuck in writing to it.
pub(super) fn give_back_unread() {
    let _ = terminal::disable_raw_mode();
    let _ = tcflush(stdout(), FlushArg::TCOFLUSH);
    let mut words = Vec::new();
    let _ = take_back(&mut words);
    // Standard output's own lock is held by whoever is stuck.
    let _ = nix::unistd::write(stdout(), &words);
}

fn take_back(out: &mut impl Write) -> io::Result<()> {
    execute!(
        out,
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show,
        SetTitle(""),
        Print(RESTORE_TITLE)
    )
}

/// Forgets what was typed before there was a screen to see it on.
pub(super) fn forget_typed() {
    let _ = tcflush(io::stdin(), FlushArg::TCIFLUSH);
}

/// Gives the mouse to the console, or back.
pub(super) fn set_mouse(mouse: Mouse) -> io::Result<()> {
    match mouse {
        Mouse::Console => execute!(stdout(), EnableMouseCapture),
        Mouse::Terminal => execute!(stdout(), DisableMouseCapture),
    }
}

/// Rings the bell, and has the terminal show what for, where that is configured.
pub(super) fn ring(said: &str, notices: Notices, inside_tmux: bool) -> io::Result<()> {
    let mut out = stdout();
    out.write_all(b"\x07")?;
    out.write_all(notice(said, notices, inside_tmux).as_bytes())?;
    out.flush()
}

/// Spells a notification; nothing where none is wanted.
///
/// What is said may hold names from the database: it goes out scrubbed, without what parts the fields, and not at length.
fn notice(said: &str, notices: Notices, inside_tmux: bool) -> String {
    let said = scrub(&shorten(said, NOTICE)).replace(';', ",");
    let told = match notices {
        Notices::Off => return String::new(),
        Notices::Osc9 => format!("\x1b]9;govdeck: {said}\x07"),
        Notices::Osc777 => format!("\x1b]777;notify;govdeck;{said}\x07"),
    };
    if inside_tmux {
        // tmux hands on what is wrapped for it, where allow-passthrough lets it.
        return format!("\x1bPtmux;{}\x1b\\", told.replace('\x1b', "\x1b\x1b"));
    }
    told
}

/// Puts a text into the clipboard: by tmux inside tmux, else by the terminal itself.
///
/// A terminal never says whether it took the text, so the text is also said in the status line.
pub(super) fn copy(text: &str, inside_tmux: bool) -> io::Result<()> {
    if inside_tmux {
        let mut child = Process::new("tmux")
            .args(["load-buffer", "-w", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(text.as_bytes())?;
        }
        let taken = child.wait()?.success();
        return taken
            .then_some(())
            .ok_or_else(|| io::Error::other("tmux did not take it"));
    }
    execute!(stdout(), CopyToClipboard::to_clipboard_from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_is_told_only_where_it_is_wanted() {
        let said = "pub-1 waits for your name";
        assert_eq!(notice(said, Notices::Off, false), "");
        assert_eq!(
            notice(said, Notices::Osc9, false),
            "\x1b]9;govdeck: pub-1 waits for your name\x07"
        );
        assert_eq!(
            notice(said, Notices::Osc777, false),
            "\x1b]777;notify;govdeck;pub-1 waits for your name\x07"
        );
        assert_eq!(
            notice("x", Notices::Osc9, true),
            "\x1bPtmux;\x1b\x1b]9;govdeck: x\x07\x1b\\"
        );
    }

    #[test]
    fn a_name_from_outside_ends_no_notification_and_begins_no_other() {
        let hostile = "a\x07b\x1b]52;c;eA==\x07;notify;x\u{202e}";
        for notices in [Notices::Osc9, Notices::Osc777] {
            let told = notice(hostile, notices, false);
            let inside = &told[1..told.len() - 1];
            assert!(!inside.contains(char::is_control), "{told:?}");
            assert!(!inside.contains('\u{202e}'), "{told:?}");
            let parts = if notices == Notices::Osc9 { 1 } else { 3 };
            assert_eq!(inside.matches(';').count(), parts, "{told:?}");
        }
        let long = notice(&"x".repeat(5_000), Notices::Osc9, false);
        assert!(long.len() < 200, "{}", long.len());
    }
}
