//! Is the canary worse than stable? A test that may be looked at after every slice of time and still errs no more often than it was told to. Pure values;
//! used by the run engine for metrics that give the counts of both versions.
//!
//! The way of a measurement: raw counters of both arms become a [`slice::Slice`] ([`counters`]), the slice goes into [`evidence::Evidence`] by the
//! [`design::Design`] of the template, and [`evidence::Verdict`] says whether that is enough. [`mixture`] and [`hypergeometric`] are the exact test,
//! [`signs`] the robust mode, [`absolute`] a fixed bound beside the ratio. [`dispersion`] warns when errors come in bursts, and [`split`] when the canary
//! does not get the traffic that it should.
//!
//! **Latency** needs nothing of its own. "Slower than the bound b of a histogram's bucket" is good or bad like an error, and cumulative buckets are counters:
//! with `total = …_count` and `errors = …_count − …_bucket{le="b"}` the same test says whether more of the canary's requests are slower than b.

pub mod absolute;
mod beta;
pub mod counters;
mod decimal;
pub mod design;
pub mod dispersion;
pub mod evidence;
mod gamma;
mod hypergeometric;
mod mixture;
pub mod signs;
pub mod slice;
pub mod split;

#[cfg(test)]
mod tests;
