//! Servers with certificates, over real sockets: believed when the metric's authority vouches for them, or when the metric believes everybody.

use std::time::Duration;

use env::{HttpService, full};
use http::Response;
use tokio::sync::oneshot;

use super::{Class, measure, one, prometheus, real, told};
use crate::metrics::{Certificates, Manner};
use crate::serve::{Certificate, Listener, serve};

#[tokio::test]
async fn a_certificate_is_checked_as_the_metric_says() {
    let env = real();
    let certificate = Certificate::make(&["localhost".to_owned()]).expect("made");
    let authority = certificate.authority().to_vec();
    let other = Certificate::make(&["localhost".to_owned()]).expect("made");
    let listener = Listener::bind("127.0.0.1:0".parse().expect("an address"), "a test")
        .await
        .expect("a free port");
    let address = format!("https://localhost:{}", listener.address().port());
    let (stop, stopped) = oneshot::channel::<()>();
    let service = HttpService::new(|_| async { Ok(Response::new(full(one("1")))) });
    let serving = tokio::spawn(serve(env.clone(), listener, Some(certificate), service, async {
        let _ = stopped.await;
    }));

    let with = |certificates| {
        let mut query = prometheus(&address);
        query.manner = Manner {
            certificates,
            ..Manner::within(Duration::from_secs(30))
        };
        query
    };
    let asked = async |certificates| told(measure(&with(certificates), &env).await);
    assert_eq!(asked(Certificates::Roots(authority)).await, Ok("[1]".to_owned()));
    assert_eq!(asked(Certificates::Anybody).await, Ok("[1]".to_owned()));

    let (class, message) = asked(Certificates::System).await.expect_err("nobody vouches for it");
    assert_eq!(class, Class::Transport, "{message}");
    assert!(message.contains("certificate"), "{message}");
    let another = Certificates::Roots(other.authority().to_vec());
    let (class, message) = asked(another).await.expect_err("somebody else vouches for it");
    assert_eq!(class, Class::Transport, "{message}");
    assert!(message.contains("certificate"), "{message}");

    let (class, message) = asked(Certificates::Roots(b"no certificate".to_vec()))
        .await
        .expect_err("no PEM");
    assert_eq!(class, Class::Misconfigured);
    assert!(
        message.contains("there is no certificate in them; give them as PEM"),
        "{message}"
    );

    drop(stop);
    serving.await.expect("no panic");
}
