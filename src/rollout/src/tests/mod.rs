//! The laws of a release, checked on a tiny model of a cluster.

mod laws;
mod model;
mod walkthrough;
