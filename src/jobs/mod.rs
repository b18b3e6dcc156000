//! Unattended work, one file a job: what a timer runs again and again, without anybody at the keys.
//!
//! May import every floor before it. A job looks, computes and reads files outside of any transaction, and writes in short
//! ones: what is governed by an action of a rule, a feed through the store. Run twice, at once or too late it does no
//! harm. It returns what it has done; it never prints, asks a person, or waits for its next turn: `cli/job.rs` has one
//! subcommand for each, and whoever runs that says when.

pub mod drop_leaves;
