//! Keeping what a conversion would lose. A part is kept only when converting it there and back changes it, and is put back only while the other
//! side still shows what was made of it: an edit on the other side wins.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The annotations of an object.
pub(super) type Annotations = BTreeMap<String, String>;

/// The other version's form of `part`, and `part` itself when that form cannot be turned back into it.
pub(super) fn keep<A: Clone + PartialEq, B>(
    part: &A,
    there: impl Fn(&A) -> B,
    back: impl Fn(&B) -> A,
) -> (B, Option<A>) {
    let other = there(part);
    let kept = (back(&other) != *part).then(|| part.clone());
    (other, kept)
}

/// What was kept, when `other` is still what was made of it.
pub(super) fn restore<A: Clone, B: PartialEq>(other: &B, kept: Option<&A>, there: impl Fn(&A) -> B) -> Option<A> {
    kept.filter(|kept| there(kept) == *other).cloned()
}

/// Takes what was kept out of the annotations. What cannot be read (somebody edited it) counts as nothing.
pub(super) fn take<T: DeserializeOwned + Default>(annotations: &mut Annotations, key: &str) -> T {
    annotations
        .remove(key)
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}

/// Puts what is to be kept into the annotations, unless it is nothing.
pub(super) fn put<T: Serialize + Default + PartialEq>(annotations: &mut Annotations, key: &str, kept: &T) {
    if *kept != T::default()
        && let Ok(text) = serde_json::to_string(kept)
    {
        annotations.insert(key.to_owned(), text);
    }
}

/// Converts a list, element by element, with what was kept about each.
pub(super) fn list<A, B, C>(
    items: Option<&[A]>,
    mut element: impl FnMut(usize, &A) -> (B, Option<C>),
) -> (Option<Vec<B>>, BTreeMap<usize, C>) {
    let mut kept = BTreeMap::new();
    let converted = items.map(|items| {
        items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                let (other, keep) = element(index, item);
                kept.extend(keep.map(|keep| (index, keep)));
                other
            })
            .collect()
    });
    (converted, kept)
}
