//! What a client of a real pod notices: it answers at its own address, and not after it has gone.

use env::{Env, HttpService, empty, full, read_all};
use http::{Request, Response};

use super::{ListenError, PodNetwork, SocketNetwork};

/// A port that was free on all loopback addresses a moment ago.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("0.0.0.0:0").expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}

fn text(answer: &'static str) -> HttpService {
    HttpService::new(move |_| async move { Ok(Response::new(full(answer))) })
}

async fn ask(env: &Env, authority: &str) -> Option<String> {
    let service = env.dial(authority).await.ok()?;
    let response = service.send(Request::new(empty())).await.ok()?;
    let body = read_all(response.into_body(), 1000).await.ok()?;
    String::from_utf8(body.to_vec()).ok()
}

fn run<F: Future<Output = ()>>(body: F) {
    // Another test may have installed it: either way there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime with I/O").block_on(body);
}

#[test]
fn two_pods_share_a_port_and_each_answers_at_its_own_address() {
    run(async {
        let (env, network, port) = (Env::real(), SocketNetwork::default(), free_port());
        let (one, two) = (format!("127.77.0.1:{port}"), format!("127.77.0.2:{port}"));
        let first = network.listen(&one, text("one")).await.expect("loopback is bindable");
        let _second = network.listen(&two, text("two")).await.expect("loopback is bindable");
        assert_eq!(ask(&env, &one).await.as_deref(), Some("one"));
        assert_eq!(ask(&env, &two).await.as_deref(), Some("two"));
        drop(first);
        tokio::task::yield_now().await;
        assert_eq!(ask(&env, &one).await, None);
        assert_eq!(ask(&env, &two).await.as_deref(), Some("two"));
        network.stop().await;
        assert_eq!(ask(&env, &two).await, None);
    });
}

#[test]
fn who_was_taken_in_is_answered_after_the_listener_has_gone() {
    run(async {
        let (env, network, port) = (Env::real(), SocketNetwork::default(), free_port());
        let authority = format!("127.77.0.3:{port}");
        let (finish, finished) = env::watch::channel(false);
        let (asked, mut was_asked) = env::watch::channel(false);
        let slow = HttpService::new(move |_| {
            let (mut finished, asked) = (finished.clone(), asked.clone());
            async move {
                asked.send_replace(true);
                finished.wait_for(|finished| *finished).await?;
                Ok(Response::new(full("late")))
            }
        });
        let listening = network.listen(&authority, slow).await.expect("loopback is bindable");
        let asking = {
            let (env, authority) = (env.clone(), authority.clone());
            tokio::spawn(async move { ask(&env, &authority).await })
        };
        was_asked.wait_for(|asked| *asked).await.expect("the service lives");
        drop(listening);
        tokio::task::yield_now().await;
        assert_eq!(ask(&Env::real(), &authority).await, None);
        finish.send_replace(true);
        assert_eq!(asking.await.expect("it does not panic").as_deref(), Some("late"));
        network.stop().await;
    });
}

#[test]
fn an_address_that_is_nobodys_is_an_error_that_says_what_to_do() {
    run(async {
        let network = SocketNetwork::default();
        let refused = network.listen("192.0.2.1:80", text("")).await.map(|_| ());
        let text_of = refused.expect_err("it is for documentation").to_string();
        assert!(text_of.starts_with("listen at 192.0.2.1:80: "), "{text_of}");
        assert!(text_of.contains("ip route add local"), "{text_of}");
        let malformed = network.listen("nowhere", text("")).await.map(|_| ());
        assert!(matches!(malformed, Err(ListenError::Malformed { .. })));
    });
}
