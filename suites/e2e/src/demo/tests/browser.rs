//! The committed pages in a real browser, headless Chromium, where one is installed: nothing is complained about, the picture that belongs to the
//! width is there and has a size, and nothing is wider than the window.

use std::ffi::OsString;
use std::fs::write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const PAGES: [&str; 2] = ["good-release.html", "bad-release.html"];

/// Measures the page that it is appended to, and leaves the numbers in it. The page itself allows no script, and loses that line for it.
const MEASURES: &str = "\
<output id=\"measured\"></output>
<script>
const picture = (name) => { const box = document.querySelector('svg.' + name).getBoundingClientRect(); return [box.width, box.height]; };
const lengths = [...document.querySelectorAll('svg path')].filter((path) => path.getTotalLength() > 0).length;
document.getElementById('measured').textContent = JSON.stringify({
  window: window.innerWidth, page: document.documentElement.scrollWidth, wide: picture('wide'), narrow: picture('narrow'), paths: lengths,
  rows: document.querySelectorAll('tbody tr').length, cut: [...document.querySelectorAll('td')].filter((cell) => cell.scrollWidth > cell.clientWidth + 1).length,
});
</script>
</body>";

/// A browser, and a folder for what it writes.
struct Browser {
    program: OsString,
    folder: tempfile::TempDir,
}

impl Browser {
    /// The one that `CHROMIUM` names, or that is on PATH; none where there is none.
    fn installed() -> Option<Self> {
        let named = std::env::var_os("CHROMIUM").filter(|named| !named.is_empty());
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = || {
            let programs = ["chromium", "chromium-browser", "google-chrome"];
            let mut places =
                std::env::split_paths(&path).flat_map(|folder| programs.map(|program| folder.join(program)));
            places.find(|place| place.is_file()).map(PathBuf::into_os_string)
        };
        Some(Self {
            program: named.or_else(on_path)?,
            folder: tempfile::tempdir().expect("a folder"),
        })
    }

    /// Opens a file in a window of that size; the page as the browser has it then, and what it complained about.
    fn open(&self, file: &Path, width: u32) -> (String, Vec<String>) {
        let profile = self.folder.path().join("profile");
        let output = Command::new(&self.program)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
            ])
            .args(["--enable-logging=stderr", "--timeout=60000", "--dump-dom"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(format!("--window-size={width},900"))
            .arg(format!("file://{}", file.display()))
            .output()
            .expect("the browser starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "the browser ended with {}: {said}",
            output.status
        );
        let complaints = said
            .lines()
            .filter(|line| line.contains("CONSOLE"))
            .map(str::to_owned)
            .collect();
        (String::from_utf8_lossy(&output.stdout).into_owned(), complaints)
    }

    /// The numbers that [`MEASURES`] leaves in a page.
    fn measure(&self, page: &str, width: u32) -> Value {
        let allowed: Vec<&str> = page
            .lines()
            .filter(|line| !line.contains("Content-Security-Policy"))
            .collect();
        let file = self.folder.path().join("measured.html");
        write(&file, allowed.join("\n").replace("</body>", MEASURES)).expect("a page");
        let (dom, complaints) = self.open(&file, width);
        assert_eq!(complaints, Vec::<String>::new());
        let (_, after) = dom.split_once("<output id=\"measured\">").expect("the numbers");
        let (numbers, _) = after.split_once("</output>").expect("their end");
        serde_json::from_str(numbers).expect("JSON")
    }
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "whoever runs the tests has to know that this one did not look"
)]
fn the_committed_pages_open_in_a_browser() {
    let Some(browser) = Browser::installed() else {
        eprintln!(
            "skipped: no Chromium on PATH and none named in CHROMIUM, so that the pages of docs/demo were not opened"
        );
        return;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/demo");
    for name in PAGES {
        let file = folder.join(name).canonicalize().expect("the page is committed");
        let (dom, complaints) = browser.open(&file, 1200);
        assert_eq!(complaints, Vec::<String>::new(), "{name}");
        assert!(
            dom.contains("</table>") && dom.contains("</footer>"),
            "{name} is not whole: {dom}"
        );
        let page = std::fs::read_to_string(&file).expect("the page");
        for (width, shown, hidden) in [(1200, "wide", "narrow"), (500, "narrow", "wide")] {
            let measured = browser.measure(&page, width);
            let size = |picture: &str, side: usize| measured[picture][side].as_f64().expect("a size");
            let number = |what: &str| measured[what].as_f64().expect("a number");
            assert!(
                size(shown, 0) > 300.0 && size(shown, 1) > 300.0,
                "{name} at {width}: {measured}"
            );
            assert_eq!(
                (size(hidden, 0), size(hidden, 1)),
                (0.0, 0.0),
                "{name} at {width}: {measured}"
            );
            assert!(
                number("page") <= number("window"),
                "{name} at {width} is wider than its window: {measured}"
            );
            assert!(
                number("paths") > 20.0 && number("rows") > 8.0,
                "{name} at {width}: {measured}"
            );
            assert_eq!(
                number("cut"),
                0.0,
                "{name} at {width}: a cell is too narrow for its words: {measured}"
            );
        }
    }
}
