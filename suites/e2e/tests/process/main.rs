//! The binary `e2e` as a process of its own, against what is wrong with a machine: one clear message, exit code 1, nothing left behind.
//!
//! Nothing here needs a cluster, a network or Docker: other programs are scripts in a folder that is all of PATH.

#![expect(clippy::expect_used, reason = "a test says by panicking what went wrong")]

mod bed;
mod demo;
mod kind;
mod up;
