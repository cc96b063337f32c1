//! Whole releases of the article's echoserver on the embedded cluster, in virtual time: what the controller asks of the API server, and what it
//! does when that goes away, is slow, or forgets.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says by panicking what went wrong"
)]

mod definition;
mod forbidden;
mod gate;
mod log;
mod needed;
mod outages;
mod person;
mod renewal;
mod rights;
mod routes;
mod verdict;
