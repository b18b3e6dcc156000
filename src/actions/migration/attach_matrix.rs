//! Attaches the impact matrix of a migration anew.

use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop};
use super::{Facts, MIGRATION, matrix_evidence, open, read, target, there};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::artifact::IMPACT_MATRIX;
use crate::store::{StoreError, View};

pub(in crate::actions) struct AttachMatrix {
    id: String,
    csv: String,
}

impl Action for AttachMatrix {
    const MAY: Permission = permission::ATTACH_MATRIX;
    const KEY: char = 'm';
    const SUMMARY: &'static str = "Attach the impact matrix of a migration anew";
    const UNDO: &'static str = "attach-matrix: with the one from before; both stay on record";
    const KIND: &'static str = MIGRATION;
    const TARGET: &'static str = "The migration's id";
    const FIELDS: &'static [Field] = &[Field {
        name: "matrix",
        help: "The impact matrix as CSV; `migration matrix ID FILE` reads it from a file",
        required: Required::Yes,
    }];
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            csv: asked.required("matrix")?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        read(view, &self.id).await
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let facts = there(facts.as_ref(), &self.id)?;
        let (row, file) = matrix_evidence(&self.id, &self.csv, Some(&facts.known), by, now)?;
        let draft = Draft::new(
            target(&facts.known.migration),
            vec![open(&facts.known)],
            vec![Row::new(row)],
        );
        Ok(draft.with_evidence(vec![(IMPACT_MATRIX.0, file)]))
    }
}
