//! The key that a person has chosen to sign with.

use std::path::PathBuf;

use super::{Agent, Attempt, Passphrase, Source};
use crate::rules::Refusal;

/// Where the chosen key is, and the agent that may hold it.
#[derive(Debug, Clone)]
pub struct Signer {
    path: PathBuf,
    agent: Agent,
}

impl Signer {
    /// Names the file of a key, private or public.
    #[must_use]
    pub fn with(path: PathBuf, agent: Agent) -> Self {
        Self { path, agent }
    }

    /// Signs; blocks for as long as the agent, or whoever touches a security key, takes.
    pub fn sign(
        &self,
        passphrase: Option<&Passphrase>,
        message: &[u8],
    ) -> Result<Attempt, Refusal> {
        Source::at(&self.path)?.sign(&self.agent, passphrase, message)
    }
}
