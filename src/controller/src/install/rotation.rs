//! The certificate that replicas share, through a Secret: made by whoever comes first, renewed before it expires, replaced when it has expired.
//!
//! A renewal has two steps, so that no API server ever meets a certificate that it does not trust yet: first the next authority is announced
//! beside the one in use, an hour later the certificate that it signed is taken into use. Any replica may take either step; a write that comes
//! second is refused and read again. What to do is decided by [`step`], from values alone. Used by the binary.

use std::time::Duration;

use api::names::{FIELD_MANAGER, webhook};
use env::Env;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ObjectMeta, PostParams};
use tracing::{info, warn};

use super::cluster::failed;
use super::{Endpoint, InstallError, point};
use crate::serve::{Certificate, CertificateError};

/// How long before its end a certificate is renewed.
const AHEAD: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long an authority is announced before a certificate of it is used.
const LEAD: SignedDuration = SignedDuration::from_hours(1);
/// How far the clock of an API server may be behind ours.
const SKEW: SignedDuration = SignedDuration::from_mins(10);
/// How often the Secret is looked at.
const EVERY: Duration = Duration::from_secs(60);
/// The most authorities that are trusted at a time: the next, the one in use, the one before.
const AUTHORITIES: usize = 3;
/// What marks a Secret as ours to write; one without it is somebody else's, and only read.
const MADE: (&str, &str) = ("app.kubernetes.io/managed-by", "tidegate");
/// The certificate that is announced and not in use yet, beside `tls.crt` and `tls.key`.
const NEXT: (&str, &str) = ("next.crt", "next.key");

/// What is to be done with a shared certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Nothing.
    Keep,
    /// Make the next one and tell API servers to trust it.
    Announce,
    /// Take the announced one into use.
    Change,
    /// It is good for nothing any more: make another one and use it at once.
    Replace,
}

fn step(used: &Certificate, next: Option<&Certificate>, names: &[String], now: Timestamp) -> Step {
    let good = |certificate: &Certificate, after: SignedDuration| {
        // A moment past the end of time is no moment at which anything is valid.
        now.checked_add(after)
            .is_ok_and(|at| certificate.check(names, at).is_ok())
    };
    match next {
        Some(next) if good(next, -SKEW) => Step::Change,
        Some(next) if !good(used, SignedDuration::ZERO) && good(next, SignedDuration::ZERO) => Step::Change,
        _ if !good(used, SignedDuration::ZERO) => Step::Replace,
        Some(next) if good(next, LEAD) => Step::Keep,
        _ if !good(used, AHEAD) => Step::Announce,
        _ => Step::Keep,
    }
}

/// Authorities as one PEM text, the newest first.
fn bundle(newest: &[u8], before: &[u8]) -> Vec<u8> {
    const END: &str = "-----END CERTIFICATE-----";
    let before = String::from_utf8_lossy(before);
    let kept: String = before
        .split_inclusive(END)
        .filter(|text| text.contains(END))
        .take(AUTHORITIES - 1)
        .map(|text| format!("{}\n", text.trim()))
        .collect();
    [newest, kept.as_bytes()].concat()
}

fn put(secret: &mut Secret, key: &str, text: &[u8]) {
    secret
        .data
        .get_or_insert_default()
        .insert(key.to_owned(), ByteString(text.to_vec()));
}

/// Takes `made` into use.
fn use_at_once(secret: &mut Secret, made: &Certificate, before: &[u8]) {
    let (chain, key) = made.pem();
    put(secret, "tls.crt", chain);
    put(secret, "tls.key", key);
    put(secret, "ca.crt", &bundle(made.authority(), before));
    if let Some(data) = &mut secret.data {
        data.remove(NEXT.0);
        data.remove(NEXT.1);
    }
}

/// The certificate that all replicas behind one address share at `now`, after the step of its renewal that is due.
///
/// # Errors
/// When the Secret cannot be read or written, or is somebody else's and holds something else.
pub async fn shared_certificate(
    client: &kube::Client,
    namespace: &str,
    names: &[String],
    now: Timestamp,
) -> Result<Certificate, InstallError> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let name = webhook::CERTS_SECRET;
    let doing = || format!("share the webhooks' certificate through Secret {namespace}/{name}");
    let parameters = PostParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    };
    let at_once = now.checked_sub(LEAD).unwrap_or(now);
    for _ in 0..3 {
        let found = secrets.get_opt(name).await.map_err(|error| failed(doing(), &error))?;
        let written = if let Some(mut secret) = found {
            let used = read(&secret, namespace, ["tls.crt", "tls.key"])?;
            let ours = secret
                .metadata
                .labels
                .as_ref()
                .is_some_and(|labels| labels.get(MADE.0).is_some_and(|by| by == MADE.1));
            if !ours {
                return Ok(used);
            }
            let next = read(&secret, namespace, [NEXT.0, NEXT.1]).ok();
            match step(&used, next.as_ref(), names, now) {
                Step::Keep => return Ok(used),
                Step::Announce => {
                    let next = Certificate::make_from(names, now.checked_add(LEAD).unwrap_or(now))?;
                    let (chain, key) = next.pem();
                    put(&mut secret, NEXT.0, chain);
                    put(&mut secret, NEXT.1, key);
                    put(&mut secret, "ca.crt", &bundle(next.authority(), used.authority()));
                    info!("announcing the authority of the webhooks' next certificate");
                }
                Step::Change => {
                    if let Some(data) = &mut secret.data {
                        for (from, to) in [(NEXT.0, "tls.crt"), (NEXT.1, "tls.key")] {
                            let moved = data.remove(from);
                            data.extend(moved.map(|text| (to.to_owned(), text)));
                        }
                    }
                    info!("the webhooks' certificate was renewed");
                }
                Step::Replace => {
                    warn!("the webhooks' certificate has expired or is for another address; replacing it");
                    let made = Certificate::make_from(names, at_once)?;
                    use_at_once(&mut secret, &made, used.authority());
                }
            }
            secrets.replace(name, &parameters, &secret).await
        } else {
            let mut secret = Secret {
                metadata: ObjectMeta {
                    name: Some(name.to_owned()),
                    namespace: Some(namespace.to_owned()),
                    labels: Some([(MADE.0.to_owned(), MADE.1.to_owned())].into()),
                    ..ObjectMeta::default()
                },
                type_: Some("kubernetes.io/tls".to_owned()),
                ..Secret::default()
            };
            let made = Certificate::make_from(names, at_once)?;
            use_at_once(&mut secret, &made, &[]);
            secrets.create(&parameters, &secret).await
        };
        match written {
            Ok(secret) => return read(&secret, namespace, ["tls.crt", "tls.key"]),
            // Another replica was faster: see what it did.
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => {}
            Err(error) => return Err(failed(doing(), &error)),
        }
    }
    Err(InstallError::Unsteady { doing: doing() })
}

fn read(secret: &Secret, namespace: &str, [chain, key]: [&'static str; 2]) -> Result<Certificate, InstallError> {
    let part = |key: &'static str| {
        let found = secret.data.as_ref().and_then(|data| data.get(key));
        found
            .map(|bytes| bytes.0.as_slice())
            .ok_or_else(|| InstallError::Secret {
                namespace: namespace.to_owned(),
                name: webhook::CERTS_SECRET,
                key,
            })
    };
    let read: Result<Certificate, CertificateError> = Certificate::from_pem(part(chain)?, part(key)?, part("ca.crt")?);
    Ok(read?)
}

/// Looks at the Secret once a minute: has the webhooks trusted by its authorities, then shows its certificate to whoever connects. Never ends;
/// what fails is tried again with the next look.
pub async fn rotate(
    env: Env,
    client: kube::Client,
    namespace: String,
    names: Vec<String>,
    endpoint: Endpoint,
    shown: Certificate,
) {
    let mut current = shown.clone();
    let mut told = String::new();
    loop {
        env.sleep(EVERY).await;
        let looking = async {
            let found = shared_certificate(&client, &namespace, &names, env.now()).await?;
            if found.authority() != current.authority() {
                point(&client, &endpoint, found.authority()).await?;
            }
            Ok::<_, InstallError>(found)
        };
        match looking.await {
            Ok(found) => {
                shown.adopt(&found);
                current = found;
                told.clear();
            }
            Err(error) => {
                // Said once: what fails for a day must not fill the log.
                let error = error.to_string();
                if error != told {
                    warn!("{error}; looking again every {} s", EVERY.as_secs());
                    told = error;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use rstest::rstest;

    use super::{AUTHORITIES, Step, bundle, step};
    use crate::serve::Certificate;

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000 + hours)
    }

    fn from(hours: i64) -> Certificate {
        Certificate::make_from(&["a.svc".to_owned()], at(hours)).expect("made")
    }

    const DAY: i64 = 24;

    #[rstest]
    #[case::new(None, 1, Step::Keep)]
    #[case::of_middle_age(None, 59 * DAY, Step::Keep)]
    #[case::a_month_before_its_end(None, 61 * DAY, Step::Announce)]
    #[case::announced(Some(61 * DAY + 1), 61 * DAY, Step::Keep)]
    #[case::valid_by_our_clock_only(Some(61 * DAY + 1), 61 * DAY + 1, Step::Keep)]
    #[case::valid_by_every_clock(Some(61 * DAY + 1), 61 * DAY + 2, Step::Change)]
    #[case::expired(None, 91 * DAY, Step::Replace)]
    #[case::expired_after_an_announcement(Some(61 * DAY), 91 * DAY, Step::Change)]
    #[case::both_expired(Some(61 * DAY), 400 * DAY, Step::Replace)]
    #[case::our_clock_was_wrong(None, -DAY, Step::Replace)]
    fn a_certificate_is_renewed_in_two_steps_and_replaced_when_it_is_too_late(
        #[case] next: Option<i64>,
        #[case] now: i64,
        #[case] expected: Step,
    ) {
        let (used, next) = (from(0), next.map(from));
        assert_eq!(step(&used, next.as_ref(), &["a.svc".to_owned()], at(now)), expected);
    }

    #[test]
    fn one_for_another_name_is_replaced() {
        assert_eq!(step(&from(0), None, &["b.svc".to_owned()], at(1)), Step::Replace);
    }

    #[test]
    fn authorities_that_are_long_gone_are_not_trusted_for_ever() {
        let all = (0..6).fold(Vec::new(), |before, _| bundle(from(0).authority(), &before));
        let text = String::from_utf8(all).expect("PEM");
        assert_eq!(text.matches("BEGIN CERTIFICATE").count(), AUTHORITIES);
    }
}
