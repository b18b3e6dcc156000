//! The least that a console made of the same libraries does: read a key, draw a list of which one row is marked, write what
//! changed. Nothing that is built on them can be quicker.

use std::io::{self, BufWriter, Stdout, stdout};
use std::path::Path;
use std::process::Command;

use crossterm::event::{Event, KeyCode, read};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Modifier, Style};

use super::program;

/// The word by which this program, started anew, is that console.
const WORD: &str = "--bare-console";
/// What stands in its first line.
pub(super) const SHOWN: &str = "a bare console";

/// Tells whether this process was started to be one.
pub(super) fn is_meant() -> bool {
    std::env::args().any(|word| word == WORD)
}

/// Names the command that starts one.
pub(super) fn command(home: &Path) -> io::Result<Command> {
    let this = std::env::current_exe()?;
    let mut command = program(home, &this.to_string_lossy());
    command.arg(WORD);
    Ok(command)
}

/// Runs until its terminal is closed or `q` comes.
pub(super) fn run() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen)?;
    let mut terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>> = Terminal::new(
        CrosstermBackend::new(BufWriter::with_capacity(1 << 16, stdout())),
    )?;
    let mut marked = 1;
    loop {
        terminal.draw(|frame| list(frame.buffer_mut(), marked))?;
        if let Event::Key(key) = read()? {
            match key.code {
                KeyCode::Char('j') => marked += 1,
                KeyCode::Char('k') => marked = marked.saturating_sub(1).max(1),
                KeyCode::Char('q') => break,
                _ => {}
            }
        }
    }
    execute!(stdout(), LeaveAlternateScreen)?;
    disable_raw_mode()
}

fn list(buffer: &mut Buffer, marked: u16) {
    let area = buffer.area;
    for y in area.top()..area.bottom() {
        let row = match y {
            0 => SHOWN.to_owned(),
            _ => format!(
                "{y:>4}  a row that is as long as the rows of a list are, with what belongs to it beside its name"
            ),
        };
        let marks = if y == marked {
            Modifier::REVERSED
        } else {
            Modifier::empty()
        };
        let style = Style::new().add_modifier(marks);
        buffer.set_stringn(area.left(), y, row, usize::from(area.width), style);
    }
}
