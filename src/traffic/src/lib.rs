//! Routes, pure: what a step wants of the traffic and the route objects as they are go in, the wanted objects and the patches that lead there
//! come out. One file per router. Objects are handled as JSON, so that nothing of the user's that this crate does not know is ever lost.
//! Used by the rules in `rollout`; knows no client and no clock.

pub mod ingress;
mod op;
pub mod service;
#[cfg(test)]
mod tests;

pub use op::{Op, escape};
