//! Disarms a console, by rule: less power needs nobody's yes.

use super::add_person::plain_line;
use super::arm_console::target;
use super::entry::{Action, Asked, Draft, Stop};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::guard;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::presence::{self, Armed, Arming};
use crate::store::{StoreError, View};

pub(super) struct DisarmConsole {
    console: String,
}

pub(super) struct Facts {
    armed: Option<Armed>,
    login: String,
}

impl Action for DisarmConsole {
    const MAY: Permission = permission::DISARM_CONSOLE;
    const KEY: char = ' ';
    const SUMMARY: &'static str = "Disarm a console";
    const UNDO: &'static str = "arm-console: for fifteen minutes again";
    const KIND: &'static str = "console";
    const TARGET: &'static str = "The console's id";
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            console: plain_line("console's id", &asked.target)?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        Ok(Facts {
            armed: presence::find(view, &self.console).await?,
            login: view.login().to_owned(),
        })
    }

    fn propose(&self, facts: &Facts, _by: &Acting<'_>, _now: Moment) -> Result<Draft, Stop> {
        let armed = facts.armed.as_ref();
        Ok(Draft::new(
            target(&self.console),
            guard::may_disarm(&facts.login, armed.map(|armed| armed.login.as_str())),
            Vec::new(),
        )
        .with_arming(armed.map(|armed| Arming {
            console_id: self.console.clone(),
            person_id: armed.person_id.clone(),
            armed_until_utc: None,
        })))
    }
}
