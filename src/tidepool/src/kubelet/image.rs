//! What a container does, told from its image's name: the images of this world are words, not layers.
//!
//! | the image's name or tag contains | the container |
//! |---|---|
//! | anything else | echoes: JSON with image, version, pod, namespace, node, ip, path and headers |
//! | `never-ready` | runs and echoes, but its pod never becomes ready |
//! | `crash` | ends with exit code 1 as soon as it starts, and again after ever longer waits |
//! | `5xx-<percent>` | echoes, but answers that share of requests with status 500 |

/// How a container behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Answers; that percentage with an error.
    Echo {
        /// 0 to 100.
        errors: u64,
    },
    /// Answers, but is never ready.
    NeverReady,
    /// Ends as soon as it starts.
    Crash,
}

/// The behaviour that an image's name asks for.
pub fn behaviour(image: &str) -> Behaviour {
    if image.contains("crash") {
        return Behaviour::Crash;
    }
    if image.contains("never-ready") {
        return Behaviour::NeverReady;
    }
    let errors = image.split_once("5xx-").map_or(0, |(_, rest)| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or(100).min(100)
    });
    Behaviour::Echo { errors }
}

/// The tag of an image, `latest` when it has none; a digest is no tag.
pub fn version(image: &str) -> &str {
    let bare = image.split('@').next().unwrap_or_default();
    let last = bare.rsplit('/').next().unwrap_or_default();
    last.split_once(':').map_or("latest", |(_, tag)| tag)
}
