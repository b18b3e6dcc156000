//! Whether a migration can be taken back, as it is looked at again and again while its hour is on the screen.

use std::time::{Duration, Instant};

use crate::rules::migration::{Phase, Reversible};
use crate::rules::{Verdict, time};
use crate::store::StoreError;

use super::event::Effect;
use super::model::Model;
use super::theme::Token;
use super::ui::{Parts, muted};

/// After how long it is looked at again.
const AGAIN: Duration = Duration::from_mins(1);
/// After how long what was found is too old to count.
const OLD: Duration = Duration::from_mins(3);

/// What is known of the way back of one migration.
#[derive(Debug, Default)]
pub struct WayBack {
    asked: Option<(String, i64, Instant)>,
    found: Option<Found>,
}

#[derive(Debug)]
struct Found {
    migration_id: String,
    at: Instant,
    /// What was found, or why nobody can tell.
    said: Result<Reversible, String>,
}

impl WayBack {
    /// Tells whether to look now, and remembers that it is looked then: after a while, and when the migration moved.
    pub fn is_due(&mut self, (migration_id, version): (&str, i64), at: Instant) -> bool {
        let is_fresh = self.asked.as_ref().is_some_and(|(asked, of, since)| {
            asked == migration_id && *of == version && at.saturating_duration_since(*since) < AGAIN
        });
        if !is_fresh {
            self.asked = Some((migration_id.to_owned(), version, at));
        }
        !is_fresh
    }

    /// Takes what was found.
    pub fn found(
        &mut self,
        migration_id: String,
        found: Result<Option<Reversible>, StoreError>,
        at: Instant,
    ) {
        let said = match found {
            Ok(Some(found)) => Ok(found),
            Ok(None) => Err("the migration is gone".to_owned()),
            Err(error) => Err(error.sentence),
        };
        self.found = Some(Found {
            migration_id,
            at,
            said,
        });
    }

    /// Says it in lines: whether, until when, what breaks it first, and how long ago it was looked at.
    #[must_use]
    pub fn lines(&self, migration_id: &str, at: Instant) -> Vec<Parts> {
        let found = self.found.as_ref();
        let Some(found) = found.filter(|it| it.migration_id == migration_id) else {
            return vec![vec![muted("way back: being looked at")]];
        };
        let age = at.saturating_duration_since(found.at);
        let looked = format!(" (looked {} ago)", time::minutes(age));
        let (token, said) = match &found.said {
            _ if age >= OLD => (
                Token::StatusUnknown,
                "cannot tell: not looked at since".to_owned(),
            ),
            Err(why) => (Token::StatusUnknown, format!("cannot tell: {why}")),
            Ok(found) => {
                let token = match found.verdict {
                    Verdict::Pass => Token::StatusOk,
                    Verdict::Fail => Token::StatusDanger,
                    Verdict::CannotTell => Token::StatusUnknown,
                };
                (token, found.said())
            }
        };
        vec![vec![muted("way back: "), (token, said), muted(looked)]]
    }
}

impl Model {
    /// Has the way back of the migration looked at whose hour is on the screen, while there is one.
    pub(super) fn find_way_back(&mut self) -> Option<Effect> {
        let sight = self.picture.as_ref()?.migrations.hour.as_ref()?;
        let migration = &sight.migration;
        let may_go_back = matches!(migration.phase, Phase::DualWrite | Phase::Cutover);
        let (id, version) = (migration.migration_id.clone(), migration.version);
        (may_go_back && self.way_back.is_due((&id, version), self.at))
            .then_some(Effect::FindWayBack(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(way_back: &WayBack, at: Instant) -> String {
        let lines = way_back.lines("mig-1", at);
        let parts = lines.iter().flatten();
        parts.map(|(_, text)| &**text).collect()
    }

    #[test]
    fn it_is_looked_at_again_and_what_is_old_counts_for_nothing() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut way_back = WayBack::default();
        assert!(way_back.is_due(("mig-1", 1), start));
        assert!(!way_back.is_due(("mig-1", 1), after(59)));
        assert!(way_back.is_due(("mig-1", 1), after(60)));
        assert!(way_back.is_due(("mig-2", 1), after(61)), "another one");
        assert_eq!(text(&way_back, start), "way back: being looked at");
        let found = Reversible {
            verdict: Verdict::Pass,
            until: None,
            until_said: "until the end of its watch".to_owned(),
            breaks_first: "its close".to_owned(),
            conditions: Vec::new(),
        };
        way_back.found("mig-1".to_owned(), Ok(Some(found.clone())), start);
        let said = text(&way_back, after(5));
        assert!(said.contains(&found.said()), "{said}");
        assert!(said.ends_with("(looked 00:05 ago)"), "{said}");
        let said = text(&way_back, after(180));
        assert!(said.contains("cannot tell"), "{said}");
        way_back.found("mig-2".to_owned(), Ok(None), start);
        assert_eq!(text(&way_back, start), "way back: being looked at");
        way_back.found("mig-1".to_owned(), Ok(None), start);
        assert!(text(&way_back, start).contains("cannot tell: the migration is gone"));
    }
}
