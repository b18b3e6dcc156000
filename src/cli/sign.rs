//! Signing at the command line: the chosen key, its agent, and the question for its passphrase.

use std::path::PathBuf;

use super::page::{Exit, Failure};
use super::terminal::Terminal;
use super::waiting::Waiting;
use crate::actions::Request;
use crate::rules::Refusal;
use crate::settings::Settings;
use crate::signing::{Agent, Attempt, Signature, Signer};

/// What decisions are signed with: a key here, or one elsewhere, for which they wait.
#[derive(Debug)]
pub(super) struct Pen {
    pub signer: Option<Signer>,
    pub waiting: Waiting,
}

/// Where signatures come from: the key of the setting `signing_key`, and the agent that the session knows.
pub(super) fn signer(settings: &Settings) -> Option<Signer> {
    let socket = std::env::var_os("SSH_AUTH_SOCK")
        .filter(|socket| !socket.is_empty())
        .map(PathBuf::from);
    let key = settings.signing_key.value.clone()?;
    Some(Signer::with(key, Agent::at(socket)))
}

/// Signs a request that promised it; asks for a passphrase where the key needs one and somebody is there to answer.
pub(super) fn sign(request: Request, signer: Option<&Signer>) -> Result<Request, Failure> {
    let (Some(signer), Some(card), true) = (signer, request.card(), request.wants_signature())
    else {
        return Ok(request);
    };
    let signature = match signer.sign(None, card)? {
        Attempt::Signed(signature) => *signature,
        Attempt::PassphraseMissing(refusal) => with_passphrase(signer, card, refusal)?,
        Attempt::PassphraseWrong(refusal) => return Err(refusal.into()),
    };
    Ok(request.signed(&signature)?)
}

fn with_passphrase(signer: &Signer, card: &[u8], refusal: Refusal) -> Result<Signature, Failure> {
    let Some(mut terminal) = Terminal::open() else {
        return Err(refusal.into());
    };
    let passphrase = terminal
        .ask_quietly("Passphrase of the signing key: ")
        .map_err(|error| {
            Failure::new(
                Exit::CannotTell,
                format!("the passphrase cannot be read: {error}"),
                "add the key to ssh-agent instead: ssh-add",
            )
        })?;
    Ok(signer.sign(Some(&passphrase), card)?.done()?)
}
