//! Whether a name says that it is production's. Pure; used by [`super`] before anything touches a cluster.

/// Words that production clusters are called by.
const WORDS: [&str; 4] = ["prod", "production", "prd", "live"];
/// Before such a word, these say that it is not.
const DENIALS: [&str; 2] = ["non", "not"];

/// The word in `name` that says so, as it is written there.
pub(super) fn production_word(name: &str) -> Option<String> {
    let words = words(name);
    let says_so = |index: &usize| {
        let is_denied = index
            .checked_sub(1)
            .is_some_and(|before| DENIALS.contains(&words[before].to_ascii_lowercase().as_str()));
        let bare = words[*index].trim_end_matches(|char: char| char.is_ascii_digit());
        !is_denied && WORDS.contains(&bare.to_ascii_lowercase().as_str())
    };
    (0..words.len()).find(says_so).map(|index| words[index].clone())
}

/// The words of a name: letters and digits that belong together. A capital after a small letter begins another one.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for char in name.chars() {
        if !char.is_alphanumeric() || (before.is_lowercase() && char.is_uppercase()) {
            words.push(String::new());
        }
        if char.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(char);
        }
        before = char;
    }
    words.retain(|word| !word.is_empty());
    words
}
