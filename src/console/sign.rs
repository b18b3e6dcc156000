//! Signs what was confirmed, before it is sent.

use crate::actions::Request;
use crate::rules::Refusal;
use crate::signing::Signer;

/// Signs a request that promised it, on a thread of its own: an agent may ask its person first.
///
/// A passphrase is never asked for here, where others may watch the screen: the refusal names ssh-agent.
pub(super) async fn sign(signer: Option<Signer>, request: Request) -> Result<Request, Refusal> {
    let (Some(signer), true) = (signer, request.wants_signature()) else {
        return Ok(request);
    };
    let signing = tokio::task::spawn_blocking(move || {
        let card = request.card().unwrap_or_default();
        let signature = signer.sign(None, card)?.done()?;
        request.signed(&signature)
    });
    signing.await.unwrap_or_else(|_| {
        Err(Refusal::new(
            "the signing ended early",
            "nothing was written; do it again",
        ))
    })
}
