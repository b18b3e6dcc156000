//! Every governed table, with what reads its rows as the ledger knows them.

use crate::store::approval::ApprovalRequest;
use crate::store::bundle::{Bundle, Plan, Run};
use crate::store::deployment::Deployment;
use crate::store::dictionary::{
    AnnexView, BindProof, BindQuery, DictionaryMetric, FaqRow, Release, RunManifest, VarianceCheck,
};
use crate::store::drill::DrillRecord;
use crate::store::key::PersonKey;
use crate::store::migration::{
    Allowlist, AllowlistApproval, CalendarWindow, ColumnPair, CompleteEvent, Deficiency, Event,
    ExporterFingerprint, GateEvidence, GateOverride, GateOwner, Hour, HourPlan, HourStep,
    Migration, MigrationNotice, ProtectedMetric, RedeployTask, Signoff,
};
use crate::store::person::{Person, PersonRole};
use crate::store::policy::AttestationPolicy;
use crate::store::publish::{Audit, FooterSchema, FreezeBypass, Snapshot};
use crate::store::route::{Route, RouteChange};
use crate::store::sla::BlockMark;
use crate::store::tables::{Boxed, ImagePage};
use crate::store::week::{
    Ack, AckRevocation, Annex, Bootstrap, EpsilonPolicy, Incident, OverridePacket, Remediation,
    Series, Window,
};
use crate::store::{StoreError, View};

pub(super) type Images =
    for<'a> fn(&'a mut View, &'a str, i64) -> Boxed<'a, Result<ImagePage, StoreError>>;

/// How the rows of every governed table are read.
pub const GOVERNED: &[(&str, Images)] = &[
    (Deployment::TABLE, Deployment::images),
    (Person::TABLE, Person::images),
    (PersonRole::TABLE, PersonRole::images),
    (PersonKey::TABLE, PersonKey::images),
    (AttestationPolicy::TABLE, AttestationPolicy::images),
    (ApprovalRequest::TABLE, ApprovalRequest::images),
    (FooterSchema::TABLE, FooterSchema::images),
    (Route::TABLE, Route::images),
    (RouteChange::TABLE, RouteChange::images),
    (FreezeBypass::TABLE, FreezeBypass::images),
    (Snapshot::TABLE, Snapshot::images),
    (Audit::TABLE, Audit::images),
    (EpsilonPolicy::TABLE, EpsilonPolicy::images),
    (Series::TABLE, Series::images),
    (Window::TABLE, Window::images),
    (Incident::TABLE, Incident::images),
    (Bootstrap::TABLE, Bootstrap::images),
    (Remediation::TABLE, Remediation::images),
    (OverridePacket::TABLE, OverridePacket::images),
    (Annex::TABLE, Annex::images),
    (Ack::TABLE, Ack::images),
    (AckRevocation::TABLE, AckRevocation::images),
    (RunManifest::TABLE, RunManifest::images),
    (Release::TABLE, Release::images),
    (DictionaryMetric::TABLE, DictionaryMetric::images),
    (BindQuery::TABLE, BindQuery::images),
    (BindProof::TABLE, BindProof::images),
    (VarianceCheck::TABLE, VarianceCheck::images),
    (AnnexView::TABLE, AnnexView::images),
    (FaqRow::TABLE, FaqRow::images),
    (Bundle::TABLE, Bundle::images),
    (Plan::TABLE, Plan::images),
    (Run::TABLE, Run::images),
    (Migration::TABLE, Migration::images),
    (Event::TABLE, Event::images),
    (GateOwner::TABLE, GateOwner::images),
    (GateEvidence::TABLE, GateEvidence::images),
    (GateOverride::TABLE, GateOverride::images),
    (Allowlist::TABLE, Allowlist::images),
    (AllowlistApproval::TABLE, AllowlistApproval::images),
    (CalendarWindow::TABLE, CalendarWindow::images),
    (ColumnPair::TABLE, ColumnPair::images),
    (ProtectedMetric::TABLE, ProtectedMetric::images),
    (Deficiency::TABLE, Deficiency::images),
    (ExporterFingerprint::TABLE, ExporterFingerprint::images),
    (HourPlan::TABLE, HourPlan::images),
    (Hour::TABLE, Hour::images),
    (HourStep::TABLE, HourStep::images),
    (Signoff::TABLE, Signoff::images),
    (CompleteEvent::TABLE, CompleteEvent::images),
    (RedeployTask::TABLE, RedeployTask::images),
    (MigrationNotice::TABLE, MigrationNotice::images),
    (BlockMark::TABLE, BlockMark::images),
    (DrillRecord::TABLE, DrillRecord::images),
];
