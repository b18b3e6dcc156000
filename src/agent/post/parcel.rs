//! A message as it leaves the house: plain, scrubbed, and marked where it belongs to a drill.

use serde::Serialize;

use crate::rules::people::Environment;
use crate::rules::text::scrub;
use crate::store::delivery::Message;
use crate::store::deployment::Deployment;

/// What every channel sends, as the document that webhooks and commands get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Parcel {
    schema: &'static str,
    /// The message.
    pub notification_id: String,
    /// What the other side may tell repetitions by.
    pub idempotency_key: String,
    /// The deployment's name.
    pub deployment: String,
    /// What it is for.
    pub environment: Environment,
    /// What kind of event it tells of.
    pub event: String,
    /// Who gets it.
    pub recipient: String,
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// Whether it belongs to a drill.
    pub drill: bool,
    /// The entry that caused it.
    pub ledger_seq: i64,
    /// When it was written.
    pub created_at: String,
}

impl Parcel {
    /// Makes one of a message.
    pub fn of(message: &Message, deployment: &Deployment) -> Self {
        let plain = |text: &str| scrub(text).into_owned();
        let mark = if message.drill { "DRILL " } else { "" };
        let lines: Vec<_> = message.body.lines().map(plain).collect();
        Self {
            schema: "govdeck.notification.v1",
            notification_id: message.notification_id.clone(),
            idempotency_key: plain(&message.idempotency_key),
            deployment: plain(&deployment.name),
            environment: deployment.environment,
            event: plain(&message.event_class),
            recipient: plain(&message.recipient_id),
            subject: format!("{mark}{}", plain(&message.subject)),
            text: lines.join("\n"),
            drill: message.drill,
            ledger_seq: message.ledger_seq,
            created_at: message.created_at_utc.to_string(),
        }
    }

    /// Writes it as one JSON document.
    pub fn json(&self) -> Vec<u8> {
        // Texts and numbers always have a form in JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Returns the subject of a letter.
    pub fn title(&self) -> String {
        let (environment, deployment) = (self.environment.word(), &self.deployment);
        format!("[{environment} {deployment}] {}", self.subject)
    }

    /// Returns the text of a letter.
    pub fn letter(&self) -> String {
        let drill = if self.drill {
            "This is a DRILL: nothing is wrong, and somebody practises.\n\n"
        } else {
            ""
        };
        format!(
            "{drill}{}\n\n-- \ngovdeck, entry {} of {} at {}\n",
            self.text, self.ledger_seq, self.deployment, self.created_at
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(drill: bool) -> Parcel {
        let moment = |text: &str| text.parse().expect("a moment");
        let message = Message {
            notification_id: "a".repeat(64),
            idempotency_key: "block_opened/pub-1\u{1b}/maya".to_owned(),
            ledger_seq: 7,
            event_class: "block_opened".to_owned(),
            recipient_id: "maya".to_owned(),
            subject: "publish block pub-1\r\nBcc: x@example.com".to_owned(),
            body: "one\u{202e}\nTake it with: govdeck act take-block pub-1".to_owned(),
            drill,
            created_at_utc: moment("2026-05-14T02:00:00Z"),
        };
        let deployment = Deployment {
            deployment_id: "d".to_owned(),
            name: "gov-test".to_owned(),
            environment: Environment::Prod,
            created_at_utc: message.created_at_utc,
            version: 1,
        };
        Parcel::of(&message, &deployment)
    }

    #[test]
    fn hostile_text_is_visible_and_a_subject_stays_one_line() {
        let parcel = parcel(false);
        let text = String::from_utf8(parcel.json()).expect("it is text");
        assert!(!text.contains("\\u001b") && !text.contains('\u{202e}'));
        assert!(!parcel.title().contains(['\r', '\n']));
        assert!(
            parcel
                .title()
                .ends_with("pub-1<000D><000A>Bcc: x@example.com")
        );
        let letter = parcel.letter();
        assert!(letter.contains("one<202E>\nTake it with: govdeck act take-block pub-1\n"));
    }

    #[test]
    fn a_drill_says_so_wherever_it_comes() {
        let drill = parcel(true);
        assert!(
            drill.subject.starts_with("DRILL ") && drill.letter().starts_with("This is a DRILL")
        );
        assert!(!parcel(false).letter().contains("DRILL"));
    }
}
