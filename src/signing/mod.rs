//! Signatures that `ssh-keygen -Y verify` accepts too, made with the keys people already have.
//!
//! This floor is for the public keys of persons, for reading and checking SSH signatures over bytes, for making them
//! with a private file or an ssh-agent, and for the line by which OpenSSH checks them without this program. Only
//! ed25519 and its kind on a security key sign, so that each key has one text, and each signature says one thing.
//!
//! It may import canon, clock and rules. It never asks whose key it is, what the bytes mean, or the environment; it
//! knows no database, and it never waits for longer than it says.

mod agent;
mod allowed;
mod file;
mod key;
mod private;
mod signature;
mod signer;
mod source;

pub use agent::Agent;
pub use allowed::allowed_signer;
pub use key::PublicKey;
pub use private::{Attempt, Passphrase, sign_with_file};
pub use signature::Signature;
pub use signer::Signer;
pub use source::Source;

/// What every signature is made for, so that none of another purpose counts here, and none of ours elsewhere.
pub const NAMESPACE: &str = "govdeck";
