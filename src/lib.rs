//! govdeck: a terminal operations console for teams that govern shared metrics.
//!
//! The plan of the house. A floor may use any floor above it in this list, never one below:
//!
//! | floor | what lives there |
//! |---|---|
//! | [`canon`] | strict JSON, canonical JSON, SHA-256 |
//! | [`rules`] | every decision, as pure functions over plain values |
//! | [`clock`] | moments in time |
//! | [`signing`] | signatures that OpenSSH accepts too: keys, files, the ssh-agent |
//! | [`settings`] | where values come from: defaults, file, environment, flags |
//! | [`store`] | the two databases, the ledger, the one door for writes |
//! | [`bundles`] | folders and targets of governed changes: what is read of them, and what runs there |
//! | [`actions`] | guarded writes, one file an action: propose, confirm, carry out |
//! | [`evidence`] | entries of the ledger in an archive that checks itself without govdeck |
//! | [`jobs`] | unattended work, one file a job |
//! | [`readback`] | a week's numbers for people who did not see how they came about, and the way back from each |
//! | [`agent`] | unattended work without a timer: who leads, what is due, messages on their ways |
//! | [`demo`] | a deployment with a story that goes on by itself |
//! | [`console`] | the terminal console: event, model, effect, link, picture |
//! | [`cli`] | head-less verbs, one file a noun |

pub mod actions;
pub mod agent;
pub mod bundles;
pub mod canon;
pub mod cli;
pub mod clock;
pub mod console;
pub mod demo;
pub mod evidence;
pub mod jobs;
pub mod readback;
pub mod rules;
pub mod settings;
pub mod signing;
pub mod store;
