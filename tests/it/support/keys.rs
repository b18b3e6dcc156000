//! Keys of the people in a world, made by the distribution's `ssh-keygen`, and what they sign.

use std::path::{Path, PathBuf};

use govdeck::actions::{self, Asked, Outcome, Request, Signing, Stop};
use govdeck::rules::guard::Answer;
use govdeck::signing::{Agent, Attempt, PublicKey, Signer};
use govdeck::store::Sealed;

use super::command::run;
use super::{REASON, World, sealed};

impl World {
    /// Makes a pair of keys in the world's home and returns the private one's path.
    pub fn make_key(&self, name: &str) -> PathBuf {
        let mut command = self.home.command(Path::new("ssh-keygen"));
        command.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name]);
        let made = run(command);
        assert_eq!(made.code, Some(0), "{made:?}");
        self.home.folder().join(name)
    }

    /// Reads a key's public half.
    pub fn public(&self, name: &str) -> PublicKey {
        let path = self.home.folder().join(format!("{name}.pub"));
        let line = std::fs::read_to_string(path).expect("a line");
        PublicKey::parse(&line).expect("a key")
    }

    /// Makes a key for a person and lets them register it.
    pub async fn with_key(&self, person: &str, name: &str) -> PathBuf {
        let path = self.make_key(name);
        let key = self.public(name);
        let asked = Asked::of(key.fingerprint()).with("key", key.to_line());
        self.act(person, "add_key", asked)
            .await
            .expect("registered");
        path
    }

    /// Confirms an action as a person who promises to sign it.
    pub async fn confirm_signed(
        &self,
        person: &str,
        verb: &str,
        asked: Asked,
    ) -> Result<Request, Stop> {
        let store = self.store(person).await;
        let asked = asked.with_signing(Signing::With);
        let proposal = actions::propose(&mut store.view().await?, verb, asked).await?;
        let answer = Answer {
            typed: proposal.phrase(),
            reason: Some(REASON.to_owned()),
        };
        proposal.confirm(&answer)
    }

    /// Does a guarded action as a person, signed with a key file.
    pub async fn act_signed(
        &self,
        person: &str,
        verb: &str,
        asked: Asked,
        key: &Path,
    ) -> Result<Sealed, String> {
        let request = self
            .confirm_signed(person, verb, asked)
            .await
            .map_err(|stop| stop.to_string())?;
        let store = self.store(person).await;
        match actions::carry_out(&store, signed(request, key)).await {
            Outcome::Refused(refusal) => Err(refusal.sentence),
            outcome => Ok(sealed(outcome)),
        }
    }
}

/// Signs a request with a key file.
pub fn signed(request: Request, key: &Path) -> Request {
    let signer = Signer::with(key.to_owned(), Agent::at(None));
    let card = request.card().expect("a card").to_vec();
    let signature = signer
        .sign(None, &card)
        .and_then(Attempt::done)
        .expect("signed");
    request.signed(&signature).expect("good for its card")
}
