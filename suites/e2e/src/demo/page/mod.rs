//! A recorded release as one page for a browser: a picture of it over time, and under it what was decided and why. One file without scripts, fonts or
//! anything else from elsewhere; in light and in dark, on a phone and on paper. Pure: a `record` in, HTML out; used by `demo --html`.

mod decisions;
mod layout;
mod marks;
mod markup;
mod picture;
mod series;
#[cfg(test)]
mod tests;
mod words;

use super::record::Record;
use layout::Layout;
use markup::escape;

const STYLE: &str = include_str!("style.css");

/// Where a record comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin<'a> {
    /// The command that makes this page again.
    pub(super) command: &'a str,
    /// The manifests that the release was led and judged by: what each is, and its text.
    pub(super) manifests: &'a [(&'a str, &'a str)],
}

/// The page about a release.
pub(super) fn page(record: &Record, origin: Origin<'_>) -> String {
    let title = words::title(record);
    let style = STYLE.trim();
    let lead = escape(&words::lead(record));
    let facts = facts(record);
    let wide = picture::draw(record, &Layout::WIDE);
    let narrow = picture::draw(record, &Layout::NARROW);
    let caption = escape(words::CAPTION);
    let decisions = decisions::table(&record.decisions);
    let manifests = manifests(origin.manifests);
    let command = escape(origin.command);
    format!(
        "\
<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<title>{title} – Tidegate</title>
<style>
{style}
</style>
</head>
<body>
<main>
<header>
<p class=\"kicker\">Tidegate demo</p>
<h1>{title}</h1>
<p class=\"lead\">{lead}</p>
</header>
{facts}
<section aria-labelledby=\"picture\">
<h2 id=\"picture\">The release over time</h2>
<figure>
{wide}
{narrow}
<figcaption>{caption}</figcaption>
</figure>
</section>
<section aria-labelledby=\"decisions\">
<h2 id=\"decisions\">What was decided, and why</h2>
{decisions}
</section>
<section aria-labelledby=\"rules\">
<h2 id=\"rules\">What the release was led and judged by</h2>
{manifests}
</section>
<footer>
<p>Made by <code>{command}</code>. The cluster, its pods, its gateway, its metric server and their time are simulated; the controller is the real one. \
Nothing is scripted: what the gateway answered is what the metric server said, and what the analysis judged.</p>
</footer>
</main>
</body>
</html>
"
    )
}

fn facts(record: &Record) -> String {
    let facts: Vec<String> = words::facts(record)
        .iter()
        .map(|(name, value)| format!("<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value)))
        .collect();
    format!("<dl class=\"facts\">\n{}\n</dl>", facts.join("\n"))
}

fn manifests(manifests: &[(&str, &str)]) -> String {
    let shown: Vec<String> = manifests
        .iter()
        .map(|(name, text)| {
            let (name, text) = (escape(name), escape(text.trim_end()));
            format!("<details>\n<summary>{name}</summary>\n<pre tabindex=\"0\">{text}</pre>\n</details>")
        })
        .collect();
    shown.join("\n")
}
