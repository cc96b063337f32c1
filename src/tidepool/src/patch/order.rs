//! The order of a list after a strategic merge: what the patch names stands in the patch's order, what only the server knows keeps its place
//! among the items that were there before. Pure; used by the merge.

use serde_json::Value;

/// Sorts `list` by `order`, and the items that it does not name by `before`. Items are the same by `key`, or by themselves when it is empty.
pub(super) fn sort(list: &mut Vec<Value>, order: &[Value], before: &[Value], key: &str) {
    let (mut named, mut others): (Vec<Value>, Vec<Value>) =
        list.drain(..).partition(|item| place(order, item, key).is_some());
    // What is nowhere in the order that counts goes last.
    named.sort_by_key(|item| place(order, item, key).unwrap_or(usize::MAX));
    others.sort_by_key(|item| place(before, item, key).unwrap_or(usize::MAX));
    let mut others = others.into_iter().peekable();
    for item in named {
        let rank = place(before, &item, key);
        while let Some(other) = others.peek() {
            let earlier = matches!((place(before, other, key), rank), (Some(other), Some(rank)) if other < rank);
            if !earlier {
                break;
            }
            list.extend(others.next());
        }
        list.push(item);
    }
    list.extend(others);
}

fn place(list: &[Value], wanted: &Value, key: &str) -> Option<usize> {
    list.iter().position(|item| {
        if key.is_empty() {
            item == wanted
        } else {
            item.get(key).is_some() && item.get(key) == wanted.get(key)
        }
    })
}
