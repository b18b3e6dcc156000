//! E-mail over SMTP: one letter a message, plain text, by a relay that takes it.

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message as Letter};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::{self, AsyncSmtpTransport};
use lettre::{Address, AsyncTransport, Tokio1Executor};

use super::parcel::Parcel;
use super::secret::{self, Secret};
use crate::rules::Refusal;
use crate::rules::delivery::NotTaken;
use crate::settings::{Channel, Mail, Safety};

/// The answers by which a relay says that this letter will never be taken: no such mailbox, too large, no such name.
const NEVER: [u16; 5] = [550, 551, 552, 553, 556];

/// A relay that takes letters.
pub(super) struct Mailer {
    settings: Mail,
    from: Mailbox,
    relay: AsyncSmtpTransport<Tokio1Executor>,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Mailer")
            .field("host", &self.settings.host)
            .finish_non_exhaustive()
    }
}

impl Mailer {
    pub fn open(settings: &Mail) -> Result<Self, Refusal> {
        let from = settings.from.parse().map_err(|_| {
            Refusal::new(
                "`from` is no address",
                "write it as govdeck@example.com, or \"govdeck <govdeck@example.com>\"",
            )
        })?;
        let tls = || tls(settings);
        let (tls, usual) = match settings.safety {
            Safety::Tls => (Tls::Wrapper(tls()?), smtp::SUBMISSIONS_PORT),
            Safety::Starttls => (Tls::Required(tls()?), smtp::SUBMISSION_PORT),
            Safety::None => (Tls::None, smtp::SMTP_PORT),
        };
        let mut relay =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.host.clone())
                .port(settings.port.unwrap_or(usual))
                .tls(tls)
                .timeout(Some(Channel::Mail(settings.clone()).timeout()));
        if let (Some(user), Some(path)) = (&settings.user, &settings.password_file) {
            let password = Secret::read(path)?.text()?;
            relay = relay.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Self {
            settings: settings.clone(),
            from,
            relay: relay.build(),
        })
    }

    /// Sends one letter.
    pub async fn send(&self, parcel: &Parcel) -> Result<(), NotTaken> {
        let letter = self.letter(parcel).map_err(NotTaken::Never)?;
        match self.relay.send(letter).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let why = told(&error);
                match error.status().map(u16::from) {
                    Some(code) if NEVER.contains(&code) => Err(NotTaken::Never(why)),
                    _ => Err(NotTaken::Later(why)),
                }
            }
        }
    }

    fn letter(&self, parcel: &Parcel) -> Result<Letter, String> {
        let recipient = &parcel.recipient;
        let address = self.settings.address_of(recipient).ok_or_else(|| {
            format!("{recipient} has no address: give one in `to`, or set `domain`")
        })?;
        let address: Address = address
            .parse()
            .map_err(|_| format!("the address of {recipient} cannot be written to"))?;
        let named = |name: &str, value: &str| {
            HeaderName::new_from_ascii(name.to_owned())
                .map(|name| HeaderValue::new(name, value.to_owned()))
                .map_err(|_| "a header has no name".to_owned())
        };
        let id = format!("<{}@govdeck>", parcel.notification_id);
        Letter::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address))
            .subject(parcel.title())
            .message_id(Some(id))
            .header(ContentType::TEXT_PLAIN)
            .raw_header(named("Auto-Submitted", "auto-generated")?)
            .raw_header(named("X-Govdeck-Idempotency-Key", &parcel.idempotency_key)?)
            .body(parcel.letter())
            .map_err(|error| format!("no letter can be made of it: {error}"))
    }
}

fn tls(settings: &Mail) -> Result<TlsParameters, Refusal> {
    let unusable = |what: &str, error: String| {
        Refusal::new(
            format!("{what}: {error}"),
            "check `ca_file` and `host` in the agent's file",
        )
    };
    let mut tls = TlsParameters::builder(settings.host.clone());
    if let Some(path) = &settings.ca_file {
        let pem = secret::file(path)?;
        let certificate = Certificate::from_pem(&pem)
            .map_err(|error| unusable("the certificates cannot be read", error.to_string()))?;
        tls = tls.add_root_certificate(certificate);
    }
    tls.build_rustls()
        .map_err(|error| unusable("no secure connection can be made", error.to_string()))
}

/// Words what went wrong with its cause, which lettre keeps apart.
fn told(error: &smtp::Error) -> String {
    let cause = std::error::Error::source(error);
    cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}
