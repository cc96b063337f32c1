//! Webhook configurations: what of them cannot be obeyed is refused when it is written, not forgotten when it matters.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

use super::{PLAIN, Preparing, Strategy};
use crate::object;
use crate::server::refusal::Cause;
use crate::server::select::{Labels, unreadable};

pub(super) const STRATEGY: Strategy = Strategy {
    generation: true,
    unconditional_update: false,
    check: &[check],
    ..PLAIN
};

fn check(_: &Preparing<'_>, configuration: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (index, webhook) in object::items(configuration, &["webhooks"]).iter().enumerate() {
        let path = format!("webhooks[{index}]");
        if !object::items(webhook, &["matchConditions"]).is_empty() {
            causes.push(Cause::forbidden(
                format!("{path}.matchConditions"),
                "this cluster evaluates no CEL expressions; narrow the rules or the selectors instead",
            ));
        }
        for field in ["namespaceSelector", "objectSelector"] {
            let read = Labels::from_object(&webhook[field]);
            causes.extend(
                read.err()
                    .map(|why| unreadable(&webhook[field], &format!("{path}.{field}"), &why)),
            );
        }
        causes.extend(authority(&webhook["clientConfig"], &format!("{path}.clientConfig")));
    }
    causes
}

/// What is wrong with the certificates by which a webhook is to be trusted.
pub(super) fn authority(config: &Value, path: &str) -> Option<Cause> {
    let bundle = object::text(config, &["caBundle"]);
    if bundle.is_empty() {
        return None;
    }
    let readable = STANDARD.decode(bundle).is_ok_and(|pem| {
        let certificates: Result<Vec<CertificateDer<'_>>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        certificates.is_ok_and(|certificates| !certificates.is_empty())
    });
    (!readable).then(|| {
        Cause::invalid(
            format!("{path}.caBundle"),
            &config["caBundle"],
            "unable to load root certificates: unable to parse bytes as PEM block",
        )
    })
}
