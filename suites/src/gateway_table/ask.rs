//! Sends requests to a gateway and puts what came back into words.

use std::collections::BTreeMap;

use env::HttpService;
use http::Request;

use crate::answer::pod_of;
use crate::statistics::{ALPHA, REQUESTS, admitted};

/// The most that an answer may weigh.
const LARGEST_ANSWER: usize = 1 << 20;

/// Shares that the cases write, in percent: what is measured is taken for the nearest of them, as far as chance admits it.
const SHARES: [u32; 3] = [20, 50, 80];

/// Whom one request reached: `old`, `new`, `leaving`, or the status or fault that came instead.
pub(super) async fn send(gateway: &HttpService, host: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let mut request = Request::builder().uri(path).header(http::header::HOST, host);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let Ok(request) = request.body(env::empty()) else {
        return "no request".to_owned();
    };
    let Ok(response) = gateway.send(request).await else {
        return "no answer".to_owned();
    };
    let (parts, body) = response.into_parts();
    let Ok(body) = env::read_all(body, LARGEST_ANSWER).await else {
        return "broken answer".to_owned();
    };
    if !parts.status.is_success() {
        return parts.status.as_u16().to_string();
    }
    let pod = pod_of(&parts.headers, &body).unwrap_or_default();
    let known = ["old", "new", "leaving"].into_iter().find(|name| pod.starts_with(name));
    known.map_or_else(|| "somebody else".to_owned(), str::to_owned)
}

/// Whether it is an answer of a pod, and no fault.
pub(super) fn is_answer(outcome: &str) -> bool {
    ["old", "new", "leaving"].contains(&outcome)
}

/// Sends as many requests as a share needs, and says how they were split.
pub(super) async fn split(gateway: &HttpService, host: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let mut counts = BTreeMap::new();
    for _ in 0..REQUESTS {
        *counts.entry(send(gateway, host, path, headers).await).or_insert(0) += 1;
    }
    words(&counts)
}

/// The outcomes and their shares, the largest first.
pub(super) fn words(counts: &BTreeMap<String, u64>) -> String {
    if let [(only, _)] = counts.iter().collect::<Vec<_>>().as_slice() {
        return (*only).clone();
    }
    let mut ordered: Vec<_> = counts.iter().collect();
    ordered.sort_by(|(left, fewer), (right, more)| more.cmp(fewer).then(left.cmp(right)));
    let sum = counts.values().sum::<u64>();
    let parts: Vec<String> = ordered
        .into_iter()
        .map(|(outcome, count)| format!("{} % {outcome}", percent(*count, sum)))
        .collect();
    parts.join(", ")
}

fn percent(count: u64, sum: u64) -> u64 {
    let rounded = (count * 200 + sum) / (2 * sum.max(1));
    let admitted = |share: &&u32| admitted(sum, f64::from(**share) / 100.0, ALPHA).contains(&count);
    let nearest = SHARES.iter().min_by_key(|share| rounded.abs_diff(u64::from(**share)));
    nearest.filter(admitted).map_or(rounded, |share| u64::from(*share))
}
