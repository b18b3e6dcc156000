//! `govdeck bundle`: governed migrations.

use clap::Subcommand;

use super::bundle_driver::{DriverTest, Shipped};
use super::page::{Failure, Page};

/// Governed migrations.
#[derive(Debug, Subcommand)]
pub(super) enum Bundle {
    /// Be a driver that govdeck ships.
    #[command(subcommand)]
    Driver(Shipped),
    /// Try a driver: what every driver must do, and with a bundle what it must do to a store.
    DriverTest(DriverTest),
}

impl Bundle {
    pub(super) fn run(self) -> Result<Page, Failure> {
        match self {
            Self::Driver(shipped) => shipped.run(),
            Self::DriverTest(test) => test.run(),
        }
    }
}
