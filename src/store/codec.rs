//! How the house's own values become columns on both databases.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef, Postgres};
use sqlx::sqlite::{Sqlite, SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Decode, Encode, Type};

use crate::canon::Digest;
use crate::clock::Moment;
use crate::rules::Verdict;
use crate::rules::approval::ApprovalStatus;
use crate::rules::attestation::ActionClass;
use crate::rules::bind::Surface;
use crate::rules::block::{AuditStatus, BlockReason, SlaMark, SnapshotStatus};
use crate::rules::bundle::{Kind, RunType};
use crate::rules::bundle_run::{BundleStatus, RunOutcome, Tier};
use crate::rules::delivery::DeliveryState;
use crate::rules::dictionary::{AggregationRule, EpsilonClass};
use crate::rules::drill::DrillKind;
use crate::rules::faq::FaqStatus;
use crate::rules::migration::hour::{HourStatus, Step, StepState};
use crate::rules::migration::{
    CalendarKind, DeficiencyKind, EvidenceKind, Gate, Move, NoticeKind, PairStatus, Phase,
    RollbackReason, ScanStatus, Standing,
};
use crate::rules::people::{Attestation, Basis, Environment, PersonKind, Role};
use crate::rules::reconcile::{Party, RunVerdict};
use crate::rules::route::RouteChangeStatus;
use crate::rules::week::{AckBasis, RunKind, RunStatus, SkipReason};
use crate::store::job::JobOutcome;

/// Stores a type as the text that it displays as and reads back from.
macro_rules! stored_as_text {
    ($($name:ty),+ $(,)?) => { $(
        impl Type<Sqlite> for $name {
            fn type_info() -> SqliteTypeInfo {
                <String as Type<Sqlite>>::type_info()
            }
        }
        impl Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo {
                <String as Type<Postgres>>::type_info()
            }
            fn compatible(ty: &PgTypeInfo) -> bool {
                <String as Type<Postgres>>::compatible(ty)
            }
        }
        impl<'q> Encode<'q, Sqlite> for $name {
            fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
                <String as Encode<'q, Sqlite>>::encode(self.to_string(), buffer)
            }
        }
        impl<'q> Encode<'q, Postgres> for $name {
            fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                <String as Encode<'q, Postgres>>::encode(self.to_string(), buffer)
            }
        }
        impl<'r> Decode<'r, Sqlite> for $name {
            fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
                Ok(<&str as Decode<Sqlite>>::decode(value)?.parse::<$name>()?)
            }
        }
        impl<'r> Decode<'r, Postgres> for $name {
            fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
                Ok(<&str as Decode<Postgres>>::decode(value)?.parse::<$name>()?)
            }
        }
    )+ };
}

stored_as_text!(
    AckBasis,
    ActionClass,
    AggregationRule,
    ApprovalStatus,
    Attestation,
    AuditStatus,
    Basis,
    BlockReason,
    BundleStatus,
    CalendarKind,
    DeficiencyKind,
    DeliveryState,
    Digest,
    DrillKind,
    Environment,
    EpsilonClass,
    EvidenceKind,
    FaqStatus,
    Gate,
    HourStatus,
    JobOutcome,
    Kind,
    Move,
    NoticeKind,
    PairStatus,
    Party,
    PersonKind,
    Phase,
    Role,
    RollbackReason,
    RouteChangeStatus,
    RunKind,
    RunOutcome,
    RunType,
    RunVerdict,
    RunStatus,
    ScanStatus,
    SkipReason,
    SlaMark,
    SnapshotStatus,
    Standing,
    Surface,
    Tier,
    Verdict,
    Step,
    StepState,
);

type Time = chrono::DateTime<chrono::Utc>;

impl Type<Sqlite> for Moment {
    fn type_info() -> SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }
}

impl<'q> Encode<'q, Sqlite> for Moment {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        <String as Encode<'q, Sqlite>>::encode(self.to_string(), buffer)
    }
}

impl<'r> Decode<'r, Sqlite> for Moment {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(<&str as Decode<Sqlite>>::decode(value)?.parse::<Moment>()?)
    }
}

impl Type<Postgres> for Moment {
    fn type_info() -> PgTypeInfo {
        <Time as Type<Postgres>>::type_info()
    }
}

impl<'q> Encode<'q, Postgres> for Moment {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <Time as Encode<'q, Postgres>>::encode(self.as_datetime(), buffer)
    }
}

impl<'r> Decode<'r, Postgres> for Moment {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Moment::from(<Time as Decode<Postgres>>::decode(value)?))
    }
}
