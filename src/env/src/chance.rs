//! Chance: named, seeded sequences of random numbers.
//!
//! Uses fastrand's generator; a sequence is chosen by the SHA-256 of seed and purpose, so adding a draw in one place moves none elsewhere.
//! Not for keys or certificates: those come from rustls' provider in the real world and from fixtures in simulation.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

/// The letters and digits that Kubernetes uses in generated names: no vowels, nothing that looks like something else.
const NAME_ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

#[derive(Clone, Copy, Debug)]
enum Source {
    Seed(u64),
    System,
}

/// A source of chance. Clones share one sequence.
#[derive(Clone, Debug)]
pub struct Chance {
    source: Source,
    sequence: Arc<Mutex<fastrand::Rng>>,
}

impl Chance {
    /// The sequence that `seed` determines.
    pub fn from_seed(seed: u64) -> Self {
        Self {
            source: Source::Seed(seed),
            sequence: Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))),
        }
    }

    /// A sequence seeded by the system.
    #[expect(clippy::disallowed_methods, reason = "this is where real chance enters")]
    pub fn from_system() -> Self {
        Self {
            source: Source::System,
            sequence: Arc::new(Mutex::new(fastrand::Rng::new())),
        }
    }

    /// A sequence for one purpose; the same purpose gives the same sequence when seeded.
    #[must_use]
    pub fn for_purpose(&self, purpose: &str) -> Self {
        match self.source {
            Source::System => Self::from_system(),
            Source::Seed(seed) => {
                let digest = Sha256::new()
                    .chain_update(seed.to_be_bytes())
                    .chain_update(purpose)
                    .finalize();
                let mut first = [0; 8];
                first.copy_from_slice(&digest[..8]);
                Self::from_seed(u64::from_be_bytes(first))
            }
        }
    }

    /// A number in `0..bound`; 0 when `bound` is 0.
    pub fn below(&self, bound: u64) -> u64 {
        if bound == 0 {
            0
        } else {
            self.sequence.lock().u64(0..bound)
        }
    }

    /// A number in `0.0..1.0`.
    pub fn fraction(&self) -> f64 {
        self.sequence.lock().f64()
    }

    /// True with the given probability.
    pub fn happens(&self, probability: f64) -> bool {
        self.fraction() < probability
    }

    /// A duration between `least` and `most`, both possible, in whole microseconds.
    pub fn duration(&self, least: Duration, most: Duration) -> Duration {
        let span = u64::try_from(most.saturating_sub(least).as_micros()).unwrap_or(u64::MAX - 1);
        least + Duration::from_micros(self.below(span + 1))
    }

    /// A version 4 UUID in its usual text form.
    pub fn uuid(&self) -> String {
        let mut bytes = [0u8; 16];
        self.sequence.lock().fill(&mut bytes);
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        format!(
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        )
    }

    /// A name suffix of `length` characters, as `generateName` appends it.
    pub fn name_suffix(&self, length: usize) -> String {
        let mut sequence = self.sequence.lock();
        (0..length)
            .map(|_| char::from(NAME_ALPHABET[sequence.usize(0..NAME_ALPHABET.len())]))
            .collect()
    }
}
