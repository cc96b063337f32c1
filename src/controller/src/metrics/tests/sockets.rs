//! Servers that break the protocol, over real sockets in real time: closed connections, answers cut short, without an end, or of any size.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{Class, measure, one, prometheus, real, told};
use crate::metrics::Manner;

/// What a server does with a connection once it has read something.
#[derive(Clone, Copy, Debug)]
enum Does {
    /// Closes it.
    Closes,
    /// Writes a text and closes it.
    Writes(&'static str),
    /// Writes a text and holds it.
    Holds(&'static str),
    /// Writes a head, then blanks until the other side has had enough.
    Floods(&'static str),
}

/// A server, and how many bytes of a flood it got rid of.
async fn server(does: Does) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("it is bound"));
    let written = Arc::new(AtomicUsize::new(0));
    let count = written.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, does, count.clone()));
        }
    });
    (address, written)
}

async fn serve(mut socket: TcpStream, does: Does, written: Arc<AtomicUsize>) {
    let mut request = [0; 4096];
    let _ = socket.read(&mut request).await;
    match does {
        Does::Closes => {}
        Does::Writes(text) => {
            let _ = socket.write_all(text.as_bytes()).await;
        }
        Does::Holds(text) => {
            let _ = socket.write_all(text.as_bytes()).await;
            std::future::pending::<()>().await;
        }
        Does::Floods(head) => {
            let _ = socket.write_all(head.as_bytes()).await;
            let blanks = [b' '; 65536];
            while let Ok(sent) = socket.write(&blanks).await {
                written.fetch_add(sent, Ordering::Relaxed);
            }
        }
    }
}

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

#[rstest::rstest]
#[case::closed(Does::Closes, Class::Transport, "no answer")]
#[case::no_http(Does::Writes("SSH-2.0-OpenSSH_9.2\r\n"), Class::Transport, "no answer")]
#[case::cut_short(
    Does::Writes("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"status\":"),
    Class::Transport,
    "the answer broke off"
)]
#[case::cut_in_a_chunk(
    Does::Writes("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{\"status\":"),
    Class::Transport,
    "the answer broke off"
)]
#[case::silent(Does::Holds(""), Class::Timeout, "no whole answer within 0.3 s")]
#[case::no_end(
    Does::Holds("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{\"status\"\r\n"),
    Class::Timeout,
    "no whole answer within 0.3 s"
)]
#[case::error_without_end(
    Does::Holds("HTTP/1.1 500 Oops\r\ncontent-length: 100\r\n\r\nwell"),
    Class::Timeout,
    "no whole answer within 0.3 s"
)]
#[tokio::test]
async fn a_server_that_breaks_the_protocol_is_told(#[case] does: Does, #[case] class: Class, #[case] text: &str) {
    let (address, _) = server(does).await;
    let mut query = prometheus(&address);
    if class == Class::Timeout {
        query.manner = Manner::within(Duration::from_millis(300));
    }
    let (came, message) = told(measure(&query, &real()).await).expect_err("it is broken");
    assert_eq!(came, class, "{message}");
    assert!(message.contains(text), "{message}");
}

/// What sockets hold on both sides beside what was read.
const IN_FLIGHT: usize = 16 << 20;

#[rstest::rstest]
#[case::that_says_so("content-length: 104857600\r\n\r\n", IN_FLIGHT)]
#[case::that_does_not("\r\n", IN_FLIGHT + (8 << 20))]
#[tokio::test]
async fn of_an_answer_of_100_mb_no_more_than_8_are_read(#[case] head: &'static str, #[case] most: usize) {
    let head: &'static str = Box::leak(format!("{HEAD}{head}").into_boxed_str());
    let (address, written) = server(Does::Floods(head)).await;
    let (class, message) = told(measure(&prometheus(&address), &real()).await).expect_err("it is too large");
    assert_eq!(class, Class::TooLarge, "{message}");
    assert!(written.load(Ordering::Relaxed) <= most, "{written:?}");
}

#[tokio::test]
async fn of_an_error_as_large_no_more_is_read_than_is_shown() {
    let (address, written) = server(Does::Floods("HTTP/1.1 500 Oops\r\n\r\n")).await;
    let (class, _) = told(measure(&prometheus(&address), &real()).await).expect_err("it is an error");
    assert_eq!(class, Class::ServerError);
    assert!(written.load(Ordering::Relaxed) <= IN_FLIGHT, "{written:?}");
}

#[tokio::test]
async fn a_slow_server_is_waited_for_as_long_as_the_metric_says() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_raw(one("1"), "application/json");
    Mock::given(any())
        .respond_with(answer.set_delay(Duration::from_millis(200)))
        .mount(&server)
        .await;
    let mut query = prometheus(&server.uri());
    assert_eq!(told(measure(&query, &real()).await), Ok("[1]".to_owned()));
    query.manner = Manner::within(Duration::from_millis(50));
    let (class, _) = told(measure(&query, &real()).await).expect_err("too slow");
    assert_eq!(class, Class::Timeout);
}

#[tokio::test]
async fn where_nobody_listens_the_server_is_away() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("it is bound"));
    drop(listener);
    let (class, message) = told(measure(&prometheus(&address), &real()).await).expect_err("nobody is there");
    assert_eq!(class, Class::Transport);
    assert!(message.contains("refused"), "{message}");
}
