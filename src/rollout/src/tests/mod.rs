//! The laws of a release, checked on a tiny model of a cluster.

mod admission;
mod cluster;
mod edits;
mod endings;
mod endpoints;
mod front;
mod gates;
mod held;
mod holding;
mod in_place;
mod laws;
mod model;
mod promoted_unmeasured;
mod promotion;
mod refusals;
mod steps;
mod storm;
mod walkthrough;
mod words;
