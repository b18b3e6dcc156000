//! What a cutover read of feeds, so that the entry that rests on it can freeze it.

use serde::Serialize;

use super::known::Known;
use super::scan::Scan;
use crate::clock::Moment;
use crate::rules::migration::Interruption;

/// The scans that the clock of clean hours counts from.
#[derive(Debug, Serialize)]
pub struct Frozen<'a> {
    schema: &'static str,
    migration_id: &'a str,
    /// What a scan would be made of now.
    inputs_sha256: &'a str,
    counted_seconds: u64,
    /// What held the clock or set it back.
    interruptions: Vec<Interruption>,
    /// From the scan that set the clock back last, the oldest first.
    scans: Vec<&'a Scan>,
}

impl Known {
    /// Gathers the scans that the clock of clean hours rests on at a time.
    #[must_use]
    pub fn frozen_scans(&self, now: Moment) -> Frozen<'_> {
        let clock = self.clean(now);
        let mut log = clock.log.iter().rev();
        let since = log.find(|it| it.why.resets()).map(|it| it.at);
        let counts = |scan: &&Scan| since.is_none_or(|since| scan.scanned_at_utc >= since);
        Frozen {
            schema: "govdeck.dual-write-scans.v1",
            migration_id: &self.migration.migration_id,
            inputs_sha256: &self.inputs.scan,
            counted_seconds: clock.counted.as_secs(),
            scans: self.scans.iter().filter(counts).collect(),
            interruptions: clock.log,
        }
    }
}
