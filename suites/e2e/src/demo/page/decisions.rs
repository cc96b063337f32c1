//! The table of decisions: number, time, who, what and why. On a phone each row is a block of its own, by the style sheet. Pure; used by `page`.

use super::markup::{clock, escape};
use crate::demo::record::{By, Decision};

/// The table of all of them, numbered as the picture numbers them.
pub(super) fn table(decisions: &[Decision]) -> String {
    let rows: Vec<String> = decisions
        .iter()
        .enumerate()
        .map(|(index, decision)| row(index + 1, decision))
        .collect();
    format!(
        "\
<table>
<thead>
<tr><th scope=\"col\">No.</th><th scope=\"col\">Time</th><th scope=\"col\">Who</th><th scope=\"col\">What, and why</th></tr>
</thead>
<tbody>
{}
</tbody>
</table>",
        rows.join("\n")
    )
}

fn row(number: usize, decision: &Decision) -> String {
    let Decision { at, by, what, why } = decision;
    let why = match by {
        // A person's reason is the command, which is typed.
        By::Person => format!("<code>{}</code>", escape(why)),
        By::Plan | By::Analysis => escape(why),
    };
    let class = by.word().to_lowercase();
    format!(
        "<tr class=\"{class}\"><td class=\"number\"><span>{number}</span></td><td class=\"time\">{}</td>\
         <td class=\"who\">{}</td><td class=\"what\"><strong>{}</strong><span>{why}</span></td></tr>",
        clock(*at),
        by.word(),
        escape(what)
    )
}
