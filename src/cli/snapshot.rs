//! `govdeck snapshot`: a pane as it would be drawn, without a terminal.

use std::sync::Arc;
use std::time::Instant;

use clap::{Args, ValueEnum};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::{Value, json};

use super::page::{Exit, Failure, Page};
use crate::actions::Signing;
use crate::clock::Moment;
use crate::console::event::{Event, Sight};
use crate::console::keymap::Keymap;
use crate::console::live::Link;
use crate::console::model::{Model, Start};
use crate::console::panes::PaneId;
use crate::console::picture::Picture;
use crate::console::theme::{Depth, Theme};
use crate::console::ui::Glyphs;
use crate::console::{drawn, past_sight, picture, screen};
use crate::settings::Settings;
use crate::store::Store;
use crate::store::past::NoPast;

/// A pane as it would be drawn.
#[derive(Debug, Args)]
pub(super) struct Snapshot {
    /// The pane: home, migration, blocks, ledger and so on.
    #[arg(value_parser = pane)]
    pane: PaneId,
    /// As what.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// How many columns and rows.
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "80x24", value_parser = size)]
    size: (u16, u16),
    /// The moment in the past that is looked at, such as 2026-05-14T02:14Z; on migration, blocks, weeks and ledger.
    #[arg(long, value_name = "TIME", value_parser = past_sight::parse)]
    as_of: Option<Moment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines of text.
    Text,
    /// A picture.
    Svg,
    /// The lines, and the rows behind them.
    Json,
}

fn pane(word: &str) -> Result<PaneId, String> {
    let found = PaneId::ALL
        .iter()
        .copied()
        .find(|pane| pane.word().eq_ignore_ascii_case(word));
    found.ok_or_else(|| {
        let all: Vec<_> = PaneId::ALL
            .iter()
            .map(|pane| pane.word().to_lowercase())
            .collect();
        format!("one of: {}", all.join(", "))
    })
}

fn size(word: &str) -> Result<(u16, u16), String> {
    let wrong = || "two numbers from 1 to 500, like 80x24".to_owned();
    let (width, height) = word.split_once('x').ok_or_else(wrong)?;
    let number = |text: &str| {
        text.parse()
            .ok()
            .filter(|number| (1..=500).contains(number))
            .ok_or_else(wrong)
    };
    Ok((number(width)?, number(height)?))
}

impl Snapshot {
    pub(super) async fn run(self, store: &Store, settings: &Settings) -> Result<Page, Failure> {
        let named = settings.theme.as_str();
        let name = if named == "auto" { "dark" } else { named };
        let start = Start {
            keymap: Keymap::load(settings.paths().keys_file.as_deref())?,
            theme: Theme::load(name, settings.paths().themes_dir.as_deref(), Depth::True)?,
            depth: Depth::True,
            themes_folder: None,
            console_id: "snapshot".to_owned(),
            glyphs: Glyphs::Lines,
            place: settings.dsn.value.to_string(),
            signing: Signing::with(super::sign::signer(settings).as_ref()),
            way: super::console::way(settings),
            elsewhere: super::console::elsewhere(settings, &settings.dsn.value),
        };
        let at = Instant::now();
        let mut model = Model::new(start, self.size, None, at);
        model.pane = self.pane;
        model.as_of = self.as_of;
        if self.as_of.is_some() && !self.pane.keeps_history() {
            return Err(Failure::new(
                Exit::BadInput,
                format!("{} keeps no history", self.pane),
                "migration, blocks, weeks and ledger do; leave --as-of out",
            ));
        }
        let mut taken;
        // The first picture selects a row, the second shows what belongs to it.
        loop {
            model.update(Event::Tick, at);
            taken = Arc::new(picture::take(store, &model.wanted()).await?);
            if let Some(Err(none)) = &taken.past {
                return Err(no_past(*none));
            }
            let wanted = taken.wanted.clone();
            let link = Link {
                heard: Some(at),
                trouble: None,
                source: "once",
            };
            let sight = Sight {
                picture: Some(Arc::clone(&taken)),
                link,
            };
            model.update(Event::Sight(sight), at);
            if model.wanted() == wanted {
                break;
            }
        }
        let mut buffer = Buffer::empty(Rect::new(0, 0, self.size.0, self.size.1));
        screen::draw(&model, &mut buffer);
        let lines = drawn::text(&buffer);
        let json = self.json(&taken, &lines);
        let page = Page::new(Exit::Done, lines, "snapshot", json);
        Ok(match self.format {
            Format::Text => page,
            Format::Json => page.into_json(),
            Format::Svg => {
                let title = format!("govdeck {}", self.pane);
                Page::raw(drawn::svg(&buffer, &title).into_bytes())
            }
        })
    }

    /// Writes what was drawn and the rows behind it; of the past that is the pane's rows alone.
    fn json(&self, taken: &Picture, lines: &[String]) -> Value {
        if let Some(Ok(sight)) = &taken.past {
            let entries = taken.entries.rows.iter().map(|it| json!({"seq": it.seq, "ticket": it.ticket, "action": it.action, "at": it.at_utc, "hash": it.hash}));
            return json!({
                "pane": self.pane, "as_of": sight.past.at, "entry": sight.past.seq, "deployment": taken.deployment.name,
                "environment": taken.deployment.environment, "lines": lines, "open_blocks": sight.open_blocks,
                "blocks": taken.blocks.rows, "migrations": taken.migrations.rows.rows, "weeks": taken.weeks.rows,
                "entries": entries.collect::<Vec<_>>(),
            });
        }
        json!({
            "pane": self.pane, "now": taken.now, "deployment": taken.deployment.name,
            "environment": taken.deployment.environment, "lines": lines, "open_blocks": taken.counts.open,
            "blocks": taken.blocks.rows, "first_responses": taken.lately, "waiting_for_you": taken.mine, "ledger": taken.head,
            "proposals": taken.approvals.iter().map(|it| &it.waiting).collect::<Vec<_>>(), "people": taken.people.rows,
        })
    }
}

/// Says why there is nothing to be seen; only where nobody can tell is that a matter of the database.
fn no_past(none: NoPast) -> Failure {
    let refusal = none.refusal();
    let exit = match none {
        NoPast::Ahead { .. } | NoPast::BeforeTheFirst(_) => Exit::BadInput,
        NoPast::Disordered => Exit::CannotTell,
    };
    Failure::new(exit, refusal.sentence, refusal.hint)
}
