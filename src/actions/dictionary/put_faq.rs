//! Puts a question about a metric into the FAQ, or edits it; the annex answers it.

use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Subject};
use crate::clock::Moment;
use crate::rules::faq::{self, FaqStatus};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::dictionary::{self, DictionaryMetric, FaqRow};
use crate::store::{StoreError, Target, View};

pub(in crate::actions) struct PutFaq {
    id: String,
    metric: String,
    question: String,
    anchor: String,
}

pub(in crate::actions) struct Facts {
    before: Option<FaqRow>,
    metric: Option<DictionaryMetric>,
}

impl Action for PutFaq {
    const MAY: Permission = permission::PUT_FAQ;
    const KEY: char = 'q';
    const SUMMARY: &'static str = "Put a question about a metric into the FAQ, or edit it";
    const UNDO: &'static str = "retire-faq: it is no longer shown";
    const KIND: &'static str = "faq";
    const TARGET: &'static str = "The question's id";
    const SUBJECT: Subject = Subject::New;
    const FIELDS: &'static [Field] = &[
        Field {
            name: "metric",
            help: "The metric it is about",
            required: Required::Yes,
        },
        Field {
            name: "question",
            help: "The question, in one line",
            required: Required::Yes,
        },
        Field {
            name: "anchor",
            help: "The section of the annex that answers it, like annex.html#met-0144",
            required: Required::Yes,
        },
    ];
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: super::plain_id("question", &asked.target)?,
            metric: asked.required("metric")?.to_owned(),
            question: faq::question(asked.required("question")?)?.to_owned(),
            anchor: faq::anchor(asked.required("anchor")?)?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        Ok(Facts {
            before: dictionary::faq(view, &self.id).await?,
            metric: dictionary::metric(view, &self.metric).await?,
        })
    }

    fn propose(&self, facts: &Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let before = facts.before.as_ref();
        let version = before.map_or(0, |before| before.version);
        let after = FaqRow {
            faq_id: self.id.clone(),
            dictionary_metric_id: self.metric.clone(),
            question: self.question.clone(),
            annex_anchor: self.anchor.clone(),
            status: FaqStatus::Active,
            edited_by: by.id(),
            edited_at_utc: now,
            version: version + 1,
        };
        let stays = before.is_none_or(|before| before.dictionary_metric_id == self.metric);
        let conditions = vec![
            faq::metric_is_there(&self.metric, facts.metric.is_some()),
            Condition::holds(
                "same_metric",
                stays,
                "faq_editor",
                before.map_or("new".to_owned(), |before| {
                    format!("it is about {}", before.dictionary_metric_id)
                }),
                "a question stays about its metric; another one takes a new id",
            ),
        ];
        let target = Target {
            kind: Self::KIND,
            id: self.id.clone(),
            version,
        };
        let row = match before {
            Some(before) => Row::change(before, after)?,
            None => Row::new(after),
        };
        Ok(Draft::new(target, conditions, vec![row]))
    }
}
